/* needle-wechat: wiring. */
#include <errno.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "api.h"
#include "bridge/client.h"
#include "base/clock.h"
#include "base/err.h"
#include "base/log.h"
#include "base/str.h"
#include "bridge/program.h"
#include "bridge/server.h"
#include "settings/snapshot.h"
#include "shelf.h"
#include "wechat.h"

enum { REMEMBERED = 100000, REMEMBERED_NEWS = 5000 };

const struct wechat_account *wechat_account(const struct wechat *w, const char *name)
{
	for (size_t i = 0; i < w->s.n_accounts; i++)
		if (strcmp(w->s.accounts[i].name, name) == 0)
			return &w->s.accounts[i];
	return NULL;
}

void wechat_wake(struct wechat *w, bool *work)
{
	pthread_mutex_lock(&w->lock);
	*work = true;
	pthread_cond_broadcast(&w->wake);
	pthread_mutex_unlock(&w->lock);
}

bool wechat_wait(struct wechat *w, bool *work, int64_t until_us)
{
	struct timespec ts = {until_us / 1000000, until_us % 1000000 * 1000};

	pthread_mutex_lock(&w->lock);
	while (!*work && !w->quit && clock_mono_us() < until_us)
		pthread_cond_timedwait(&w->wake, &w->lock, &ts);
	*work = false;
	pthread_mutex_unlock(&w->lock);
	return !w->quit;
}

/* ---- what anybody may hand to the courier ----------------------------------------------------- */

static void put_news(struct wechat *w, const struct wechat_robot *robot, const char *what, const char *id, const char *text)
{
	CLEANUP(str_done) struct str key = {0};
	json_t *json = json_pack("{s:s,s:s}", "robot", robot->name, "text", text);
	CLEANUP(mem_freep) char *payload = json ? json_dumps(json, JSON_COMPACT) : NULL;
	struct err e = {0};

	json_decref(json);
	str_addf(&key, "%s:%s:%s", robot->name, what, id);
	if (payload && queue_put(w->news, key.s, payload, strlen(payload), &e) < 0)
		log_warn("wechat.news", "%s", e.text);
	wechat_wake(w, &w->carry);
}

void news_put(struct wechat *w, const char *what, const char *id, const char *text)
{
	for (size_t i = 0; i < w->s.n_robots; i++)
		for (size_t k = 0; k < w->s.robots[i].on.n; k++)
			if (strcmp(w->s.robots[i].on.v[k], what) == 0)
				put_news(w, &w->s.robots[i], what, id, text);
}

int says_put(struct wechat *w, const struct person *who, const char *id, const char *text, struct err *e)
{
	json_t *json = json_pack("{s:s,s:s,s:s*,s:s}", "account", who->account->name, "user", who->user, "kf", who->kf, "text", text);
	CLEANUP(mem_freep) char *payload = json ? json_dumps(json, JSON_COMPACT) : NULL;
	int r = payload ? queue_put(w->says, id, payload, strlen(payload), e) : 0;

	json_decref(json);
	wechat_wake(w, &w->carry);
	return r < 0 ? r : 0;
}

/* ---- life ------------------------------------------------------------------------------------ */

static void read_keys(void *self, struct scope root)
{
	struct wechat *w = self;

	wechat_settings_read(root, &w->s);
}

/* The office's words. Its own secrets are none of ours. */
static int load_office(struct wechat *w, const char *tenant, struct err *e)
{
	const struct load_options options = {.flags = LOAD_SECRETS_OPTIONAL, .loaded_by = "needle-wechat"};
	int r = settings_load(w->s.office, &options, &w->office_settings, e);

	if (r < 0)
		return r;
	if (r > 0)
		return err_set(e, ERR_BAD, "the office's folder %s has errors: run needlectl check -c %s", w->s.office, w->s.office);
	w->office = &w->office_settings->office;
	w->talk = &w->office->talk;
	if (strcmp(w->office->tenant, tenant) != 0)
		return err_set(e, ERR_BAD, "the office's folder %s is of the tenant %s, not %s", w->s.office, w->office->tenant, tenant);
	return 0;
}

