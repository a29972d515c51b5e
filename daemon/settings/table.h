#pragma once
/*
 * The one table of every key that a configuration may hold. It drives parsing, unknown keys with
 * suggestions, defaults, `-T`, and whatever prints documentation. A key that is not here does not
 * exist; a default that is not here is none.
 *
 * Paths: `rules[].when.text.any`; `[]` is an item of a list, `*` any name in a map. Rows stand in the
 * order of a printed configuration, children right behind their parent. Behind the last row stands one
 * without a path.
 */
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum key_type {
	KEY_MAP,                /* the keys below it and no others */
	KEY_NAMED,              /* free names (of type `name`), each with what stands at PATH.* */
	KEY_LIST,               /* items of what stands at PATH[] */
	KEY_TEXT,               /* any text */
	KEY_WORD,               /* a text to match with: no full-width separators inside */
	KEY_ID,                 /* may become part of a topic */
	KEY_PREFIX,             /* of case numbers */
	KEY_INT, KEY_NUMBER, KEY_BOOL, KEY_ENUM,
	KEY_REF,                /* a name that the section `ref` defines */
	KEY_PATH,               /* a file of the folder */
	KEY_CODE,               /* a hotline's code: quoted where it looks like a number */
	KEY_GRID,               /* a grid code or a prefix with * */
	KEY_CATEGORY,           /* a path of a category: 市政/井盖 */
	KEY_MEMBER,             /* a member of a report: place.grid */
	KEY_POINTER,            /* a JSON pointer */
	KEY_FILTER,             /* an MQTT topic filter */
	KEY_SOURCE,             /* a topic level or a JSON pointer */
	KEY_CHARSET, KEY_TIMEZONE,
	KEY_REGEX,
	KEY_DEADLINE,           /* a span or a point: 5 工作日 */
	KEY_SPAN,               /* a span only */
	KEY_SERIES,             /* 每周五 16:00 */
	KEY_STEP,               /* resolve 逾期 1 工作日 */
	KEY_TO,                 /* lead, leader, supports or a department */
	KEY_DATE, KEY_MMDD,
	KEY_MOMENT,             /* 2026-02-13 16:40 */
	KEY_AT,                 /* the same, or + and a span: +5 工作小时 */
	KEY_DAYS,               /* 周一-周五 */
	KEY_HOURS,              /* 08:30-12:00 */
	KEY_WINDOW,             /* 22:00-06:00 */
	KEY_MAKEUP,             /* 同周一, or a list of hours */
	KEY_SIZE, KEY_AGE,      /* 1 GiB; 5y */
	KEY_DURATION,           /* of the wall's clock: 10 分钟, 2h */
	KEY_LISTEN,             /* 127.0.0.1:9470, localhost:9470 or off */
	KEY_SECRET_TEXT, KEY_SECRET_FILE,       /* ${secret:name} */
	KEY_DSN,                /* a text in which ${secret:name} may stand */
	N_KEY_TYPE
};

enum key_flag {
	KEY_REQUIRED = 1,
	KEY_SECRET = 2,         /* never printed, not part of the hash */
	KEY_RESTART = 4,        /* a change works at the next start only */
	KEY_OR_ONE = 8,         /* a list may be written as its only item */
	KEY_NONEMPTY = 16,
};

struct key_info {
	const char *path;
	enum key_type type;
	unsigned flags;
	const char *help;               /* one sentence, catalogue text */
	const char *fallback;           /* default as it would be written, or NULL */
	const char *unit;               /* of a bare number, or NULL */
	const char *const *values;      /* KEY_ENUM */
	size_t n_values;
	const char *ref;                /* KEY_REF: a section */
	enum key_type name;             /* KEY_NAMED: what its names are */
	int64_t min, max;               /* KEY_INT, KEY_NUMBER, KEY_SIZE */
};

/* Row 0 is the root (path ""). */
const struct key_info *settings_keys(size_t *n);
/* The same for a file of tests, which is no part of the configuration: table_tests.c. */
const struct key_info *settings_test_keys(size_t *n);
/* The row of one key below `parent` ("*" and "[]" for any), NULL when there is none. */
const struct key_info *key_child(const struct key_info *parent, const char *name);
/* Rows directly below `parent`, one after the other; begin with NULL; NULL at the end. */
const struct key_info *key_next(const struct key_info *parent, const struct key_info *child);
/* The last word of its path. */
const char *key_leaf(const struct key_info *key);
