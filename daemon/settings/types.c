#include "settings/types.h"

#include <arpa/inet.h>
#include <iconv.h>
#include <strings.h>

#include "base/mem.h"
#include "base/str.h"
#include "core/time/moment.h"

/* Reads min…max digits; NULL when there are fewer. */
static const char *digits(const char *s, int min, int max, int *ret)
{
	int n = 0, v = 0;

	for (; n < max && s[n] >= '0' && s[n] <= '9'; n++)
		v = 10 * v + (s[n] - '0');
	if (n < min)
		return NULL;
	*ret = v;
	return s + n;
}

bool type_number(const char *text, double *ret)
{
	size_t whole = strspn(text, "0123456789"), part = 0;

	if (text[whole] == '.')
		part = strspn(text + whole + 1, "0123456789");
	if (!(whole + part) || whole + part > 15 || text[whole + (part ? part + 1 : 0)])
		return false;
	*ret = strtod(text, NULL);
	return true;
}

bool type_bool(const char *text, bool *ret)
{
	static const struct {
		const char *word;
		bool value;
	} words[] = {{"on", true}, {"off", false}, {"true", true}, {"false", false}, {"yes", true}, {"no", false}};

	for (size_t i = 0; i < sizeof(words) / sizeof(words[0]); i++)
		if (strcasecmp(text, words[i].word) == 0) {
			*ret = words[i].value;
			return true;
		}
	return false;
}

struct unit {
	const char *word;
	int64_t factor;
};

static bool with_unit(const char *text, const struct unit *units, size_t n_units, int64_t *ret)
{
	size_t n = strspn(text, "0123456789"), after = n;

	if (n < 1 || n > 9)
		return false;
	if (text[after] == ' ')
		after++;
	for (size_t i = 0; i < n_units; i++)
		if (strcmp(text + after, units[i].word) == 0) {
			*ret = strtoll(text, NULL, 10) * units[i].factor;
			return true;
		}
	return false;
}

bool type_size(const char *text, int64_t *ret)
{
	static const struct unit units[] = {
		{"B", 1}, {"KiB", 1 << 10}, {"MiB", 1 << 20}, {"GiB", 1 << 30}, {"TiB", INT64_C(1) << 40},
		{"kB", 1000}, {"KB", 1000}, {"MB", 1000000}, {"GB", 1000000000}, {"K", 1 << 10}, {"M", 1 << 20},
		{"G", 1 << 30},
	};

	return with_unit(text, units, sizeof(units) / sizeof(units[0]), ret) || str_to_int(text, 0, INT64_C(1) << 50, ret);
}

bool type_age(const char *text, int64_t *ret_days)
{
	static const struct unit units[] = {{"d", 1}, {"自然日", 1}, {"w", 7}, {"周", 7}, {"个月", 31}, {"月", 31}};
	static const struct unit years[] = {{"y", 1}, {"年", 1}};
	int64_t n;

	if (with_unit(text, years, 2, &n)) {
		*ret_days = 365 * n + (n + 3) / 4;      /* never shorter than the calendar's years */
		return true;
	}
	return with_unit(text, units, sizeof(units) / sizeof(units[0]), ret_days);
}

bool type_date(const char *text, int32_t *ret_day)
{
	int y, m, d;
	const char *s = digits(text, 4, 4, &y);

	if (!s || *s != '-' || !(s = digits(s + 1, 2, 2, &m)) || *s != '-' || !(s = digits(s + 1, 2, 2, &d)) || *s)
		return false;
	if (y < 1970 || !moment_date_is_valid(y, m, d))
		return false;
	*ret_day = moment_day_from_date(y, m, d);
	return true;
}

bool type_mmdd(const char *text, int16_t *ret)
{
	int m, d;
	const char *s = digits(text, 1, 2, &m);

	if (!s || *s != '-' || !(s = digits(s + 1, 1, 2, &d)) || *s || !moment_date_is_valid(2024, m, d))
		return false;
	*ret = (int16_t)(100 * m + d);
	return true;
}

