/* The section `conversation`. Every key has a default in the table, lists too. */
#include "core/talk/talk.h"
#include "core/understand/text.h"
#include "settings/load.h"

/* A span of a clock: a chat does not wait for working days. */
static int64_t clock_span(struct scope s, const char *key)
{
	struct mark at = scope_mark(s, key);
	struct deadline d = {0};

	if (!scope_deadline(s, key, &d))
		return 0;
	if (d.unit != UNIT_MINUTE && d.unit != UNIT_HOUR)
		lint_add(&s.l->lint, "E12", &at, _("write it as 30 分钟 or 2 小时"), _("“%s” wants minutes or hours"), key);
	return (int64_t)d.n * (d.unit == UNIT_HOUR ? 60 : 1) * 60000000;
}

/* The list as written, else the table's. */
static struct texts words_of(struct scope s, const char *key)
{
	const struct node *list = scope_node(s, key);
	struct source *source;
	struct texts texts = {0};
	const char **v;
	size_t n;

	if (!list) {
		const char *fallback = key_child(s.row, key)->fallback;

		source = arena_alloc(s.l->arena, sizeof(*source));
		source_init(source, "", fallback, strlen(fallback), s.l->arena);
		list = yaml_parse(source, &s.l->lint);
	}
	n = list && list->kind != NODE_MAP ? scope_list_length(list) : 0;
	v = arena_alloc(s.l->arena, (n + 1) * sizeof(*v));
	for (size_t i = 0; i < n; i++) {
		const struct node *item = scope_list_item(list, i);

		if (item->kind == NODE_TEXT && *text_shadow(s.l->arena, item->text))
			v[texts.n++] = text_shadow(s.l->arena, item->text);
	}
	texts.v = v;
	return texts;
}

/* One word for two meanings would be the first of them for ever. */
static void check_words(struct scope words, const struct talk_settings *talk)
{
	struct map seen = {0};

	for (int w = 0; w < N_TALK_WORD; w++)
		for (size_t i = 0; i < talk->words[w].n; i++) {
			const char *word = talk->words[w].v[i], *first = map_get(&seen, word);
			struct mark at = scope_mark(words, talk_word_names[w]);

			if (first && first != talk_word_names[w])
				lint_add(&words.l->lint, "E21", &at, _("keep one of the two"),
					 _("“%s” is defined already, as a word for %s"), word, first);
			else if (!first)
				map_put(&seen, word, (void *)(uintptr_t)talk_word_names[w]);
		}
	map_done(&seen);
}

void load_talk(struct loader *l)
{
	struct scope s = scope_in(scope_root(l), "conversation"), ask = scope_in(s, "ask"), words = scope_in(s, "words"),
		     lines = scope_in(s, "lines");
	struct talk_settings *talk = &l->settings->office.talk;

	talk->window_us = clock_span(s, "window");
	talk->patience_us = clock_span(s, "patience");
	talk->ask[LINE_ASK_PLACE] = scope_bool(ask, "place") > 0;
	talk->ask[LINE_ASK_TEXT] = scope_bool(ask, "text") > 0;
	talk->places = words_of(s, "places");
	for (int w = 0; w < N_TALK_WORD; w++)
		talk->words[w] = words_of(words, talk_word_names[w]);
	for (int i = 0; i < N_TALK_LINE; i++) {
		const char *text = scope_text(lines, talk_line_names[i]);

		talk->lines[i] = text ? text : "";
	}
	check_words(words, talk);
}
