/*
 * What rules and deadlines cost, without a daemon: the same functions, in one process. A folder of so many
 * rules and keywords is made out of chance, loaded as `needlectl check` loads it, and asked.
 *
 *	rules FOLDER RULES KEYWORDS	FOLDER is a copy of config/demo; its rules.yaml is written anew
 *	rules FOLDER			deadlines only
 *
 * One JSON object: load_check_ms, rss_mib, decision_us (median), deadline_us (mean over a mix).
 */
#include <err.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <time.h>

#include "base/err.h"
#include "base/mem.h"
#include "base/str.h"
#include "base/vec.h"
#include "core/life/clocks.h"
#include "core/time/moment.h"
#include "core/understand/route.h"
#include "core/understand/text.h"
#include "settings/snapshot.h"

enum { HAN_FIRST = 0x4e00, HAN = 3000, TEXT_CHARS = 120, TEXTS = 400, ROUNDS = 25, DEADLINES = 400000 };

static uint64_t seed = 20261120;

static uint32_t dice(uint32_t n)
{
	seed = seed * 6364136223846793005ULL + 1442695040888963407ULL;
	return (uint32_t)(seed >> 33) % n;
}

static double us_of(clockid_t clock)
{
	struct timespec t;

	clock_gettime(clock, &t);
	return (double)t.tv_sec * 1e6 + (double)t.tv_nsec / 1e3;
}

static double now_us(void)
{
	return us_of(CLOCK_MONOTONIC);
}

static void add_han(struct str *out)
{
	unsigned c = HAN_FIRST + dice(HAN);
	const char utf8[] = {(char)(0xe0 | c >> 12), (char)(0x80 | (c >> 6 & 0x3f)), (char)(0x80 | (c & 0x3f)), '\0'};

	str_add(out, utf8);
}

/* Three to five characters, as words of rules are. */
static const char *make_word(struct arena *a)
{
	CLEANUP(str_done) struct str t = {0};

	for (uint32_t n = 3 + dice(3); n; n--)
		add_han(&t);
	return arena_strdup(a, t.s);
}

/* Every fifth rule also names a place, every seventh a category, every tenth what must not stand there. */
static void add_rule(struct str *out, int i, const char *const *words, int n)
{
	static const char *const depts[] = {"chengguan", "wuye", "huanwei", "yingji", "dangzheng"};

	str_addf(out, "  - id: 规则%d\n    when: {", i);
	if (i % 7 == 0)
		str_add(out, "category: 市政, ");
	if (i % 5 == 0)
		str_addf(out, "grid: [\"41010600300%d*\"], ", 1 + i % 7);
	str_add(out, "text: {any: [");
	for (int k = 0; k < n; k++)
		str_addf(out, "%s%s", k ? ", " : "", words[k]);
	str_add(out, i % 10 ? "]" : "], none: [演练, 已处理]");
	str_addf(out, "}}\n    then: {dept: %s}\n    owner: 李某\n", depts[i % 5]);
}

static void write_rules(const char *folder, int n_rules, const char *const *words, int n_words)
{
	CLEANUP(str_done) struct str text = {0};
	char path[4096];
	FILE *f;

	str_add(&text, "rules:\n");
	for (int i = 0; i < n_rules; i++) {
		int from = i * n_words / n_rules, to = (i + 1) * n_words / n_rules;

		add_rule(&text, i, words + from, to - from);
	}
	snprintf(path, sizeof(path), "%s/rules.yaml", folder);
	f = fopen(path, "w");
	if (!f || fwrite(text.s, 1, text.len, f) != text.len || fclose(f) != 0)
		err(1, "%s", path);
}

static struct settings *load(const char *folder, double *ret_us)
{
	const struct load_options options = {.flags = LOAD_SECRETS_OPTIONAL};
	struct settings *s = NULL;
	struct err e = {0};
	double since = now_us();

	if (settings_load(folder, &options, &s, &e) != 0) {
		CLEANUP(str_done) struct str t = {0};

		if (s)
			findings_text(&s->findings, &t);
		errx(1, "%s does not load: %s%s", folder, e.text, t.s ? t.s : "");
	}
	*ret_us = now_us() - since;
	return s;
}

