/*
 * The answers of a probe, and who finds them. Every text is a copy of fixed
 * size: some come from another process.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>

#include <avf/probe.h>

#include "base/error.h"

#define PROBE_MAX_ROWS    24U
#define PROBE_WHAT_SIZE   32U /* bytes, NUL included, as the others */
#define PROBE_REASON_SIZE 320U
#define PROBE_HINT_SIZE   200U

/** How long a process that is asked something may take. */
#define PROBE_TIMEOUT_MS 2000

struct probe_row {
	char what[PROBE_WHAT_SIZE];
	enum avf_probe_state state;
	char reason[PROBE_REASON_SIZE];
	char hint[PROBE_HINT_SIZE];
};

/* Immutable once it is made. */
struct avf_probe {
	struct probe_row rows[PROBE_MAX_ROWS];
	size_t n_rows;
};

/* Where to look; tests look elsewhere. */
struct probe_env {
	const char *root;      /* in front of /dev, /proc and /sys: "" */
	const char *vmm;       /* path of avf-vmm; NULL: not installed */
	const char *qemu_dirs; /* as for program_find() */
	int timeout_ms;
	const char *cache_dir; /* probe_cache.h; NULL or "": nowhere */
	bool fresh;            /* ask all the same, and remember that */
};

/** Append a row. The texts are copied and cut; @hint may be "". No-op when
 * there are too many: our defect, found by the test. */
void probe_add(struct avf_probe *probe, const char *what,
	       enum avf_probe_state state, const char *hint, const char *format,
	       ...) PRINTF_LIKE(5, 6);

/** The row @what, or NULL. */
const struct probe_row *probe_find(const struct avf_probe *probe,
				   const char *what);

/** Ask everything. */
void probe_ask(struct avf_probe *probe, const struct probe_env *env);

/** The rows "kvm.*", "linux_guest.kvm" and "protected_vm". */
void probe_ask_kvm(struct avf_probe *probe, const struct probe_env *env);

/** The rows "jail.*". */
void probe_ask_jail(struct avf_probe *probe, const struct probe_env *env);

/** The row "emulation", and "emulation.<architecture>" for each other one. */
void probe_ask_emulation(struct avf_probe *probe, const struct probe_env *env);

/** The rows about the host's kernel. */
void probe_ask_kernel(struct avf_probe *probe, const struct probe_env *env);

/**
 * Take over the rows that a child wrote as lines "what TAB state TAB reason
 * TAB hint". Only rows that are in @wanted (NULL-terminated) are taken, each
 * once, whole lines only; anything else is left out. Not trusted.
 */
void probe_parse_rows(struct avf_probe *probe, const char *text, size_t size,
		      const char *const *wanted);
