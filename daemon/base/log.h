#pragma once
/*
 * One line of stderr per event. Under systemd (JOURNAL_STREAM set) a line begins with its <n>
 * priority; elsewhere with the time. `event` is a stable dotted id ("link.connected") that
 * docs/operations lists. Never pass personal data, payloads or secrets. Any thread.
 */
enum log_level { LOG_ERR_ = 3, LOG_WARNING_ = 4, LOG_NOTICE_ = 5, LOG_INFO_ = 6, LOG_DEBUG_ = 7 };

void log_init(const char *program, enum log_level max);
void log_line(enum log_level level, const char *event, const char *fmt, ...)
	__attribute__((format(printf, 3, 4)));

#define log_error(event, ...) log_line(LOG_ERR_, event, __VA_ARGS__)
#define log_warn(event, ...) log_line(LOG_WARNING_, event, __VA_ARGS__)
#define log_notice(event, ...) log_line(LOG_NOTICE_, event, __VA_ARGS__)
#define log_info(event, ...) log_line(LOG_INFO_, event, __VA_ARGS__)
#define log_debug(event, ...) log_line(LOG_DEBUG_, event, __VA_ARGS__)
