/*
 * Logging for processes (avf-vmm, daemon). Library code returns errors and
 * stays silent; a process owns one struct log and hands it down.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "base/error.h"

enum log_level {
	LOG_LEVEL_ERROR = 0,
	LOG_LEVEL_WARN = 1,
	LOG_LEVEL_INFO = 2,
	LOG_LEVEL_DEBUG = 3,
};

/** Receives one line without newline. Any thread of the process. */
typedef void log_sink_fn(void *userdata, enum log_level level,
			 const char *text);

/* Immutable after start; the sink does its own locking. */
struct log {
	log_sink_fn *sink; /* NULL: silent */
	void *userdata;    /* borrowed */
	enum log_level max_level;
};

/** Format one line and hand it to the sink. @log may be NULL: silent. */
void log_write(const struct log *log, enum log_level level, const char *format,
	       ...) PRINTF_LIKE(3, 4);

#define log_error(log, ...) log_write((log), LOG_LEVEL_ERROR, __VA_ARGS__)
#define log_warn(log, ...)  log_write((log), LOG_LEVEL_WARN, __VA_ARGS__)
#define log_info(log, ...)  log_write((log), LOG_LEVEL_INFO, __VA_ARGS__)
#define log_debug(log, ...) log_write((log), LOG_LEVEL_DEBUG, __VA_ARGS__)

/*
 * Lines that a guest or a peer can cause go through a budget: at most
 * LOG_BUDGET_LINES in LOG_BUDGET_WINDOW_NS, the rest is counted.
 */
#define LOG_BUDGET_LINES     10U
#define LOG_BUDGET_WINDOW_NS 5000000000ULL

/* One thread owns a budget. Zero-initialised is ready to use. */
struct log_budget {
	uint64_t window_start_ns;
	uint32_t used;       /* lines in this window */
	uint64_t suppressed; /* lines dropped, ever */
};

/** Whether the budget has a line left at @now_ns; takes it. */
bool log_budget_take(struct log_budget *budget, uint64_t now_ns);
