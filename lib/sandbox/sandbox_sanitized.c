/*
 * In place of the jail, in a program with a sanitizer: that one opens files,
 * starts threads and traces, whenever it has something to say.
 */
#include "sandbox/sandbox_internal.h"

static void add_no(struct sandbox_report *report, const char *what)
{
	sandbox_add(report, what, SANDBOX_NO, "built with a sanitizer");
}

void sandbox_namespaces(struct sandbox_report *report)
{
	static const char *const rows[] = {
		"jail.user_namespace", "jail.network_namespace",
		"jail.ipc_namespace",  "jail.uts_namespace",
		"jail.pid_namespace",  "jail.file_system"};

	for (size_t i = 0; i < ARRAY_SIZE(rows); i++)
		add_no(report, rows[i]);
}

void sandbox_landlock(struct sandbox_report *report, bool child)
{
	(void)child;
	add_no(report, "jail.landlock");
}

int sandbox_landlock_read_only(void)
{
	return 0;
}

void sandbox_filters(struct sandbox_report *report)
{
	add_no(report, "jail.filters");
}

int sandbox_thread(enum sandbox_role role)
{
	(void)role;
	return 0;
}
