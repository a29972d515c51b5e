/*
 * Rows only: what a key means to the office is the loader's business, what a value may look like
 * is types.c's. Help texts are catalogue texts: English here, Chinese in the catalogue.
 */
#include "settings/table.h"

#include "core/office.h"
#include "core/statistics/points.h"
#include "settings/lint.h"

static const char *const codecs[] = {"json"};
static const char *const tests_modes[] = {"required", "skip"};
static const char *const warning_modes[] = {"allow", "deny"};
static const char *const durabilities[] = {"process", "power"};
static const char *const horizons[] = {"now", "near", "mid", "long"};
static const char *const closing_rules[] = {"satisfied", "rated", "resolved"};
static const char *const clock_from_first[] = {"received", "dispatched"};
static const char *const unrated[] = {"close", "keep"};
static const char *const better[] = {"more", "fewer"};
static const char *const evidence[] = {"optional", "required"};
static const char *const device_words[] = {"counted", "told"};
static const char *const again[] = {"supervise", "leader", "none"};

#define KEY(path_, type_, flags_, ...) \
	{.path = path_, .type = (type_), .flags = (flags_), .help = __VA_ARGS__}
#define ENUM(names) .values = (names), .n_values = ARRAY_LEN(names)

/* What a rule and a copy have in common: when it applies. */
#define WHEN_ROWS(at)                                                                                  \
	KEY(at ".when", KEY_MAP, 0, N_("All of these must hold; without any it always holds.")),          \
	KEY(at ".when.channel", KEY_LIST, KEY_OR_ONE | KEY_NONEMPTY, N_("Any of these channels.")),       \
	KEY(at ".when.channel[]", KEY_REF, 0, N_("A channel."), .ref = "channels"),                       \
	KEY(at ".when.category", KEY_LIST, KEY_OR_ONE | KEY_NONEMPTY, N_("These categories or below.")),  \
	KEY(at ".when.category[]", KEY_REF, 0, N_("A category."), .ref = "categories"),                   \
	KEY(at ".when.grid", KEY_LIST, KEY_OR_ONE | KEY_NONEMPTY, N_("Any of these grids.")),             \
	KEY(at ".when.grid[]", KEY_GRID, 0, N_("A grid code, or a prefix with * behind it.")),            \
	KEY(at ".when.urgency", KEY_LIST, KEY_OR_ONE | KEY_NONEMPTY, N_("Any of these urgencies.")),      \
	KEY(at ".when.urgency[]", KEY_ENUM, 0, N_("An urgency."), ENUM(urgency_names)),                   \
	KEY(at ".when.during", KEY_LIST, KEY_OR_ONE | KEY_NONEMPTY, N_("Received in these windows.")),    \
	KEY(at ".when.during[]", KEY_REF, 0, N_("A window of the day."), .ref = "windows"),               \
	KEY(at ".when.text", KEY_MAP, 0, N_("Words of the report's text.")),                              \
	KEY(at ".when.text.any", KEY_LIST, KEY_OR_ONE | KEY_NONEMPTY, N_("At least one of them.")),       \
	KEY(at ".when.text.any[]", KEY_WORD, 0, N_("A word.")),                                           \
	KEY(at ".when.text.all", KEY_LIST, KEY_OR_ONE | KEY_NONEMPTY, N_("Every one of them.")),          \
	KEY(at ".when.text.all[]", KEY_WORD, 0, N_("A word.")),                                           \
	KEY(at ".when.text.none", KEY_LIST, KEY_OR_ONE | KEY_NONEMPTY, N_("Not one of them.")),           \
	KEY(at ".when.text.none[]", KEY_WORD, 0, N_("A word.")),                                          \
	KEY(at ".when.text.regex", KEY_LIST, KEY_OR_ONE | KEY_NONEMPTY, N_("Patterns, for experts.")),    \
	KEY(at ".when.text.regex[]", KEY_REGEX, 0, N_("A PCRE2 pattern for the normalised text.")),       \
	KEY(at ".when.device", KEY_LIST, KEY_OR_ONE | KEY_NONEMPTY, N_("Any of these devices.")),         \
	KEY(at ".when.device[]", KEY_TEXT, 0, N_("A device's id.")),                                      \
	KEY(at ".when.reporter", KEY_MAP, 0, N_("What is known of the reporter.")),                       \
	KEY(at ".when.reporter.secret", KEY_BOOL, 0, N_("Asked to stay unnamed."))

#define WORD_ROWS(word, help_, fallback_)                                                              \
	KEY("conversation.words." word, KEY_LIST, KEY_OR_ONE, help_, .fallback = fallback_),              \
	KEY("conversation.words." word "[]", KEY_WORD, 0, N_("A word."))
/* Which cases a rate counts. */
#define SELECTION_ROWS(at, flags_, help_)                                                                \
	KEY(at, KEY_MAP, flags_, help_),                                                                  \
	KEY(at ".all", KEY_LIST, KEY_OR_ONE | KEY_NONEMPTY, N_("Every one of these holds.")),             \
	KEY(at ".all[]", KEY_ENUM, 0, N_("What holds of a case."), ENUM(fact_names)),                                       \
	KEY(at ".any", KEY_LIST, KEY_OR_ONE | KEY_NONEMPTY, N_("At least one of these holds.")),          \
	KEY(at ".any[]", KEY_ENUM, 0, N_("What holds of a case."), ENUM(fact_names)),                                       \
	KEY(at ".none", KEY_LIST, KEY_OR_ONE | KEY_NONEMPTY, N_("Not one of these holds.")),              \
	KEY(at ".none[]", KEY_ENUM, 0, N_("What holds of a case."), ENUM(fact_names)),                                      \
	KEY(at ".channel", KEY_LIST, KEY_OR_ONE | KEY_NONEMPTY, N_("Any of these channels.")),            \
	KEY(at ".channel[]", KEY_REF, 0, N_("A channel."), .ref = "channels"),                            \
	KEY(at ".category", KEY_LIST, KEY_OR_ONE | KEY_NONEMPTY, N_("These categories or below.")),       \
	KEY(at ".category[]", KEY_REF, 0, N_("A category."), .ref = "categories"),                        \
	KEY(at ".department", KEY_LIST, KEY_OR_ONE | KEY_NONEMPTY, N_("Any of these lead departments.")), \
	KEY(at ".department[]", KEY_REF, 0, N_("A department."), .ref = "departments"),                   \
	KEY(at ".urgency", KEY_LIST, KEY_OR_ONE | KEY_NONEMPTY, N_("Any of these urgencies.")),           \
	KEY(at ".urgency[]", KEY_ENUM, 0, N_("An urgency."), ENUM(urgency_names)),                        \
	KEY(at ".horizon", KEY_LIST, KEY_OR_ONE | KEY_NONEMPTY, N_("Any of these horizons.")),            \
	KEY(at ".horizon[]", KEY_ENUM, 0, N_("How long it may take."), ENUM(horizons))

