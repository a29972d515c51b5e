/*
 * The model check of the lifecycle: long random walks in the demo's office, and after every step all that a
 * consumer, an auditor or a clerk may rely on. A walk is a list of moves; what fails is shortened to the
 * fewest moves that still fail, and printed, so that it can be read and replayed.
 *
 *	WALK_MOVES=1000000 WALK_SEED=7 build/unit/test_walks           WALK_TELL=1: how often each action was really done
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "base/err.h"
#include "base/mem.h"
#include "base/str.h"
#include "core/life/clocks.h"
#include "core/life/event.h"
#include "core/time/moment.h"
#include "core/understand/route.h"
#include "settings/snapshot.h"
#include "store/lists.h"

#ifdef __SANITIZE_ADDRESS__
enum { MOVES = 200000 };                /* five times as slow */
#else
enum { MOVES = 1000000 };
#endif
enum { WALK = 120, DEPTS = 64 };
static const char number[] = "JYL261120000001";

/* ---- moves ------------------------------------------------------------------------------------ */
/* Who acts: the one whom the case concerns, mostly, or anybody. */
enum actor { THE_LEAD, TRIAGE, SUPERVISOR, A_SUPPORT, ANYBODY, REPORTER, CLOCK, N_ACTOR };
static const char *const actor_names[N_ACTOR] = {"lead", "triage", "supervisor", "support", "anybody", "reporter", "clock"};
struct move {
	enum actor actor;
	enum life_action what;
	uint32_t args;                  /* chooses the members */
	uint32_t wait_s;                /* before it */
};

static uint32_t dice(uint64_t *seed, uint32_t n)
{
	*seed = *seed * 6364136223846793005ULL + 1442695040888963407ULL;
	return (uint32_t)(*seed >> 33) % n;
}

static uint32_t random_wait(uint64_t *seed)
{
	static const uint32_t most[] = {5, 600, 7200, 86400, 10 * 86400};

	return dice(seed, most[dice(seed, sizeof(most) / sizeof(most[0]))]);
}

static struct move random_move(uint64_t *seed)
{
	/* What brings a case on comes more often than its share. */
	static const enum command_action usual[] = {CMD_ACCEPT, CMD_ACCEPT, CMD_CONTACT, CMD_RESOLVE, CMD_RESOLVE, CMD_RETURN,
						    CMD_TRANSFER, CMD_TRANSFER, CMD_SUPPORT_DONE, CMD_REPORT_IN,
						    CMD_SUSPEND, CMD_SUSPEND, CMD_SUSPEND, CMD_EXTEND, CMD_GRANT, CMD_GRANT, CMD_GRANT,
						    CMD_RESUME, CMD_RESUME, CMD_RESUME, CMD_ANSWER, CMD_LIFT, CMD_WHISTLE};
	struct move m = {.actor = (enum actor)dice(seed, N_ACTOR), .args = dice(seed, 1u << 30), .wait_s = random_wait(seed)};

	if (m.actor == REPORTER)
		m.what = (enum life_action)(LIFE_SUPPLEMENT + dice(seed, LIFE_TICK - LIFE_SUPPLEMENT));
	else if (m.actor == CLOCK)
		m.what = LIFE_TICK;
	else if (dice(seed, 2))
		m.what = (enum life_action)usual[dice(seed, sizeof(usual) / sizeof(usual[0]))];
	else
		m.what = (enum life_action)dice(seed, N_COMMAND_ACTION);
	/* What ends a case comes less often: nothing more would happen to most. */
	if ((m.what == LIFE_WITHDRAW || m.what == (enum life_action)CMD_REJECT) && dice(seed, 8))
		m.what = LIFE_TICK;
	return m;
}

/* ---- the world -------------------------------------------------------------------------------- */
struct world {
	const struct office *office;
	struct arena a;
	struct case_record c;
	struct effects fx;
	int64_t now;
	/* What consumers have seen. */
	int told[DEPTS], seq;
	bool in_queue[DEPTS];
	const char *wrong;              /* the first broken promise, or NULL */
	size_t at;                      /* the move that broke it */
	/* Over all walks: what was really done, and where. */
	long long done[N_LIFE_ACTION], in_state[N_CASE_STATE];
};

static size_t index_of(const struct office *office, const char *dept)
{
	for (size_t i = 0; i < office->n_departments; i++)
		if (strcmp(office->departments[i].id, dept) == 0)
			return i;
	return office->n_departments;
}

static void claim(struct world *w, bool holds, const char *promise)
{
	if (!holds && !w->wrong)
		w->wrong = promise;
}

