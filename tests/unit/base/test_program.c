/* Looking for programs. */
#include <criterion/criterion.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/checked.h"
#include "base/program.h"

static const struct {
	const char *what, *name, *dirs, *path; /* NULL: not found */
} rows[] = {
	{"in the only directory", "sh", "/bin", "/bin/sh"},
	{"in the second directory", "sh", "/nonexistent:/bin", "/bin/sh"},
	{"empty entries are skipped", "sh", "::/bin:", "/bin/sh"},
	{"nowhere", "no-such-program", "/usr/bin:/bin", NULL},
	{"no directories", "sh", "", NULL},
	{"a relative directory is the caller's", "sh", "bin:.", NULL},
	{"a directory is no program", "bin", "/usr", NULL},
	{"a file that cannot be executed", "passwd", "/etc", NULL},
};

Test(program, table)
{
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		char path[256] = "";
		int rc;

		cr_assert_eq(chdir("/"), 0);
		rc = program_find(rows[i].name, rows[i].dirs, path,
				  sizeof(path));
		cr_expect_eq(rc, rows[i].path ? 0 : AVF_ERR_NOT_FOUND, "%s",
			     rows[i].what);
		if (rows[i].path)
			cr_expect_str_eq(path, rows[i].path, "%s",
					 rows[i].what);
	}
}

Test(program, path_that_does_not_fit)
{
	char path[7] = "";

	cr_expect_eq(program_find("sh", "/bin", path, sizeof(path)),
		     AVF_ERR_NOT_FOUND);
}
