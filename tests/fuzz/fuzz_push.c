/* The body of a push: JSON or XML of any bytes becomes reports in the contract's form, or is refused. */
#include "fuzz.h"

#include "../../plugins/hotline/hotline.h"

static struct hotline plain, mapped;

/* Linked in with wire.c and shape.c; nothing is sent here. */
int bridge_report(struct bridge *b, const char *json, size_t len, char key[BRIDGE_KEY], struct err *e)
{
	(void)b;
	(void)json;
	(void)len;
	(void)key;
	(void)e;
	return 0;
}

void bridge_key(const char *json, size_t len, char key[BRIDGE_KEY])
{
	(void)json;
	(void)len;
	*key = '\0';
}

int LLVMFuzzerInitialize(int *argc, char ***argv)
{
	static const struct member_map map[] = {{"id", "/no"}, {"text", "/desc"}, {"time", "/at"}, {"media", "/files"},
						{"dispatch", "/times"}, {"place.address", "/place/addr"}};
	static const struct member_format formats[] = {{"time", "%Y-%m-%d %H:%M"}};
	struct err e;

	(void)argc;
	(void)argv;
	for (size_t i = 0; needle_plugin.options[i].name; i++)
		plain.options[i].text = mapped.options[i].text = needle_plugin.options[i].default_text;
	mapped.mapping = (struct channel){.map = map, .n_map = ARRAY_LEN(map), .formats = formats, .n_formats = 1};
	MUST(shape_open(&plain, &e) == 0 && shape_open(&mapped, &e) == 0);
	return 0;
}

static void shape(const struct hotline *h, json_t *rows)
{
	json_t *reports = json_array(), *row, *report;
	struct err e = {0};
	size_t i;

	json_array_foreach(rows, i, row) {
		size_t before = json_array_size(reports);
		int r = shape_row(h, row, reports, &e);

		MUST(r == 0 || (r == ERR_BAD && *e.text && json_array_size(reports) == before));
	}
	json_array_foreach(reports, i, report) {
		CLEANUP(mem_freep) char *text = json_dumps(report, JSON_COMPACT);

		MUST(text && json_integer_value(json_object_get(report, "v")) == 1 && json_object_get(report, "id"));
	}
	json_decref(reports);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	const struct wire_value values[] = {{"id", "a\"<&b"}, {"reason", NULL}};
	struct str out = {0};
	struct err e = {0};
	json_t *root = NULL, *rows;
	struct arena a = {0};
	int r = wire_parse((const char *)data, size, &root, &e);

	MUST(r == 0 || (r == ERR_BAD && *e.text));
	for (int i = 0; r == 0 && i < 2; i++) {
		rows = wire_rows(root, i ? "/data" : NULL);
		shape(&plain, rows);
		shape(&mapped, rows);
		json_decref(rows);
	}
	json_decref(root);
	wire_fill(fuzz_text(&a, data, size), (enum wire_escape)(size % 4), values, 2, &out);
	str_done(&out);
	arena_done(&a);
	return 0;
}
