/*
 * VMs run and end again and again in one process, and many at once: nothing
 * may pile up, nobody may be forgotten, every run has its one STOPPED.
 *
 * As many as docs/testing.md promises on the host's own KVM; fewer under a
 * sanitizer, in the lab and under emulation, where each is slow.
 */
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "support/vm_harness.h"

#define N_WARM_UP 20
#define MAX_VMS   100
/* The C library keeps what it freed, and a sanitizer keeps much more. */
#define MAX_GROWTH_KIB      1024
#define MAX_GROWTH_SLOW_KIB 65536

#ifdef __SANITIZE_ADDRESS__
#define IS_SANITIZED 1
#else
#define IS_SANITIZED 0
#endif

static bool is_emulated(void)
{
	return getenv("AVF_TEST_EMULATED") != NULL;
}

/* Cycles of two runs each. */
static int count_cycles(void)
{
	if (is_emulated())
		return 10;
	return IS_SANITIZED || getenv("AVF_LAB") ? 50 : 500;
}

static unsigned int count_vms(void)
{
	if (is_emulated())
		return 6;
	return IS_SANITIZED || getenv("AVF_LAB") ? 20 : MAX_VMS;
}

static avf_config *make_config(const char *guest)
{
	avf_config *config = vmt_bare_config(guest);

	if (is_emulated())
		CHECK_OK(avf_config_set_acceleration(
			config, AVF_ACCELERATION_EMULATION));
	return config;
}

/* A guest that ends by itself; QEMU's machine has no such port, so there it
 * is killed. */
static const char *ending_guest(void)
{
	return is_emulated() ? "halt" : "reset";
}

static void wait_ended(struct vmt_vm *v)
{
	if (is_emulated())
		CHECK_OK(avf_vm_kill(v->vm));
	CHECK(vmt_wait_stopped(v));
	vmt_check_stopped(v,
			  is_emulated() ? AVF_STOP_REASON_KILLED
					: AVF_STOP_REASON_REBOOT,
			  "");
}

/* What this process has, which must stay the same. */
struct state {
	unsigned int fds;
	unsigned int threads;
	long rss;
};

static struct state look(void)
{
	return (struct state){vmt_count_fds(), vmt_count_threads(),
			      vmt_rss_kib()};
}

static void expect_same(const struct state *before, const char *what)
{
	const long limit = IS_SANITIZED ? MAX_GROWTH_SLOW_KIB : MAX_GROWTH_KIB;
	struct state now = look();

	printf("    %s: %ld KiB more\n", what, now.rss - before->rss);
	CHECK(now.fds == before->fds);
	CHECK(now.threads == before->threads);
	CHECK(now.rss - before->rss < limit);
	CHECK(!vmt_has_child());
}

/* --- again and again -------------------------------------------------- */

/* One ends by itself, the other is killed, by turns in several ways. Under
 * emulation a stop may take its 5 s, so there it is a kill. */
static void cycle(struct vmt_vm *ends, struct vmt_vm *runs, int i)
{
	CHECK(vmt_run(ends) && vmt_run(runs));
	if (i % 3 == 0)
		CHECK(vmt_wait_event(runs, AVF_EVENT_STARTED));
	if (i % 2 == 0 || is_emulated())
		CHECK_OK(avf_vm_kill(runs->vm));
	else
		CHECK_OK(avf_vm_stop(runs->vm));
	CHECK(vmt_wait_stopped(runs));
	vmt_check_stopped(runs, AVF_STOP_REASON_KILLED, "");
	wait_ended(ends);
}

static void same_handles(void)
{
	const int n = count_cycles();
	struct vmt_vm ends, runs;
	struct state before = {0};
	char what[64];

	if (!vmt_new(&ends, make_config(ending_guest())) ||
	    !vmt_new(&runs, make_config("halt")))
		return;
	for (int i = 0; i < n; i++) {
		if (i == N_WARM_UP || (i == 0 && n <= N_WARM_UP))
			before = look();
		cycle(&ends, &runs, i);
	}
	(void)snprintf(what, sizeof(what), "%d runs", 2 * n);
	expect_same(&before, what);
	vmt_free(&ends);
	vmt_free(&runs);
}

