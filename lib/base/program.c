/* Finding a program to execute: only in absolute directories. */
#include "base/program.h"

#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static bool is_program(const char *path)
{
	struct stat st;

	return stat(path, &st) == 0 && S_ISREG(st.st_mode) &&
	       access(path, X_OK) == 0;
}

int program_find(const char *name, const char *dirs, char *buf, size_t size)
{
	const char *dir = dirs;
	size_t length;
	int n;

	while (*dir) {
		length = strcspn(dir, ":");
		n = snprintf(buf, size, "%.*s/%s", (int)length, dir, name);
		/* a relative directory would be the caller's, not ours */
		if (dir[0] == '/' && n > 0 && (size_t)n < size &&
		    is_program(buf))
			return 0;
		dir += length;
		dir += strspn(dir, ":");
	}
	return fail(AVF_ERR_NOT_FOUND, "no %s in %s", name, dirs);
}
