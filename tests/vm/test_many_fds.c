/*
 * An application with 60,000 open descriptors: numbers beyond 1024, what
 * select() cannot take, work everywhere, and none of them reaches a VMM.
 * Where the limit is lower and this user cannot raise it, as many as it
 * allows; in the lab it is 60,000.
 */
#include <dirent.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>

#include "support/vm_harness.h"

#define N_FDS     60000U
#define FEWEST    4000U /* more than a select() or a VMM takes */
#define SPARE     1000U /* for everything else */
#define ECHO_PORT 5678U
/* Its own: KVM, queues, interrupts, timers, disks; not one of ours. */
#define MAX_VMM_FDS 200U

static int fds[N_FDS];
static unsigned int n_wanted;
static unsigned int n_fds;

/* All of them copies of one; close-on-exec or not is the application's
 * choice, and must not matter. */
static void open_many(void)
{
	int first = open("/dev/null", O_RDONLY | O_CLOEXEC);

	CHECK(first >= 0);
	for (n_fds = 0; n_fds < n_wanted; n_fds++) {
		fds[n_fds] =
			fcntl(first, n_fds % 2 ? F_DUPFD : F_DUPFD_CLOEXEC, 0);
		if (fds[n_fds] < 0)
			break;
	}
	CHECK(n_fds == n_wanted);
	(void)close(first);
}

static void close_many(void)
{
	for (unsigned int i = 0; i < n_fds; i++)
		(void)close(fds[i]);
}

static unsigned int count_fds_of(pid_t pid)
{
	unsigned int n = 0;
	char path[32];
	DIR *dir;

	(void)snprintf(path, sizeof(path), "/proc/%d/fd", (int)pid);
	dir = opendir(path);
	if (!dir)
		return 0; /* a jailed process is root's to look at */
	while (readdir(dir))
		n++;
	(void)closedir(dir);
	return n;
}

/* Connections, a listener and captured output: all of high numbers. */
static void talk(struct vmt_vm *v)
{
	avf_listener *listener = NULL;
	char answer[4] = "";
	int log = -1;
	int fd = -1;

	CHECK(avf_vm_get_fd(v->vm) > 1024);
	CHECK_OK(avf_vm_get_log_output(v->vm, &log));
	CHECK(log > 1024);
	CHECK_OK(avf_vm_listen(v->vm, 9000, &listener));
	CHECK(avf_listener_get_fd(listener) > 1024);
	CHECK_FAILS(avf_listener_accept(listener, 10, &fd), AVF_ERR_TIMEOUT,
		    "no connection");
	CHECK_OK(avf_vm_connect(v->vm, ECHO_PORT, VMT_PATIENCE_MS, &fd));
	CHECK(fd > 1024);
	CHECK(vmt_send(fd, "abcd", 4) && vmt_recv(fd, answer, 4));
	CHECK(memcmp(answer, "abcd", 4) == 0);
	(void)close(fd);
	(void)close(log);
	avf_listener_free(listener);
}

static avf_config *echo_config(void)
{
	avf_config *config = vmt_bare_config("vsock");

	CHECK_OK(avf_config_set_debug_level(config, AVF_DEBUG_LEVEL_FULL));
	CHECK_OK(avf_config_set_vm_output_captured(config, true));
	return config;
}

static void one_run(struct vmt_vm *v, uint64_t *ret_ms)
{
	uint64_t start = vmt_now_ms();
	unsigned int n;

	CHECK(vmt_run(v));
	*ret_ms = vmt_now_ms() - start;
	n = count_fds_of(avf_vm_get_pid(v->vm));
	CHECK(n < MAX_VMM_FDS && (n > 0 || geteuid() != 0));
	CHECK(vmt_wait_output(v, "listening"));
	talk(v);
	CHECK(vmt_wait_stopped(v));
	vmt_check_stopped(v, AVF_STOP_REASON_SHUTDOWN, "");
}

static void many_descriptors(void)
{
	uint64_t first_ms, second_ms;
	struct vmt_vm v;

	open_many();
	if (vmt_new(&v, echo_config())) {
		one_run(&v, &first_ms);
		one_run(&v, &second_ms);
		printf("    with %u: run() took %llu ms, then %llu ms\n", n_fds,
		       (unsigned long long)first_ms,
		       (unsigned long long)second_ms);
		vmt_free(&v);
	}
	close_many();
}

/* A limit that is reached is an error, and no VM that hangs. */
static void none_left(void)
{
	struct rlimit old, low;
	struct vmt_vm v;
	int rc;

	if (!vmt_new(&v, vmt_bare_config("reset")))
		return;
	CHECK(getrlimit(RLIMIT_NOFILE, &old) == 0);
	for (rlim_t spare = 0; spare < 40; spare++) {
		low = old;
		low.rlim_cur = vmt_count_fds() - 3 + spare;
		CHECK(setrlimit(RLIMIT_NOFILE, &low) == 0);
		rc = avf_vm_run(v.vm);
		CHECK(setrlimit(RLIMIT_NOFILE, &old) == 0);
		if (rc == 0)
			break;
		if (rc != AVF_ERR_LIMIT)
			vmt_fail(__FILE__, __LINE__, "%s: %s",
				 avf_error_name(rc), avf_last_error()->text);
		CHECK(avf_vm_get_status(v.vm) == AVF_STATUS_STOPPED);
	}
	/* the VMM has the low limit too: it may have had too few */
	CHECK(vmt_wait_stopped(&v));
	vmt_run_to(&v, AVF_STOP_REASON_REBOOT);
	vmt_free(&v);
}

static const struct vmt_test tests[] = {
	{"many_descriptors", many_descriptors},
	{"none_left", none_left},
};

/* The limit, raised if it can be; how many may be opened. */
static unsigned int raise_limit(void)
{
	struct rlimit limit = {N_FDS + SPARE, N_FDS + SPARE};

	if (setrlimit(RLIMIT_NOFILE, &limit) == 0)
		return N_FDS;
	if (getrlimit(RLIMIT_NOFILE, &limit) < 0)
		return 0;
	limit.rlim_cur = limit.rlim_max;
	if (setrlimit(RLIMIT_NOFILE, &limit) < 0 || limit.rlim_max < SPARE)
		return 0;
	return limit.rlim_max - SPARE < N_FDS
		       ? (unsigned int)(limit.rlim_max - SPARE)
		       : N_FDS;
}

int main(int argc, char **argv)
{
	if (access("/dev/kvm", R_OK | W_OK) < 0)
		vmt_skip_all("no /dev/kvm that this user may use");
	n_wanted = raise_limit();
	if (n_wanted < FEWEST)
		vmt_skip_all("this user may open too few files");
	return vmt_main(argc, argv, tests, sizeof(tests) / sizeof(tests[0]));
}
