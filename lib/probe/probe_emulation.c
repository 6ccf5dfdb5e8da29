#include "probe/probe.h"

#include <limits.h>
#include <string.h>

#include "base/program.h"
#include "probe/probe_run.h"

#define QEMU "qemu-system-x86_64"

/* The first line of @text, as far as it is printable. */
static int line_size(const char *text, size_t size)
{
	size_t n = 0;

	while (n < size && n < 200 && text[n] >= 0x20 && text[n] <= 0x7e)
		n++;
	return (int)n;
}

void probe_ask_emulation(struct avf_probe *probe, const struct probe_env *env)
{
	char path[PATH_MAX];
	char option[] = "--version";
	char *const argv[] = {path, option, NULL};
	char output[512];
	size_t used;

	if (program_find(QEMU, env->qemu_dirs, path, sizeof(path)) < 0) {
		probe_add(probe, "emulation", AVF_PROBE_NO,
			  "sudo apt-get install qemu-system-x86",
			  "there is no %s", QEMU);
		return;
	}
	if (probe_run(argv, false, env->timeout_ms, output, sizeof(output),
		      &used) < 0 ||
	    used == 0) {
		probe_add(probe, "emulation", AVF_PROBE_UNKNOWN, "",
			  "%s does not tell its version", path);
		return;
	}
	probe_add(probe, "emulation", AVF_PROBE_YES, "", "%.*s",
		  line_size(output, used), output);
}
