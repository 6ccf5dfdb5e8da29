#include <sched.h>
#include <sys/prctl.h>
#include <sys/resource.h>

#include "sandbox/sandbox_internal.h"

void sandbox_child(void)
{
	const struct rlimit none = {0, 0};

	/* best effort: the program has to find its files, so it keeps the
	 * caller's file system */
	(void)setrlimit(RLIMIT_CORE, &none);
	(void)prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0);
	/* where the caller has a user namespace without users, this one is
	 * refused, and the caller's capabilities make the others */
	(void)unshare(CLONE_NEWUSER);
	(void)unshare(CLONE_NEWNET);
	(void)unshare(CLONE_NEWIPC);
	(void)unshare(CLONE_NEWUTS);
	(void)!sandbox_landlock_read_only();
	(void)!sandbox_drop_caps();
}
