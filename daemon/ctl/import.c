/*
 * A file of tickets, an export of the hotline's platform, through the broker as any client. What a row means is said
 * by the same functions as in the daemon, so a preview knows the bad ones without sending anything; new
 * or known is said by the database before, and by the gateway's receipts after.
 */
#include <errno.h>
#include <fcntl.h>
#include <unistd.h>

#include "base/clock.h"
#include "core/understand/message.h"
#include "ctl/ctl.h"
#include "ctl/import.h"
#include "plugin/decoder.h"
#include "settings/snapshot.h"
#include "store/lookup.h"
#include "store/pg.h"
#include "table/rejected.h"

enum { SHOWN = 5, REASONS_SHOWN = 20 };

static const struct flag flags[] = {
	{"preview", 0, NULL, N_("only tell what would happen; nothing is sent")},
	{"channel", 0, "ID", N_("the channel that the tickets belong to (hotline)")},
	{"source", 0, "ID", N_("who sends them, as a part of the topic (import)")},
	{"sheet", 0, "NAME", N_("the sheet of an XLSX (the first that is not hidden)")},
	{0},
};

/* ---- reading ------------------------------------------------------------------------------------- */

static int understand_row(struct import *im, json_t *object, const char **ret_text, struct understood *u,
			  struct err *e)
{
	CLEANUP(mem_freep) char *text = json_dumps(object, JSON_COMPACT | JSON_REAL_PRECISION(15));
	struct message m = {.topic = im->topic, .payload = text, .payload_len = text ? strlen(text) : 0,
			    .received_at = clock_now_us()};

	if (ret_text)
		*ret_text = text ? arena_strdup(&im->ctl->arena, text) : "";
	return understand(&im->ctl->settings->office, decoders_lookup, im->decoders, &m, &im->scratch, u, e);
}

/* A row of names that nothing can read has no id in it, whatever the channel's map or decoder is. */
static bool knows(void *arg, json_t *names)
{
	struct import *im = arg;
	struct understood u = {0};
	struct err e = {0};
	bool yes = understand_row(im, names, NULL, &u, &e) == 0 || strcmp(e.code, "no-id") != 0;

	understood_done(&u);
	arena_reset(&im->scratch);
	return yes;
}

static void keep_header(struct import *im, const struct sheet *sheet)
{
	if (im->header)
		return;
	im->header = sheet->header;
	for (size_t i = 0; i < sheet->n; i++)
		if (sheet->names[i])
			json_array_append_new(im->columns, json_string(sheet->names[i]));
}

static int take_row(void *arg, const struct sheet *sheet, const struct sheet_row *row, struct err *e)
{
	struct import *im = arg;
	struct import_row one = {.number = row->number};
	struct understood u = {0};

	keep_header(im, sheet);
	if (json_array_size(im->first) < SHOWN)
		json_array_append_new(im->first, json_deep_copy(row->object));
	if (understand_row(im, row->object, &one.payload, &u, e) < 0)
		one.reason = arena_strdup(&im->ctl->arena, err_said(e));
	one.n_ids = u.n_reports;
	one.ids = arena_alloc(&im->ctl->arena, (u.n_reports + 1) * sizeof(*one.ids));
	for (size_t i = 0; i < u.n_reports; i++)
		one.ids[i] = arena_strdup(&im->ctl->arena, u.reports[i].id);
	VEC_PUSH(&im->rows, one);
	understood_done(&u);
	arena_reset(&im->scratch);
	return 0;
}

/* The same number twice in one file: the second says nothing new. */
static void find_twice(struct import *im)
{
	struct map seen = {0};

	for (size_t i = 0; i < im->rows.n; i++)
		for (size_t k = 0; k < im->rows.v[i].n_ids; k++)
			if (map_put(&seen, im->rows.v[i].ids[k], im))
				im->twice++;
	map_done(&seen);
}

