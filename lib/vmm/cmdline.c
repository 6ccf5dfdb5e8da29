/*
 * The kernel's command line: what the machine needs first, what the user gave
 * last, so that the user may override it.
 */
#include "vmm/cmdline.h"

#include <stdio.h>

#include "base/arch.h"

/* A payload VM that is not debuggable says nothing on its console. */
static const char *payload_console(const struct vm_config *config)
{
	if (config->debug_level == AVF_DEBUG_LEVEL_FULL)
		return " console=hvc0 loglevel=6";
	return " quiet loglevel=0";
}

/* Of the guest, which may be emulated. */
static const char *platform(const struct vm_config *config)
{
	const struct arch *arch = arch_find(config->architecture);

	return arch->id == AVF_ARCHITECTURE_ARM64 ? cmdline_arm64
						  : cmdline_x86_64;
}

int cmdline_make(const struct vm_config *config, char *buf, size_t size)
{
	const char *user = config->cmdline ? config->cmdline : "";
	int n;

	n = snprintf(buf, size, "%s%s%s%s", platform(config),
		     config->kind == AVF_CONFIG_PAYLOAD
			     ? payload_console(config)
			     : "",
		     *user ? " " : "", user);
	if (n < 0 || (size_t)n >= size)
		return fail(AVF_ERR_LIMIT,
			    "cmdline: longer than the kernel takes");
	return 0;
}