/* Everything of a case, as text: to see that nothing has changed. */
static const char *picture(struct world *w)
{
	const struct case_record *c = &w->c;
	struct str t = {0};
	const char *p;

	str_addf(&t, "%d %s %s %d %d %d %d %d %d", (int)c->state, c->lead, card_json(c, "lead", &w->a), c->seq, c->returns, c->heat,
		 c->urges, c->dissatisfied, c->leg.level);
	for (int k = 0; k < N_CLOCKS; k++)
		str_addf(&t, " %lld %lld", (long long)c->leg.due[k], (long long)c->leg.met[k]);
	str_addf(&t, " %s %s %s %s %s", lists_supports(c, &w->a), lists_errands(c, &w->a), lists_joined(c, &w->a),
		 lists_told(c, &w->a), lists_fired(c, &w->a));
	p = arena_strdup(&w->a, t.s);
	str_done(&t);
	return p;
}

static const struct department *who(struct world *w, const struct move *m)
{
	const struct office *office = w->office;
	const struct department *any = &office->departments[m->args % office->n_departments];

	switch (m->actor) {
	case THE_LEAD:
		return map_get(&office->dept_by_id, w->c.lead);
	case TRIAGE:
		return office->life.triage;
	case SUPERVISOR:
		return office->life.supervisor;
	case A_SUPPORT:
		return w->c.supports.n ? map_get(&office->dept_by_id, w->c.supports.v[m->args % w->c.supports.n].dept) : any;
	case ANYBODY:
	case REPORTER:
	case CLOCK:
	case N_ACTOR:
		break;
	}
	return any;
}

/* The i-th of three bits of the move's arguments. */
static unsigned bits(const struct move *m, unsigned i)
{
	return m->args >> (3 * i) & 7;
}

static const char *asked_for(const struct case_record *c)
{
	for (size_t i = c->errands.n; i-- > 0;)
		if ((c->errands.v[i].kind == ERRAND_EXTEND || c->errands.v[i].kind == ERRAND_SUSPEND) && !c->errands.v[i].done)
			return c->errands.v[i].request;
	return "r0";
}

static const char *to_whom(const struct world *w, const struct move *m)
{
	if (m->what == (enum life_action)CMD_LIFT && w->c.supports.n)
		return w->c.supports.v[m->args % w->c.supports.n].dept;
	return bits(m, 7) ? w->office->departments[(m->args >> 9) % w->office->n_departments].id : NULL;
}

static struct command make_command(struct world *w, const struct move *m)
{
	static const char *const reasons[] = {"not-ours", "no-place", "nonsense", NULL};
	static const char *const categories[] = {"市政/井盖", "物业/漏水", "nonsense", NULL};
	const struct office *office = w->office;
	const char **called = arena_alloc(&w->a, 2 * sizeof(*called));
	const struct department *dept = who(w, m);

	called[0] = office->departments[(m->args >> 7) % office->n_departments].id;
	called[1] = office->departments[(m->args >> 11) % office->n_departments].id;
	return (struct command){
		.dept = dept, .case_number = number, .action = (enum command_action)m->what,
		.request = arena_printf(&w->a, "r%zu", w->at),
		.by = dept->n_officers ? dept->officers[m->args % dept->n_officers].id : bits(m, 1) ? "li" : NULL,
		.note = bits(m, 0) ? "看过现场" : NULL, .answer = bits(m, 1) ? "已修好" : NULL,
		.reason = reasons[bits(m, 2) % 4], .order = bits(m, 3) ? "限时办结" : NULL,
		.within = bits(m, 3) > 4 ? "4 工作小时" : NULL, .text = bits(m, 4) ? "下一步" : NULL,
		.category = categories[bits(m, 4) % 4], .task = bits(m, 5) ? "到现场" : NULL, .topic = bits(m, 5) ? "会诊" : NULL,
		.outcome = bits(m, 6) ? "商定" : NULL, .of = m->what == (enum life_action)CMD_ANSWER ? NULL : asked_for(&w->c), .into = "JYL261120000002",
		.to = to_whom(w, m),
		.until = bits(m, 8) ? w->now + (int64_t)(bits(m, 8) - 1) * 43200 * 1000000 : MOMENT_NONE,
		.at = bits(m, 8) ? w->now + INT64_C(3600000000) : MOMENT_NONE,
		.departments = called, .n_departments = bits(m, 9) % 3, .parties = called, .n_parties = bits(m, 9) % 2};
}

