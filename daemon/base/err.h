#pragma once
/*
 * Errors are decisions, not causes: a caller can only try again, set the input aside, or stop.
 *
 * A fallible function returns int and takes `struct err *` last.
 *   0         done
 *   negative  one of the three decisions below: forwarded unchanged (add context with err_prefix)
 *   positive  an outcome named in that function's header: consumed by the caller, never forwarded
 * Return or log, never both. `struct err` needs no memory, so it works when memory does not.
 */
#include <stdarg.h>

enum err_class {
	ERR_AGAIN = -1, /* a peer is away: the same call may work later */
	ERR_BAD = -2,   /* this input will never work: set it aside */
	ERR_SYS = -3,   /* the process cannot go on */
};

struct err {
	int class;
	char code[24];    /* a stable short reason such as "not-json" or a SQLSTATE; may be empty */
	char text[400];   /* one sentence in English, for the log; holds no personal data */
	char said[400];   /* the same in the language of base/tongue.h; empty while that is English */
};

/* For people: what is written with err_set and its like is translated by itself. */
const char *err_said(const struct err *e);

/* Sets class and text, returns the class, so that `return err_set(e, ERR_BAD, ...)` reads well. */
int err_set(struct err *e, int class, const char *fmt, ...) __attribute__((format(printf, 3, 4)));
/* The same with a stable reason code. */
int err_code(struct err *e, int class, const char *code, const char *fmt, ...)
	__attribute__((format(printf, 4, 5)));
int err_vcode(struct err *e, int class, const char *code, const char *fmt, va_list ap)
	__attribute__((format(printf, 4, 0)));
/* Puts context before the text that is there; the class stays. */
void err_prefix(struct err *e, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
