/*
 * Which architectures can be emulated: the QEMU of each is asked for its
 * version. "emulation" is the host's own, the others have their names in the
 * row.
 */
#include "probe/probe.h"

#include <limits.h>
#include <stdio.h>
#include <string.h>

#include "base/arch.h"
#include "base/program.h"
#include "probe/probe_cache.h"
#include "probe/probe_run.h"

/* The first line of @text, as far as it is printable. */
static int line_size(const char *text, size_t size)
{
	size_t n = 0;

	while (n < size && n < 200 && text[n] >= 0x20 && text[n] <= 0x7e)
		n++;
	return (int)n;
}

static void ask_version(struct avf_probe *probe, const struct probe_env *env,
			const char *row, char *path)
{
	char option[] = "--version";
	char *const argv[] = {path, option, NULL};
	char output[512];
	size_t used;

	if (probe_run(argv, false, env->timeout_ms, output, sizeof(output),
		      &used) < 0 ||
	    used == 0) {
		probe_add(probe, row, AVF_PROBE_UNKNOWN, "",
			  "%s does not tell its version", path);
		return;
	}
	probe_add(probe, row, AVF_PROBE_YES, "", "%.*s",
		  line_size(output, used), output);
}

static void ask_arch(struct avf_probe *probe, const struct probe_env *env,
		     const struct arch *arch, const char *row)
{
	const char *const rows[] = {row, NULL};
	char hint[PROBE_HINT_SIZE];
	struct probe_key key;
	char path[PATH_MAX];
	char cache[64];

	if (program_find(arch->qemu, env->qemu_dirs, path, sizeof(path)) < 0) {
		(void)snprintf(hint, sizeof(hint), "sudo apt-get install %s",
			       arch->qemu_package);
		probe_add(probe, row, AVF_PROBE_NO, hint, "there is no %s",
			  arch->qemu);
		return;
	}
	(void)snprintf(cache, sizeof(cache), "probe-%s", row);
	probe_key_init(&key, env);
	probe_key_add_file(&key, path);
	if (probe_cache_load(env, cache, &key, probe, rows))
		return;
	ask_version(probe, env, row, path);
	probe_cache_store(env, cache, &key, probe, rows);
}

void probe_ask_emulation(struct avf_probe *probe, const struct probe_env *env)
{
	const struct arch *arch;
	char row[PROBE_WHAT_SIZE];

	ask_arch(probe, env, arch_host(), "emulation");
	for (size_t i = 0; (arch = arch_at(i)) != NULL; i++) {
		if (arch == arch_host())
			continue;
		(void)snprintf(row, sizeof(row), "emulation.%s", arch->name);
		ask_arch(probe, env, arch, row);
	}
}
