/*
 * A log is a function to call; without one, lines go nowhere. The budget is for
 * lines that a guest can provoke.
 */
#include "base/log.h"

#include <stdarg.h>
#include <stdio.h>

#define LINE_SIZE 512

void log_write(const struct log *log, enum log_level level, const char *format,
	       ...)
{
	char line[LINE_SIZE];
	va_list ap;

	if (!log || !log->sink || level > log->max_level)
		return;
	va_start(ap, format);
	(void)vsnprintf(line, sizeof(line), format, ap);
	va_end(ap);
	log->sink(log->userdata, level, line);
}

bool log_budget_take(struct log_budget *budget, uint64_t now_ns)
{
	if (now_ns - budget->window_start_ns >= LOG_BUDGET_WINDOW_NS) {
		budget->window_start_ns = now_ns;
		budget->used = 0;
	}
	if (budget->used >= LOG_BUDGET_LINES) {
		budget->suppressed++;
		return false;
	}
	budget->used++;
	return true;
}
