/* The normal form of any text that can be formatted: formatting it again changes nothing. */
#include "fuzz.h"

#include "settings/fmt.h"
#include "settings/source.h"
#include "settings/table.h"

int LLVMFuzzerInitialize(int *argc, char ***argv)
{
	(void)argc;
	(void)argv;
	return 0;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct arena a = {0};
	struct str once = {0}, twice = {0};
	struct source source = {0}, again = {0};
	struct err e = {0};
	size_t n;

	source_init(&source, "rules.yaml", fuzz_text(&a, data, size), size, &a);
	if (fmt_text(&source, settings_keys(&n), &once, &e) == 0 && once.len) {
		source_init(&again, "rules.yaml", once.s, once.len, &a);
		MUST(fmt_text(&again, settings_keys(&n), &twice, &e) == 0);
		MUST(once.len == twice.len && memcmp(once.s, twice.s, once.len) == 0);
	}
	str_done(&once);
	str_done(&twice);
	arena_done(&a);
	return 0;
}
