/* A scratch directory, made for one test and removed behind it. */
#pragma once

#include <criterion/criterion.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/arch.h"

static char dir[] = "/tmp/avf-config-XXXXXX";
static int dir_fd;

static inline void make_dir(void)
{
	cr_assert_not_null(mkdtemp(dir));
	dir_fd = open(dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	cr_assert_geq(dir_fd, 0);
}

static inline void remove_dir(void)
{
	char command[64];

	(void)snprintf(command, sizeof(command), "rm -rf %s", dir);
	cr_expect_eq(system(command), 0);
	close(dir_fd);
}

/** A file of @size bytes in the directory; sparse behind @text. -1: @text. */
static inline void make_file(const char *name, const char *text, off_t size)
{
	int fd = openat(dir_fd, name, O_RDWR | O_CREAT | O_TRUNC | O_CLOEXEC,
			0600);

	cr_assert_geq(fd, 0);
	if (text)
		cr_assert_eq(write(fd, text, strlen(text)),
			     (ssize_t)strlen(text));
	if (size >= 0)
		cr_assert_eq(ftruncate(fd, size), 0);
	close(fd);
}

/** The full path of @name; valid until the next call. */
static inline const char *path_of(const char *name)
{
	static char path[128];

	(void)snprintf(path, sizeof(path), "%s/%s", dir, name);
	return path;
}

/* Another architecture than the host's. */
static inline const struct arch *foreign(void)
{
	return arch_at(0) == arch_host() ? arch_at(1) : arch_at(0);
}
