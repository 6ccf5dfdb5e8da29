/*
 * KVM or emulation, decided once for each run, before anything is built. What
 * the configuration demands counts; a host that cannot do it is an error, never
 * a silent change to something slower.
 */
#include "vmm/choose.h"

#include <stdarg.h>
#include <stdio.h>

#include "base/arch.h"
#include "kvmprobe/kvmprobe.h"

/* A text that does not fit is cut: it is for people. */
static void PRINTF_LIKE(3, 4)
	say(char *ret_text, size_t size, const char *format, ...)
{
	va_list ap;

	va_start(ap, format);
	(void)vsnprintf(ret_text, size, format, ap);
	va_end(ap);
}

/*
 * An emulated guest's memory is ordinary memory of a process: what was asked to
 * be protected is never emulated, whatever else is allowed.
 */
static bool may_emulate(const struct vm_config *config)
{
	return config->acceleration != AVF_ACCELERATION_KVM &&
	       !config->is_protected;
}

/* The trial costs some milliseconds, so a raw VM that must use KVM anyway
 * goes without: it may be a bare-metal guest, for which ring 0 is enough. */
static bool needs_trial(const struct vm_config *config)
{
	return config->kind == AVF_CONFIG_PAYLOAD || may_emulate(config);
}

/* Validation has the same rule, on the application's side; here it also holds
 * for orders that another program has made. */
static int check_protected(const struct vm_config *config,
			   const struct arch *arch)
{
	if (!config->is_protected)
		return 0;
	if (arch != arch_host())
		return fail(AVF_ERR_UNSUPPORTED,
			    "protected: a guest for %s is emulated on this %s "
			    "host, and cannot be protected",
			    arch->name, arch_host()->name);
	if (config->acceleration == AVF_ACCELERATION_EMULATION)
		return fail(AVF_ERR_UNSUPPORTED,
			    "acceleration: an emulated guest's memory is the "
			    "host's to read; a protected VM needs KVM");
	return 0;
}

/* KVM runs the host's code only, so there is nothing to try. */
static int choose_foreign(const struct vm_config *config,
			  const struct arch *arch, bool *ret_emulate,
			  char *ret_text, size_t size)
{
	if (config->acceleration == AVF_ACCELERATION_KVM)
		return fail(AVF_ERR_UNSUPPORTED,
			    "architecture: KVM runs no guest for %s on this "
			    "%s host; allow emulation",
			    arch->name, arch_host()->name);
	say(ret_text, size,
	    "emulated by QEMU: the guest is for %s, this host "
	    "is %s",
	    arch->name, arch_host()->name);
	*ret_emulate = true;
	return 0;
}

/* Only where emulation may not step in. */
static int refuse(const struct vm_config *config, const char *why)
{
	if (config->is_protected)
		return fail(AVF_ERR_UNSUPPORTED,
			    "protected: KVM cannot run a Linux guest here: %s; "
			    "emulation would not protect it, so run it "
			    "elsewhere, or without",
			    why);
	return fail(AVF_ERR_UNSUPPORTED,
		    "KVM cannot run a Linux guest here: %s; allow "
		    "emulation to run it without KVM",
		    why);
}

int choose_acceleration(const struct vm_config *config, bool *ret_emulate,
			char *ret_text, size_t size)
{
	const struct arch *arch = arch_find(config->architecture);
	char why[256] = "";
	bool usable = true;
	int rc;

	rc = check_protected(config, arch);
	if (rc < 0)
		return rc;
	if (arch != arch_host())
		return choose_foreign(config, arch, ret_emulate, ret_text,
				      size);
	if (config->acceleration == AVF_ACCELERATION_EMULATION) {
		say(ret_text, size, "emulated by QEMU, as configured");
		*ret_emulate = true;
		return 0;
	}
	if (needs_trial(config))
		usable = kvm_probe_linux(why, sizeof(why));
	if (usable) {
		say(ret_text, size, "KVM");
		*ret_emulate = false;
		return 0;
	}
	if (!may_emulate(config))
		return refuse(config, why);
	say(ret_text, size, "emulated by QEMU: %s", why);
	*ret_emulate = true;
	return 0;
}
