#pragma once
/*
 * A small office built by hand: a street with seven departments, four categories, six grids and five
 * channels, one of them a vendor's. For the tests of the core, which must not need a configuration folder.
 *
 *	struct fixture f;
 *	fixture_init(&f);  …  fixture_done(&f);
 */
#include "base/err.h"
#include "base/mem.h"
#include "base/vec.h"
#include "core/office.h"
#include "core/time/moment.h"
#include "core/understand/route.h"

enum fixture_dept { DANGZHENG, CHENGGUAN, YINGJI, WUYE, DUCHA, HUANWEI, XUNFANG, N_FIXTURE_DEPTS };
enum fixture_channel { HOTLINE, WECHAT, DEVICE, LEGACY, PATROL, N_FIXTURE_CHANNELS };

struct fixture {
	struct office office;
	struct arena arena;             /* of the office */
	struct arena message;           /* for the message at hand */
	struct department departments[N_FIXTURE_DEPTS];
	struct channel channels[N_FIXTURE_CHANNELS];
	struct category categories[4];
	struct policy policies[3];
	struct grid grids[6];
	struct window windows[2];
	struct code_table codes[1];
	struct route_index *index;
};

#define TEXTS(...)                                                                                \
	{(const char *const[]){__VA_ARGS__}, sizeof((const char *const[]){__VA_ARGS__}) / sizeof(char *)}
/* A `when` silent on secrecy, one that asks for nothing, a `then` that changes nothing else. */
#define WHEN(...) {.secret = -1, __VA_ARGS__}
#define ANY_REPORT {.secret = -1}
#define THEN(...) {.urgency = -1, .visibility = -1, __VA_ARGS__}

static inline void fixture_departments(struct fixture *f)
{
	static const struct {
		const char *id, *name;
		enum dept_kind kind;
	} rows[N_FIXTURE_DEPTS] = {
		[DANGZHENG] = {"dangzheng", "党政办", DEPT_OFFICE},
		[CHENGGUAN] = {"chengguan", "城管办", DEPT_OFFICE},
		[YINGJI] = {"yingji", "应急办", DEPT_OFFICE},
		[WUYE] = {"wuye", "物业办", DEPT_OFFICE},
		[DUCHA] = {"ducha", "督查室", DEPT_SUPERVISOR},
		[HUANWEI] = {"huanwei", "环卫所", DEPT_PARTNER},
		[XUNFANG] = {"xunfang", "巡防队", DEPT_PARTNER},
	};

	for (size_t i = 0; i < N_FIXTURE_DEPTS; i++) {
		f->departments[i] = (struct department){
			.id = rows[i].id, .name = rows[i].name, .kind = rows[i].kind, .cards = true};
		map_put(&f->office.dept_by_id, rows[i].id, &f->departments[i]);
	}
	f->departments[CHENGGUAN].superior = &f->departments[DANGZHENG];
	f->departments[HUANWEI].superior = &f->departments[CHENGGUAN];
	f->office.departments = f->departments;
	f->office.n_departments = N_FIXTURE_DEPTS;
}

static inline void fixture_categories(struct fixture *f)
{
	static const char *const manhole[] = {"020301"};

	f->policies[0] = (struct policy){.name = "普通"};
	f->policies[1] = (struct policy){.name = "紧急"};
	f->policies[2] = (struct policy){.name = "特急"};
	for (size_t i = 0; i < ARRAY_LEN(f->policies); i++)
		map_put(&f->office.policy_by_name, f->policies[i].name, &f->policies[i]);
	f->categories[0] = (struct category){"市政", &f->departments[CHENGGUAN], &f->policies[0], NULL, 0};
	f->categories[1] =
		(struct category){"市政/井盖", &f->departments[CHENGGUAN], &f->policies[1], manhole, 1};
	f->categories[2] = (struct category){"物业/漏水", &f->departments[WUYE], &f->policies[0], NULL, 0};
	f->categories[3] = (struct category){"咨询", NULL, &f->policies[1], NULL, 0};
	for (size_t i = 0; i < ARRAY_LEN(f->categories); i++)
		map_put(&f->office.category_by_path, f->categories[i].path, &f->categories[i]);
	map_put(&f->office.category_by_code, "020301", &f->categories[1]);
	f->office.categories = f->categories;
	f->office.n_categories = ARRAY_LEN(f->categories);
}

static inline void fixture_grids(struct fixture *f)
{
	static const char *const codes[] = {"410106",	       "410106003",	  "410106003007",
					    "410106003007012", "410106003001001", "410106003002001"};

	for (size_t i = 0; i < ARRAY_LEN(codes); i++) {
		f->grids[i] = (struct grid){.code = codes[i], .name = codes[i]};
		map_put(&f->office.grid_by_code, codes[i], &f->grids[i]);
	}
	f->office.grids = f->grids;
	f->office.n_grids = ARRAY_LEN(f->grids);
}

