/*
 * The keys of tests/NAME.test.yaml. A table of its own, because a test is no configuration: it decides
 * nothing and is not part of the hash. What stands below `in` and `do` are members of a report or a
 * command, so that a new member needs a row here and no code.
 */
#include "base/vec.h"
#include "core/office.h"
#include "core/understand/message.h"
#include "core/understand/route.h"
#include "core/life/case.h"
#include "core/talk/talk.h"
#include "settings/lint.h"
#include "settings/table.h"

static const char *const events[] = {
	"assigned", "copied", "accepted", "contacted", "progress", "due_soon", "overdue", "reminded", "escalated",
	"cleared", "supervised", "answered", "urged", "supplemented", "returned", "transferred", "recalled",
	"reopened", "asked", "granted", "denied", "suspended", "resumed", "whistled", "reported_in", "support_done",
	"consulted", "resolved", "rated", "joined", "closed", "rejected", "amended", "deadline_revised"};
static const char *const replies[] = {
	"registered", "accepted", "contacted", "progress", "returned", "extended", "late", "resolved", "ask_rating",
	"closed", "rejected", "status"};
static const char *const roles[] = {"lead", "support", "copy", "triage", "supervisor"};
static const char *const results[] = {"done", "refused"};
/* What a reporter may do with a case that exists. */
static const char *const kind_of_first[] = {"report"};
static const char *const kinds[] = {"supplement", "urge", "again", "rate", "withdraw", "status", "delivered"};

static const char *const talks[] = {"nothing", "report", "supplement", "urge", "withdraw", "status", "rate"};

#define KEY(path_, type_, flags_, ...) \
	{.path = path_, .type = (type_), .flags = (flags_), .help = __VA_ARGS__}
#define ENUM(names) .values = (names), .n_values = ARRAY_LEN(names)

/* What a report and a command have in common. */
#define REPORTER_ROWS(at)                                                                              \
	KEY(at, KEY_MAP, 0, N_("Who speaks.")),                                                           \
	KEY(at ".name", KEY_TEXT, 0, N_("Name.")),                                                        \
	KEY(at ".phone", KEY_TEXT, 0, N_("Phone number.")),                                               \
	KEY(at ".ref", KEY_TEXT, 0, N_("Who it is to the channel: an account, a badge.")),                \
	KEY(at ".secret", KEY_BOOL, 0, N_("Asks to stay unnamed."))
#define PLACE_ROWS(at)                                                                                 \
	KEY(at, KEY_MAP, 0, N_("Where it is.")),                                                          \
	KEY(at ".address", KEY_TEXT, 0, N_("Address of the place.")),                                     \
	KEY(at ".grid", KEY_TEXT, 0, N_("Grid code of the place.")),                                      \
	KEY(at ".lat", KEY_NUMBER, 0, N_("Latitude."), .max = 90),                                        \
	KEY(at ".lon", KEY_NUMBER, 0, N_("Longitude."), .max = 180),                                      \
	KEY(at ".crs", KEY_TEXT, 0, N_("What they are counted in: gcj02, wgs84."))
#define MEDIA_ROWS(at)                                                                                 \
	KEY(at, KEY_LIST, 0, N_("Pictures, sound.")),                                                     \
	KEY(at "[]", KEY_MAP, 0, N_("A picture, a sound.")),                                              \
	KEY(at "[].url", KEY_TEXT, 0, N_("Where it lies.")),                                              \
	KEY(at "[].type", KEY_TEXT, 0, N_("Its type, such as image/jpeg.")),                              \
	KEY(at "[].sha256", KEY_TEXT, 0, N_("Its digest."))