static int open_import(struct import *im, struct err *e)
{
	struct ctl *ctl = im->ctl;
	const char *channel = ctl_flag(ctl, "channel"), *source = ctl_flag(ctl, "source");
	const struct office *office = &ctl->settings->office;
	char plugins[512];

	im->channel = channel ? channel : "hotline";
	source = source ? source : "import";
	if (!map_get(&office->channel_by_id, im->channel))
		return ctl_usage(e, "--channel: the folder has no channel %s", im->channel);
	if (!str_is_id(source))
		return ctl_usage(e, "--source: small letters, digits, - and _ only, not %s", source);
	im->topic = arena_printf(&ctl->arena, "needle/%s/in/%s/%s", office->tenant, im->channel, source);
	im->receipts = arena_printf(&ctl->arena, "needle/%s/receipt/%s/%s", office->tenant, im->channel, source);
	return decoders_open(decoders_folder(plugins, sizeof(plugins)), office, &im->decoders, e);
}

/* ---- what the database knows --------------------------------------------------------------------- */

/* Asked for in pieces; an id that is there belongs to a case that is there. */
static int count_known(struct import *im, struct err *e)
{
	enum { PIECE = 1000 };
	const char *channels[PIECE], *ids[PIECE], *numbers[PIECE];
	struct pg *pg = NULL;
	size_t n = 0;
	int r = ctl_database(im->ctl, &pg, e);

	im->duplicates = 0;
	for (size_t i = 0; r == 0 && i <= im->rows.n; i++) {
		bool last = i == im->rows.n;

		if (!last && im->rows.v[i].n_ids) {
			channels[n] = im->channel;
			ids[n++] = im->rows.v[i].ids[0];
		}
		if (!n || (!last && n < PIECE))
			continue;
		r = lookup_about(pg, im->ctl->settings->office.tenant, channels, ids, n, &im->scratch, numbers, e);
		for (size_t k = 0; r == 0 && k < n; k++)
			im->duplicates += numbers[k] != NULL;
		arena_reset(&im->scratch);
		n = 0;
	}
	pg_close(pg);
	return r;
}

/* ---- what is told -------------------------------------------------------------------------------- */

static int again(void *arg, const struct sheet *sheet, const struct sheet_row *row, struct err *e)
{
	struct import *im = arg;
	const struct import_row *one = im->at < im->rows.n ? &im->rows.v[im->at] : NULL;

	(void)e;
	im->at++;
	if (one && one->reason && one->number == row->number)
		rejected_add(&im->rejected, sheet, row, one->reason);
	return 0;
}

/* FILE.rejected.csv: read once more, because receipts said what was wrong after the rows had gone. */
static int write_rejected(struct import *im, struct err *e)
{
	const struct table_options options = {.sheet = ctl_flag(im->ctl, "sheet")};
	const char *path = arena_printf(&im->ctl->arena, "%s.rejected.csv", im->file);
	int fd, r = sheet_read(im->file, &options, knows, again, im, e);

	if (r < 0)
		return r;
	fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0640);
	if (fd < 0 || write(fd, im->rejected.csv.s, im->rejected.csv.len) != (ssize_t)im->rejected.csv.len)
		r = err_set(e, ERR_SYS, "%s cannot be written: %s", path, strerror(errno));
	if (fd >= 0)
		close(fd);
	im->rejected_file = path;
	return r;
}

static json_t *bad_rows(const struct import *im)
{
	json_t *list = json_array();

	for (size_t i = 0; i < im->rows.n; i++)
		if (im->rows.v[i].reason)
			json_array_append_new(list, json_pack("{s:I, s:s}", "row", (json_int_t)im->rows.v[i].number, "reason",
							      im->rows.v[i].reason));
	return list;
}

static json_t *count_of(int64_t n)
{
	return n < 0 ? json_null() : json_integer(n);
}

static json_t *all_of(struct import *im)
{
	return json_pack("{s:s, s:b, s:s, s:I, s:O, s:I, s:o, s:o, s:o, s:I, s:I, s:I, s:O, s:o}", "file", im->file, "preview",
			 im->preview, "channel", im->channel, "header", (json_int_t)im->header, "columns", im->columns,
			 "rows", (json_int_t)im->rows.n, "new", count_of(im->fresh), "duplicate", count_of(im->duplicates),
			 "bad", bad_rows(im), "nothing", (json_int_t)im->nothing, "twice", (json_int_t)im->twice, "updated",
			 (json_int_t)im->updated, "first", im->first, "rejected", ctl_json_text(im->rejected_file));
}

static void print_number(struct str *out, const char *what, int64_t n)
{
	if (n < 0)
		str_addf(out, "  %s ?\n", what);
	else
		str_addf(out, "  %s %lld\n", what, (long long)n);
}

