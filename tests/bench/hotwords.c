/* Hot words over so many generated texts of a street: seconds and peak memory, as two lines of NAME VALUE. */
#include <stdlib.h>
#include <sys/resource.h>
#include <time.h>

#include "base/mem.h"
#include "core/statistics/hotwords.h"
#include "unit/street_talk.h"

static const char *name(struct street *s, char ret[16])
{
	size_t n = 0;

	for (int i = 0; i < 3; i++) {
		uint32_t c = 0x4e00 + street_next(s, 6000);

		ret[n++] = (char)(0xe0 | c >> 12);
		ret[n++] = (char)(0x80 | (c >> 6 & 0x3f));
		ret[n++] = (char)(0x80 | (c & 0x3f));
	}
	ret[n] = 0;
	return ret;
}

int main(int argc, char **argv)
{
	static const struct hot_settings usual = {.min = 20, .rise = 3, .cohesion = 4, .boundary = 1.5, .talk_min = 30, .talk_ratio = 10,
						  .top = 20, .proposals = 5};
	long n = argc > 1 ? strtol(argv[1], NULL, 10) : 1000000;
	struct street s = {.state = 11};
	struct hotwords *h = hotwords_new(NULL);
	struct timespec from, to;
	struct arena a = {0};
	struct hot_result r;
	struct rusage used;
	char grid[16], text[600], rare[16];

	clock_gettime(CLOCK_MONOTONIC, &from);
	for (long i = 0; i < n; i++) {
		int day = (int)(i * 21 / n);

		/* Words that nobody said before: names, numbers in characters. */
		street_talk(&s, day);
		snprintf(text, sizeof(text), "%s%s", s.text, name(&s, rare));
		snprintf(grid, sizeof(grid), "4101060%03u", street_next(&s, 196));
		hotwords_add(h, text, grid, day >= 14 ? HOT_TALK : HOT_TALK_BEFORE);
	}
	hotwords_find(h, &usual, &a, &r);
	clock_gettime(CLOCK_MONOTONIC, &to);
	if (!r.n_subjects)
		return 1;
	getrusage(RUSAGE_SELF, &used);
	printf("s %.3f\nmib %.1f\n", (double)(to.tv_sec - from.tv_sec) + (double)(to.tv_nsec - from.tv_nsec) / 1e9,
	       (double)used.ru_maxrss / 1024);
	hotwords_free(h);
	arena_done(&a);
	return 0;
}
