#include "base/owner.h"

#include <unistd.h>

pid_t owner_self(void)
{
	return getpid();
}

/* The number of a dead parent may come back, but not to a child of its own
 * that has not ended. */
bool owner_is_self(pid_t owner)
{
	return owner == getpid();
}

int owner_check(pid_t owner, const char *what)
{
	if (owner_is_self(owner))
		return 0;
	return fail(AVF_ERR_STATE,
		    "this %s belongs to process %d: after a fork() the child "
		    "makes handles of its own",
		    what, (int)owner);
}
