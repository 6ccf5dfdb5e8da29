/*
 * Guests that ask for more than anybody could want: output, ports, vsock
 * connections, packets for nobody, and one that takes nothing. The VMM keeps
 * within bounds.h, its honest devices answer all the time, and the host can
 * still connect.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

#include "support/vm_harness.h"
#include "vm/bounds.h"

#define GUEST_PORT 5678U
#define HOST_PORT  9000U

/* As in guest/bare/flood.c. */
enum flood { SERIAL = 1, PORTS, CONNECT, STRAYS, STARVE, HOARD };

/* Pages of output: a pipe and the port's own ring hold seventeen. */
#define SERIAL_PAGES 20U
/* Steps of 16 ports, 5 apart, through all 65536. */
#define PORT_STEPS (65536U / 16 / 5 + 1)

/* More connections than a VMM takes from its guest: VSOCK_MAX_CONNS less
 * what it keeps for the host. */
#define N_CONNECTIONS 3200U
#define MOST_TAKEN    3008U
/* Packets for nobody: four times what may wait for an answer. */
#define N_STRAYS 1024U
/* Connections that leave more than MAX_HOARDED_KIB behind, if they may: 448
 * KiB each, less what a socket takes. */
#define N_HOARDERS 512U

static avf_config *flood_config(enum flood flood, unsigned int rounds)
{
	avf_config *config = vmt_bare_config("flood");
	char cmdline[64];

	(void)snprintf(cmdline, sizeof(cmdline), "flood=%d rounds=%u", flood,
		       rounds);
	CHECK_OK(avf_config_set_cmdline(config, cmdline));
	return config;
}

static void check_growth(const struct vmt_vm *v, long before)
{
	long grown = vmt_own_memory_kib(v) - before;

	if (before >= 0 && grown > MAX_GROWTH_KIB)
		vmt_fail(__FILE__, __LINE__, "grown by %ld KiB", grown);
}

/* Until it stops by itself, or says that it is wrong by a reset. */
static void run_to_the_end(enum flood flood, unsigned int rounds)
{
	time_t begin = time(NULL);
	struct vmt_vm v;

	if (!vmt_new(&v, flood_config(flood, rounds)))
		return;
	vmt_run_to(&v, AVF_STOP_REASON_SHUTDOWN);
	CHECK(v.n_log <= max_log_lines(begin));
	vmt_free(&v);
}

static void serial_output(void)
{
	run_to_the_end(SERIAL, SERIAL_PAGES / 4);
}

static void ports_of_all_kinds(void)
{
	if (vmt_bare_is_elf())
		run_to_the_end(PORTS, PORT_STEPS);
	else
		vmt_skip("this architecture has no ports");
}

/* Nobody reads: what does not fit is dropped, and the guest never waits. */
static void serial_output_that_nobody_reads(void)
{
	avf_config *config = flood_config(SERIAL, SERIAL_PAGES);
	time_t begin = time(NULL);
	struct vmt_vm v;
	int ends[2];

	CHECK(pipe2(ends, O_CLOEXEC) == 0);
	memset(&v, 0, sizeof(v));
	v.output = vmt_memfd(0, 0);
	CHECK_OK(avf_config_set_console_output(config, ends[1]));
	CHECK_OK(avf_vm_new(config, &v.vm));
	avf_config_free(config);
	(void)close(ends[1]);
	vmt_run_to(&v, AVF_STOP_REASON_SHUTDOWN);
	CHECK(v.n_log > 0 && v.n_log <= max_log_lines(begin));
	vmt_free(&v);
	(void)close(ends[0]);
}

/* As many descriptors as this process may have. */
static unsigned int raise_limit(void)
{
	struct rlimit limit;

	if (getrlimit(RLIMIT_NOFILE, &limit) < 0)
		return 0;
	if (limit.rlim_max > N_CONNECTIONS + 200)
		limit.rlim_max = N_CONNECTIONS + 200;
	limit.rlim_cur = limit.rlim_max;
	(void)setrlimit(RLIMIT_NOFILE, &limit);
	return limit.rlim_cur > 100 ? (unsigned int)limit.rlim_cur - 100 : 0;
}

/* Whatever comes, until the guest has said it. Returns how many there are. */
static unsigned int accept_until_flooded(struct vmt_vm *v,
					 avf_listener *listener, int *fds,
					 unsigned int max)
{
	uint64_t deadline = vmt_now_ms() + VMT_PATIENCE_MS;
	unsigned int n = 0;
	bool flooded = false;
	char *text;

	while (vmt_now_ms() < deadline && v->n_stopped == 0) {
		while (n < max &&
		       avf_listener_accept(listener, 1, &fds[n]) == 0)
			n++;
		if (flooded)
			return n;
		(void)vmt_event(v, 1);
		text = vmt_output(v);
		flooded = text && vmt_contains(text, "flooded");
		free(text);
	}
	vmt_fail(__FILE__, __LINE__, "%u connections, then nothing", n);
	return n;
}

/* The guest is waiting for a connection, and gets it. */
static void connect_and_stop(struct vmt_vm *v)
{
	int fd = -1;

	CHECK_OK(avf_vm_connect(v->vm, GUEST_PORT, VMT_PATIENCE_MS, &fd));
	CHECK(vmt_wait_stopped(v));
	vmt_check_stopped(v, AVF_STOP_REASON_SHUTDOWN, "");
	if (fd >= 0)
		(void)close(fd);
}

