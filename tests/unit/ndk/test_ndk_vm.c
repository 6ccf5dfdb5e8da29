/* AVirtualMachine against VMMs that play a scenario, from several threads. */
#include "ndk_files.h"

#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>

static AVirtualizationService *service;

static void make_service(void)
{
	cr_assert_eq(setenv("AVF_VMM", AVF_TEST_FAKE_VMM, 1), 0);
	service = a_service();
}

static void destroy_service(void)
{
	AVirtualizationService_destroy(service);
}

TestSuite(ndk_vm, .init = make_service, .fini = destroy_service, .timeout = 60);

static AVirtualMachine *a_vm(const char *scenario)
{
	AVirtualMachine *vm = NULL;

	cr_assert_eq(AVirtualMachine_createRaw(service, a_config(scenario), -1,
					       -1, -1, &vm),
		     0);
	return vm;
}

static AVirtualMachine *started(const char *scenario)
{
	AVirtualMachine *vm = a_vm(scenario);

	cr_assert_eq(AVirtualMachine_start(vm), 0, "%s: %s", scenario,
		     avf_last_error()->text);
	return vm;
}

static void expect_reason(AVirtualMachine *vm, int want)
{
	enum AVirtualMachineStopReason reason = AVIRTUAL_MACHINE_UNRECOGNISED;

	cr_expect(AVirtualMachine_waitForStop(vm, NULL, &reason));
	cr_expect_eq((int)reason, want, "%d instead of %d", (int)reason, want);
	reason = AVIRTUAL_MACHINE_UNRECOGNISED;
	cr_expect(AVirtualMachine_waitForStop(vm, NULL, &reason), "for good");
	cr_expect_eq((int)reason, want);
	cr_expect(AVirtualMachine_waitForStop(vm, NULL, NULL));
}

/* Each reason on its way from the VMM: in front of and behind STARTED. */
Test(ndk_vm, every_reason_arrives)
{
	unsigned int before = count_fds();

	for (int reason = -1; reason <= 17; reason++) {
		char name[32];
		AVirtualMachine *vm;

		(void)snprintf(name, sizeof(name), "reason_%d", reason);
		vm = started(name);
		expect_reason(vm, (int)ndk_stop_reason(reason));
		AVirtualMachine_destroy(vm);
		(void)snprintf(name, sizeof(name), "early_%d", reason);
		vm = a_vm(name);
		cr_expect_eq(AVirtualMachine_start(vm), -EIO, "%s", name);
		expect_reason(vm, (int)ndk_stop_reason(reason));
		AVirtualMachine_destroy(vm);
	}
	cr_expect_eq(count_fds(), before);
}

static const struct {
	const char *scenario;
	int start; /* what it returns */
	int reason;
} ends[] = {
	{"good", 0, AVIRTUAL_MACHINE_SHUTDOWN},
	{"mute", -EIO, AVIRTUAL_MACHINE_INFRASTRUCTURE_ERROR},
	{"exit_7", -EIO, AVIRTUAL_MACHINE_INFRASTRUCTURE_ERROR},
	{"die_by_trap", 0, AVIRTUAL_MACHINE_CRASH},
	{"garbage", -EIO, AVIRTUAL_MACHINE_INFRASTRUCTURE_ERROR},
	{"wrong_message", -EIO, AVIRTUAL_MACHINE_INFRASTRUCTURE_ERROR},
};

Test(ndk_vm, whatever_the_vmm_does_start_and_wait_return)
{
	for (size_t i = 0; i < sizeof(ends) / sizeof(ends[0]); i++) {
		AVirtualMachine *vm = a_vm(ends[i].scenario);

		cr_expect_eq(AVirtualMachine_start(vm), ends[i].start, "%s",
			     ends[i].scenario);
		expect_reason(vm, ends[i].reason);
		cr_expect_eq(AVirtualMachine_start(vm), -EIO,
			     "a stopped VM cannot be restarted");
		cr_expect_eq(AVirtualMachine_stop(vm), -EIO);
		cr_expect_eq(AVirtualMachine_connectVsock(vm, 5678), -EIO);
		AVirtualMachine_destroy(vm);
	}
}

Test(ndk_vm, before_the_start)
{
	static const struct timespec none = {0, 0};
	static const struct timespec negative = {-1, 0};
	enum AVirtualMachineStopReason reason = AVIRTUAL_MACHINE_HANGUP;
	AVirtualMachine *vm = a_vm("good");

	cr_expect_not(AVirtualMachine_waitForStop(vm, &none, &reason));
	cr_expect_not(AVirtualMachine_waitForStop(vm, &negative, &reason));
	cr_expect_eq(reason, AVIRTUAL_MACHINE_HANGUP, "untouched");
	cr_expect_eq(AVirtualMachine_stop(vm), -EIO);
	cr_expect_eq(AVirtualMachine_connectVsock(vm, 5678), -EIO);
	cr_expect_eq(AVirtualMachine_start(vm), 0);
	expect_reason(vm, AVIRTUAL_MACHINE_SHUTDOWN);
	AVirtualMachine_destroy(vm);
}