static const struct key_info keys[] = {
	KEY("", KEY_MAP, 0, N_("The whole configuration.")),
	KEY("version", KEY_INT, KEY_REQUIRED, N_("Version of this configuration's form."), .min = 1, .max = 1),
	KEY("tenant", KEY_MAP, KEY_REQUIRED, N_("The office that this daemon serves.")),
	KEY("tenant.id", KEY_ID, KEY_REQUIRED | KEY_RESTART, N_("The office in topics and in the database.")),
	KEY("tenant.name", KEY_TEXT, 0, N_("The office's name for people.")),
	KEY("tenant.prefix", KEY_PREFIX, KEY_REQUIRED | KEY_RESTART, N_("How case numbers begin.")),
	KEY("include", KEY_LIST, 0, N_("The other files, read in this order.")),
	KEY("include[]", KEY_PATH, 0, N_("A file of the folder.")),
	KEY("tests", KEY_LIST, 0, N_("Files of tests.")),
	KEY("tests[]", KEY_PATH, 0, N_("A file of the folder.")),
	KEY("fallback", KEY_MAP, 0, N_("Who takes what no rule and no category decides.")),
	KEY("fallback.dept", KEY_REF, 0, N_("The department."), .ref = "departments"),
	KEY("fallback.policy", KEY_REF, KEY_REQUIRED, N_("The deadlines."), .ref = "policies"),
	KEY("reload", KEY_MAP, 0, N_("What a new configuration must pass.")),
	KEY("reload.tests", KEY_ENUM, 0, N_("Must the tests pass?"), .fallback = "required", ENUM(tests_modes)),
	KEY("reload.min_coverage", KEY_INT, 0, N_("How many of the rules the tests must win."),
	    .fallback = "0", .unit = "%", .max = 100),
	KEY("reload.warnings", KEY_ENUM, 0, N_("Do warnings stop it?"),
	    .fallback = "allow", ENUM(warning_modes)),
	KEY("broker", KEY_MAP, 0, N_("The MQTT broker.")),
	KEY("broker.host", KEY_TEXT, KEY_RESTART, N_("Name or address."), .fallback = "127.0.0.1"),
	KEY("broker.port", KEY_INT, KEY_RESTART, N_("Port."), .fallback = "1883", .min = 1, .max = 65535),
	KEY("broker.user", KEY_TEXT, KEY_RESTART, N_("User name."), .fallback = "needled"),
	KEY("broker.password", KEY_SECRET_TEXT, KEY_SECRET | KEY_RESTART, N_("Password.")),
	KEY("broker.tls", KEY_MAP, KEY_RESTART, N_("Encrypted connection; left out: none.")),
	KEY("broker.tls.ca", KEY_PATH, KEY_REQUIRED | KEY_RESTART, N_("Certificate of the authority.")),
	KEY("broker.tls.cert", KEY_PATH, KEY_RESTART, N_("The daemon's certificate.")),
	KEY("broker.tls.key", KEY_SECRET_FILE, KEY_SECRET | KEY_RESTART, N_("The daemon's private key.")),
	KEY("database", KEY_MAP, 0, N_("The PostgreSQL database.")),
	KEY("database.dsn", KEY_DSN, KEY_SECRET | KEY_RESTART, N_("Connection string of libpq."),
	    .fallback = "dbname=needle"),
	KEY("http", KEY_MAP, 0, N_("Health, metrics and the summary.")),
	KEY("http.listen", KEY_LISTEN, KEY_RESTART, N_("Address and port, or off."),
	    .fallback = "127.0.0.1:9470"),
	KEY("intake", KEY_MAP, 0, N_("How messages are taken in.")),
	KEY("intake.durability", KEY_ENUM, KEY_RESTART, N_("What an acknowledged message survives."),
	    .fallback = "process",
	    ENUM(durabilities)),
	KEY("intake.inbox", KEY_SIZE, KEY_RESTART, N_("Largest size of the inbox journal."),
	    .fallback = "1 GiB",
	    .min = 1 << 20, .max = INT64_C(1) << 44),
	KEY("privacy", KEY_MAP, 0, N_("Personal data.")),
	KEY("privacy.visibility", KEY_ENUM, 0, N_("What departments see."),
	    .fallback = "masked", ENUM(visibility_names)),
	KEY("privacy.keys", KEY_SECRET_TEXT, KEY_SECRET | KEY_RESTART, N_("Keys that seal personal data.")),
	KEY("privacy.retain", KEY_AGE, 0, N_("How long personal data is kept."), .fallback = "5y"),

	KEY("channels", KEY_NAMED, 0, N_("Where messages come from."), .name = KEY_ID),
	KEY("channels.*", KEY_MAP, 0, N_("A channel.")),
	KEY("channels.*.name", KEY_TEXT, 0, N_("Name for people.")),
	KEY("channels.*.decoder", KEY_TEXT, 0, N_("The plugin that reads its messages.")),
	KEY("channels.*.codec", KEY_ENUM, 0, N_("The form of its messages without a plugin."),
	    .fallback = "json", ENUM(codecs)),
	KEY("channels.*.charset", KEY_CHARSET, 0, N_("Their character set."), .fallback = "utf-8"),
	KEY("channels.*.subscribe", KEY_LIST, KEY_OR_ONE | KEY_NONEMPTY,
	    N_("Topic filters; default needle/{tenant}/in/{channel}/+.")),
	KEY("channels.*.subscribe[]", KEY_FILTER, 0,
	    N_("A filter; {tenant}, {channel} and {source} are filled in.")),
	KEY("channels.*.source", KEY_SOURCE, 0,
	    N_("Where the source is: a topic level (0 is the first) or a pointer.")),
	KEY("channels.*.map", KEY_NAMED, 0,
	    N_("Our member to a JSON pointer into theirs."), .name = KEY_MEMBER),
	KEY("channels.*.map.*", KEY_POINTER, 0, N_("A JSON pointer.")),
	KEY("channels.*.set", KEY_NAMED, 0, N_("Members with a constant."), .name = KEY_MEMBER),
	KEY("channels.*.set.*", KEY_TEXT, 0, N_("The constant.")),
	KEY("channels.*.formats", KEY_NAMED, 0, N_("How members are written: strptime form, unix or unixms."),
	    .name = KEY_MEMBER),
	KEY("channels.*.formats.*", KEY_TEXT, 0, N_("The form.")),
	KEY("channels.*.codes", KEY_NAMED, 0, N_("Members whose values are translated."), .name = KEY_MEMBER),
	KEY("channels.*.codes.*", KEY_NAMED, 0, N_("Their value to ours."), .name = KEY_TEXT),
	KEY("channels.*.codes.*.*", KEY_TEXT, 0, N_("Our value.")),
	KEY("channels.*.vote", KEY_INT, 0, N_("Its ratings may be votes: more than so many dissatisfied make the rating so; left out: they may not."),
	    .unit = "%", .min = 1, .max = 99),
	KEY("channels.*.triage", KEY_BOOL, 0, N_("Its cases wait until triage hands them out."), .fallback = "no"),
	KEY("channels.*.options", KEY_NAMED, 0, N_("Options of the decoder."), .name = KEY_TEXT),
	KEY("channels.*.options.*", KEY_TEXT, 0, N_("The option's value.")),

	KEY("devices", KEY_NAMED, 0, N_("How field devices are watched; devices.csv says which there are."), .name = KEY_TEXT),
	KEY("devices.*", KEY_MAP, 0, N_("A kind of device.")),
	KEY("devices.*.channel", KEY_LIST, KEY_OR_ONE | KEY_NONEMPTY,
	    N_("Also devices that are not in devices.csv, of these channels.")),
	KEY("devices.*.channel[]", KEY_REF, 0, N_("A channel."), .ref = "channels"),
	KEY("devices.*.category", KEY_LIST, KEY_OR_ONE | KEY_NONEMPTY,
	    N_("Also devices that are not in devices.csv, whose alarms are of these categories or below.")),
	KEY("devices.*.category[]", KEY_REF, 0, N_("A category."), .ref = "categories"),
	KEY("devices.*.limit", KEY_MAP, 0, N_("When a figure is an alarm.")),
	KEY("devices.*.limit.above", KEY_NUMBER, 0, N_("From here upwards."), .max = 1000000000),
	KEY("devices.*.limit.below", KEY_NUMBER, 0, N_("From here downwards."), .max = 1000000000),
	KEY("devices.*.limit.clear", KEY_NUMBER, 0, N_("From here on it is over; default the limit itself."),
	    .max = 1000000000),
	KEY("devices.*.hold", KEY_DURATION, 0, N_("So long an alarm must hold before it counts."), .fallback = "0 秒"),
	KEY("devices.*.window", KEY_DURATION, 0,
	    N_("So long after the last alarm a further one belongs to its case, as long as that is open."),
	    .fallback = "24 小时"),
	KEY("devices.*.repeats", KEY_ENUM, 0, N_("Is a further alarm only counted, or told as a supplement?"),
	    .fallback = "counted", ENUM(device_words)),
	KEY("devices.*.recovery", KEY_ENUM, 0, N_("And that an alarm is over? It never resolves a case."),
	    .fallback = "told", ENUM(device_words)),
	KEY("devices.*.flapping", KEY_MAP, 0, N_("When a device goes on and off.")),
	KEY("devices.*.flapping.changes", KEY_INT, 0, N_("From so many changes on they are only counted; 0: never."),
	    .fallback = "6", .max = 1000),
	KEY("devices.*.flapping.within", KEY_DURATION, 0, N_("… within this time, and until it stood still so long."),
	    .fallback = "30 分钟"),
	KEY("devices.*.heartbeat", KEY_DURATION, 0, N_("The longest silence that is no matter; default: any.")),
	KEY("devices.*.silence", KEY_MAP, 0, N_("The report about a longer one.")),
	KEY("devices.*.silence.category", KEY_REF, 0, N_("Its category."), .ref = "categories"),
	KEY("devices.*.silence.urgency", KEY_ENUM, 0, N_("Its urgency."), .fallback = "normal", ENUM(urgency_names)),
	KEY("devices.*.storm", KEY_MAP, 0, N_("When many devices report the same.")),
	KEY("devices.*.storm.within", KEY_DURATION, 0,
	    N_("Alarms of one category and area are one case as long as one follows another within; default: never.")),
	KEY("devices.*.storm.area", KEY_INT, 0, N_("Digits of the grid code that make an area."), .fallback = "9", .max = 15),
	KEY("devices.*.maintenance", KEY_LIST, KEY_OR_ONE, N_("When its alarms and its silence are nobody's matter.")),
	KEY("devices.*.maintenance[]", KEY_TEXT, 0, N_("From/to: 2026-12-01 08:00/2026-12-01 18:00.")),

	KEY("conversation", KEY_MAP, 0, N_("How chats are understood and what is said in them.")),
	KEY("conversation.window", KEY_SPAN, 0, N_("So long what follows belongs to the report before."), .fallback = "30 分钟"),
	KEY("conversation.patience", KEY_SPAN, 0, N_("So long an answer is waited for; then the report goes as it is."),
	    .fallback = "10 分钟"),
	KEY("conversation.ask", KEY_MAP, 0, N_("What is asked for, once, when a report lacks it.")),
	KEY("conversation.ask.place", KEY_BOOL, 0, N_("The place."), .fallback = "on"),
	KEY("conversation.ask.text", KEY_BOOL, 0, N_("The matter, when there is only a picture or a position."), .fallback = "on"),
	KEY("conversation.places", KEY_LIST, KEY_OR_ONE,
	    N_("Words that name a place, beside the names of grids and communities."),
	    .fallback = "[号, 栋, 幢, 单元, 小区, 社区, 家属院, 大院, 大厦, 广场, 公园, 市场, 路口, 交叉口, 街口, 村, 东门, 西门, 南门, "
			"北门, 大门]"),
	KEY("conversation.places[]", KEY_WORD, 0, N_("A word.")),
	KEY("conversation.words", KEY_MAP, 0, N_("Words that are no report; a bare number counts only when a rating was asked for.")),
	WORD_ROWS("satisfied", N_("Rate: satisfied."), "[满意, 很满意, 非常满意, \"1\"]"),
	WORD_ROWS("basically", N_("Rate: basically satisfied."), "[基本满意, 一般, \"2\"]"),
	WORD_ROWS("dissatisfied", N_("Rate: dissatisfied."), "[不满意, 很不满意, 没解决, \"3\"]"),
	WORD_ROWS("urge", N_("Urge."), "[催, 催办, 催一下, 催催, 催单, 快点]"),
	WORD_ROWS("withdraw", N_("Withdraw."), "[撤, 撤回, 撤单, 撤销, 取消, 不用了]"),
	WORD_ROWS("status", N_("Ask how it stands."), "[进度, 查进度, 查询, 查询进度, 怎么样了, 到哪了, 办了吗]"),
	WORD_ROWS("another", N_("What follows is another matter."), "[新问题, 另一件事, 还有一件事, 另外]"),
	WORD_ROWS("greeting", N_("A greeting, thanks."), "[你好, 您好, 在吗, 谢谢, 谢谢了, 好的, 好, 收到, ok]"),
	KEY("conversation.lines", KEY_MAP, 0, N_("What is said; an empty text says nothing. What the case brings is in `replies`.")),
	KEY("conversation.lines.ask_place", KEY_TEXT, 0, N_("To ask for the place."),
	    .fallback = "请问在什么位置？可以发送定位，或写明小区、楼号、路段。"),
	KEY("conversation.lines.ask_text", KEY_TEXT, 0, N_("To ask for the matter."), .fallback = "请用一句话说明是什么问题。"),
	KEY("conversation.lines.added", KEY_TEXT, 0, N_("After a supplement."), .fallback = "已补充到您的诉求。"),
	KEY("conversation.lines.urged", KEY_TEXT, 0, N_("After an urge."), .fallback = "已为您催办。"),
	KEY("conversation.lines.withdrawn", KEY_TEXT, 0, N_("After a withdrawal."), .fallback = "已收到您的撤回申请。"),
	KEY("conversation.lines.dropped", KEY_TEXT, 0, N_("When a report was withdrawn before it was sent."),
	    .fallback = "好的，这条不再上报。"),
	KEY("conversation.lines.rated", KEY_TEXT, 0, N_("After a rating."), .fallback = "感谢您的评价。"),
	KEY("conversation.lines.nothing", KEY_TEXT, 0, N_("When there is no report that it could be about."),
	    .fallback = "没有找到您的诉求，请直接描述问题和位置。"),
	KEY("conversation.lines.greeting", KEY_TEXT, 0, N_("After a greeting."), .fallback = "您好，请描述问题和位置，我们会尽快办理。"),

	KEY("departments", KEY_NAMED, 0, N_("The bodies that do the work."), .name = KEY_ID),
	KEY("departments.*", KEY_MAP, 0, N_("A department.")),
	KEY("departments.*.name", KEY_TEXT, 0, N_("Name for people.")),
	KEY("departments.*.kind", KEY_ENUM, 0, N_("What it is."), .fallback = "office", ENUM(dept_kind_names)),
	KEY("departments.*.leader", KEY_TEXT, 0, N_("The officer who leads it.")),
	KEY("departments.*.superior", KEY_REF, 0, N_("The department above it."), .ref = "departments"),
	KEY("departments.*.covers", KEY_LIST, KEY_OR_ONE, N_("The grids it looks after.")),
	KEY("departments.*.covers[]", KEY_GRID, 0, N_("A grid code, or a prefix with * behind it.")),
	KEY("departments.*.duty", KEY_REF, 0, N_("When somebody is there."), .ref = "calendars"),
	KEY("departments.*.cards", KEY_BOOL, 0, N_("Does it get retained cards of its queue?"),
	    .fallback = "on"),
	KEY("departments.*.officers", KEY_NAMED, 0, N_("Who may act for it; none: anybody."), .name = KEY_TEXT),
	KEY("departments.*.officers.*", KEY_TEXT, 0, N_("The officer's name.")),

	KEY("categories", KEY_NAMED, 0,
	    N_("What reports are about, as a tree of paths."), .name = KEY_CATEGORY),
	KEY("categories.*", KEY_MAP, 0, N_("A category.")),
	KEY("categories.*.dept", KEY_REF, 0, N_("Who takes it; default the parent's."), .ref = "departments"),
	KEY("categories.*.policy", KEY_REF, 0, N_("Its deadlines; default the parent's."), .ref = "policies"),
	KEY("categories.*.codes", KEY_LIST, KEY_OR_ONE, N_("Codes of the hotline for it.")),
	KEY("categories.*.codes[]", KEY_CODE, 0, N_("A code.")),

	KEY("rules", KEY_LIST, 0, N_("Exceptions: the first that matches names the lead department.")),
	KEY("rules[]", KEY_MAP, 0, N_("A rule.")),
	KEY("rules[].id", KEY_TEXT, KEY_REQUIRED | KEY_NONEMPTY, N_("Its name.")),
	WHEN_ROWS("rules[]"),
	KEY("rules[].then", KEY_MAP, KEY_REQUIRED, N_("What it decides.")),
	KEY("rules[].then.dept", KEY_REF, KEY_REQUIRED, N_("The lead department."), .ref = "departments"),
	KEY("rules[].then.urgency", KEY_ENUM, 0, N_("The urgency; default as reported."), ENUM(urgency_names)),
	KEY("rules[].then.policy", KEY_REF, 0, N_("The deadlines; default the category's."), .ref = "policies"),
	KEY("rules[].then.supports", KEY_LIST, KEY_OR_ONE, N_("Departments that help.")),
	KEY("rules[].then.supports[]", KEY_REF, 0, N_("A department."), .ref = "departments"),
	KEY("rules[].then.visibility", KEY_ENUM, 0, N_("What departments see of it."), ENUM(visibility_names)),
	KEY("rules[].then.horizon", KEY_ENUM, 0, N_("How long it may take."), ENUM(horizons)),
	KEY("rules[].owner", KEY_TEXT, 0, N_("Who answers for the rule.")),
	KEY("rules[].until", KEY_DATE, 0, N_("The last day on which it holds.")),
	KEY("copies", KEY_LIST, 0, N_("Who is told beside: all that match.")),
	KEY("copies[]", KEY_MAP, 0, N_("A copy.")),
	KEY("copies[].id", KEY_TEXT, KEY_REQUIRED | KEY_NONEMPTY, N_("Its name.")),
	WHEN_ROWS("copies[]"),
	KEY("copies[].to", KEY_LIST, KEY_REQUIRED | KEY_OR_ONE | KEY_NONEMPTY, N_("Who is told.")),
	KEY("copies[].to[]", KEY_REF, 0, N_("A department."), .ref = "departments"),

	KEY("policies", KEY_NAMED, 0, N_("Sets of deadlines."), .name = KEY_TEXT),
	KEY("policies.*", KEY_MAP, 0, N_("A set of deadlines.")),
	KEY("policies.*.accept", KEY_DEADLINE, 0, N_("Until when the department takes the case.")),
	KEY("policies.*.contact", KEY_DEADLINE, 0, N_("Until when it speaks to the reporter.")),
	KEY("policies.*.resolve", KEY_DEADLINE, 0, N_("Until when the work is done.")),
	KEY("policies.*.feedback", KEY_DEADLINE, 0, N_("Until when the reporter hears the result.")),
	KEY("policies.*.support", KEY_DEADLINE, 0, N_("Until when a support's task is done, from when it was given.")),
	KEY("policies.*.from", KEY_MAP, 0, N_("What each clock starts from.")),
	KEY("policies.*.from.accept", KEY_ENUM, 0,
	    N_("received: the report; dispatched: each time a department gets the case."), .fallback = "dispatched",
	    ENUM(clock_from_first)),
	KEY("policies.*.from.contact", KEY_ENUM, 0, N_("Likewise, or accepted: when the department took it."),
	    .fallback = "dispatched", ENUM(clock_from_names)),
	KEY("policies.*.from.resolve", KEY_ENUM, 0,
	    N_("Likewise; from dispatched or accepted on, a transfer gives new time."), .fallback = "received",
	    ENUM(clock_from_names)),
	KEY("policies.*.pauses", KEY_LIST, KEY_OR_ONE | KEY_NONEMPTY,
	    N_("The clocks that stand still while a case is suspended; default all.")),
	KEY("policies.*.pauses[]", KEY_ENUM, 0, N_("A clock."), ENUM(clock_names)),
	KEY("policies.*.calendar", KEY_REF, 0, N_("The calendar they count in."), .ref = "calendars"),
	KEY("policies.*.escalation", KEY_REF, 0, N_("The ladder of reminders."), .ref = "escalations"),
	KEY("defaults", KEY_MAP, 0, N_("For what a set of deadlines leaves out.")),
	KEY("defaults.calendar", KEY_REF, 0, N_("The calendar."), .ref = "calendars"),
	KEY("defaults.escalation", KEY_REF, 0, N_("The ladder."), .ref = "escalations"),
	KEY("escalations", KEY_NAMED, 0, N_("Ladders of reminders."), .name = KEY_TEXT),
	KEY("escalations.*", KEY_MAP, 0, N_("A ladder.")),
	KEY("escalations.*.steps", KEY_LIST, KEY_REQUIRED, N_("Its steps.")),
	KEY("escalations.*.steps[]", KEY_MAP, 0, N_("A step.")),
	KEY("escalations.*.steps[].when", KEY_STEP, KEY_REQUIRED,
	    N_("CLOCK 到期前 SPAN, CLOCK 逾期 [SPAN], created, "
								  "unassigned SPAN.")),
	KEY("escalations.*.steps[].do", KEY_ENUM, KEY_REQUIRED, N_("What happens."), ENUM(step_do_names)),
	KEY("escalations.*.steps[].to", KEY_TO, 0, N_("lead, leader, supports or a department."),
	    .fallback = "lead"),
	KEY("escalations.*.steps[].within", KEY_DEADLINE, 0, N_("The limit that a supervision order sets.")),
	KEY("escalations.*.steps[].level", KEY_INT, 0,
	    N_("The level it raises the case to; default its place among raise, notify and publish."),
	    .min = 1, .max = 99),
	KEY("escalations.*.steps[].note", KEY_TEXT, 0, N_("A word that goes along.")),
	KEY("escalations.*.quiet", KEY_MAP, 0, N_("When reminders wait.")),
	KEY("escalations.*.quiet.outside", KEY_REF, KEY_REQUIRED, N_("While this calendar is closed."),
	    .ref = "calendars"),
	KEY("escalations.*.quiet.except", KEY_LIST, KEY_OR_ONE, N_("What does not wait.")),
	KEY("escalations.*.quiet.except[]", KEY_ENUM, 0, N_("A kind of step."), ENUM(step_do_names)),
	KEY("reports", KEY_NAMED, 0, N_("Periodic lists."), .name = KEY_ID),
	KEY("reports.*", KEY_MAP, 0, N_("A list.")),
	KEY("reports.*.name", KEY_TEXT, 0, N_("Name for people.")),
	KEY("reports.*.every", KEY_SERIES, KEY_REQUIRED, N_("When it is made.")),
	KEY("reports.*.to", KEY_REF, KEY_REQUIRED, N_("Who gets it."), .ref = "departments"),
	KEY("reports.*.content", KEY_ENUM, 0, N_("What it lists."), .fallback = "overdue", ENUM(period_content_names)),
	KEY("reports.*.covers", KEY_ENUM, 0, N_("Of what time: since the list before, or the month, quarter or year of the "
		"day before it is made."), .fallback = "since", ENUM(period_covers_names)),

	KEY("rates", KEY_NAMED, 0, N_("What is counted, and how."), .name = KEY_TEXT),
	KEY("rates.*", KEY_MAP, 0, N_("A rate: the numerator's cases among the denominator's.")),
	KEY("rates.*.of", KEY_ENUM, 0, N_("By which moment a case belongs to a month."),
	    .fallback = "received", ENUM(rate_of_names)),
	SELECTION_ROWS("rates.*.numerator", KEY_REQUIRED, N_("Which of them count.")),
	SELECTION_ROWS("rates.*.denominator", 0, N_("Among which cases; left out: all of the period.")),
	KEY("rates.*.better", KEY_ENUM, 0, N_("Which way is better."), .fallback = "more", ENUM(better)),
	KEY("wall", KEY_MAP, 0, N_("What the wall board shows beside the figures of the day.")),
	KEY("wall.problems", KEY_INT, 0, N_("How many overdue cases it names."), .fallback = "10", .max = 100),
	KEY("wall.aims", KEY_NAMED, 0, N_("Aims with an end to count down to."), .name = KEY_TEXT),
	KEY("wall.aims.*", KEY_MAP, 0, N_("An aim.")),
	KEY("wall.aims.*.rate", KEY_TEXT, KEY_REQUIRED, N_("The rate that measures it.")),
	KEY("wall.aims.*.from", KEY_DATE, KEY_REQUIRED, N_("The first day that counts.")),
	KEY("wall.aims.*.until", KEY_DATE, KEY_REQUIRED, N_("The last day.")),
	KEY("wall.aims.*.target", KEY_INT, 0, N_("How many are aimed at; left out: all there are."), .max = 100000000),
	KEY("public", KEY_NAMED, 0, N_("Lists for everybody, without anything personal."), .name = KEY_ID),
	KEY("public.*", KEY_MAP, 0, N_("A public list.")),
	KEY("public.*.name", KEY_TEXT, 0, N_("Name for people.")),
	KEY("public.*.every", KEY_SERIES, KEY_REQUIRED, N_("When it is made.")),
	KEY("public.*.content", KEY_ENUM, 0, N_("What it lists."), .fallback = "closed", ENUM(period_content_names)),
	KEY("public.*.covers", KEY_ENUM, 0, N_("Of what time: since the list before, or the month, quarter or year of the "
		"day before it is made."), .fallback = "since", ENUM(period_covers_names)),
	KEY("points", KEY_MAP, 0, N_("Points that people earn, and what they buy with them.")),
	KEY("points.rules", KEY_NAMED, 0, N_("What is worth how much."), .name = KEY_TEXT),
	KEY("points.rules.*", KEY_MAP, 0, N_("A rule.")),
	KEY("points.rules.*.after", KEY_ENUM, KEY_REQUIRED, N_("After which step of a case; by_hand: only when it is entered."), ENUM(point_on_names)),
	KEY("points.rules.*.who", KEY_ENUM, 0, N_("Whose: the reporter's (by `ref`), the officer's, the keeper's of the grid, the lead department's."),
	    .fallback = "reporter", ENUM(point_who_names)),
	KEY("points.rules.*.points", KEY_INT, KEY_REQUIRED, N_("How many; below zero takes away."), .min = -1000000, .max = 1000000),
	SELECTION_ROWS("points.rules.*.when", 0, N_("Of which cases.")),
	KEY("points.rules.*.review", KEY_REF, 0, N_("The body that must approve before they count."), .ref = "departments"),
	KEY("points.shop", KEY_NAMED, 0, N_("What there is for points."), .name = KEY_TEXT),
	KEY("points.shop.*", KEY_INT, 0, N_("Its price."), .min = 1, .max = 1000000),
	KEY("projects", KEY_MAP, 0, N_("Projects: cases with `effect`, `budget`, and supplements with what was `spent`.")),
	KEY("projects.channel", KEY_REF, KEY_REQUIRED, N_("The channel by which they come in."), .ref = "channels"),
	KEY("projects.pool", KEY_TEXT, 0, N_("The pool that they draw on, where they name none.")),
	KEY("pools", KEY_NAMED, 0, N_("Pools of money, hours, places that items draw on: what would go beyond is not booked."), .name = KEY_TEXT),
	KEY("pools.*", KEY_MAP, 0, N_("A pool.")),
	KEY("pools.*.unit", KEY_TEXT, KEY_NONEMPTY, N_("What it is counted in."), .fallback = "元"),
	KEY("pools.*.amount", KEY_INT, KEY_REQUIRED, N_("How much there is."), .min = 0, .max = 999999999999),
	KEY("pools.*.from", KEY_DATE, 0, N_("The first day on which it may be drawn on.")),
	KEY("pools.*.until", KEY_DATE, 0, N_("The last day.")),
	KEY("hotwords", KEY_MAP, 0, N_("How lists of hot words are made.")),
	KEY("hotwords.before", KEY_AGE, 0, N_("How long a time before is compared with."), .fallback = "28d"),
	KEY("hotwords.min", KEY_INT, 0, N_("In how many texts a word or a place must be."), .fallback = "20", .min = 2, .max = 1000000),
	KEY("hotwords.rise", KEY_NUMBER, 0, N_("How many times its former share makes it rise."), .fallback = "3", .max = 1000000),
	KEY("hotwords.cohesion", KEY_NUMBER, 0, N_("How much the parts of a word belong together: mutual information of the weakest split, in bits."),
	    .fallback = "4", .max = 64),
	KEY("hotwords.boundary", KEY_NUMBER, 0, N_("How freely a word is used: entropy of its neighbours, of the poorer side, in bits."),
	    .fallback = "1.5", .max = 64),
	KEY("hotwords.top", KEY_INT, 0, N_("How many of each kind a list names."), .fallback = "20", .min = 1, .max = 1000),
	KEY("hotwords.talk", KEY_INT, 0, N_("From so many lines of talk on a rising word is a subject …"), .fallback = "30", .min = 1, .max = 1000000),
	KEY("hotwords.per_report", KEY_NUMBER, 0, N_("… when there are so many of them for each report."), .fallback = "10", .max = 1000000),
	KEY("hotwords.ignore", KEY_LIST, KEY_OR_ONE, N_("Words that are no subject here.")),
	KEY("hotwords.ignore[]", KEY_TEXT, KEY_NONEMPTY, N_("A word.")),
	KEY("hotwords.channel", KEY_REF, 0, N_("The channel by which subjects come in as proposals; left out: none do."), .ref = "channels"),
	KEY("hotwords.category", KEY_REF, 0, N_("Their category."), .ref = "categories"),
	KEY("hotwords.most", KEY_INT, 0, N_("How many a list may propose."), .fallback = "5", .max = 64),
	KEY("hotwords.again", KEY_AGE, 0, N_("A subject is not proposed again so soon."), .fallback = "180d"),
	KEY("inspections", KEY_NAMED, 0, N_("Sites that are visited again and again."), .name = KEY_ID),
	KEY("inspections.*", KEY_MAP, 0, N_("A register of sites.")),
	KEY("inspections.*.name", KEY_TEXT, 0, N_("Name for people.")),
	KEY("inspections.*.register", KEY_PATH, KEY_REQUIRED,
	    N_("The file of sites: id,name,trade,grade,community,grid,contact,phone.")),
	KEY("inspections.*.channel", KEY_REF, KEY_REQUIRED, N_("The channel by which visits come in."), .ref = "channels"),
	KEY("inspections.*.category", KEY_REF, 0, N_("Their category."), .ref = "categories"),
	KEY("inspections.*.task", KEY_TEXT, 0, N_("What a visit is for."), .fallback = "例行检查"),
	KEY("inspections.*.grades", KEY_NAMED, KEY_REQUIRED | KEY_NONEMPTY, N_("How often each grade is visited."),
	    .name = KEY_TEXT),
	KEY("inspections.*.grades.*", KEY_SERIES, 0, N_("When a visit falls due.")),

	KEY("triage", KEY_REF, 0,
	    N_("Who hands out what came back; the fallback where that one is not defined."),
	    .fallback = "dangzheng", .ref = "departments"),
	KEY("closing", KEY_MAP, 0, N_("When a resolved case closes.")),
	KEY("closing.rule", KEY_ENUM, 0, N_("What it takes."), .fallback = "satisfied", ENUM(closing_rules)),
	KEY("closing.window", KEY_SPAN, 0, N_("How long a rating is waited for."), .fallback = "7 自然日"),
	KEY("closing.unrated", KEY_ENUM, 0, N_("And without one?"), .fallback = "close", ENUM(unrated)),
	KEY("again", KEY_MAP, 0, N_("After a dissatisfied rating.")),
	KEY("again.policy", KEY_REF, 0, N_("The new leg's deadlines."), .fallback = "当日", .ref = "policies"),
	KEY("again.second", KEY_ENUM, 0, N_("What the second time brings."),
	    .fallback = "supervise", ENUM(again)),
	KEY("again.third", KEY_ENUM, 0, N_("What the third time brings."), .fallback = "leader", ENUM(again)),
	KEY("supervision", KEY_MAP, 0, N_("Supervision orders.")),
	KEY("supervision.by", KEY_REF, 0, N_("Who gives them."), .fallback = "ducha", .ref = "departments"),
	KEY("supervision.within", KEY_DEADLINE, 0, N_("Their limit."), .fallback = "1 工作日"),
	KEY("supervision.raise", KEY_SPAN, 0,
	    N_("So long after its limit an order that nobody answered is raised to the leader; default at the limit.")),
	KEY("returns", KEY_MAP, 0, N_("Cases given back.")),
	KEY("returns.codes", KEY_NAMED, 0, N_("The reasons that count."),
	    .fallback = "{not-ours: 非本部门职责, no-place: 地点不明}",
	    .name = KEY_ID),
	KEY("returns.codes.*", KEY_TEXT, 0, N_("The reason for people.")),
	KEY("returns.arbitrate_after", KEY_INT, 0, N_("After so many returns triage decides for good."),
	    .fallback = "2", .min = 1,
	 .max = 99),
	KEY("returns.evidence", KEY_ENUM, 0, N_("Whether a return needs a note that proves its reason."),
	    .fallback = "optional", ENUM(evidence)),
	KEY("returns.within", KEY_DEADLINE, 0, N_("How long triage has to hand out what came back."),
	    .fallback = "4 工作小时"),
	KEY("whistle", KEY_MAP, 0, N_("Departments called to the spot.")),
	KEY("whistle.within", KEY_DEADLINE, 0, N_("How long they have to report in."), .fallback = "2 工作小时"),
	KEY("consult", KEY_MAP, 0, N_("Consultations and joint diagnoses.")),
	KEY("consult.within", KEY_DEADLINE, 0, N_("How long after it the outcome may take."), .fallback = "2 工作日"),
	KEY("grants", KEY_MAP, 0, N_("What needs somebody's leave.")),
	KEY("grants.extend", KEY_MAP, 0, N_("More time.")),
	KEY("grants.extend.by", KEY_REF, 0, N_("Who grants it."), .fallback = "ducha", .ref = "departments"),
	KEY("grants.extend.times", KEY_INT, 0, N_("How often."), .fallback = "1", .max = 99),
	KEY("grants.extend.max", KEY_SPAN, 0, N_("How much at once."), .fallback = "5 工作日"),
	KEY("grants.suspend", KEY_MAP, 0, N_("A pause.")),
	KEY("grants.suspend.by", KEY_REF, 0, N_("Who grants it."),
	    .fallback = "dangzheng", .ref = "departments"),
	KEY("grants.suspend.max", KEY_SPAN, 0, N_("How long."), .fallback = "90 自然日"),
	KEY("urges", KEY_MAP, 0, N_("Nudges by the reporter.")),
	KEY("urges.per_day", KEY_INT, 0, N_("How many a day are forwarded."), .fallback = "3", .max = 1000),
	KEY("urges.raise_after", KEY_INT, 0, N_("After so many the leader hears of it."),
	    .fallback = "5", .max = 1000),
	KEY("join", KEY_MAP, 0, N_("Reports about the same matter.")),
	KEY("join.radius", KEY_NUMBER, 0, N_("How far apart they may be."),
	    .fallback = "10", .unit = "m", .max = 100000),
	KEY("join.grid_prefix", KEY_INT, 0, N_("Digits of the grid code that must agree."),
	    .fallback = "12", .max = 15),
	KEY("join.within", KEY_SPAN, 0, N_("How old the case may be."), .fallback = "21 自然日"),
	KEY("join.auto", KEY_NUMBER, 0, N_("From this likeness on they are joined."),
	    .fallback = "0.85", .max = 1),
	KEY("join.propose", KEY_NUMBER, 0, N_("From this likeness on it is proposed."),
	    .fallback = "0.6", .max = 1),
	KEY("replies", KEY_MAP, 0, N_("What the reporter hears; {case} {answer} {department} {due} {reason}.")),
	KEY("replies.registered", KEY_TEXT, 0, N_("When the case is made."), .fallback = "已受理，编号 {case}"),
	KEY("replies.accepted", KEY_TEXT, 0, N_("When the department takes it.")),
	KEY("replies.contacted", KEY_TEXT, 0, N_("When the department has spoken to the reporter.")),
	KEY("replies.progress", KEY_TEXT, 0, N_("At a word of progress.")),
	KEY("replies.returned", KEY_TEXT, 0, N_("When it was given back.")),
	KEY("replies.extended", KEY_TEXT, 0, N_("When it takes longer.")),
	KEY("replies.late", KEY_TEXT, 0, N_("When it is late.")),
	KEY("replies.resolved", KEY_TEXT, 0, N_("When the work is done."), .fallback = "{answer}"),
	KEY("replies.ask_rating", KEY_TEXT, 0, N_("To ask for a rating."),
	    .fallback = "请评价：满意/基本满意/不满意"),
	KEY("replies.closed", KEY_TEXT, 0, N_("When it is struck off.")),
	KEY("replies.rejected", KEY_TEXT, 0, N_("When it is not taken up.")),
	KEY("replies.status", KEY_TEXT, 0, N_("When the reporter asks how it stands.")),

	KEY("calendars", KEY_NAMED, 0, N_("Which days and hours are working time."), .name = KEY_TEXT),
	KEY("calendars.*", KEY_MAP, 0, N_("A calendar.")),
	KEY("calendars.*.timezone", KEY_TIMEZONE, 0, N_("Its time zone."), .fallback = "Asia/Shanghai"),
	KEY("calendars.*.hours", KEY_NAMED, KEY_REQUIRED | KEY_NONEMPTY, N_("The week."), .name = KEY_DAYS),
	KEY("calendars.*.hours.*", KEY_LIST, KEY_OR_ONE, N_("Hours of those days.")),
	KEY("calendars.*.hours.*[]", KEY_HOURS, 0, N_("From-to.")),
	KEY("calendars.*.seasons", KEY_NAMED, 0, N_("Parts of the year with another week."), .name = KEY_TEXT),
	KEY("calendars.*.seasons.*", KEY_MAP, 0, N_("A season.")),
	KEY("calendars.*.seasons.*.from", KEY_MMDD, KEY_REQUIRED, N_("Its first day.")),
	KEY("calendars.*.seasons.*.to", KEY_MMDD, KEY_REQUIRED, N_("Its last day.")),
	KEY("calendars.*.seasons.*.hours", KEY_NAMED, KEY_REQUIRED | KEY_NONEMPTY,
	    N_("The week."), .name = KEY_DAYS),
	KEY("calendars.*.seasons.*.hours.*", KEY_LIST, KEY_OR_ONE, N_("Hours of those days.")),
	KEY("calendars.*.seasons.*.hours.*[]", KEY_HOURS, 0, N_("From-to.")),
	KEY("calendars.*.makeup_hours", KEY_MAKEUP, 0, N_("Hours of a working day that the week leaves free."),
	    .fallback = "同周一"),
	KEY("calendars.*.years", KEY_LIST, KEY_OR_ONE, N_("Files with the statutory holidays, one a year.")),
	KEY("calendars.*.years[]", KEY_PATH, 0, N_("A file of the folder.")),
	KEY("calendars.*.extra_rest", KEY_NAMED, 0,
	    N_("Days off beside them, with the reason."), .name = KEY_DATE),
	KEY("calendars.*.extra_rest.*", KEY_TEXT, 0, N_("The reason.")),
	KEY("calendars.*.extra_work", KEY_NAMED, 0,
	    N_("Working days beside them, with the reason."), .name = KEY_DATE),
	KEY("calendars.*.extra_work.*", KEY_TEXT, 0, N_("The reason.")),
	KEY("windows", KEY_NAMED, 0, N_("Named times of the day."), .name = KEY_TEXT),
	KEY("windows.*", KEY_WINDOW, 0, N_("From-to; may pass midnight.")),
	{0},
};

