#include <criterion/criterion.h>

#include "base/fd.h"
#include "base/timer.h"

static void count(void *userdata)
{
	(*(unsigned int *)userdata)++;
}

Test(timer, fires_once_when_due_and_not_when_disarmed)
{
	struct loop loop;
	struct timer timer = {0};
	unsigned int n = 0;

	cr_assert_eq(loop_init(&loop), 0);
	cr_assert_eq(timer_init(&timer, &loop, count, &n), 0);
	cr_expect_eq(loop_run_once(&loop, 20), 0);
	cr_expect_eq(n, 0, "not armed");
	timer_set(&timer, 10);
	cr_expect_eq(loop_run_once(&loop, 1000), 0);
	cr_expect_eq(n, 1);
	cr_expect_eq(loop_run_once(&loop, 30), 0);
	cr_expect_eq(n, 1, "once");
	timer_set(&timer, 10);
	timer_set(&timer, 0);
	cr_expect_eq(loop_run_once(&loop, 30), 0);
	cr_expect_eq(n, 1, "disarmed");
	timer_fini(&timer);
	timer_fini(&timer);
	loop_fini(&loop);
}
