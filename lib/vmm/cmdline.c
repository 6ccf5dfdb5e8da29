/*
 * The kernel's command line: what the machine needs first, what the user gave
 * last, so that the user may override it.
 */
#include "vmm/cmdline.h"

#include <stdio.h>

/* A payload VM that is not debuggable says nothing on its console. */
static const char *payload_console(const struct vm_config *config)
{
	if (config->debug_level == AVF_DEBUG_LEVEL_FULL)
		return " console=hvc0 loglevel=6";
	return " quiet loglevel=0";
}

int cmdline_make(const struct vm_config *config, char *buf, size_t size)
{
	const char *user = config->cmdline ? config->cmdline : "";
	int n;

	n = snprintf(buf, size, "%s%s%s%s", cmdline_platform,
		     config->kind == AVF_CONFIG_PAYLOAD
			     ? payload_console(config)
			     : "",
		     *user ? " " : "", user);
	if (n < 0 || (size_t)n >= size)
		return fail(AVF_ERR_LIMIT,
			    "cmdline: longer than the kernel takes");
	return 0;
}
