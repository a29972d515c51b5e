#pragma once
/* The workload of a department's officers: what `show --officers DEPT` prints. */
struct ctl;
struct err;

int officers_show(struct ctl *ctl, const char *dept, struct err *e);
