#include <criterion/criterion.h>
#include <sys/prctl.h>
#include <sys/resource.h>

#include "vmm/restrict.h"

Test(restrict, no_new_privileges_no_core_not_traceable)
{
	struct rlimit core;

	cr_assert_eq(restrict_process(), 0);
	cr_expect_eq(prctl(PR_GET_NO_NEW_PRIVS, 0, 0, 0, 0), 1);
	cr_expect_eq(prctl(PR_GET_DUMPABLE, 0, 0, 0, 0), 0);
	cr_assert_eq(getrlimit(RLIMIT_CORE, &core), 0);
	cr_expect_eq(core.rlim_max, 0);
}