static int apply(struct world *w, const struct move *m)
{
	struct command cmd = {0};
	struct report r = {.channel = &w->office->channels[0], .source = "s", .id = "u1", .kind = REPORT_SUPPLEMENT, .shadow = "",
			   .text = "补充", .score = (enum score)(bits(m, 0) % N_SCORE), .reply_id = "x", .delivered_ok = bits(m, 1),
			   .received_at = w->now, .time = w->now};
	struct action act = {.what = m->what, .report = &r};

	if (m->what < LIFE_SUPPLEMENT) {
		cmd = make_command(w, m);
		act = (struct action){.what = m->what, .command = &cmd};
	}
	return life_step(w->office, &w->c, &act, w->now, &w->a, &w->fx);
}

/* ---- what must hold ----------------------------------------------------------------------------- */
static void check_history(struct world *w)
{
	for (size_t i = 0; i < w->fx.history.n; i++)
		claim(w, w->fx.history.v[i].seq == ++w->seq, "history counts 1, 2, 3 … without holes");
	claim(w, w->c.seq == w->seq, "the case knows the last number of its history");
}

static void check_events(struct world *w)
{
	for (size_t i = 0; i < w->fx.events.n; i++) {
		const struct event_row *ev = &w->fx.events.v[i];
		size_t dept = ev->kind ? index_of(w->office, ev->target) : w->office->n_departments;

		if (ev->kind)
			claim(w, dept < w->office->n_departments, "events go to departments that exist");
		if (dept == w->office->n_departments)
			continue;
		claim(w, ev->prev == w->told[dept] && ev->seq > ev->prev, "prev is the event before, to each department");
		w->told[dept] = ev->seq;
	}
}

static void check_queues(struct world *w)
{
	const struct case_record *c = &w->c;
	bool open = c->state != STATE_RESOLVED && c->state != STATE_CLOSED && c->state != STATE_JOINED;

	for (size_t i = 0; i < w->fx.queue.n; i++)
		w->in_queue[index_of(w->office, w->fx.queue.v[i].department)] = w->fx.queue.v[i].present;
	claim(w, index_of(w->office, c->lead) < w->office->n_departments, "a case has one lead, which exists");
	for (size_t i = 0; i < w->office->n_departments; i++) {
		const char *id = w->office->departments[i].id;
		bool belongs = strcmp(c->lead, id) == 0;

		for (size_t k = 0; k < c->supports.n; k++)
			belongs |= !c->supports.v[k].done && strcmp(c->supports.v[k].dept, id) == 0;
		claim(w, w->in_queue[i] == (open && belongs), "an open case is in the queue of its lead and of who still helps, and in no other");
	}
}

/* 不解决不销号, 不满意不销号 */
static bool may_close(const struct world *w, const struct move *m, const struct case_record *before)
{
	struct due due;
	struct err e;
	const struct deadline *window = &w->office->life.closing_window;
	const struct calendar *cal = office_calendar(w->office, window, map_get(&w->office->policy_by_name, before->leg.policy));

	switch ((int)m->what) {
	case LIFE_RATE:
		return before->state == STATE_RESOLVED && bits(m, 0) % N_SCORE != SCORE_DISSATISFIED;
	case LIFE_WITHDRAW:
		return true;
	case LIFE_TICK:
		return before->state == STATE_RESOLVED &&
		       deadline_due(window, cal, before->resolved_at, NULL, &due, &e) == 0 && due.at <= w->now;
	case CMD_REJECT:
		return true;
	default:
		return false;
	}
}

static void check_closing(struct world *w, const struct move *m, const struct case_record *before)
{
	if (w->c.state != STATE_CLOSED)
		return;
	claim(w, w->c.closed_at != MOMENT_NONE && w->c.close_reason, "a closed case says when and why");
	if (before->state != STATE_CLOSED)
		claim(w, may_close(w, m, before), "a case closes by its closing rule, or withdrawn or rejected, and not otherwise");
}

static bool moves_limits(const struct move *m, const struct case_record *before)
{
	switch ((int)m->what) {
	case CMD_EXTEND:
	case CMD_GRANT:
	case CMD_RESUME:
	case CMD_AMEND:
	case LIFE_REVISE:
		return true;
	case LIFE_TICK:
		return before->state == STATE_SUSPENDED;
	default:
		return false;
	}
}