Test(ndk_vm, a_vmm_that_is_missing_can_be_put_in_its_place)
{
	AVirtualMachine *vm = a_vm("good");

	cr_assert_eq(setenv("AVF_VMM", "/nonexistent/avf-vmm", 1), 0);
	cr_expect_eq(AVirtualMachine_start(vm), -EIO);
	cr_expect(strstr(avf_last_error()->text, "AVF_VMM"), "%s",
		  avf_last_error()->text);
	cr_assert_eq(setenv("AVF_VMM", AVF_TEST_FAKE_VMM, 1), 0);
	cr_expect_eq(AVirtualMachine_start(vm), 0, "nothing had started");
	AVirtualMachine_destroy(vm);
}

Test(ndk_vm, timeouts_leave_the_reason_alone)
{
	static const struct timespec moment = {0, 30000000};
	enum AVirtualMachineStopReason reason = AVIRTUAL_MACHINE_HANGUP;
	AVirtualMachine *vm = started("serve_stop");

	cr_expect_not(AVirtualMachine_waitForStop(vm, &moment, &reason));
	cr_expect_eq(reason, AVIRTUAL_MACHINE_HANGUP);
	cr_expect_eq(AVirtualMachine_start(vm), -EIO, "it runs");
	cr_expect_eq(AVirtualMachine_stop(vm), 0);
	expect_reason(vm, AVIRTUAL_MACHINE_KILLED);
	AVirtualMachine_destroy(vm);
}

/* Longer than there are nanoseconds for. */
Test(ndk_vm, a_timeout_beyond_all_numbers_waits)
{
	static const struct timespec ages[] = {{INT64_MAX, 999999999},
					       {1000000001, 0},
					       {1000000000, 999999999}};

	for (size_t i = 0; i < sizeof(ages) / sizeof(ages[0]); i++) {
		AVirtualMachine *vm = started("good");

		cr_expect(AVirtualMachine_waitForStop(vm, &ages[i], NULL));
		AVirtualMachine_destroy(vm);
	}
}

Test(ndk_vm, channels)
{
	AVirtualMachine *vm = started("serve_echo");
	char text[6] = "";
	int fd;

	cr_expect_eq(AVirtualMachine_connectVsock(vm, 1023), -EIO);
	fd = AVirtualMachine_connectVsock(vm, 5678);
	cr_assert_geq(fd, 0);
	cr_expect_eq(fcntl(fd, F_GETFD), FD_CLOEXEC);
	cr_expect_eq(send(fd, "hello", 6, 0), 6);
	cr_expect_eq(recv(fd, text, 6, MSG_WAITALL), 6);
	cr_expect_str_eq(text, "hello");
	close(fd);
	AVirtualMachine_destroy(vm);
	vm = started("serve_refuse");
	cr_expect_eq(AVirtualMachine_connectVsock(vm, 5678), -EIO);
	AVirtualMachine_destroy(vm);
}

static void *wait_in_thread(void *vm)
{
	enum AVirtualMachineStopReason reason = AVIRTUAL_MACHINE_UNRECOGNISED;

	return AVirtualMachine_waitForStop(vm, NULL, &reason) &&
			       reason == AVIRTUAL_MACHINE_KILLED
		       ? vm
		       : NULL;
}

#define N_WAITERS 4

/* Only one of them gets the event; none may sleep on. They begin in front of
 * the start, so one of them may get STARTED, too. */
Test(ndk_vm, all_who_wait_are_told)
{
	for (int round = 0; round < 20; round++) {
		AVirtualMachine *vm = a_vm("serve_stop");
		pthread_t waiters[N_WAITERS];
		void *told;

		for (int i = 0; i < N_WAITERS; i++)
			cr_assert_eq(pthread_create(&waiters[i], NULL,
						    wait_in_thread, vm),
				     0);
		cr_expect_eq(AVirtualMachine_start(vm), 0);
		cr_expect_eq(AVirtualMachine_stop(vm), 0);
		for (int i = 0; i < N_WAITERS; i++) {
			cr_assert_eq(pthread_join(waiters[i], &told), 0);
			cr_expect_eq(told, vm);
		}
		AVirtualMachine_destroy(vm);
	}
}

Test(ndk_vm, null_is_an_error_or_a_no_op)
{
	enum AVirtualMachineStopReason reason = AVIRTUAL_MACHINE_HANGUP;

	cr_expect_eq(AVirtualMachine_start(NULL), -EINVAL);
	cr_expect_eq(AVirtualMachine_stop(NULL), -EINVAL);
	cr_expect_eq(AVirtualMachine_connectVsock(NULL, 5678), -EINVAL);
	cr_expect_not(AVirtualMachine_waitForStop(NULL, NULL, &reason));
	cr_expect_eq(reason, AVIRTUAL_MACHINE_HANGUP);
	AVirtualMachine_destroy(NULL);
}
