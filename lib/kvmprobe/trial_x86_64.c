#include "kvmprobe/trial.h"

#include <linux/kvm.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>

#include "base/checked.h"
#include "base/cleanup.h"
#include "kvmprobe/trial_code.h"
#include "kvmprobe/trial_vm.h"
#include "kvmprobe/trial_x86_64.h"

#define MAX_CPUID_ENTRIES 256U

/* About 3 ms where ring 0 is emulated; when it is much faster than that,
 * the long loop gives a number that means something. */
#define SHORT_LOOP   2500U
#define LONG_LOOP    1000000U
#define LONG_LOOP_NS 500000U
#define LOOP_TRIES   4
/* The long loop at TRIAL_MIN_MIPS. */
#define ENOUGH_NS (LONG_LOOP * LOOP_SIZE / TRIAL_MIN_MIPS * 1000U)
#define LOOP_SIZE 2U /* instructions per round */

/* How one trial went. */
struct result {
	bool done;
	uint64_t ns; /* from BEGIN to DONE */
	char why[80];
};

/* Where trials run: one VM for all that end well, since making and freeing
 * one takes longer than the trials. One that did not is not used again. */
struct trial_host {
	int kvm_fd;                     /* borrowed */
	const struct kvm_cpuid2 *cpuid; /* borrowed */
	bool has_vm;
	struct trial_vm vm;
};

struct needed {
	struct trial trial;
	/* Only tried when the CPUID bit is there; 0: always. */
	uint32_t function;
	uint32_t ebx, ecx;
};

static const struct needed all_needed[] = {
	{{"popcnt", trial_popcnt, false, 0}, 0, 0, 0},
	{{"cmpxchg16b", trial_cmpxchg16b, false, 0}, 0, 0, 0},
	{{"int3", trial_int3, false, 0}, 0, 0, 0},
	{{"clac/stac", trial_smap, false, 0}, 7, BIT(20), 0},
	{{"xsave/xrstor", trial_xsave, false, 0}, 1, 0, BIT(26)},
	{{"iretq", trial_iretq, false, 0}, 0, 0, 0},
	{{"syscall", trial_syscall, true, 0}, 0, 0, 0},
};

static void say(struct result *r, const char *what, unsigned int number)
{
	(void)snprintf(r->why, sizeof(r->why), "%s %u", what, number);
}

/* A byte that the guest wrote to a port. Returns whether it is over. */
static bool on_port(struct result *r, const struct kvm_run *run)
{
	const unsigned char *data = (const unsigned char *)run;
	unsigned char value = data[run->io.data_offset];

	if (run->io.port == TRIAL_PORT_FAULT) {
		say(r, "exception", value);
		return true;
	}
	switch (value) {
	case TRIAL_STEP_BEGIN:
		r->ns = trial_cpu_ns();
		return false;
	case TRIAL_STEP_DONE:
		r->ns = trial_cpu_ns() - r->ns;
		r->done = true;
		return true;
	default:
		(void)snprintf(r->why, sizeof(r->why), "wrong result");
		return true;
	}
}

static bool on_exit_of(struct result *r, const struct kvm_run *run)
{
	switch (run->exit_reason) {
	case KVM_EXIT_IO:
		return on_port(r, run);
	case KVM_EXIT_SHUTDOWN:
		(void)snprintf(r->why, sizeof(r->why), "triple fault");
		return true;
	case KVM_EXIT_INTERNAL_ERROR:
		say(r, "KVM internal error", run->internal.suberror);
		return true;
	default:
		say(r, "KVM exit", run->exit_reason);
		return true;
	}
}

static void run_vm(const struct trial_vm *vm, struct result *ret_result)
{
	memset(ret_result, 0, sizeof(*ret_result));
	trial_alarm_set(true);
	do {
		if (ioctl(vm->vcpu_fd, KVM_RUN, 0) < 0) {
			(void)snprintf(ret_result->why, sizeof(ret_result->why),
				       "%s",
				       errno == EINTR ? "it hangs"
						      : strerrordesc_np(errno));
			break;
		}
	} while (!on_exit_of(ret_result, vm->run));
	trial_alarm_set(false);
}

static void drop_vm(struct trial_host *host)
{
	if (host->has_vm)
		trial_vm_fini(&host->vm);
	host->has_vm = false;
}

static int prepare_vm(struct trial_host *host, const struct trial *trial)
{
	int rc;

	if (host->has_vm)
		return trial_vm_again(&host->vm, host->cpuid, trial);
	rc = trial_vm_new(host->kvm_fd, host->cpuid, trial, &host->vm);
	host->has_vm = rc == 0;
	return rc;
}

