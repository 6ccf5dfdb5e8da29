/* Two VMs run and end again and again in one process: nothing may pile up. */
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "support/vm_harness.h"

#define N_CYCLES      200
#define N_CYCLES_SLOW 100 /* under a sanitizer */
#define N_WARM_UP     20
/* The C library keeps what it freed, and a sanitizer keeps much more. */
#define MAX_GROWTH_KIB      1024
#define MAX_GROWTH_SLOW_KIB 65536

#ifdef __SANITIZE_ADDRESS__
#define IS_SLOW 1
#else
#define IS_SLOW 0
#endif

/* One ends by itself, the other is killed, by turns in several ways. */
static void cycle(struct vmt_vm *ends, struct vmt_vm *runs, int i)
{
	CHECK(vmt_run(ends) && vmt_run(runs));
	if (i % 3 == 0)
		CHECK(vmt_wait_event(runs, AVF_EVENT_STARTED));
	if (i % 2 == 0)
		CHECK_OK(avf_vm_kill(runs->vm));
	else
		CHECK_OK(avf_vm_stop(runs->vm));
	CHECK(vmt_wait_stopped(runs));
	vmt_check_stopped(runs, AVF_STOP_REASON_KILLED, "");
	CHECK(vmt_wait_stopped(ends));
	vmt_check_stopped(ends, AVF_STOP_REASON_REBOOT, "");
}

static void same_handles(void)
{
	const int n = IS_SLOW ? N_CYCLES_SLOW : N_CYCLES;
	const long limit = IS_SLOW ? MAX_GROWTH_SLOW_KIB : MAX_GROWTH_KIB;
	struct vmt_vm ends, runs;
	unsigned int n_fds = 0;
	long rss = 0;

	if (!vmt_new(&ends, vmt_bare_config("reset")) ||
	    !vmt_new(&runs, vmt_bare_config("halt")))
		return;
	for (int i = 0; i < n; i++) {
		if (i == N_WARM_UP) {
			rss = vmt_rss_kib();
			n_fds = vmt_count_fds();
		}
		cycle(&ends, &runs, i);
	}
	CHECK(vmt_count_fds() == n_fds);
	CHECK(!vmt_has_child());
	printf("    %d cycles, %ld KiB more than after %d\n", n,
	       vmt_rss_kib() - rss, N_WARM_UP);
	CHECK(vmt_rss_kib() - rss < limit);
	vmt_free(&ends);
	vmt_free(&runs);
}

static const struct vmt_test tests[] = {
	{"same_handles", same_handles},
};

int main(int argc, char **argv)
{
	if (access("/dev/kvm", R_OK | W_OK) < 0)
		vmt_skip_all("no /dev/kvm that this user may use");
	return vmt_main(argc, argv, tests, sizeof(tests) / sizeof(tests[0]));
}
