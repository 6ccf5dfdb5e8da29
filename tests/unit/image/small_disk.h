/* A tmpfs of a few pages, for tests of full disks. Needs root. */
#pragma once

#include <criterion/criterion.h>

#include <sched.h>
#include <sys/mount.h>

/* Mounts it on @dir, in a mount namespace of this process, or skips. */
static inline void small_disk(const char *dir, const char *options)
{
	if (unshare(CLONE_NEWNS) < 0 ||
	    mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL) < 0 ||
	    mount("tmpfs", dir, "tmpfs", 0, options) < 0)
		cr_skip_test("mounting a small tmpfs needs root");
}
