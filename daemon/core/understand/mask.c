/*
 * What a text may tell about a person, kept out of titles, cards and events. A mask errs on the
 * side of hiding: a number that was no phone loses its middle, 周口张先生 loses its town. It never
 * grows the text, so one buffer of the text's size is enough.
 */
#include <stdint.h>
#include <string.h>

#include "base/mem.h"
#include "base/vec.h"
#include "core/understand/text.h"
#include "core/understand/utf8.h"

enum { LONG_NUMBER = 7, PHONE = 11, CITIZEN_ID = 18, GAP = 3, GIVEN_NAME = 2 };

/* ---- numbers --------------------------------------------------------------------------------- */

/* The digit at s (half or full width), or -1; *ret_end is behind it. */
static int digit_at(const char *s, const char **ret_end)
{
	uint32_t c = utf8_next(&s);

	*ret_end = s;
	if (c >= 0xff10 && c <= 0xff19)
		c -= 0xff10 - '0';
	return c >= '0' && c <= '9' ? (int)(c - '0') : -1;
}

/* Skips the blanks, dashes and invisible characters that people put between digits. */
static const char *skip_gap(const char *s)
{
	for (int i = 0; i < GAP; i++) {
		const char *next = s;
		uint32_t c = utf8_next(&next);

		if (c != ' ' && c != '-' && c != 0x3000 && c != 0xff0d && c != 0xa0 && c != '\t' &&
		    !(c >= 0x200b && c <= 0x2015) && c != 0x2060 && c != 0xfeff)
			break;
		s = next;
	}
	return s;
}

/* A date such as 2026-11-20 is no secret; it would look like a number with dashes. */
static size_t date_at(const char *s)
{
	static const char shape[] = "dddd-dd-dd";

	for (size_t i = 0; shape[i]; i++)
		if (shape[i] == 'd' ? s[i] < '0' || s[i] > '9' : s[i] != shape[i])
			return 0;
	if ((strncmp(s, "19", 2) != 0 && strncmp(s, "20", 2) != 0) ||
	    (s[10] >= '0' && s[10] <= '9') || s[5] > '1' || s[8] > '3')
		return 0;
	return 10;
}

struct number {
	char head[3], tail[4], digits[CITIZEN_ID];      /* digits: the first 18 */
	size_t n;
	const char *end;
};

static void number_add(struct number *x, char digit, const char *end)
{
	if (x->n < sizeof(x->head))
		x->head[x->n] = digit;
	if (x->n < sizeof(x->digits))
		x->digits[x->n] = digit;
	memmove(x->tail, x->tail + 1, sizeof(x->tail) - 1);
	x->tail[sizeof(x->tail) - 1] = digit;
	x->n++;
	x->end = end;
}

/* ISO 7064 MOD 11-2, as the 18th digit of a citizen's id. */
static bool is_citizen_id(const struct number *x)
{
	static const int weights[] = {7, 9, 10, 5, 8, 4, 2, 1, 6, 3, 7, 9, 10, 5, 8, 4, 2};
	static const char checks[] = "10X98765432";
	int sum = 0;

	if (x->n != CITIZEN_ID)
		return false;
	for (size_t i = 0; i < ARRAY_LEN(weights); i++)
		sum += (x->digits[i] - '0') * weights[i];
	return checks[sum % 11] == (x->digits[CITIZEN_ID - 1] == 'x' ? 'X' : x->digits[CITIZEN_ID - 1]);
}

static bool is_mobile(const struct number *x)
{
	return x->n == PHONE && x->head[0] == '1' && x->head[1] >= '3';
}

/* 0371-67843219: an area code, a gap, seven or eight digits. */
static bool is_landline(const struct number *x, size_t first)
{
	return x->head[0] == '0' && (first == 3 || first == 4) && x->n >= first + 7 && x->n <= first + 8;
}

static char *write_masked(char *to, const struct number *x)
{
	size_t few = x->n >= PHONE ? 3 : 2;

	to = mempcpy(to, x->head, few);
	to = stpcpy(to, few == 3 ? "****" : "***");
	few = few == 3 ? 4 : 2;
	return mempcpy(to, x->tail + sizeof(x->tail) - few, few);
}

/*
 * The digits from s on, with what people put between them. `sure`: stops behind a group that completes a mobile
 * phone, a landline or a citizen's id, and says so.
 */
static bool read_number(const char *s, struct number *x, bool sure)
{
	const char *end, *at = s;
	size_t first = 0;
	int d;

	for (d = digit_at(at, &end); d >= 0; d = digit_at(at, &end)) {
		number_add(x, (char)('0' + d), end);
		at = skip_gap(end);
		if (x->n == CITIZEN_ID - 1 && (*at == 'X' || *at == 'x')) {
			number_add(x, *at, at + 1);
			return sure ? is_citizen_id(x) : true;
		}
		if (!sure || (at == end && digit_at(at, &end) >= 0))
			continue;
		first = first ? first : x->n;
		if (is_mobile(x) || is_citizen_id(x) || is_landline(x, first))
			return true;
	}
	return !sure && x->n >= LONG_NUMBER;
}

/* The first group of digits alone; behind it another may begin that is a phone. */
static size_t first_group(const char *s)
{
	const char *end = s, *next;

	while (digit_at(end, &next) >= 0)
		end = next;
	return (size_t)(end - s);
}

