#include "probe/probe.h"

#include <limits.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "base/checked.h"
#include "base/cleanup.h"
#include "base/program.h"
#include "client/vmm_path.h"
#include "probe/probe_cache.h"

void probe_add(struct avf_probe *probe, const char *what,
	       enum avf_probe_state state, const char *hint, const char *format,
	       ...)
{
	struct probe_row *row;
	va_list ap;

	if (probe->n_rows == PROBE_MAX_ROWS)
		return;
	row = &probe->rows[probe->n_rows++];
	row->state = state;
	(void)snprintf(row->what, sizeof(row->what), "%s", what);
	(void)snprintf(row->hint, sizeof(row->hint), "%s", hint);
	va_start(ap, format);
	(void)vsnprintf(row->reason, sizeof(row->reason), format, ap);
	va_end(ap);
}

const struct probe_row *probe_find(const struct avf_probe *probe,
				   const char *what)
{
	for (size_t i = 0; i < probe->n_rows; i++) {
		if (strcmp(probe->rows[i].what, what) == 0)
			return &probe->rows[i];
	}
	return NULL;
}

void probe_ask(struct avf_probe *probe, const struct probe_env *env)
{
	probe_ask_kvm(probe, env);
	probe_ask_emulation(probe, env);
	probe_ask_kernel(probe, env);
}

static int new_probe(void (*ask)(struct avf_probe *probe,
				 const struct probe_env *env),
		     bool fresh, avf_probe **ret_probe)
{
	CLEANUP(free_p) avf_probe *probe = NULL;
	char vmm[PATH_MAX], cache_dir[PATH_MAX];
	struct probe_env env = {
		.root = "",
		.qemu_dirs = "/usr/local/bin:/usr/bin:/bin",
		.timeout_ms = PROBE_TIMEOUT_MS,
		.cache_dir = cache_dir,
		.fresh = fresh,
	};

	error_clear();
	if (!ret_probe)
		return fail(AVF_ERR_INVALID, "NULL argument");
	probe = calloc(1, sizeof(*probe));
	if (!probe)
		return fail(AVF_ERR_NO_MEMORY, "probe");
	if (vmm_path_find(vmm, sizeof(vmm)) == 0)
		env.vmm = vmm;
	probe_cache_find_dir(cache_dir, sizeof(cache_dir));
	ask(probe, &env);
	error_clear(); /* what is missing is an answer, not an error */
	*ret_probe = TAKE_PTR(probe);
	return 0;
}

int avf_probe_new(avf_probe **ret_probe)
{
	return new_probe(probe_ask, false, ret_probe);
}

int avf_probe_new_fresh(avf_probe **ret_probe)
{
	return new_probe(probe_ask, true, ret_probe);
}

int avf_probe_new_jail(avf_probe **ret_probe)
{
	return new_probe(probe_ask_jail, false, ret_probe);
}

void avf_probe_free(avf_probe *probe)
{
	free(probe);
}

uint32_t avf_probe_capabilities(const avf_probe *probe)
{
	static const struct {
		const char *what;
		uint32_t bit;
	} bits[] = {
		{"linux_guest.kvm", AVF_CAPABILITY_NON_PROTECTED_VM},
		{"protected_vm", AVF_CAPABILITY_PROTECTED_VM},
	};
	const struct probe_row *row;
	uint32_t capabilities = 0;

	for (size_t i = 0; probe && i < ARRAY_SIZE(bits); i++) {
		row = probe_find(probe, bits[i].what);
		if (row && row->state == AVF_PROBE_YES)
			capabilities |= bits[i].bit;
	}
	return capabilities;
}

size_t avf_probe_count(const avf_probe *probe)
{
	return probe ? probe->n_rows : 0;
}

const char *avf_probe_what(const avf_probe *probe, size_t index)
{
	return index < avf_probe_count(probe) ? probe->rows[index].what : NULL;
}

enum avf_probe_state avf_probe_get_state(const avf_probe *probe, size_t index)
{
	return index < avf_probe_count(probe) ? probe->rows[index].state
					      : AVF_PROBE_UNKNOWN;
}

const char *avf_probe_reason(const avf_probe *probe, size_t index)
{
	return index < avf_probe_count(probe) ? probe->rows[index].reason
					      : NULL;
}

const char *avf_probe_hint(const avf_probe *probe, size_t index)
{
	return index < avf_probe_count(probe) ? probe->rows[index].hint : NULL;
}

int avf_probe_find(const avf_probe *probe, const char *what)
{
	const struct probe_row *row;

	if (!probe || !what)
		return -1;
	row = probe_find(probe, what);
	return row ? (int)(row - probe->rows) : -1;
}

const char *avf_probe_state_name(enum avf_probe_state state)
{
	switch (state) {
	case AVF_PROBE_YES:
		return "yes";
	case AVF_PROBE_LIMITED:
		return "limited";
	case AVF_PROBE_NO:
		return "no";
	case AVF_PROBE_UNKNOWN:
		break;
	}
	return "unknown";
}
