#pragma once
/* Texts for matching and for showing: normalised shadow, masking, titles. Pure. */
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

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
/*
 * The same for data whose numbers mean something (unknown members): of numbers only mobile phones and citizens' ids (18
 * digits that their check digit confirms) are masked.
 */
const char *text_mask_sure(struct arena *a, const char *text, const char *name);
/* An address with house and flat numbers kept out: "幸福里3号楼2单元501" -> "幸福里3号楼***". */
const char *text_mask_address(struct arena *a, const char *address);
/* The first line or sentence, at most max characters (not bytes), "…" when cut. */
const char *text_title(struct arena *a, const char *text, size_t max);
/* All of it in one line, likewise. */
const char *text_line(struct arena *a, const char *text, size_t max);
/* An id for a topic from any text: letters are lowered, others become '-' and a short hash is added. */
const char *text_topic_id(struct arena *a, const char *text);
/*
 * How alike two shadows are, 0 … 1: Dice's measure over pairs of neighbouring characters. The first 160 characters count.
 */
double text_alike(const char *a, const char *b);
/* Of two shadows: neither names a house or other number that the other contradicts (3号楼 and 5号楼); times and amounts do not count. */
bool text_numbers_agree(const char *a, const char *b);
/* The same, roughly: a bit a number. Where neither holds all bits of the other, the numbers do not agree. */
uint64_t text_number_bits(const char *text);