const struct key_info *settings_keys(size_t *n)
{
	*n = ARRAY_LEN(keys) - 1;
	return keys;
}

/* The part of a path behind its parent's, "" when it does not begin with it. */
static const char *rest_of(const struct key_info *parent, const struct key_info *key)
{
	size_t n = strlen(parent->path);

	if (strncmp(key->path, parent->path, n) != 0)
		return "";
	if (n && key->path[n] == '.')
		n++;
	else if (n && key->path[n] != '[')
		return "";
	return key->path + n;
}

const struct key_info *key_next(const struct key_info *parent, const struct key_info *child)
{
	const struct key_info *key = child ? child : parent;

	for (key++; key->path; key++) {
		const char *rest = rest_of(parent, key);

		if (!*rest)
			return NULL;
		if (strcmp(rest, "[]") == 0 || !strpbrk(rest, ".["))
			return key;
	}
	return NULL;
}

const struct key_info *key_child(const struct key_info *parent, const char *name)
{
	const struct key_info *key = NULL;

	while ((key = key_next(parent, key)))
		if (strcmp(key_leaf(key), name) == 0)
			return key;
	return NULL;
}

const char *key_leaf(const struct key_info *key)
{
	const char *dot = strrchr(key->path, '.'), *list = strstr(key->path, "[]");

	for (const char *next = list; next; next = strstr(next + 2, "[]"))
		list = next;
	if (list && !list[2])
		return list;
	return dot ? dot + 1 : key->path;
}
