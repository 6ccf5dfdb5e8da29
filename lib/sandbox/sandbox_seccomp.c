/* Filters from the table, made by libseccomp. */
#include <linux/seccomp.h>
#include <seccomp.h>
#include <signal.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "sandbox/sandbox_internal.h"

static void release_p(scmp_filter_ctx *ctx)
{
	if (*ctx)
		seccomp_release(*ctx);
}

static struct scmp_arg_cmp make_check(const struct sandbox_rule *rule)
{
	struct scmp_arg_cmp cmp = {
		.arg = rule->arg,
		.op = SCMP_CMP_MASKED_EQ,
		.datum_a = UINT32_MAX,
		.datum_b = rule->value & UINT32_MAX,
	};

	if (rule->check == CHECK_OWN_PID)
		cmp.datum_b = (uint32_t)getpid();
	if (rule->check == CHECK_NO_BITS) {
		cmp.datum_a = rule->value;
		cmp.datum_b = 0;
	}
	return cmp;
}

static int add_rule(scmp_filter_ctx ctx, const struct sandbox_rule *rule)
{
	struct scmp_arg_cmp cmp = make_check(rule);

	return seccomp_rule_add_array(ctx, SCMP_ACT_ALLOW, rule->number,
				      rule->check == CHECK_NONE ? 0 : 1, &cmp);
}

static int add_rules(scmp_filter_ctx ctx, enum sandbox_role role)
{
	int rc = 0;

	for (size_t i = 0; rc == 0 && i < sandbox_table_size; i++) {
		if (sandbox_table[i].roles & BIT(role))
			rc = add_rule(ctx, &sandbox_table[i]);
	}
	return rc;
}

/* A blocked SIGSYS would kill without a word. */
static void unblock_sigsys(void)
{
	sigset_t set;

	(void)sigemptyset(&set);
	(void)sigaddset(&set, SIGSYS);
	(void)pthread_sigmask(SIG_UNBLOCK, &set, NULL);
}

int sandbox_thread(enum sandbox_role role)
{
	CLEANUP(release_p) scmp_filter_ctx ctx = seccomp_init(SCMP_ACT_TRAP);
	int rc;

	if (!ctx)
		return fail(AVF_ERR_NO_MEMORY, "system call filter");
	unblock_sigsys();
	/* the default kills the thread, and the others would wait for it */
	rc = seccomp_attr_set(ctx, SCMP_FLTATR_ACT_BADARCH,
			      SCMP_ACT_KILL_PROCESS);
	if (rc == 0)
		rc = seccomp_attr_set(ctx, SCMP_FLTATR_CTL_OPTIMIZE, 2);
	if (rc == 0)
		rc = add_rules(ctx, role);
	if (rc == 0)
		rc = seccomp_load(ctx);
	if (rc < 0) {
		errno = -rc;
		return fail_errno("system call filter");
	}
	return 0;
}

void sandbox_filters(struct sandbox_report *report)
{
	const uint32_t action = SECCOMP_RET_TRAP;
	long rc = syscall(SYS_seccomp, SECCOMP_GET_ACTION_AVAIL, 0U, &action);

	sandbox_add_result(report, "jail.filters", (int)rc,
			   "one list of system calls per kind of thread");
}