bool type_weekday(const char *text, size_t n, int *ret)
{
	static const char *const names[] = {"周一", "周二", "周三", "周四", "周五", "周六", "周日", "周天"};

	for (int i = 0; i < 8; i++)
		if (strlen(names[i]) == n && memcmp(names[i], text, n) == 0) {
			*ret = i < 7 ? i + 1 : 7;
			return true;
		}
	return false;
}

bool type_weekdays(const char *text, uint8_t *ret_mask)
{
	unsigned mask = 0;
	int from, to;

	if (strcmp(text, "每天") == 0) {
		*ret_mask = 0x7f;
		return true;
	}
	for (;;) {
		size_t n = strcspn(text, ",-");

		if (!type_weekday(text, n, &from))
			return false;
		to = from;
		text += n;
		if (*text == '-') {
			n = strcspn(text + 1, ",-");
			if (!type_weekday(text + 1, n, &to) || to < from)
				return false;
			text += n + 1;
		}
		for (; from <= to; from++)
			mask |= 1u << (from - 1);
		if (!*text)
			break;
		if (*text++ != ',')
			return false;
		text += strspn(text, " ");
	}
	*ret_mask = (uint8_t)mask;
	return true;
}

static const char *clock_time(const char *s, int *ret_minutes)
{
	int h, m;

	s = digits(s, 1, 2, &h);
	if (!s || *s != ':' || !(s = digits(s + 1, 2, 2, &m)) || m > 59 || h > 24 || (h == 24 && m))
		return NULL;
	*ret_minutes = 60 * h + m;
	return s;
}

bool type_hours(const char *text, struct span_of_day *ret)
{
	int from, to;
	const char *s = clock_time(text, &from);

	if (!s || *s != '-' || !(s = clock_time(s + 1, &to)) || *s)
		return false;
	*ret = (struct span_of_day){.from = (int16_t)from, .to = (int16_t)to};
	return true;
}

bool type_listen(const char *text, struct arena *a, const char **ret_address, int *ret_port)
{
	const char *colon = strrchr(text, ':'), *address;
	size_t bracket = *text == '[' && colon && colon > text + 1 && colon[-1] == ']';
	unsigned char bytes[16];
	int64_t port;

	if (strcmp(text, "off") == 0) {
		*ret_address = NULL;
		*ret_port = 0;
		return true;
	}
	if (!colon || colon == text || !str_to_int(colon + 1, 0, 65535, &port))
		return false;
	address = arena_strndup(a, text + bracket, (size_t)(colon - text) - 2 * bracket);
	/* No other names: what they stand for would only show at the start, and may change. */
	if (strcmp(address, "localhost") == 0)
		address = "127.0.0.1";
	if (inet_pton(bracket ? AF_INET6 : AF_INET, address, bytes) != 1)
		return false;
	*ret_address = address;
	*ret_port = (int)port;
	return true;
}

bool type_id(const char *text)
{
	return str_is_id(text);
}

bool type_prefix(const char *text)
{
	size_t n = strlen(text);

	if (n < 2 || n > 8 || *text < 'A' || *text > 'Z')
		return false;
	return strspn(text, "ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789") == n;
}

static bool is_alnum(char c)
{
	return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
}

static bool only(const char *text, size_t n, const char *more)
{
	for (size_t i = 0; i < n; i++)
		if (!is_alnum(text[i]) && !strchr(more, text[i]))
			return false;
	return n > 0;
}

bool type_grid(const char *text)
{
	size_t n = strlen(text);

	if (n > 1 && text[n - 1] == '*')
		n--;
	return n <= 32 && only(text, n, "-_.");
}

bool type_category(const char *text)
{
	size_t n = strlen(text);

	return n && n <= 500 && *text != '/' && text[n - 1] != '/' && !strstr(text, "//");
}

