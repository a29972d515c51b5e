#pragma once
/* Checks that reason about a sound folder: rows of the table in check.c, each a question of its own. */
struct loader;

void check_shadow(struct loader *l);    /* E31 W03 W04 W05: what rules do to one another */
void check_style(struct loader *l);     /* W06 W07 W09: words, owners */
void check_duty(struct loader *l);      /* W24: deadlines that run while nobody is there */
void check_ladders(struct loader *l);   /* W30 W31: steps that meet, reminders that come too late */