static int run_trial(struct trial_host *host, const struct trial *trial,
		     struct result *ret_result)
{
	int rc = prepare_vm(host, trial);

	if (rc < 0)
		return rc;
	run_vm(&host->vm, ret_result);
	if (!ret_result->done)
		drop_vm(host);
	return 0;
}

static void note_failure(struct trial_report *report, const char *name,
			 const struct result *r)
{
	size_t used = strlen(report->failed);

	if (used == 0)
		(void)snprintf(report->why, sizeof(report->why), "%s", r->why);
	(void)snprintf(report->failed + used, sizeof(report->failed) - used,
		       "%s%s", used > 0 ? ", " : "", name);
}

/* The fastest of some tries, unless one is fast enough: the host may have been
 * busy with something else. */
static int run_loop(struct trial_host *host, const struct trial *trial,
		    uint64_t enough_ns, struct result *ret_result)
{
	struct result r;
	int rc;

	memset(ret_result, 0, sizeof(*ret_result));
	for (int i = 0; i < LOOP_TRIES; i++) {
		rc = run_trial(host, trial, &r);
		if (rc < 0)
			return rc;
		if (i == 0 || (r.done && r.ns < ret_result->ns))
			*ret_result = r;
		if (!r.done || r.ns < enough_ns)
			break;
	}
	return 0;
}

static int measure_speed(struct trial_host *host, struct trial_report *report)
{
	struct trial trial = {"loop", trial_loop, false, SHORT_LOOP};
	struct result r;
	int rc = run_loop(host, &trial, LONG_LOOP_NS, &r);

	if (rc < 0)
		return rc;
	if (r.done && r.ns < LONG_LOOP_NS) {
		trial.rounds = LONG_LOOP;
		rc = run_loop(host, &trial, ENOUGH_NS, &r);
		if (rc < 0)
			return rc;
	}
	if (r.done)
		report->kips =
			trial.rounds * LOOP_SIZE * 1000000U / MAX(r.ns, 1U);
	else
		note_failure(report, trial.name, &r);
	return 0;
}

static bool is_wanted(const struct needed *n, const struct kvm_cpuid2 *cpuid)
{
	const struct kvm_cpuid_entry2 *e;

	if (n->function == 0)
		return true;
	for (uint32_t i = 0; i < cpuid->nent; i++) {
		e = &cpuid->entries[i];
		if (e->function == n->function && e->index == 0)
			return (e->ebx & n->ebx) || (e->ecx & n->ecx);
	}
	return false;
}

static int get_cpuid(int kvm_fd, struct kvm_cpuid2 **ret_cpuid)
{
	CLEANUP(free_p) struct kvm_cpuid2 *cpuid = NULL;

	cpuid = calloc(1, sizeof(*cpuid) + MAX_CPUID_ENTRIES *
						   sizeof(cpuid->entries[0]));
	if (!cpuid)
		return fail(AVF_ERR_NO_MEMORY, "CPUID table");
	cpuid->nent = MAX_CPUID_ENTRIES;
	if (ioctl(kvm_fd, KVM_GET_SUPPORTED_CPUID, cpuid) < 0)
		return fail_errno("KVM_GET_SUPPORTED_CPUID");
	*ret_cpuid = TAKE_PTR(cpuid);
	return 0;
}

static int run_all(struct trial_host *host, struct trial_report *report)
{
	struct result r;
	int rc = measure_speed(host, report);

	for (size_t i = 0; rc == 0 && i < ARRAY_SIZE(all_needed); i++) {
		if (!is_wanted(&all_needed[i], host->cpuid))
			continue;
		rc = run_trial(host, &all_needed[i].trial, &r);
		if (rc == 0 && !r.done)
			note_failure(report, all_needed[i].trial.name, &r);
	}
	return rc;
}

int trial_run_all(int kvm_fd, struct trial_report *ret_report)
{
	struct sigaction before;
	CLEANUP(free_p) struct kvm_cpuid2 *cpuid = NULL;
	struct trial_report report = {0};
	struct trial_host host = {.kvm_fd = kvm_fd};
	int rc = get_cpuid(kvm_fd, &cpuid);

	if (rc < 0)
		return rc;
	host.cpuid = cpuid;
	rc = trial_alarm_install(&before);
	if (rc < 0)
		return rc;
	rc = run_all(&host, &report);
	drop_vm(&host);
	(void)sigaction(SIGALRM, &before, NULL); /* as it was */
	if (rc < 0)
		return rc;
	*ret_report = report;
	return 0;
}
