#include <criterion/criterion.h>

#include <string.h>

#include "image/tool.h"

Test(tool, output_is_kept_up_to_its_room)
{
	const char *const argv[] = {"printf", "%s", "hello world", NULL};
	char output[6];

	cr_assert_eq(tool_run(argv, NULL, output, sizeof(output)), 0);
	cr_expect_str_eq(output, "hello");
}

Test(tool, arguments_do_not_meet_a_shell)
{
	const char *const argv[] = {"printf", "%s", "$(false); `id`", NULL};
	char output[64];

	cr_assert_eq(tool_run(argv, NULL, output, sizeof(output)), 0);
	cr_expect_str_eq(output, "$(false); `id`");
}

Test(tool, runs_where_it_is_told)
{
	const char *const argv[] = {"pwd", NULL};
	char output[64];

	cr_assert_eq(tool_run(argv, "/usr", output, sizeof(output)), 0);
	cr_expect_str_eq(output, "/usr\n");
}

Test(tool, missing_program)
{
	const char *const argv[] = {"no-such-program-here", NULL};

	cr_expect_eq(tool_run(argv, NULL, NULL, 0), AVF_ERR_NOT_FOUND);
	cr_expect_not_null(strstr(error_record()->text, "not installed"));
}

Test(tool, the_last_words_are_told)
{
	const char *const argv[] = {
		"sh", "-c", "echo first >&2; echo the reason >&2; exit 3",
		NULL};

	cr_expect_eq(tool_run(argv, NULL, NULL, 0), AVF_ERR_IO);
	cr_expect_str_eq(error_record()->text, "sh failed with 3: the reason");
}

Test(tool, endless_complaints_are_cut)
{
	const char *const argv[] = {
		"sh", "-c",
		"head -c 100000 /dev/zero | tr '\\0' x >&2; "
		"echo >&2; echo end >&2; exit 1",
		NULL};

	cr_expect_eq(tool_run(argv, NULL, NULL, 0), AVF_ERR_IO);
	cr_expect_str_eq(error_record()->text, "sh failed with 1: end");
}

Test(tool, full_disk_is_named)
{
	const char *const argv[] = {"cp", "/etc/passwd", "/dev/full", NULL};

	cr_expect_eq(tool_run(argv, NULL, NULL, 0), AVF_ERR_NO_SPACE);
}

Test(tool, death_by_signal)
{
	const char *const argv[] = {"sh", "-c", "kill -9 $$", NULL};

	cr_expect_eq(tool_run(argv, NULL, NULL, 0), AVF_ERR_IO);
	cr_expect_not_null(strstr(error_record()->text, "signal 9"));
}