/* A file may be looked at where the office's folder is not. */
static int check(void *self, const struct bridge_settings *settings, struct err *e)
{
	struct wechat *w = self;
	int r = access(w->s.office, F_OK) == 0 ? load_office(w, settings->tenant, e) : 0;

	settings_unref(w->office_settings);
	w->office_settings = NULL;
	return r;
}

static int open_store(struct wechat *w, struct err *e)
{
	const char *state = bridge_settings(w->bridge)->state;
	struct queue_options queues[] = {{.folder = state, .name = "seen", .remember = REMEMBERED},
					 {.folder = state, .name = "files", .remember = REMEMBERED_NEWS},
					 {.folder = state, .name = "says", .remember = REMEMBERED_NEWS},
					 {.folder = state, .name = "news", .remember = REMEMBERED_NEWS}};
	struct queue **to[] = {&w->seen, &w->files, &w->says, &w->news};
	char media[600];
	int r = shelf_open(state, "people", &w->shelf, e);

	for (size_t i = 0; r == 0 && i < ARRAY_LEN(queues); i++)
		r = queue_open(&queues[i], to[i], e);
	snprintf(media, sizeof(media), "%.500s/media", state);
	if (r == 0 && mkdir(media, 0750) < 0 && errno != EEXIST)
		r = err_set(e, ERR_SYS, "cannot make the folder %s: %s", media, strerror(errno));
	return r;
}

static int start_threads(struct wechat *w, struct err *e)
{
	int r;

	w->courier_client = client_new();
	w->fetch_client = client_new();
	r = pthread_create(&w->courier_thread, NULL, courier_run, w);

	w->courier_runs = r == 0;
	if (r == 0) {
		r = pthread_create(&w->fetch_thread, NULL, fetch_run, w);
		w->fetch_runs = r == 0;
	}
	return r ? err_set(e, ERR_SYS, "no thread: %s", strerror(r)) : 0;
}

static int start(void *self, struct bridge *b, struct loop *loop, struct err *e)
{
	struct wechat *w = self;
	pthread_condattr_t attr;
	int r;

	(void)loop;
	w->bridge = b;
	pthread_condattr_init(&attr);
	pthread_condattr_setclock(&attr, CLOCK_MONOTONIC);
	pthread_mutex_init(&w->lock, NULL);
	pthread_cond_init(&w->wake, &attr);
	pthread_condattr_destroy(&attr);
	r = load_office(w, bridge_settings(b)->tenant, e);
	if (r == 0)
		r = open_store(w, e);
	if (r == 0)
		r = people_open(w, &w->people, e);
	w->api = api_new(&w->s);
	if (r == 0)
		r = waiter_start(w, e);
	if (r == 0)
		r = start_threads(w, e);
	return r == 0 ? door_open(w, e) : r;
}

static void stop(void *self)
{
	struct wechat *w = self;
	struct waiter *waiter = w->waiter;

	w->quit = true;
	waiter_stop(waiter);
	server_close(w->server);
	if (w->courier_client) {
		client_cancel(w->courier_client);
		client_cancel(w->fetch_client);
		wechat_wake(w, &w->carry);
	}
	if (w->courier_runs)
		pthread_join(w->courier_thread, NULL);
	if (w->fetch_runs)
		pthread_join(w->fetch_thread, NULL);
	client_free(w->courier_client);
	client_free(w->fetch_client);
	people_close(w->people);
	shelf_close(w->shelf);
	queue_close(w->seen);
	queue_close(w->files);
	queue_close(w->says);
	queue_close(w->news);
	api_free(w->api);
	settings_unref(w->office_settings);
}

static void reply(void *self)
{
	struct wechat *w = self;
	struct waiter *waiter = w->waiter;

	if (waiter)
		waiter_reply_is_there(waiter);
}

int main(int argc, char **argv)
{
	static struct wechat w;         /* Paho's thread may call back until the process ends */
	const struct bridge_program program = {
		.name = "needle-wechat",
		.file = "/etc/needle/wechat.yaml",
		.help = N_("Connects WeChat Official Accounts and WeCom with the gateway."),
		.keys = wechat_keys,
		.self = &w,
		.read = read_keys,
		.check = check,
		.start = start,
		.stop = stop,
		.reply = reply,
	};

	return bridge_main(argc, argv, &program);
}
