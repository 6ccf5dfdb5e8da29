#include "vmm/choose.h"

#include <fcntl.h>
#include <stdarg.h>
#include <stdio.h>

#include "base/cleanup.h"
#include "kvmprobe/kvm_probe.h"
#include "kvmprobe/trial.h"

/* A text that does not fit is cut: it is for people. */
static void PRINTF_LIKE(3, 4)
	say(char *ret_text, size_t size, const char *format, ...)
{
	va_list ap;

	va_start(ap, format);
	(void)vsnprintf(ret_text, size, format, ap);
	va_end(ap);
}

/* The trial costs some milliseconds, so a raw VM that must use KVM anyway
 * goes without: it may be a bare-metal guest, for which ring 0 is enough. */
static bool needs_trial(const struct vm_config *config)
{
	return config->kind == AVF_CONFIG_PAYLOAD ||
	       config->acceleration == AVF_ACCELERATION_KVM_OR_EMULATION;
}

/* Whether KVM can run a Linux guest; if not, why. */
static bool runs_linux(char *ret_why, size_t size)
{
	CLEANUP(close_p) int fd = open(KVM_PROBE_DEVICE, O_RDWR | O_CLOEXEC);
	struct trial_report report;

	if (fd < 0) {
		(void)fail_errno("open %s", KVM_PROBE_DEVICE);
		say(ret_why, size, "%s", error_record()->text);
		return false;
	}
	if (trial_run_all(fd, &report) < 0) {
		say(ret_why, size, "%s", error_record()->text);
		return false;
	}
	if (report.failed[0] == '\0' && report.kips >= TRIAL_MIN_MIPS * 1000)
		return true;
	say(ret_why, size,
	    "KVM emulates ring 0 here, at %.1f million "
	    "instructions per second%s%s",
	    (double)report.kips / 1000, report.failed[0] ? ", without " : "",
	    report.failed);
	return false;
}

int choose_acceleration(const struct vm_config *config, bool *ret_emulate,
			char *ret_text, size_t size)
{
	char why[160] = "";
	bool usable = true;

	if (config->acceleration == AVF_ACCELERATION_EMULATION) {
		say(ret_text, size, "emulated by QEMU, as configured");
		*ret_emulate = true;
		return 0;
	}
	if (needs_trial(config))
		usable = runs_linux(why, sizeof(why));
	if (usable) {
		say(ret_text, size, "KVM");
		*ret_emulate = false;
		return 0;
	}
	if (config->acceleration == AVF_ACCELERATION_KVM)
		return fail(AVF_ERR_UNSUPPORTED,
			    "KVM cannot run a Linux guest here: %s; allow "
			    "emulation to run it without KVM",
			    why);
	say(ret_text, size, "emulated by QEMU: %s", why);
	*ret_emulate = true;
	return 0;
}