static void more_connections_than_there_may_be(void)
{
	static int fds[N_CONNECTIONS];
	avf_listener *listener = NULL;
	unsigned int max = raise_limit();
	time_t begin = time(NULL);
	unsigned int n = 0;
	struct vmt_vm v;
	long memory;

	if (max > N_CONNECTIONS)
		max = N_CONNECTIONS;
	if (!vmt_new(&v, flood_config(CONNECT, max)))
		return;
	if (vmt_run(&v) && vmt_wait_event(&v, AVF_EVENT_STARTED)) {
		memory = vmt_own_memory_kib(&v);
		CHECK_OK(avf_vm_listen(v.vm, HOST_PORT, &listener));
		n = accept_until_flooded(&v, listener, fds, max);
		CHECK(n > 0 && n <= MOST_TAKEN);
		check_growth(&v, memory);
		connect_and_stop(&v);
	}
	CHECK(v.n_log <= max_log_lines(begin));
	for (unsigned int i = 0; i < n; i++)
		(void)close(fds[i]);
	avf_listener_free(listener);
	vmt_free(&v);
}

/* More data than all connections together may leave with the VMM. */
static void data_that_nobody_reads(void)
{
	static int fds[N_HOARDERS];
	avf_listener *listener = NULL;
	time_t begin = time(NULL);
	unsigned int n = 0;
	struct vmt_vm v;
	long memory, grown;

	if (!vmt_new(&v, flood_config(HOARD, N_HOARDERS)))
		return;
	if (vmt_run(&v) && vmt_wait_event(&v, AVF_EVENT_STARTED)) {
		memory = vmt_own_memory_kib(&v);
		CHECK_OK(avf_vm_listen(v.vm, HOST_PORT, &listener));
		n = accept_until_flooded(&v, listener, fds, N_HOARDERS);
		grown = vmt_own_memory_kib(&v) - memory;
		if (memory >= 0 && grown > MAX_HOARDED_KIB + MAX_GROWTH_KIB)
			vmt_fail(__FILE__, __LINE__, "grown by %ld KiB", grown);
		connect_and_stop(&v);
	}
	CHECK(n > 0 && v.n_log <= max_log_lines(begin));
	for (unsigned int i = 0; i < n; i++)
		(void)close(fds[i]);
	avf_listener_free(listener);
	vmt_free(&v);
}

static void packets_for_nobody(void)
{
	time_t begin = time(NULL);
	struct vmt_vm v;
	long memory;

	if (!vmt_new(&v, flood_config(STRAYS, N_STRAYS)))
		return;
	if (vmt_run(&v) && vmt_wait_event(&v, AVF_EVENT_STARTED)) {
		memory = vmt_own_memory_kib(&v);
		if (vmt_wait_output(&v, "flooded")) {
			check_growth(&v, memory);
			connect_and_stop(&v);
		}
	}
	CHECK(v.n_log <= max_log_lines(begin));
	vmt_free(&v);
}

/* Until it would block, for a while. */
static size_t write_all_it_takes(int fd)
{
	static char block[16384];
	unsigned int idle = 0;
	size_t total = 0;
	ssize_t n;

	CHECK(fcntl(fd, F_SETFL, O_NONBLOCK) == 0);
	while (idle < 50 && total <= MAX_STARVED_BYTES) {
		n = write(fd, block, sizeof(block));
		if (n > 0) {
			total += (size_t)n;
			idle = 0;
			continue;
		}
		CHECK(n < 0 && errno == EAGAIN);
		vmt_sleep_ms(2);
		idle++;
	}
	return total;
}

static void a_guest_that_takes_nothing(void)
{
	time_t begin = time(NULL);
	size_t taken = 0;
	struct vmt_vm v;
	long memory;
	int fd = -1;

	if (!vmt_new(&v, flood_config(STARVE, 0)))
		return;
	if (vmt_run(&v) && vmt_wait_output(&v, "listening")) {
		memory = vmt_own_memory_kib(&v);
		CHECK_OK(
			avf_vm_connect(v.vm, GUEST_PORT, VMT_PATIENCE_MS, &fd));
		if (fd >= 0) {
			taken = write_all_it_takes(fd);
			(void)close(fd);
		}
		CHECK(taken > 0 && taken <= MAX_STARVED_BYTES);
		check_growth(&v, memory);
		/* its other devices go on: it said so after that */
		CHECK(vmt_wait_output(&v, "flooded 1"));
		CHECK_OK(avf_vm_kill(v.vm));
		CHECK(vmt_wait_stopped(&v));
	}
	CHECK(v.n_log <= max_log_lines(begin));
	vmt_free(&v);
}

static const struct vmt_test tests[] = {
	{"serial_output", serial_output},
	{"serial_output_that_nobody_reads", serial_output_that_nobody_reads},
	{"ports_of_all_kinds", ports_of_all_kinds},
	{"more_connections_than_there_may_be",
	 more_connections_than_there_may_be},
	{"data_that_nobody_reads", data_that_nobody_reads},
	{"packets_for_nobody", packets_for_nobody},
	{"a_guest_that_takes_nothing", a_guest_that_takes_nothing},
};

int main(int argc, char **argv)
{
	if (access("/dev/kvm", R_OK | W_OK) < 0)
		vmt_skip_all("no /dev/kvm that this user may use");
	return vmt_main(argc, argv, tests, sizeof(tests) / sizeof(tests[0]));
}