/* Half of the texts hold a word of some rule, as half of an office's messages meet one. */
static const char **make_texts(struct arena *a, const char *const *words, int n_words)
{
	const char **texts = arena_alloc(a, TEXTS * sizeof(*texts));

	for (int i = 0; i < TEXTS; i++) {
		CLEANUP(str_done) struct str t = {0};

		for (int k = 0; k < TEXT_CHARS - 5; k++) {
			if (k == 60 && i % 2)
				str_add(&t, words[dice((uint32_t)n_words)]);
			add_han(&t);
		}
		texts[i] = arena_strdup(a, t.s);
	}
	return texts;
}

static int by_size(const void *a, const void *b)
{
	double x = *(const double *)a, y = *(const double *)b;

	return x < y ? -1 : x > y;
}

/* From the text as it came to the department with its limits, asked as the worker asks. */
static double median_decision_us(const struct office *office, const char *const *texts)
{
	static double took[TEXTS * ROUNDS];
	struct arena a = {0};
	size_t n = 0;

	for (int round = 0; round < ROUNDS; round++)
		for (int i = 0; i < TEXTS; i++) {
			struct report r = {.channel = &office->channels[0], .id = "x", .text = texts[i], .urgency = -1,
					   .grid = "410106003001001", .known_category = &office->categories[0]};
			struct decision d;
			struct leg leg;
			double since = now_us();

			r.shadow = text_shadow(&a, r.text);
			moment_parse("2026-11-20 08:31", &r.received_at);
			route(office, &r, &a, ROUTE_ALSO, &d);
			leg_start(office, &leg, 1, d.policy, r.received_at);
			took[n++] = now_us() - since;
			arena_reset(&a);
		}
	arena_done(&a);
	qsort(took, n, sizeof(*took), by_size);
	return took[n / 2];
}

/* Processor time: a mean has all that the machine did beside. */
static double mean_deadline_us(const struct office *office)
{
	static const char *const specs[] = {"4 工作小时", "5 工作日", "上不过午下不过夜", "24 小时", "2 工作日", "3 自然日", "次日 12:00"};
	struct deadline d[ARRAY_LEN(specs)];
	struct arena a = {0};
	struct err e;
	size_t at;
	int64_t first = 0, sum = 0;
	double since;

	moment_parse("2026-01-01 00:00", &first);
	for (size_t i = 0; i < ARRAY_LEN(specs); i++)
		if (deadline_parse(specs[i], &a, &d[i], &at, &e) < 0)
			errx(1, "%s: %s", specs[i], e.text);
	since = us_of(CLOCK_PROCESS_CPUTIME_ID);
	for (int i = 0; i < DEADLINES; i++) {
		struct due due;

		if (deadline_due(&d[(size_t)i % ARRAY_LEN(d)], office->default_calendar,
				 first + i % 330 * MOMENT_DAY_US + i % 1440 * INT64_C(60000000), NULL, &due, &e) == 0)
			sum += due.at;
	}
	since = us_of(CLOCK_PROCESS_CPUTIME_ID) - since;
	arena_done(&a);
	return sum ? since / DEADLINES : 0;
}

int main(int argc, char **argv)
{
	int n_rules = argc > 2 ? (int)strtol(argv[2], NULL, 10) : 0, n_words = argc > 3 ? (int)strtol(argv[3], NULL, 10) : 0;
	struct rusage usage;
	struct arena a = {0};
	const char **words, **texts;
	struct settings *s;
	double load_us;

	if (argc != 2 && (argc != 4 || n_rules < 1 || n_words < n_rules))
		errx(2, "usage: rules FOLDER [RULES KEYWORDS]");
	words = arena_alloc(&a, (size_t)(n_words + 1) * sizeof(*words));
	for (int i = 0; i < n_words; i++)
		words[i] = make_word(&a);
	if (n_rules)
		write_rules(argv[1], n_rules, words, n_words);
	s = load(argv[1], &load_us);
	getrusage(RUSAGE_SELF, &usage);
	if (!n_rules) {
		printf("{\"deadline_us\":%.4f}\n", mean_deadline_us(&s->office));
	} else {
		texts = make_texts(&a, words, n_words);
		printf("{\"load_check_ms\":%.2f,\"rss_mib\":%.1f,\"decision_us\":%.3f}\n", load_us / 1e3,
		       (double)usage.ru_maxrss / 1024, median_decision_us(&s->office, texts));
	}
	settings_unref(s);
	arena_done(&a);
	return 0;
}
