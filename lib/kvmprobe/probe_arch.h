/* What the probe's rows say that differs by architecture. */
#pragma once

struct probe_arch {
	int cap; /* needed besides those that all architectures need */
	const char *cap_name;
	const char *level;      /* where a kernel runs */
	const char *guest_hint; /* when it does not run there */
};

extern const struct probe_arch probe_arch;