static void check_clocks(struct world *w, const struct move *m, const struct case_record *before)
{
	const struct leg *old = &before->leg, *new = &w->c.leg;

	claim(w, w->c.received_at == before->received_at, "the case's own clock never restarts");
	claim(w, new->n == old->n || new->n == old->n + 1, "legs count one by one");
	for (size_t i = 0; i < new->fired.n; i++)
		for (size_t k = 0; k < i; k++)
			claim(w, strcmp(new->fired.v[i], new->fired.v[k]) != 0, "a step of the ladder happens once a leg");
	if (new->n != old->n)
		return;
	if (!moves_limits(m, before))
		claim(w, new->due[CLOCK_RESOLVE] == old->due[CLOCK_RESOLVE], "the limit to resolve moves only where it is said");
	claim(w, old->met[CLOCK_RESOLVE] == MOMENT_NONE || new->met[CLOCK_RESOLVE] == old->met[CLOCK_RESOLVE], "what is met stays met");
	claim(w, new->level >= old->level, "a level does not fall within a leg");
}

static void check(struct world *w, const struct move *m, const struct case_record *before)
{
	check_history(w);
	check_events(w);
	check_queues(w);
	check_closing(w, m, before);
	check_clocks(w, m, before);
	claim(w, w->c.state == before->state || life_moves(m->what, before->state, w->c.state), "each change of state is an arrow of the table");
	if (m->what == LIFE_TICK)
		claim(w, w->fx.wake_at == MOMENT_NONE || w->fx.wake_at > w->now, "after the clock has looked, nothing is due any more");
}

/* Where departments argue about whose case it is, the history keeps that it was tried; nothing else changes. */
static void check_refusal(struct world *w, const char *was)
{
	int kept = (int)w->fx.history.n;

	w->c.seq -= kept;
	claim(w, w->fx.refused && strcmp(was, picture(w)) == 0, "a refusal says why and changes nothing");
	w->c.seq += kept;
	claim(w, kept == 0 || (kept == 1 && strcmp(w->fx.history.v[0].kind, "refused") == 0), "the history keeps of it that it was tried");
	claim(w, w->fx.events.n == 0 && w->fx.queue.n == 0, "nobody hears of what was refused");
	check_history(w);
}

/* ---- a walk ------------------------------------------------------------------------------------- */
static void open_case(struct world *w)
{
	struct report r = {.channel = &w->office->channels[0], .source = "s", .id = "GD1", .text = "幸福里3号楼前井盖破损",
			   .shadow = "幸福里3号楼前井盖破损", .category = "市政/井盖", .received_at = w->now, .time = w->now, .urgency = -1,
			   .known_category = map_get(&w->office->category_by_path, "市政/井盖")};
	const struct department *supports[] = {map_get(&w->office->dept_by_id, "huanwei")};
	struct decision d;

	route(w->office, &r, &w->a, 0, &d);
	d.supports = supports;
	d.n_supports = 1;
	life_open(w->office, &r, &d, number, w->now, &w->a, &w->c, &w->fx);
}

/* The promise that breaks, or NULL; *ret_at: by which move. */
static const char *walk(struct world *w, const struct move *moves, size_t n, size_t *ret_at)
{
	memset(w->told, 0, sizeof(w->told));
	memset(w->in_queue, 0, sizeof(w->in_queue));
	w->seq = 0;
	w->at = 0;
	w->wrong = NULL;
	arena_reset(&w->a);
	assert_true(moment_parse("2026-03-02 08:30", &w->now));
	open_case(w);
	check_history(w);
	check_events(w);
	check_queues(w);
	for (size_t i = 0; i < n && !w->wrong; i++) {
		const struct case_record before = w->c;
		const char *was = picture(w);

		w->at = i;
		w->now += (int64_t)moves[i].wait_s * 1000000;
		w->in_state[before.state]++;
		if (apply(w, &moves[i]) == 0) {
			w->done[moves[i].what]++;
			check(w, &moves[i], &before);
		} else {
			check_refusal(w, was);
		}
	}
	*ret_at = w->at;
	return w->wrong;
}

/* The walk without some moves; their time passes all the same. */
static size_t leave_out(const struct move *moves, size_t n, size_t from, size_t piece, struct move *ret)
{
	uint32_t waited = 0;

	memcpy(ret, moves, from * sizeof(*moves));
	memcpy(ret + from, moves + from + piece, (n - from - piece) * sizeof(*moves));
	for (size_t i = from; i < from + piece; i++)
		waited += moves[i].wait_s;
	if (from + piece < n)
		ret[from].wait_s += waited;
	return n - piece;
}