/* The vendor's alarm: {"msgId":7,"desc":"…","ts":"20.11.2026 09:30","lvl":3,"pos":{"code":"…"}} */
static inline void fixture_vendor(struct fixture *f, struct channel *c)
{
	static const char *const filters[] = {"needle/jyl/in/device/+", "vendor/+/alarm"};
	static const struct member_map map[] = {{"id", "/msgId"},
						{"text", "/desc"},
						{"time", "/ts"},
						{"urgency", "/lvl"},
						{"place.grid", "/pos/code"},
						{"device", "/dev"},
						{"place.address", "/lines/1/a~1b"}};
	static const struct member_set set[] = {{"category", "市政/井盖"}, {"reporter.secret", "true"}};
	static const struct member_format formats[] = {{"time", "%d.%m.%Y %H:%M"}};

	f->codes[0].member = "urgency";
	map_put(&f->codes[0].values, "3", mem_strdup("critical"));
	map_put(&f->codes[0].values, "1", mem_strdup("normal"));
	*c = (struct channel){.id = "device",
			      .name = "感知设备",
			      .filters = filters,
			      .n_filters = 2,
			      .map = map,
			      .n_map = ARRAY_LEN(map),
			      .set = set,
			      .n_set = ARRAY_LEN(set),
			      .codes = f->codes,
			      .n_codes = 1,
			      .formats = formats,
			      .n_formats = 1,
			      .source_level = -1};
}

static inline void fixture_channels(struct fixture *f)
{
	static const char *const hotline[] = {"needle/jyl/in/hotline/+"},
				 *const wechat[] = {"needle/jyl/in/wechat/+"},
				 *const legacy[] = {"city/+/tickets/#"}, *const patrol[] = {"$patrol/+"};

	f->channels[HOTLINE] = (struct channel){.id = "hotline",
						.name = "12345热线",
						.filters = hotline,
						.n_filters = 1,
						.decoder = "hotline",
						.source_level = -1};
	f->channels[WECHAT] = (struct channel){
		.id = "wechat", .name = "微信", .filters = wechat, .n_filters = 1, .source_level = -1};
	fixture_vendor(f, &f->channels[DEVICE]);
	f->channels[LEGACY] = (struct channel){.id = "legacy",
					       .name = "旧平台",
					       .filters = legacy,
					       .n_filters = 1,
					       .charset = "GB18030",
					       .source_level = 3,
					       .source_pointer = "/from"};
	f->channels[PATROL] = (struct channel){
		.id = "patrol", .name = "网格巡查", .filters = patrol, .n_filters = 1, .source_level = -1};
	for (size_t i = 0; i < N_FIXTURE_CHANNELS; i++)
		map_put(&f->office.channel_by_id, f->channels[i].id, &f->channels[i]);
	f->office.channels = f->channels;
	f->office.n_channels = N_FIXTURE_CHANNELS;
}

static inline void fixture_init(struct fixture *f)
{
	*f = (struct fixture){.office = {.tenant = "jyl", .name = "济源路街道", .prefix = "JYL",
					 .visibility = VISIBLE_MASKED, .hash = "0123456789abcdef"}};
	fixture_departments(f);
	fixture_categories(f);
	fixture_grids(f);
	fixture_channels(f);
	f->windows[0] = (struct window){"夜间", 22 * 60, 6 * 60};
	f->windows[1] = (struct window){"上午", 8 * 60, 12 * 60};
	f->office.windows = f->windows;
	f->office.n_windows = ARRAY_LEN(f->windows);
	f->office.fallback_dept = &f->departments[DANGZHENG];
	f->office.fallback_policy = &f->policies[0];
}

/* Gives the office its rules and copies; 0 or what route_index_new says. They stay the caller's. */
static inline int fixture_rules(struct fixture *f, const struct rule *rules, size_t n_rules,
				const struct copy_rule *copies, size_t n_copies, struct err *e)
{
	int r;

	route_index_free(f->index);
	f->index = NULL;
	f->office.rules = rules;
	f->office.n_rules = n_rules;
	f->office.copies = copies;
	f->office.n_copies = n_copies;
	r = route_index_new(&f->office, &f->arena, &f->index, e);
	f->office.index = f->index;
	return r;
}

static inline void fixture_done(struct fixture *f)
{
	route_index_free(f->index);
	for (size_t i = 0; i < f->codes[0].values.cap; i++)
		free(f->codes[0].values.slots[i].value);
	map_done(&f->codes[0].values);
	map_done(&f->office.dept_by_id);
	map_done(&f->office.channel_by_id);
	map_done(&f->office.policy_by_name);
	map_done(&f->office.category_by_path);
	map_done(&f->office.category_by_code);
	map_done(&f->office.grid_by_code);
	arena_done(&f->message);
	arena_done(&f->arena);
}
