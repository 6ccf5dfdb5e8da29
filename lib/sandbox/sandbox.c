#include "sandbox/sandbox.h"

#include <malloc.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>

#include "sandbox/sandbox_internal.h"

/* Room for every connection and disk of a VM. */
#define MAX_OPEN_FILES 4096U

void sandbox_add(struct sandbox_report *report, const char *what,
		 enum sandbox_state state, const char *format, ...)
{
	struct sandbox_row *row;
	va_list ap;

	if (report->n_rows == SANDBOX_MAX_ROWS)
		return;
	row = &report->rows[report->n_rows++];
	row->what = what;
	row->state = state;
	va_start(ap, format);
	(void)vsnprintf(row->reason, sizeof(row->reason), format, ap);
	va_end(ap);
}

void sandbox_add_result(struct sandbox_report *report, const char *what, int rc,
			const char *reason)
{
	if (rc >= 0)
		sandbox_add(report, what, SANDBOX_YES, "%s", reason);
	else
		sandbox_add(report, what, SANDBOX_NO, "%s",
			    strerrordesc_np(errno));
}

bool sandbox_lacks(const struct sandbox_report *report, const char *what)
{
	for (unsigned int i = 0; i < report->n_rows; i++) {
		if (strcmp(report->rows[i].what, what) == 0)
			return report->rows[i].state == SANDBOX_NO;
	}
	return true;
}

unsigned int sandbox_say_lacking(const struct sandbox_report *report, char *buf,
				 size_t size)
{
	unsigned int count = 0;
	size_t used = 0;
	int n;

	buf[0] = '\0';
	for (unsigned int i = 0; i < report->n_rows; i++) {
		const struct sandbox_row *row = &report->rows[i];

		if (row->state != SANDBOX_NO)
			continue;
		n = snprintf(buf + used, size - used, "%s%s (%s)",
			     count > 0 ? ", " : "",
			     row->what + sizeof("jail.") - 1, row->reason);
		used = MIN(used + (size_t)n, size - 1);
		count++;
	}
	return count;
}

static int lower_limit(__rlimit_resource_t resource, rlim_t max)
{
	struct rlimit limit;

	if (getrlimit(resource, &limit) < 0)
		return -1;
	limit.rlim_max = MIN(limit.rlim_max, max);
	limit.rlim_cur = limit.rlim_max;
	return setrlimit(resource, &limit);
}

/* A core dump would hold the guest's memory. */
static void set_limits(uint64_t locked_bytes, struct sandbox_report *report)
{
	int rc = 0;

	if (lower_limit(RLIMIT_CORE, 0) < 0 ||
	    lower_limit(RLIMIT_MEMLOCK, locked_bytes) < 0 ||
	    lower_limit(RLIMIT_MSGQUEUE, 0) < 0 ||
	    lower_limit(RLIMIT_NOFILE, MAX_OPEN_FILES) < 0)
		rc = -1;
	sandbox_add_result(report, "jail.limits", rc,
			   "no core dump, no memory locked but a "
			   "protected guest's, 4096 open files");
}

/* Filters need it, so it is no matter of taste. */
static int renounce(struct sandbox_report *report)
{
	if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) < 0)
		return fail_errno("PR_SET_NO_NEW_PRIVS");
	/* Not traceable by other processes of the same user. Only now: the
	 * files of a process that is not dumpable belong to root. */
	if (prctl(PR_SET_DUMPABLE, 0, 0, 0, 0) < 0)
		return fail_errno("PR_SET_DUMPABLE");
	sandbox_add(report, "jail.privileges", SANDBOX_YES,
		    "no new privileges, not traceable");
	return 0;
}

/* The C library would give each thread an arena of its own. To make one it
 * may count the CPUs, to shrink one it opens a file in /proc: both too late
 * for this jail. The few threads of a VMM allocate next to nothing. */
static void use_one_arena(void)
{
	(void)mallopt(M_ARENA_MAX, 1);
}

int sandbox_enter(bool child, uint64_t locked_bytes,
		  struct sandbox_report *ret_report)
{
	struct sandbox_report report = {.n_rows = 0};
	int rc = renounce(&report);

	if (rc < 0)
		return rc;
	use_one_arena();
	set_limits(locked_bytes, &report);
	sandbox_namespaces(&report);
	/* with Landlock nothing can be mounted any more */
	sandbox_landlock(&report, child);
	sandbox_caps(&report);
	sandbox_filters(&report);
	*ret_report = report;
	return 0;
}
