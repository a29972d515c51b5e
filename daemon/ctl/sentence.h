#pragma once
/* A row of a case's history as a sentence that can be read aloud. */
struct ctl;
struct str;

/* Texts may be NULL. What strangers wrote cannot move the cursor. */
void sentence_add(struct ctl *ctl, struct str *out, const char *kind, const char *dept, const char *by, const char *note);
