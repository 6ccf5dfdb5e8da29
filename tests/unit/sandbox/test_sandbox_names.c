#include <criterion/criterion.h>

#include <limits.h>
#include <sys/syscall.h>

#include "sandbox/sandbox.h"

Test(sandbox_names, are_those_of_the_kernel)
{
	cr_expect_str_eq(sandbox_call_name(SYS_read), "read");
	cr_expect_str_eq(sandbox_call_name(SYS_openat), "openat");
	cr_expect_str_eq(sandbox_call_name(SYS_io_uring_setup),
			 "io_uring_setup");
}

Test(sandbox_names, any_number_has_an_answer)
{
	cr_expect_str_eq(sandbox_call_name(-1), "?");
	cr_expect_str_eq(sandbox_call_name(INT_MIN), "?");
	cr_expect_str_eq(sandbox_call_name(INT_MAX), "?");
	cr_expect_str_eq(sandbox_call_name(0x40000000), "?"); /* x32 */
}
