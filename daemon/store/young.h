#pragma once
/*
 * A young database: of a table that was empty whenever the server looked at it, the planner thinks that any index finds a
 * row as well as its key, and reads all of the tenant's for one. The server looks again within a minute; until then a
 * daemon that has much to do would do it slower and slower.
 */
struct err;
struct pg;

/* Has the server look at tables that have got rows and were never looked at. */
int young_look(struct pg *pg, struct err *e);
