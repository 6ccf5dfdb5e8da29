/* Around the two functions that fill a filter. */
#include "jail/hole.h"

#include <seccomp.h>
#include <stdint.h>
#include <stdlib.h>

int __real_sandbox_thread(enum sandbox_role role);
int __wrap_sandbox_thread(enum sandbox_role role);
int __real_seccomp_rule_add_array(scmp_filter_ctx ctx, uint32_t action,
				  int call, unsigned int n,
				  const struct scmp_arg_cmp *args);
int __wrap_seccomp_rule_add_array(scmp_filter_ctx ctx, uint32_t action,
				  int call, unsigned int n,
				  const struct scmp_arg_cmp *args);

/* Of the thread that fills its filter: rows come in the table's order. */
static _Thread_local enum sandbox_role filling;
static _Thread_local size_t next_row;

int __wrap_sandbox_thread(enum sandbox_role role)
{
	const char *refused = getenv(REFUSAL_VARIABLE);

	if (refused && strtoul(refused, NULL, 10) == (unsigned long)role)
		return fail(AVF_ERR_IO, "refused by the test");
	filling = role;
	next_row = 0;
	return __real_sandbox_thread(role);
}

static bool is_dropped(enum sandbox_role role, size_t row)
{
	const char *hole = getenv(HOLE_VARIABLE);
	char *rest;

	return hole && strtoul(hole, &rest, 10) == (unsigned long)role &&
	       strtoul(rest, NULL, 10) == row;
}

int __wrap_seccomp_rule_add_array(scmp_filter_ctx ctx, uint32_t action,
				  int call, unsigned int n,
				  const struct scmp_arg_cmp *args)
{
	while (!(sandbox_table[next_row].roles & BIT(filling)))
		next_row++;
	if (is_dropped(filling, next_row++))
		return 0;
	return __real_seccomp_rule_add_array(ctx, action, call, n, args);
}