static const struct key_info keys[] = {
	KEY("", KEY_MAP, 0, N_("A file of tests.")),
	KEY("now", KEY_MOMENT, KEY_REQUIRED, N_("When the messages of this file come in.")),
	KEY("tests", KEY_LIST, KEY_REQUIRED, N_("The tests.")),
	KEY("tests[]", KEY_MAP, 0, N_("A test: one message and what must become of it.")),
	KEY("tests[].name", KEY_TEXT, KEY_REQUIRED | KEY_NONEMPTY, N_("What it shows, for people.")),
	KEY("tests[].in", KEY_MAP, KEY_REQUIRED, N_("The message.")),
	KEY("tests[].in.channel", KEY_REF, KEY_REQUIRED, N_("The channel that it comes by."), .ref = "channels"),
	KEY("tests[].in.id", KEY_TEXT, 0, N_("Its id at the source.")),
	KEY("tests[].in.kind", KEY_ENUM, 0, N_("A test begins with a report."), ENUM(kind_of_first)),
	KEY("tests[].in.time", KEY_MOMENT, 0, N_("When it was sent; it comes in at `now`.")),
	KEY("tests[].in.category", KEY_TEXT, 0, N_("Category, or a code for it.")),
	KEY("tests[].in.text", KEY_TEXT, 0, N_("What is said.")),
	KEY("tests[].in.grid", KEY_TEXT, 0, N_("Grid code of the place.")),
	KEY("tests[].in.address", KEY_TEXT, 0, N_("Address of the place.")),
	PLACE_ROWS("tests[].in.place"),
	KEY("tests[].in.urgency", KEY_ENUM, 0, N_("Urgency."), ENUM(urgency_names)),
	KEY("tests[].in.device", KEY_TEXT, 0, N_("The device that speaks.")),
	KEY("tests[].in.accused", KEY_TEXT, 0, N_("The body complained about.")),
	REPORTER_ROWS("tests[].in.reporter"),
	MEDIA_ROWS("tests[].in.media"),
	KEY("tests[].in.reply_to", KEY_NAMED, 0, N_("What replies are to echo."), .name = KEY_TEXT),
	KEY("tests[].in.reply_to.*", KEY_TEXT, 0, N_("A value.")),
	KEY("tests[].expect", KEY_MAP, 0, N_("What the decision must be; only what is named is compared.")),
	KEY("tests[].expect.rule", KEY_TEXT, 0, N_("The rule that wins; null: none.")),
	KEY("tests[].expect.not_rule", KEY_TEXT, 0, N_("A rule that must not win.")),
	KEY("tests[].expect.source", KEY_ENUM, 0, N_("What decides."), ENUM(route_source_names)),
	KEY("tests[].expect.dept", KEY_TEXT, 0, N_("The lead department.")),
	KEY("tests[].expect.copies", KEY_LIST, KEY_OR_ONE, N_("Who gets a copy: these and no others.")),
	KEY("tests[].expect.copies[]", KEY_TEXT, 0, N_("A department.")),
	KEY("tests[].expect.urgency", KEY_ENUM, 0, N_("Urgency."), ENUM(urgency_names)),
	KEY("tests[].expect.due", KEY_MAP, 0, N_("Limits.")),
	KEY("tests[].expect.due.accept", KEY_MOMENT, 0, N_("Limit to take the case.")),
	KEY("tests[].expect.due.contact", KEY_MOMENT, 0, N_("Limit to speak to the reporter.")),
	KEY("tests[].expect.due.resolve", KEY_MOMENT, 0, N_("Limit to finish the work.")),
	KEY("tests[].expect.due.feedback", KEY_MOMENT, 0, N_("Limit to tell the result.")),
	KEY("tests[].expect.provisional", KEY_BOOL, 0, N_("Is some limit counted in a year without data?")),
	KEY("tests[].talk", KEY_LIST, 0, N_("A conversation by `conversation`, instead of one message; `in` names the channel.")),
	KEY("tests[].talk[]", KEY_MAP, 0, N_("What a person says, or what the gateway answers.")),
	KEY("tests[].talk[].at", KEY_AT, 0, N_("When; default with the one before; + and a span count from `now`.")),
	KEY("tests[].talk[].say", KEY_TEXT, 0, N_("Words.")),
	KEY("tests[].talk[].address", KEY_TEXT, 0, N_("A position that was sent, by its address.")),
	KEY("tests[].talk[].picture", KEY_BOOL, 0, N_("A picture.")),
	KEY("tests[].talk[].hear", KEY_ENUM, 0, N_("A reply of the gateway about the last report."), ENUM(replies)),
	KEY("tests[].talk[].expect", KEY_MAP, 0, N_("What comes of it; only what is named is compared.")),
	KEY("tests[].talk[].expect.kind", KEY_ENUM, 0, N_("What goes to the gateway, if anything."), ENUM(talks)),
	KEY("tests[].talk[].expect.text", KEY_TEXT, 0, N_("Its words.")),
	KEY("tests[].talk[].expect.address", KEY_TEXT, 0, N_("Its place.")),
	KEY("tests[].talk[].expect.score", KEY_ENUM, 0, N_("The rating."), ENUM(score_names)),
	KEY("tests[].talk[].expect.line", KEY_ENUM, 0, N_("Which of `conversation.lines` is said."), ENUM(talk_line_names)),
	KEY("tests[].talk[].expect.dept", KEY_TEXT, 0, N_("Who takes the report.")),
	KEY("tests[].timeline", KEY_LIST, 0, N_("What happens later, in simulated time.")),
	KEY("tests[].timeline[]", KEY_MAP, 0, N_("A moment of it.")),
	KEY("tests[].timeline[].at", KEY_AT, KEY_REQUIRED, N_("When; + and a span count from `now`.")),
	KEY("tests[].timeline[].do", KEY_MAP, 0, N_("What a department (action) or the reporter (kind) does.")),
	KEY("tests[].timeline[].do.action", KEY_ENUM, 0, N_("A department's action."), ENUM(command_action_names)),
	KEY("tests[].timeline[].do.dept", KEY_REF, 0, N_("The department."), .ref = "departments"),
	KEY("tests[].timeline[].do.by", KEY_TEXT, 0, N_("The officer.")),
	KEY("tests[].timeline[].do.note", KEY_TEXT, 0, N_("A note.")),
	KEY("tests[].timeline[].do.reason", KEY_TEXT, 0, N_("A reason, or its code.")),
	KEY("tests[].timeline[].do.answer", KEY_TEXT, 0, N_("The answer to the reporter, or to an order.")),
	KEY("tests[].timeline[].do.to", KEY_TEXT, 0, N_("Whom it is handed to.")),
	KEY("tests[].timeline[].do.until", KEY_MOMENT, 0, N_("Until when.")),
	KEY("tests[].timeline[].do.order", KEY_TEXT, 0, N_("An order of supervision.")),
	KEY("tests[].timeline[].do.within", KEY_DEADLINE, 0, N_("Its limit.")),
	KEY("tests[].timeline[].do.request", KEY_TEXT, 0, N_("What `of` calls this by.")),
	KEY("tests[].timeline[].do.of", KEY_TEXT, 0, N_("The request that is answered.")),
	KEY("tests[].timeline[].do.task", KEY_TEXT, 0, N_("What supports are called for.")),
	KEY("tests[].timeline[].do.topic", KEY_TEXT, 0, N_("What is consulted about.")),
	KEY("tests[].timeline[].do.parties", KEY_LIST, KEY_OR_ONE, N_("Who takes part.")),
	KEY("tests[].timeline[].do.parties[]", KEY_TEXT, 0, N_("A person, a body.")),
	KEY("tests[].timeline[].do.at", KEY_MOMENT, 0, N_("When it takes place.")),
	KEY("tests[].timeline[].do.outcome", KEY_TEXT, 0, N_("What a consultation came to.")),
	KEY("tests[].timeline[].do.category", KEY_TEXT, 0, N_("A category.")),
	KEY("tests[].timeline[].do.grid", KEY_TEXT, 0, N_("A grid code.")),
	KEY("tests[].timeline[].do.address", KEY_TEXT, 0, N_("Address of the place.")),
	PLACE_ROWS("tests[].timeline[].do.place"),
	KEY("tests[].timeline[].do.into", KEY_TEXT, 0, N_("The case that it is joined into.")),
	MEDIA_ROWS("tests[].timeline[].do.media"),
	KEY("tests[].timeline[].do.departments", KEY_LIST, KEY_OR_ONE, N_("Departments that are called.")),
	KEY("tests[].timeline[].do.departments[]", KEY_REF, 0, N_("A department."), .ref = "departments"),
	KEY("tests[].timeline[].do.kind", KEY_ENUM, 0, N_("What the reporter does."), ENUM(kinds)),
	KEY("tests[].timeline[].do.id", KEY_TEXT, 0, N_("The message's id at the source.")),
	KEY("tests[].timeline[].do.time", KEY_MOMENT, 0, N_("When it was sent.")),
	KEY("tests[].timeline[].do.urgency", KEY_ENUM, 0, N_("Urgency."), ENUM(urgency_names)),
	REPORTER_ROWS("tests[].timeline[].do.reporter"),
	KEY("tests[].timeline[].do.text", KEY_TEXT, 0, N_("What is said.")),
	KEY("tests[].timeline[].do.score", KEY_ENUM, 0, N_("The rating."), ENUM(score_names)),
	KEY("tests[].timeline[].do.comment", KEY_TEXT, 0, N_("A word to the rating.")),
	KEY("tests[].timeline[].do.reply", KEY_TEXT, 0, N_("The reply that was delivered.")),
	KEY("tests[].timeline[].do.ok", KEY_BOOL, 0, N_("Did it arrive?")),
	KEY("tests[].timeline[].expect", KEY_MAP, 0, N_("What has happened since the moment before.")),
	KEY("tests[].timeline[].expect.event", KEY_ENUM, 0, N_("An event."), ENUM(events)),
	KEY("tests[].timeline[].expect.not_event", KEY_ENUM, 0, N_("An event that must not be."), ENUM(events)),
	KEY("tests[].timeline[].expect.dept", KEY_TEXT, 0, N_("Whose event it is.")),
	KEY("tests[].timeline[].expect.to", KEY_TEXT, 0, N_("Whom it speaks to: lead, leader, supports, a department.")),
	KEY("tests[].timeline[].expect.role", KEY_ENUM, 0, N_("That department's role."), ENUM(roles)),
	KEY("tests[].timeline[].expect.level", KEY_INT, 0, N_("Its level."), .max = 99),
	KEY("tests[].timeline[].expect.clock", KEY_ENUM, 0, N_("The limit that it is about."), ENUM(clock_names)),
	KEY("tests[].timeline[].expect.reply", KEY_ENUM, 0, N_("What the reporter heard."), ENUM(replies)),
	KEY("tests[].timeline[].expect.result", KEY_ENUM, 0, N_("How `do` ended; default done."), ENUM(results)),
	KEY("tests[].timeline[].expect.state", KEY_ENUM, 0, N_("The case's state now."), ENUM(case_state_names)),
	KEY("tests[].timeline[].expect.lead", KEY_TEXT, 0, N_("The lead department now.")),
	{0},
};

const struct key_info *settings_test_keys(size_t *n)
{
	*n = ARRAY_LEN(keys) - 1;
	return keys;
}
