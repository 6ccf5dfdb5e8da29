/*
 * Guests that attack their VMM from inside: it lives on, the device asks for
 * a reset at worst, another VM notices nothing, and neither CPU time nor log
 * lines are the attacker's to take.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "support/vm_harness.h"

#define CONTENT   "honestly"
#define DISK_SIZE 65536U
/* Lines of one attack: a device's budget is ten in five seconds. */
#define MAX_LOG_LINES 30U
#define IDLE_MS       400U

enum attack { FLIP = 1, RESET, BARS, STORM };

/* Lines that the VMM may write in a run that began at @begin: a fixed part,
 * and the budget of a device, 10 lines in 5 s, twice over. */
static unsigned int max_log_lines(time_t begin)
{
	return MAX_LOG_LINES + 20U * (unsigned int)((time(NULL) - begin) / 5);
}

static int make_disk(void)
{
	int fd = vmt_memfd(DISK_SIZE, 0);

	CHECK(pwrite(fd, CONTENT, strlen(CONTENT), 0) == strlen(CONTENT));
	return fd;
}

static bool make_attacker(struct vmt_vm *v, enum attack attack,
			  const char *more)
{
	static const int rounds[] = {
		[FLIP] = 400, [RESET] = 80, [BARS] = 24, [STORM] = 400};
	avf_config *config = vmt_bare_config("hostile");
	int fd = make_disk();
	char cmdline[64];

	(void)snprintf(cmdline, sizeof(cmdline), "attack=%d rounds=%d %s",
		       attack, rounds[attack], more);
	CHECK_OK(avf_config_set_cmdline(config, cmdline));
	CHECK_OK(avf_config_set_vcpus(config, 2));
	CHECK_OK(avf_config_add_disk_fd(config, fd, NULL));
	(void)close(fd);
	return vmt_new(v, config);
}

/* A VM that works while the other one is attacked. */
static void run_neighbour(void)
{
	const struct avf_disk_options writable = {sizeof(writable), true, "b"};
	avf_config *config = vmt_bare_config("blk");
	int first = make_disk(), second = vmt_memfd(DISK_SIZE, 'x');
	struct vmt_vm v;
	char *text;

	CHECK_OK(avf_config_add_disk_fd(config, first, NULL));
	CHECK_OK(avf_config_add_disk_fd(config, second, &writable));
	(void)close(first);
	(void)close(second);
	if (!vmt_new(&v, config))
		return;
	vmt_run_to(&v, AVF_STOP_REASON_SHUTDOWN);
	text = vmt_output(&v);
	CHECK(text && vmt_contains(text, CONTENT));
	free(text);
	vmt_free(&v);
}

static void attack_and_survive(enum attack attack)
{
	time_t begin = time(NULL);
	struct vmt_vm v;
	char *text;

	if (!make_attacker(&v, attack, ""))
		return;
	if (vmt_run(&v) && vmt_wait_event(&v, AVF_EVENT_STARTED)) {
		run_neighbour();
		CHECK(vmt_wait_stopped(&v));
		vmt_check_stopped(&v, AVF_STOP_REASON_SHUTDOWN, "");
	}
	text = vmt_output(&v);
	if (!text || !vmt_contains(text, CONTENT "\nsurvived "))
		vmt_fail(__FILE__, __LINE__, "\"%s\"", text ? text : "");
	/* the attack arrived: the device refused some of it */
	if (text && attack == FLIP)
		CHECK(!vmt_contains(text, "survived 0"));
	CHECK(v.n_log <= max_log_lines(begin));
	free(text);
	vmt_free(&v);
}

static void descriptors_that_change(void)
{
	attack_and_survive(FLIP);
}

static void resets_with_io_in_flight(void)
{
	attack_and_survive(RESET);
}

static void bars_over_memory(void)
{
	attack_and_survive(BARS);
}

static void doorbell_storm(void)
{
	attack_and_survive(STORM);
}

/* CPU time of process @pid so far, in ms. */
static long cpu_ms(pid_t pid)
{
	unsigned long user = 0, kernel = 0;
	char path[64];
	FILE *file;

	(void)snprintf(path, sizeof(path), "/proc/%d/stat", (int)pid);
	file = fopen(path, "r");
	if (!file)
		return -1;
	/* fields 14 and 15; the name has no space */
	if (fscanf(file,
		   "%*s %*s %*s %*s %*s %*s %*s %*s %*s %*s %*s %*s %*s "
		   "%lu %lu",
		   &user, &kernel) != 2)
		user = 0;
	(void)fclose(file);
	return (long)((user + kernel) * 1000 /
		      (unsigned long)sysconf(_SC_CLK_TCK));
}

/* The attacker's CPUs: one halts, one spins in its own time. */
static void a_broken_device_costs_nothing(void)
{
	time_t begin = time(NULL);
	struct vmt_vm v;
	long before, used;

	if (!make_attacker(&v, FLIP, "halt=1"))
		return;
	if (vmt_run(&v) && vmt_wait_output(&v, "attacked")) {
		before = cpu_ms(avf_vm_get_pid(v.vm));
		vmt_sleep_ms(IDLE_MS);
		used = cpu_ms(avf_vm_get_pid(v.vm)) - before;
		/* the loop spinning would make it two CPUs' time */
		if (used > (long)IDLE_MS * 3 / 2)
			vmt_fail(__FILE__, __LINE__, "%ld ms of CPU time",
				 used);
		CHECK_OK(avf_vm_kill(v.vm));
		CHECK(vmt_wait_stopped(&v));
	}
	CHECK(v.n_log <= max_log_lines(begin));
	vmt_free(&v);
}

static const struct vmt_test tests[] = {
	{"descriptors_that_change", descriptors_that_change},
	{"resets_with_io_in_flight", resets_with_io_in_flight},
	{"bars_over_memory", bars_over_memory},
	{"doorbell_storm", doorbell_storm},
	{"a_broken_device_costs_nothing", a_broken_device_costs_nothing},
};

int main(int argc, char **argv)
{
	if (access("/dev/kvm", R_OK | W_OK) < 0)
		vmt_skip_all("no /dev/kvm that this user may use");
	return vmt_main(argc, argv, tests, sizeof(tests) / sizeof(tests[0]));
}
