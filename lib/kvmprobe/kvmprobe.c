#include "kvmprobe/kvmprobe.h"

#include <fcntl.h>
#include <inttypes.h>
#include <linux/kvm.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>

#include "base/checked.h"
#include "base/cleanup.h"
#include "base/kvm_type.h"
#include "base/protected_vm.h"
#include "kvmprobe/probe_arch.h"
#include "kvmprobe/trial.h"

#define LINE_SIZE 1024U

#define HINT_OLD_KERNEL "use a newer kernel of the host"

/* What our machine asks KVM for. */
static const struct {
	int cap;
	const char *name;
} needed_caps[] = {
	{KVM_CAP_USER_MEMORY, "USER_MEMORY"},
	{KVM_CAP_IRQCHIP, "IRQCHIP"},
	{KVM_CAP_IRQ_ROUTING, "IRQ_ROUTING"},
	{KVM_CAP_IRQFD, "IRQFD"},
	{KVM_CAP_IOEVENTFD, "IOEVENTFD"},
	{KVM_CAP_SIGNAL_MSI, "SIGNAL_MSI"},
	{KVM_CAP_IMMEDIATE_EXIT, "IMMEDIATE_EXIT"},
};

enum answer {
	YES,
	LIMITED,
	NO,
};

/* The words of avf_probe_state_name(). */
static const char *const answer_names[] = {
	[YES] = "yes",
	[LIMITED] = "limited",
	[NO] = "no",
};

struct row {
	enum answer answer;
	const char *hint;
	char reason[LINE_SIZE / 2];
};

static void say(struct row *row, enum answer answer, const char *hint,
		const char *format, ...) PRINTF_LIKE(4, 5);

static void say(struct row *row, enum answer answer, const char *hint,
		const char *format, ...)
{
	va_list ap;

	row->answer = answer;
	row->hint = hint;
	va_start(ap, format);
	(void)vsnprintf(row->reason, sizeof(row->reason), format, ap);
	va_end(ap);
}

static void check_api(int kvm_fd, struct row *row)
{
	int version = ioctl(kvm_fd, KVM_GET_API_VERSION, 0);

	if (version == KVM_API_VERSION)
		say(row, YES, "", "version %d", version);
	else if (version >= 0)
		say(row, NO, HINT_OLD_KERNEL, "version %d, %d is needed",
		    version, KVM_API_VERSION);
	else
		say(row, NO, "", "it is not KVM: %s", strerrordesc_np(errno));
}

/* Adds the name to the list @missing when KVM does not have it. */
static void check_cap(int kvm_fd, int cap, const char *name, char *missing,
		      size_t size)
{
	const size_t used = strlen(missing);

	if (ioctl(kvm_fd, KVM_CHECK_EXTENSION, cap) <= 0)
		(void)snprintf(missing + used, size - used, "%s%s",
			       used > 0 ? ", " : "", name);
}

static void check_caps(int kvm_fd, struct row *row)
{
	char missing[256] = "";

	for (size_t i = 0; i < ARRAY_SIZE(needed_caps); i++)
		check_cap(kvm_fd, needed_caps[i].cap, needed_caps[i].name,
			  missing, sizeof(missing));
	check_cap(kvm_fd, probe_arch.cap, probe_arch.cap_name, missing,
		  sizeof(missing));
	if (missing[0])
		say(row, NO, HINT_OLD_KERNEL, "missing: %s", missing);
	else
		say(row, YES, "", "all %zu that are needed",
		    ARRAY_SIZE(needed_caps) + 1);
}

static void check_vm(int kvm_fd, struct row *row)
{
	CLEANUP(close_p)
	int vm_fd = ioctl(kvm_fd, KVM_CREATE_VM, kvm_type_usual(kvm_fd));

	if (vm_fd < 0)
		say(row, NO, "another hypervisor may be using the CPU",
		    "KVM_CREATE_VM: %s", strerrordesc_np(errno));
	else
		say(row, YES, "", "a VM can be created");
}

