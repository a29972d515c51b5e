#pragma once
/* A typed growing array: VEC(struct report) reports = {0}; VEC_PUSH(&reports, r); reports.n, .v[i] */
#include "base/mem.h"

#define VEC(type) struct { type *v; size_t n, cap; }
#define VEC_PUSH(vec, ...)                                                                   \
	do {                                                                                 \
		if ((vec)->n == (vec)->cap) {                                                \
			(vec)->cap = (vec)->cap ? 2 * (vec)->cap : 16;                       \
			(vec)->v = mem_resize((vec)->v, (vec)->cap * sizeof(*(vec)->v));     \
		}                                                                            \
		(vec)->v[(vec)->n++] = __VA_ARGS__;                                          \
	} while (0)
#define VEC_DONE(vec) (free((vec)->v), (vec)->v = NULL, (vec)->n = (vec)->cap = 0)

#define ARRAY_LEN(a) (sizeof(a) / sizeof((a)[0]))
