#include <criterion/criterion.h>
#include <stdio.h>
#include <string.h>

#include "base/log.h"

struct seen {
	unsigned int n;
	char text[600];
};

static void sink(void *userdata, enum log_level level, const char *text)
{
	struct seen *seen = userdata;

	(void)level;
	seen->n++;
	(void)snprintf(seen->text, sizeof(seen->text), "%s", text);
}

Test(log, lines_below_the_level_reach_the_sink)
{
	struct seen seen = {0};
	struct log log = {sink, &seen, LOG_LEVEL_INFO};

	log_debug(&log, "no");
	cr_expect_eq(seen.n, 0);
	log_info(&log, "vCPU %d", 3);
	cr_expect_eq(seen.n, 1);
	cr_expect_str_eq(seen.text, "vCPU 3");
}

Test(log, no_log_and_no_sink_are_silent)
{
	struct log log = {NULL, NULL, LOG_LEVEL_DEBUG};

	log_error(NULL, "x");
	log_error(&log, "x");
}

Test(log, budget_bounds_the_lines_of_a_window)
{
	struct log_budget budget = {0};
	uint64_t now = 1000000000000ULL;
	unsigned int n = 0;

	for (int i = 0; i < 1000; i++)
		n += log_budget_take(&budget, now + (uint64_t)i);
	cr_expect_eq(n, LOG_BUDGET_LINES);
	cr_expect_eq(budget.suppressed, 1000 - LOG_BUDGET_LINES);
	cr_expect(log_budget_take(&budget, now + LOG_BUDGET_WINDOW_NS),
		  "a new window has lines again");
}