static void say_trial(struct row *row, const struct trial_report *r)
{
	const uint64_t mips = r->kips / 1000, tenth = r->kips / 100 % 10;
	const bool slow = mips < TRIAL_MIN_MIPS;

	if (r->kips == 0)
		say(row, NO, probe_arch.guest_hint, "%s does not run: %s",
		    probe_arch.level, r->why);
	else if (r->failed[0])
		say(row, LIMITED, probe_arch.guest_hint,
		    "%s %s at about %" PRIu64 ".%" PRIu64 " MIPS; %s fail (%s)",
		    probe_arch.level, slow ? "is emulated" : "runs", mips,
		    tenth, r->failed, r->why);
	else if (slow)
		say(row, LIMITED, probe_arch.guest_hint,
		    "%s is emulated at about %" PRIu64 ".%" PRIu64 " MIPS",
		    probe_arch.level, mips, tenth);
	else
		say(row, YES, "", "runs on the CPU at about %" PRIu64 " MIPS",
		    mips);
}

static void check_vcpu(int kvm_fd, struct row *row)
{
	struct trial_report report;

	if (trial_run_all(kvm_fd, &report) < 0)
		say(row, NO, "", "%s", error_record()->text);
	else
		say_trial(row, &report);
}

static void check_protected(struct row *row)
{
	char reason[sizeof(row->reason)];
	const bool can = protected_vm_find(KVM_PROBE_DEVICE, reason,
					   sizeof(reason)) != PROTECTED_VM_NONE;

	say(row, can ? YES : NO, "", "%s", reason);
}

/* What a Linux guest needs, each of use only when those before say yes. */
static const struct {
	const char *what;
	void (*check)(int kvm_fd, struct row *row);
} checks[] = {
	{"kvm.api", check_api},
	{"kvm.caps", check_caps},
	{"kvm.vm", check_vm},
	{"kvm.vcpu", check_vcpu},
};

static int write_row(int fd, const char *what, const struct row *row)
{
	char line[LINE_SIZE];
	int n = snprintf(line, sizeof(line), "%s\t%s\t%s\t%s\n", what,
			 answer_names[row->answer], row->reason, row->hint);

	if (n < 0 || (size_t)n >= sizeof(line))
		return fail(AVF_ERR_INTERNAL, "row %s is too long", what);
	return fd_write_all(fd, line, (size_t)n);
}

static int write_rows(int kvm_fd, int out_fd)
{
	struct row row;
	int rc;

	check_protected(&row);
	rc = write_row(out_fd, "protected_vm", &row);
	for (size_t i = 0; rc == 0 && i < ARRAY_SIZE(checks); i++) {
		checks[i].check(kvm_fd, &row);
		rc = write_row(out_fd, checks[i].what, &row);
		if (row.answer == NO)
			break;
	}
	return rc;
}

int kvm_probe_device(const char *device, int out_fd)
{
	CLEANUP(close_p) int kvm_fd = open(device, O_RDWR | O_CLOEXEC);
	struct row row;
	int rc;

	if (kvm_fd < 0) {
		say(&row, NO, "", "%s: %s", device, strerrordesc_np(errno));
		rc = write_row(out_fd, checks[0].what, &row);
	} else {
		rc = write_rows(kvm_fd, out_fd);
	}
	return rc < 0 ? 1 : 0;
}

int kvm_probe_main(int out_fd)
{
	return kvm_probe_device(KVM_PROBE_DEVICE, out_fd);
}

bool kvm_probe_linux(char *ret_why, size_t size)
{
	CLEANUP(close_p)
	int kvm_fd = open(KVM_PROBE_DEVICE, O_RDWR | O_CLOEXEC);
	struct row row;

	if (kvm_fd < 0) {
		(void)snprintf(ret_why, size, "%s: %s", KVM_PROBE_DEVICE,
			       strerrordesc_np(errno));
		return false;
	}
	for (size_t i = 0; i < ARRAY_SIZE(checks); i++) {
		checks[i].check(kvm_fd, &row);
		if (row.answer == YES)
			continue;
		(void)snprintf(ret_why, size, "%s: %s", checks[i].what,
			       row.reason);
		return false;
	}
	return true;
}
