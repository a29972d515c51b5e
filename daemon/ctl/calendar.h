#pragma once
/* Inside the verb calendar only. */
struct calendar;
struct ctl;
struct err;
struct json_t;

/* A year as a grid of twelve months with its special days, or as JSON. */
void calendar_print(struct ctl *ctl, const struct calendar *cal, int year);
struct json_t *calendar_json(const struct calendar *cal, int year);
/* calendar import FILE */
int calendar_import(struct ctl *ctl, const char *path, struct err *e);
