#include "probe/probe.h"

#include <limits.h>
#include <string.h>

#include "base/program.h"
#include "probe/probe_cache.h"
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

static void ask_version(struct avf_probe *probe, const struct probe_env *env,
			char *path)
{
	char option[] = "--version";
	char *const argv[] = {path, option, NULL};
	char output[512];
	size_t used;

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

void probe_ask_emulation(struct avf_probe *probe, const struct probe_env *env)
{
	static const char *const rows[] = {"emulation", NULL};
	struct probe_key key;
	char path[PATH_MAX];

	if (program_find(QEMU, env->qemu_dirs, path, sizeof(path)) < 0) {
		probe_add(probe, "emulation", AVF_PROBE_NO,
			  "sudo apt-get install qemu-system-x86",
			  "there is no %s", QEMU);
		return;
	}
	probe_key_init(&key, env);
	probe_key_add_file(&key, path);
	if (probe_cache_load(env, "probe-emulation", &key, probe, rows))
		return;
	ask_version(probe, env, path);
	probe_cache_store(env, "probe-emulation", &key, probe, rows);
}
