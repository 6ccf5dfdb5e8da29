#include "probe/probe.h"

#include <limits.h>
#include <stdio.h>

#include "base/checked.h"
#include "probe/probe_run.h"

/* All that it may print, in bytes. */
#define MAX_OUTPUT 8192U

static const char *const rows[] = {
	"jail.privileges",        "jail.limits",        "jail.user_namespace",
	"jail.network_namespace", "jail.ipc_namespace", "jail.uts_namespace",
	"jail.pid_namespace",     "jail.file_system",   "jail.landlock",
	"jail.capabilities",      "jail.filters",       NULL};

/* A VMM with a sanitizer has fewer rows: what is not told is unknown. */
void probe_ask_jail(struct avf_probe *probe, const struct probe_env *env)
{
	char path[PATH_MAX];
	char option[] = "--jail";
	char *const argv[] = {path, option, NULL};
	char output[MAX_OUTPUT];
	const char *why = "not told";
	size_t used = 0;

	(void)snprintf(path, sizeof(path), "%s", env->vmm ? env->vmm : "");
	if (!env->vmm)
		why = "avf-vmm is not installed";
	else if (probe_run(argv, true, env->timeout_ms, output, sizeof(output),
			   &used) < 0)
		why = error_record()->text;
	probe_parse_rows(probe, output, used, rows);
	for (size_t i = 0; rows[i]; i++) {
		if (!probe_find(probe, rows[i]))
			probe_add(probe, rows[i], AVF_PROBE_UNKNOWN, "",
				  "%.250s", why);
	}
}
