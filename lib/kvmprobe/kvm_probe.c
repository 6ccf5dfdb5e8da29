#include "kvmprobe/kvm_probe.h"

#include <fcntl.h>
#include <inttypes.h>
#include <linux/kvm.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>

#include "base/checked.h"
#include "base/cleanup.h"
#include "kvmprobe/trial.h"

#define LINE_SIZE 1024U

#define HINT_OLD_KERNEL "use a newer kernel of the host"
#define HINT_NO_RING0                                                       \
	"enable VT-x or AMD-V, or nested virtualization in the hypervisor " \
	"around this host; emulation works meanwhile"

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
	{KVM_CAP_EXT_CPUID, "EXT_CPUID"},
};

/* Where rows go; the first failed write ends it. */
struct rows {
	int fd;
	bool failed;
};

static void add_row(struct rows *rows, const char *what, const char *state,
		    const char *hint, const char *format, ...)
	PRINTF_LIKE(5, 6);

static void add_row(struct rows *rows, const char *what, const char *state,
		    const char *hint, const char *format, ...)
{
	char reason[LINE_SIZE / 2];
	char line[LINE_SIZE];
	va_list ap;
	int n;

	va_start(ap, format);
	(void)vsnprintf(reason, sizeof(reason), format, ap);
	va_end(ap);
	n = snprintf(line, sizeof(line), "%s\t%s\t%s\t%s\n", what, state,
		     reason, hint);
	if (n < 0 || (size_t)n >= sizeof(line) ||
	    fd_write_all(rows->fd, line, (size_t)n) < 0)
		rows->failed = true;
}

static void probe_api(struct rows *rows, int kvm_fd)
{
	int version = ioctl(kvm_fd, KVM_GET_API_VERSION, 0);

	if (version == KVM_API_VERSION)
		add_row(rows, "kvm.api", "yes", "", "version %d", version);
	else if (version >= 0)
		add_row(rows, "kvm.api", "no", HINT_OLD_KERNEL,
			"version %d, %d is needed", version, KVM_API_VERSION);
	else
		add_row(rows, "kvm.api", "no", "", "it is not KVM: %s",
			strerrordesc_np(errno));
}

static void probe_caps(struct rows *rows, int kvm_fd)
{
	char missing[256] = "";
	size_t used;

	for (size_t i = 0; i < ARRAY_SIZE(needed_caps); i++) {
		if (ioctl(kvm_fd, KVM_CHECK_EXTENSION, needed_caps[i].cap) > 0)
			continue;
		used = strlen(missing);
		(void)snprintf(missing + used, sizeof(missing) - used, "%s%s",
			       used > 0 ? ", " : "", needed_caps[i].name);
	}
	if (missing[0])
		add_row(rows, "kvm.caps", "no", HINT_OLD_KERNEL, "missing: %s",
			missing);
	else
		add_row(rows, "kvm.caps", "yes", "", "all %zu that are needed",
			ARRAY_SIZE(needed_caps));
}

/* Returns whether a VM can be made. */
static bool probe_vm(struct rows *rows, int kvm_fd)
{
	CLEANUP(close_p) int vm_fd = ioctl(kvm_fd, KVM_CREATE_VM, 0);

	if (vm_fd < 0)
		add_row(rows, "kvm.vm", "no",
			"another hypervisor may be using the CPU",
			"KVM_CREATE_VM: %s", strerrordesc_np(errno));
	else
		add_row(rows, "kvm.vm", "yes", "", "a VM can be created");
	return vm_fd >= 0;
}

static void say_trial(struct rows *rows, const struct trial_report *r)
{
	const uint64_t mips = r->kips / 1000, tenth = r->kips / 100 % 10;
	const bool slow = mips < TRIAL_MIN_MIPS;

	if (r->kips == 0)
		add_row(rows, "kvm.ring0", "no", HINT_NO_RING0,
			"ring 0 does not run: %s", r->why);
	else if (r->failed[0])
		add_row(rows, "kvm.ring0", "limited", HINT_NO_RING0,
			"ring 0 %s at about %" PRIu64 ".%" PRIu64
			" MIPS; %s fail (%s)",
			slow ? "is emulated" : "runs", mips, tenth, r->failed,
			r->why);
	else if (slow)
		add_row(rows, "kvm.ring0", "limited", HINT_NO_RING0,
			"ring 0 is emulated at about %" PRIu64 ".%" PRIu64
			" MIPS",
			mips, tenth);
	else
		add_row(rows, "kvm.ring0", "yes", "",
			"runs on the CPU at about %" PRIu64 " MIPS", mips);
}

static void probe_ring0(struct rows *rows, int kvm_fd)
{
	struct trial_report report;

	if (trial_run_all(kvm_fd, &report) < 0)
		add_row(rows, "kvm.ring0", "no", "", "%s",
			error_record()->text);
	else
		say_trial(rows, &report);
}

int kvm_probe_device(const char *device, int out_fd)
{
	CLEANUP(close_p) int kvm_fd = open(device, O_RDWR | O_CLOEXEC);
	struct rows rows = {.fd = out_fd};

	if (kvm_fd < 0) {
		add_row(&rows, "kvm.api", "no", "", "%s: %s", device,
			strerrordesc_np(errno));
		return rows.failed ? 1 : 0;
	}
	probe_api(&rows, kvm_fd);
	probe_caps(&rows, kvm_fd);
	if (probe_vm(&rows, kvm_fd))
		probe_ring0(&rows, kvm_fd);
	/* the only platform that could is arm64 with pKVM */
	add_row(&rows, "protected_vm", "no", "",
		"KVM on x86-64 cannot keep the host out of a VM's memory");
	return rows.failed ? 1 : 0;
}

int kvm_probe_main(int out_fd)
{
	return kvm_probe_device(KVM_PROBE_DEVICE, out_fd);
}