static void print_text(struct import *im)
{
	struct str *out = &im->ctl->out;
	const json_t *name;
	size_t i, shown = 0;

	str_addf(out, _("%s: %zu rows below the header in row %zu\n"), im->file, im->rows.n, im->header);
	str_addf(out, "  %s", _("columns:"));
	json_array_foreach(im->columns, i, name) {
		str_addc(out, ' ');
		grid_safe(out, json_string_value(name));
	}
	str_addc(out, '\n');
	print_number(out, _("new:"), im->fresh);
	print_number(out, _("known already:"), im->duplicates);
	print_number(out, _("refused:"), (int64_t)im->n_bad);
	if (im->updated)
		print_number(out, _("changed a case:"), (int64_t)im->updated);
	if (im->nothing)
		print_number(out, _("say nothing:"), (int64_t)im->nothing);
	if (im->twice)
		print_number(out, _("the same number again in this file:"), (int64_t)im->twice);
	for (i = 0; i < im->rows.n && shown < REASONS_SHOWN; i++) {
		if (!im->rows.v[i].reason)
			continue;
		str_addf(out, _("  row %zu: "), im->rows.v[i].number);
		grid_safe(out, im->rows.v[i].reason);
		str_addc(out, '\n');
		shown++;
	}
	if (shown < im->n_bad)
		str_addf(out, _("  and %zu more\n"), im->n_bad - shown);
	if (im->rejected_file)
		str_addf(out, _("the refused rows with their reasons: %s\n"), im->rejected_file);
}

static void tally(struct import *im)
{
	im->nothing = im->n_bad = 0;
	for (size_t i = 0; i < im->rows.n; i++) {
		im->n_bad += im->rows.v[i].reason != NULL;
		im->nothing += !im->rows.v[i].reason && !im->rows.v[i].n_ids;
	}
}

/* Without a database a preview still tells what is wrong with the file. */
static void preview(struct import *im)
{
	struct err e = {0};

	im->preview = true;
	tally(im);
	if (count_known(im, &e) < 0)
		im->duplicates = im->fresh = -1;
	else
		im->fresh = (int64_t)(im->rows.n - im->n_bad - im->nothing - im->twice) - im->duplicates;
}

static int import(struct import *im, struct err *e)
{
	const struct table_options options = {.sheet = ctl_flag(im->ctl, "sheet")};
	int r = open_import(im, e);

	if (r == 0)
		r = sheet_read(im->file, &options, knows, take_row, im, e);
	if (r < 0)
		return r;
	find_twice(im);
	if (args_has(&im->ctl->args, "preview"))
		preview(im);
	else
		r = import_send(im, e);
	tally(im);
	if (r == 0 && im->n_bad)
		r = write_rejected(im, e);
	return r;
}

static int run(struct ctl *ctl, struct err *e)
{
	static struct import im;        /* Paho's thread may call back until the process ends */
	json_t *all;
	int r = ctl_settings(ctl, e);

	if (r < 0)
		return r;
	im = (struct import){.ctl = ctl, .file = ctl->args.operands[0], .first = json_array(), .columns = json_array()};
	r = import(&im, e);
	if (r == 0) {
		all = all_of(&im);
		if (ctl->json)
			ctl_print_json(ctl, all);
		else
			print_text(&im);
		json_decref(all);
	}
	json_decref(im.first);
	json_decref(im.columns);
	rejected_done(&im.rejected);
	VEC_DONE(&im.rows);
	decoders_close(im.decoders);
	arena_done(&im.scratch);
	return r < 0 ? r : im.n_bad ? CTL_NO : CTL_DONE;
}

const struct verb verb_import = {
	.name = "import",
	.group = ctl_broker,
	.operands = "FILE",
	.help = N_("Take in a file of tickets: CSV or XLSX, an export of the hotline's platform."),
	.detail = N_("The header is found below title rows; columns are understood by the channel's decoder or map. Rows that "
		     "cannot become a case are written to FILE.rejected.csv with their reasons; the exit code is 1 then. The "
		     "same file again changes nothing: known numbers stay as they are. With --preview nothing is sent, and "
		     "new and known are told where the database answers.\n"),
	.flags = flags,
	.min_operands = 1,
	.max_operands = 1,
	.run = run,
};