static void new_handles(void)
{
	const int n = count_cycles() / 5;
	struct state before = {0};
	struct vmt_vm v;

	for (int i = 0; i < n; i++) {
		if (i == n / 4)
			before = look();
		if (!vmt_new(&v, make_config(ending_guest())))
			return;
		if (vmt_run(&v))
			wait_ended(&v);
		vmt_free(&v);
	}
	expect_same(&before, "new handles");
}

/* --- all at once ------------------------------------------------------ */

/* One loop for all, as an application would have it: until each has had an
 * event of @type. */
static void wait_for_all(struct vmt_vm *v, unsigned int n, int type)
{
	const uint64_t deadline = vmt_now_ms() + VMT_PATIENCE_MS;
	static bool had[MAX_VMS];
	struct pollfd fds[MAX_VMS];
	unsigned int n_had = 0;
	int got;

	for (unsigned int i = 0; i < n; i++) {
		had[i] = false;
		fds[i] = (struct pollfd){.fd = avf_vm_get_fd(v[i].vm),
					 .events = POLLIN};
	}
	while (n_had < n && vmt_now_ms() < deadline) {
		(void)poll(fds, n, 1000);
		for (unsigned int i = 0; i < n; i++) {
			while (fds[i].revents && !had[i] &&
			       (got = vmt_event(&v[i], 0)) >= 0)
				had[i] = got == type;
			n_had += fds[i].revents && had[i];
			if (had[i])
				fds[i].fd = -1;
		}
	}
	if (n_had < n)
		vmt_fail(__FILE__, __LINE__, "%u of %u had %s", n_had, n,
			 avf_event_type_name(type));
}

/* Every one runs before any one ends. */
static void run_all(struct vmt_vm *v, unsigned int n)
{
	for (unsigned int i = 0; i < n; i++)
		CHECK(vmt_run(&v[i]));
	wait_for_all(v, n, AVF_EVENT_STARTED);
	for (unsigned int i = 0; i < n; i++)
		CHECK(avf_vm_get_status(v[i].vm) == AVF_STATUS_RUNNING);
	for (unsigned int i = 0; i < n; i++) {
		if (i % 2 || is_emulated())
			CHECK_OK(avf_vm_kill(v[i].vm));
		else
			CHECK_OK(avf_vm_stop(v[i].vm));
	}
	wait_for_all(v, n, AVF_EVENT_STOPPED);
}

static void check_all(struct vmt_vm *v, unsigned int n)
{
	for (unsigned int i = 0; i < n; i++) {
		CHECK(vmt_event(&v[i], 0) == -1);
		CHECK(v[i].n_stopped == 1);
		vmt_check_stopped(&v[i], AVF_STOP_REASON_KILLED, "");
		if (strcmp(v[i].events, "STARTED STOPPED ") != 0)
			vmt_fail(__FILE__, __LINE__, "VM %u: %s", i,
				 v[i].events);
		CHECK(avf_vm_get_status(v[i].vm) == AVF_STATUS_STOPPED);
	}
}

/* Three times with the same handles; the first is to warm up. */
static void many_at_once(void)
{
	const unsigned int n = count_vms();
	static struct vmt_vm v[MAX_VMS];
	struct state before = {0};
	uint64_t start;
	char what[64];

	for (unsigned int i = 0; i < n; i++)
		if (!vmt_new(&v[i], make_config("halt")))
			return;
	for (unsigned int round = 0; round < 3; round++) {
		if (round == 1)
			before = look();
		start = vmt_now_ms();
		run_all(v, n);
		check_all(v, n);
	}
	(void)snprintf(what, sizeof(what), "%u VMs at once, %llu ms", n,
		       (unsigned long long)(vmt_now_ms() - start));
	expect_same(&before, what);
	for (unsigned int i = 0; i < n; i++)
		vmt_free(&v[i]);
}

static const struct vmt_test tests[] = {
	{"same_handles", same_handles},
	{"new_handles", new_handles},
	{"many_at_once", many_at_once},
};

int main(int argc, char **argv)
{
	if (!is_emulated() && access("/dev/kvm", R_OK | W_OK) < 0)
		vmt_skip_all("no /dev/kvm that this user may use");
	return vmt_main(argc, argv, tests, sizeof(tests) / sizeof(tests[0]));
}
