#include "vmm/restrict.h"

#include <sys/prctl.h>
#include <sys/resource.h>

int restrict_process(void)
{
	const struct rlimit no_core = {0, 0};

	if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) < 0)
		return fail_errno("PR_SET_NO_NEW_PRIVS");
	if (prctl(PR_SET_DUMPABLE, 0, 0, 0, 0) < 0)
		return fail_errno("PR_SET_DUMPABLE");
	if (setrlimit(RLIMIT_CORE, &no_core) < 0)
		return fail_errno("RLIMIT_CORE");
	return 0;
}
