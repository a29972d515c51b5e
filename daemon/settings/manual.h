#pragma once
/*
 * The tables of keys for other readers: a JSON Schema for editors, and the reference for people. Both say
 * exactly what the checker knows, because they are made of the same rows.
 */
struct str;

/* One JSON Schema (draft 2020-12) under which each file of a folder by itself is valid, tests as well. */
void schema_json(struct str *out);
/* The reference manual, Markdown. */
void manual_markdown(struct str *out);