bool type_member(const char *text)
{
	size_t n = strlen(text);

	return n <= 100 && *text != '.' && only(text, n, "_.") && text[n - 1] != '.' && !strstr(text, "..");
}

bool type_pointer(const char *text)
{
	if (*text && *text != '/')
		return false;
	for (const char *s = strchr(text, '~'); s; s = strchr(s + 1, '~'))
		if (s[1] != '0' && s[1] != '1')
			return false;
	return true;
}

/* {tenant}, {channel} and {source} stand for a level's text; nothing else may be in braces. */
static bool braces_are_known(const char *text)
{
	static const char *const words[] = {"{tenant}", "{channel}", "{source}"};

	for (const char *s = strpbrk(text, "{}"); s; s = strpbrk(s, "{}")) {
		size_t n = 0;

		for (size_t i = 0; i < 3; i++)
			if (strncmp(s, words[i], strlen(words[i])) == 0)
				n = strlen(words[i]);
		if (!n)
			return false;
		s += n;
	}
	return true;
}

bool type_filter(const char *text)
{
	size_t n = strlen(text);

	if (!n || n > 1000 || *text == '$' || !braces_are_known(text))
		return false;
	for (const char *s = text; (s = strpbrk(s, "+#")); s++) {
		bool first = s == text || s[-1] == '/';

		if (!first || (*s == '#' && s[1]) || (*s == '+' && s[1] && s[1] != '/'))
			return false;
	}
	return true;
}

bool type_charset(const char *text, bool *ret_is_utf8)
{
	bool utf8 = strcasecmp(text, "utf-8") == 0 || strcasecmp(text, "utf8") == 0;
	iconv_t cd;

	if (!utf8) {
		cd = iconv_open("UTF-8", text);
		if (cd == (iconv_t)-1)
			return false;
		iconv_close(cd);
	}
	*ret_is_utf8 = utf8;
	return true;
}

bool type_path(const char *text)
{
	const char *s = text;

	if (!*s || *s == '/' || strlen(s) > 500)
		return false;
	for (; *s; s++) {
		bool first = s == text || s[-1] == '/';

		if ((unsigned char)*s < ' ' || *s == 0x7f)
			return false;
		if (first && s[0] == '.' && s[1] == '.' && (!s[2] || s[2] == '/'))
			return false;
	}
	return true;
}

bool type_secret(const char *text, char name[65])
{
	static const char head[] = "${secret:";
	size_t n;

	if (strncmp(text, head, sizeof(head) - 1) != 0)
		return false;
	text += sizeof(head) - 1;
	n = strcspn(text, "}");
	if (n < 1 || n > 64 || strcmp(text + n, "}") != 0 || *text == '.' || !only(text, n, "_-."))
		return false;
	memcpy(name, text, n);
	name[n] = '\0';
	return true;
}

bool type_looks_typed(const char *text)
{
	static const char *const words[] = {"yes", "no", "on", "off", "true", "false", "null", "~", "y", "n"};
	size_t n = strspn(text, "0123456789");

	for (size_t i = 0; i < sizeof(words) / sizeof(words[0]); i++)
		if (strcasecmp(text, words[i]) == 0)
			return true;
	if (!n)
		return false;
	if (text[n] == ':' || text[n] == '.' || text[n] == 'e' || text[n] == 'E')
		return strspn(text, "0123456789:.eE+-") == strlen(text);
	return *text == '0' && n > 1 && !text[n];
}

bool filters_overlap(const char *a, const char *b)
{
	for (;;) {
		size_t na = strcspn(a, "/"), nb = strcspn(b, "/");

		if (*a == '#' || *b == '#')
			return true;
		if (!(na == 1 && *a == '+') && !(nb == 1 && *b == '+') && (na != nb || memcmp(a, b, na) != 0))
			return false;
		a += na;
		b += nb;
		if (!*a || !*b)         /* a/# matches a as well */
			return (!*a && !*b) || strcmp(*a ? a : b, "/#") == 0;
		a++;
		b++;
	}
}
