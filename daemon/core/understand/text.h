#pragma once
/* Texts for matching and for showing: normalised shadow, masking, titles. Pure. */
#include <stdbool.h>
#include <stddef.h>

struct arena;

/* NFKC, case folded, blanks and zero-width characters dropped. Keywords go through the same function. */
const char *text_shadow(struct arena *a, const char *text);
/* Digits of a phone number with an optional leading '+', or NULL when there are none. */
const char *text_phone(struct arena *a, const char *text);
/*
 * Masks what may be personal inside free text: `name` (a whole name, may be NULL) to its first character and
 * '*', runs of 7 and more digits (phones, ids; also with blanks or dashes between) to 138****1234, id numbers likewise, 姓+称谓 (张先生 -> *先生).
 */
const char *text_mask(struct arena *a, const char *text, const char *name);
/* An address with house and flat numbers kept out: "幸福里3号楼2单元501" -> "幸福里3号楼***". */
const char *text_mask_address(struct arena *a, const char *address);
/* The first line or sentence, at most max characters (not bytes), "…" when cut. */
const char *text_title(struct arena *a, const char *text, size_t max);
/* An id for a topic from any text: letters are lowered, others become '-' and a short hash is added. */
const char *text_topic_id(struct arena *a, const char *text);
