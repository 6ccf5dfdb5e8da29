#include <criterion/criterion.h>

#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/owner.h"

Test(owner, is_who_made_it)
{
	cr_expect(owner_is_self(owner_self()));
	cr_expect_eq(owner_check(owner_self(), "VM"), 0);
}

Test(owner, is_no_child)
{
	pid_t owner = owner_self();
	pid_t pid = fork();
	int status = -1;

	if (pid == 0)
		_exit(!owner_is_self(owner) &&
				      owner_check(owner, "VM") ==
					      AVF_ERR_STATE &&
				      strstr(error_record()->text, "this VM")
			      ? 0
			      : 1);
	cr_assert_eq(waitpid(pid, &status, 0), pid);
	cr_expect_eq(status, 0);
}
