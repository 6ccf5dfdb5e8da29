/*
 * Guests that attack their VMM from inside: it lives on, the device asks for
 * a reset at worst, another device and another VM notice nothing, and neither
 * CPU time nor memory nor log lines are the attacker's to take (bounds.h).
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "support/vm_harness.h"
#include "vm/bounds.h"

#define CONTENT   "honestly"
#define DISK_SIZE 65536U

/* As in guest/bare/hostile.c. */
enum attack { FLIP = 1, RESET, BARS, STORM, MSIX };
enum target { DISK, RNG, VSOCK };

static int make_disk(void)
{
	int fd = vmt_memfd(DISK_SIZE, 0);

	CHECK(pwrite(fd, CONTENT, strlen(CONTENT), 0) == strlen(CONTENT));
	return fd;
}

static bool make_attacker(struct vmt_vm *v, enum attack attack,
			  enum target target, const char *more)
{
	static const int rounds[] = {[FLIP] = 120,
				     [RESET] = 60,
				     [BARS] = 24,
				     [STORM] = 400,
				     [MSIX] = 160};
	avf_config *config = vmt_bare_config("hostile");
	int fd = make_disk();
	char cmdline[64];

	(void)snprintf(cmdline, sizeof(cmdline),
		       "attack=%d target=%d rounds=%d %s", attack, target,
		       rounds[attack], more);
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

/* The guest's last words tell that bystander and target served it. */
static void check_survived(struct vmt_vm *v, enum attack attack,
			   enum target target)
{
	char *text = vmt_output(v);

	if (!text || !vmt_contains(text, target == DISK ? CONTENT "\nsurvived "
							: "served\nsurvived "))
		vmt_fail(__FILE__, __LINE__, "\"%s\"", text ? text : "");
	/* the attack arrived: the device refused some of it */
	if (text && attack == FLIP)
		CHECK(!vmt_contains(text, "survived 0"));
	free(text);
}

static void attack_and_survive(enum attack attack, enum target target)
{
	time_t begin = time(NULL);
	struct vmt_vm v;

	if (!make_attacker(&v, attack, target, ""))
		return;
	if (vmt_run(&v) && vmt_wait_event(&v, AVF_EVENT_STARTED)) {
		if (target == DISK)
			run_neighbour();
		CHECK(vmt_wait_stopped(&v));
		vmt_check_stopped(&v, AVF_STOP_REASON_SHUTDOWN, "");
	}
	check_survived(&v, attack, target);
	CHECK(v.n_log <= max_log_lines(begin));
	vmt_free(&v);
}

static void descriptors_that_change(void)
{
	attack_and_survive(FLIP, DISK);
}

static void descriptors_of_entropy_that_change(void)
{
	attack_and_survive(FLIP, RNG);
}

static void descriptors_of_vsock_that_change(void)
{
	attack_and_survive(FLIP, VSOCK);
}

static void resets_with_io_in_flight(void)
{
	attack_and_survive(RESET, DISK);
}

static void resets_of_vsock_with_packets_in_flight(void)
{
	attack_and_survive(RESET, VSOCK);
}

static void bars_over_memory_and_each_other(void)
{
	attack_and_survive(BARS, DISK);
}

static void doorbell_storm(void)
{
	attack_and_survive(STORM, DISK);
}

static void msix_table_storm(void)
{
	attack_and_survive(MSIX, DISK);
}

/* The attacker's CPUs: one halts, one spins in its own time. */
static void measure_afterwards(struct vmt_vm *v, enum attack attack,
			       long memory)
{
	long before = vmt_cpu_ms(avf_vm_get_pid(v->vm));
	long used, grown;

	vmt_sleep_ms(IDLE_MS);
	used = vmt_cpu_ms(avf_vm_get_pid(v->vm)) - before;
	if (used > IDLE_MS * MAX_IDLE_CPUS_10 / 10)
		vmt_fail(__FILE__, __LINE__, "attack %d: %ld ms of CPU time",
			 attack, used);
	grown = vmt_own_memory_kib(v) - memory;
	if (memory >= 0 && grown > MAX_GROWTH_KIB)
		vmt_fail(__FILE__, __LINE__, "attack %d: grown by %ld KiB",
			 attack, grown);
}

static void an_attack_that_is_over_costs_nothing(void)
{
	static const enum attack attacks[] = {FLIP, RESET, STORM, MSIX};

	for (size_t i = 0; i < sizeof(attacks) / sizeof(*attacks); i++) {
		time_t begin = time(NULL);
		struct vmt_vm v;
		long memory;

		if (!make_attacker(&v, attacks[i], DISK, "halt=1 few=1"))
			return;
		if (vmt_run(&v) && vmt_wait_event(&v, AVF_EVENT_STARTED)) {
			memory = vmt_own_memory_kib(&v);
			if (vmt_wait_output(&v, "attacked"))
				measure_afterwards(&v, attacks[i], memory);
			CHECK_OK(avf_vm_kill(v.vm));
			CHECK(vmt_wait_stopped(&v));
		}
		CHECK(v.n_log <= max_log_lines(begin));
		vmt_free(&v);
	}
}

static const struct vmt_test tests[] = {
	{"descriptors_that_change", descriptors_that_change},
	{"descriptors_of_entropy_that_change",
	 descriptors_of_entropy_that_change},
	{"descriptors_of_vsock_that_change", descriptors_of_vsock_that_change},
	{"resets_with_io_in_flight", resets_with_io_in_flight},
	{"resets_of_vsock_with_packets_in_flight",
	 resets_of_vsock_with_packets_in_flight},
	{"bars_over_memory_and_each_other", bars_over_memory_and_each_other},
	{"doorbell_storm", doorbell_storm},
	{"msix_table_storm", msix_table_storm},
	{"an_attack_that_is_over_costs_nothing",
	 an_attack_that_is_over_costs_nothing},
};

int main(int argc, char **argv)
{
	if (access("/dev/kvm", R_OK | W_OK) < 0)
		vmt_skip_all("no /dev/kvm that this user may use");
	return vmt_main(argc, argv, tests, sizeof(tests) / sizeof(tests[0]));
}
