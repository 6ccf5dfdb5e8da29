#include <criterion/criterion.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "client/vmm_path.h"

static char path[4096];

Test(vmm_path, the_environment_wins)
{
	(void)setenv("AVF_VMM", "/bin/true", 1);
	cr_assert_eq(vmm_path_find(path, sizeof(path)), 0);
	cr_expect_str_eq(path, "/bin/true");
}

Test(vmm_path, a_wrong_environment_is_told_and_not_passed_over)
{
	(void)setenv("AVF_VMM", "/nonexistent/avf-vmm", 1);
	cr_expect_eq(vmm_path_find(path, sizeof(path)), AVF_ERR_NOT_FOUND);
	cr_expect(strstr(error_record()->text, "/nonexistent/avf-vmm"));
	(void)setenv("AVF_VMM", "/etc/passwd", 1);
	cr_expect_eq(vmm_path_find(path, sizeof(path)), AVF_ERR_PERMISSION);
}

Test(vmm_path, paths_that_do_not_fit_are_an_error)
{
	char small[4] = "abc";

	(void)setenv("AVF_VMM", "/bin/true", 1);
	cr_expect_eq(vmm_path_find(small, sizeof(small)), AVF_ERR_LIMIT);
}

Test(vmm_path, without_the_environment_the_places_are_named)
{
	(void)unsetenv("AVF_VMM");
	/* tests/ has no ../libexec beside it unless it was built there */
	if (vmm_path_find(path, sizeof(path)) < 0)
		cr_expect(strstr(error_record()->text, "AVF_VMM"));
	else
		cr_expect_eq(access(path, X_OK), 0);
}
