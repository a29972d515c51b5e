#pragma once
/*
 * One YAML file in its normal form: keys in the table's order, two blanks a step, quotes round codes that
 * look like numbers, one blank line where there were more. Comments stay with what they speak of. What was
 * written in braces on one line stays so; over several lines it becomes one entry a line. Formatting
 * twice changes nothing more, and the meaning never changes: both are checked before anything is handed out.
 */
struct err;
struct key_info;
struct source;
struct str;

/* `root` is row 0 of the table that the file follows. ERR_BAD when the file cannot be formatted, and why. */
int fmt_text(const struct source *source, const struct key_info *root, struct str *out, struct err *e);