/* Leaves out pieces, large ones first, as long as the same promise breaks. */
static size_t shrink(struct world *w, struct move *moves, size_t n, const char *promise)
{
	for (size_t piece = n / 2; piece; piece /= 2)
		for (size_t from = 0; from + piece <= n;) {
			struct move shorter[WALK];
			size_t at, rest = leave_out(moves, n, from, piece, shorter);
			const char *wrong = walk(w, shorter, rest, &at);

			if (wrong && strcmp(wrong, promise) == 0) {
				n = at + 1;
				memcpy(moves, shorter, n * sizeof(*moves));
			} else {
				from += piece;
			}
		}
	return n;
}

static void tell(struct world *w, struct move *moves, size_t n, const char *promise, uint64_t seed)
{
	size_t at;

	n = shrink(w, moves, n, promise);
	print_error("broken: %s (seed %llu); the shortest walk that breaks it:\n", promise, (unsigned long long)seed);
	for (size_t i = 0; i < n; i++)
		print_error("  +%6u s  %-10s %-16s args %#x\n", moves[i].wait_s, actor_names[moves[i].actor],
			    life_action_name(moves[i].what), moves[i].args);
	walk(w, moves, n, &at);
	print_error("  then: %s\n", picture(w));
}

static long long from_environment(const char *name, long long otherwise)
{
	const char *text = getenv(name);

	return text ? strtoll(text, NULL, 10) : otherwise;
}

static struct settings *demo(void)
{
	struct settings *s = NULL;
	struct err e;

	assert_int_equal(settings_load("config/demo", &(struct load_options){.flags = LOAD_SECRETS_OPTIONAL}, &s, &e), 0);
	assert_true(s->office.n_departments <= DEPTS);
	return s;
}

/* Walks that never get anywhere would prove nothing. */
static void assert_far_and_wide(const struct world *w, long long moves)
{
	const long long least = moves / 50000;

	for (int a = 0; a < N_LIFE_ACTION; a++) {
		bool ever = false;

		for (int s = STATE_TRIAGE; s < N_CASE_STATE; s++)
			ever |= strcmp(life_cell((enum case_state)s, (enum life_action)a), "-") != 0;
		/* It takes a second case, a second message or another calendar: their own tests have them. */
		if (a == CMD_JOIN || a == CMD_SPLIT || a >= LIFE_REVISE || a == LIFE_OTHER_CONTENT || !ever)
			continue;
		if (getenv("WALK_TELL") || w->done[a] < least)
			print_error("%s was done %lld times\n", life_action_name((enum life_action)a), w->done[a]);
		assert_true(w->done[a] >= least);
	}
	for (int s = STATE_TRIAGE; s <= STATE_CLOSED; s++)
		if (s != STATE_SUSPENDED || w->done[CMD_GRANT])
			assert_true(w->in_state[s] >= least);
}

static void random_walks_keep_every_promise(void **state)
{
	struct settings *s = demo();
	struct world w = {.office = &s->office};
	uint64_t seed = (uint64_t)from_environment("WALK_SEED", 20261129);
	const long long in_all = from_environment("WALK_MOVES", MOVES);
	long long left = in_all;
	const char *wrong = NULL;

	(void)state;
	while (left > 0 && !wrong) {
		struct move moves[WALK];
		uint64_t from = seed;
		size_t at;

		for (size_t i = 0; i < WALK; i++)
			moves[i] = random_move(&seed);
		wrong = walk(&w, moves, WALK, &at);
		if (wrong)
			tell(&w, moves, at + 1, wrong, from);
		left -= WALK;
	}
	arena_done(&w.a);
	settings_unref(s);
	assert_null(wrong);
	assert_far_and_wide(&w, in_all);
}

/* The check can fail, and what it prints is short: here the promise is that no case is ever returned. */
static void a_broken_promise_is_shortened_to_the_moves_that_matter(void **state)
{
	struct settings *s = demo();
	struct world w = {.office = &s->office};
	struct move moves[WALK];
	uint64_t seed = 5;
	size_t at, n = 0;

	(void)state;
	for (int tries = 0; tries < 100 && !w.c.returns; tries++) {
		for (n = 0; n < WALK; n++)
			moves[n] = random_move(&seed);
		walk(&w, moves, WALK, &at);
	}
	assert_true(w.c.returns > 0);
	for (size_t i = 0; i < n;) {
		struct move without[WALK];

		leave_out(moves, n, i, 1, without);
		walk(&w, without, n - 1, &at);
		if (w.c.returns)
			memcpy(moves, without, --n * sizeof(*moves));
		else
			i++;
	}
	assert_int_equal(n, 1);
	assert_int_equal(moves[0].what, CMD_RETURN);
	arena_done(&w.a);
	settings_unref(s);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(random_walks_keep_every_promise),
		cmocka_unit_test(a_broken_promise_is_shortened_to_the_moves_that_matter),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