/* `sure`: only what is a phone or a citizen's id by its form; else every long number. */
static size_t mask_number(const char *s, char **to, bool sure)
{
	struct number x = {.n = 0};
	size_t date = date_at(s), plain;
	bool secret;

	if (date) {
		*to = mempcpy(*to, s, date);
		return date;
	}
	secret = read_number(s, &x, sure);
	if (x.n == 0)
		return 0;
	if (secret) {
		*to = write_masked(*to, &x);
		return (size_t)(x.end - s);
	}
	plain = sure ? first_group(s) : (size_t)(x.end - s);
	*to = mempcpy(*to, s, plain);
	return plain;
}

/* ---- names ----------------------------------------------------------------------------------- */

static const char *const forms_of_address[] = {"先生", "女士", "小姐", "太太", "师傅", "老师",
					       "大爷", "大妈", "大叔", "大姐", "大哥", "大娘",
					       "阿姨", "叔叔", "奶奶", "爷爷", "同志"};
static const char surnames[] =
	"王李张刘陈杨黄赵吴周徐孙马朱胡郭何林高梁郑罗宋谢唐韩曹许邓萧冯曾"
	"程蔡彭潘袁于董余苏叶吕魏蒋田杜丁沈姜范江傅钟卢汪戴崔任陆廖姚方金"
	"邱夏谭韦贾邹石熊孟秦阎薛侯雷白龙段郝孔邵史毛常万顾赖武康贺严尹钱"
	"施牛洪龚汤陶黎温莫易樊乔文安殷颜庄章鲁倪庞邢俞翟蓝聂齐向申葛柴伍"
	"覃骆关焦柳欧祝纪尚毕耿芦左季管符辛苗詹曲欧靳祁路涂兰甘裴梅童翁霍"
	"游阮尤岳柯牟滕谷舒卜成饶宁凌盛查单冉鲍华包屈房喻解蒲卫简时连车项"
	"闵邬吉党阳费卞席";
static const char *const long_surnames[] = {"欧阳", "司马", "上官", "诸葛", "东方", "皇甫",
					    "尉迟", "公孙", "慕容", "令狐", "夏侯", "端木"};

static const char *prefix_of(const char *s, const char *const *words, size_t n)
{
	for (size_t i = 0; i < n; i++)
		if (strncmp(s, words[i], strlen(words[i])) == 0)
			return words[i];
	return NULL;
}

static bool has_address_form(const char *text)
{
	for (size_t i = 0; i < ARRAY_LEN(forms_of_address); i++)
		if (strstr(text, forms_of_address[i]))
			return true;
	return false;
}

static size_t surname_at(const char *s)
{
	const char *word = prefix_of(s, long_surnames, ARRAY_LEN(long_surnames)), *end = s;
	char one[5];
	uint32_t c;

	if (word)
		return strlen(word);
	c = utf8_next(&end);
	if (c < 0x4e00 || c > 0x9fff)
		return 0;
	memcpy(one, s, 3);
	one[3] = '\0';
	return strstr(surnames, one) ? 3 : 0;
}

/* 张先生, 王小明先生 -> *先生 */
static size_t mask_addressed(const char *s, char **to)
{
	size_t surname = surname_at(s);
	const char *at = s + surname;

	for (int given = 0; surname && given <= GIVEN_NAME; given++) {
		const char *word = prefix_of(at, forms_of_address, ARRAY_LEN(forms_of_address));
		uint32_t c;

		if (word) {
			*to = stpcpy(stpcpy(*to, "*"), word);
			return (size_t)(at - s) + strlen(word);
		}
		c = utf8_next(&at);
		if (c < 0x4e00 || c > 0x9fff)
			break;
	}
	return 0;
}

struct masking {
	const char *name;
	size_t name_len, name_head;     /* bytes of the name and of its first character */
	bool addressed;
};

static size_t mask_name(const struct masking *m, const char *s, char **to)
{
	if (!m->name_len || strncmp(s, m->name, m->name_len) != 0)
		return 0;
	*to = mempcpy(*to, s, m->name_head);
	*to = stpcpy(*to, "*");
	return m->name_len;
}

/* Most characters of a text begin nothing of the kind, and their first byte tells. */
static bool may_begin(const struct masking *m, const char *s)
{
	unsigned char c = (unsigned char)*s;

	if (m->name_len && *s == *m->name)
		return true;
	/* Digits, full-width ones, and where people are addressed every Chinese character. */
	return (c >= '0' && c <= '9') || c == 0xef || (m->addressed && c >= 0xe4 && c <= 0xe9);
}

static size_t mask_at(const struct masking *m, const char *s, char **to, bool sure)
{
	size_t n;

	if (!may_begin(m, s))
		return 0;
	n = mask_name(m, s, to);
	if (!n)
		n = mask_number(s, to, sure);
	return n || !m->addressed ? n : mask_addressed(s, to);
}

static const char *mask(struct arena *a, const char *text, const char *name, bool sure)
{
	struct masking m = {.name = name, .addressed = has_address_form(text)};
	char *out = arena_alloc(a, strlen(text) + 1), *to = out;

	if (name && *name) {
		const char *second = name;

		utf8_next(&second);
		m.name_head = (size_t)(second - name);
		/* One character alone is no whole name, and stands in many words. */
		m.name_len = *second ? strlen(name) : 0;
	}
	while (*text) {
		const char *next = text;
		size_t n = mask_at(&m, text, &to, sure);

		if (!n) {
			utf8_next(&next);
			n = (size_t)(next - text);
			to = mempcpy(to, text, n);
		}
		text += n;
	}
	return out;
}

const char *text_mask(struct arena *a, const char *text, const char *name)
{
	return mask(a, text, name, false);
}

const char *text_mask_sure(struct arena *a, const char *text, const char *name)
{
	return mask(a, text, name, true);
}
