/* A data directory and a configuration that a named VM can have. */
#pragma once

#include <criterion/criterion.h>
#include <dirent.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/byteorder.h"
#include "base/checked.h"
#include "manager/manager.h"

static char dir[] = "/tmp/avf-manager-XXXXXX";
static avf_manager *manager;
static avf_config *config;

static inline const char *path_of(const char *name)
{
	static char path[512];

	(void)snprintf(path, sizeof(path), "%s/%s", dir, name);
	return path;
}

/** A file of @size bytes that looks like an EROFS image. */
static inline void make_package(void)
{
	le32 magic = le32_make(0xe0f5e1e2U);
	int fd =
		open(path_of("app.avfpkg"), O_RDWR | O_CREAT | O_CLOEXEC, 0600);

	cr_assert_geq(fd, 0);
	cr_assert_eq(pwrite(fd, &magic, sizeof(magic), 1024), 4);
	cr_assert_eq(ftruncate(fd, 4096), 0);
	close(fd);
}

static inline avf_config *make_config(void)
{
	avf_config *made = NULL;

	cr_assert_eq(avf_config_new(AVF_CONFIG_PAYLOAD, &made), 0);
	cr_assert_eq(avf_config_set_package(made, path_of("app.avfpkg")), 0);
	cr_assert_eq(avf_config_set_payload_name(made, "libx.so"), 0);
	return made;
}

static inline void make_dir(void)
{
	cr_assert_not_null(mkdtemp(dir));
	make_package();
	config = make_config();
	cr_assert_eq(avf_manager_new(dir, &manager), 0, "%s",
		     avf_last_error()->text);
}

static inline void remove_dir(void)
{
	char command[64];

	avf_manager_free(manager);
	avf_config_free(config);
	(void)snprintf(command, sizeof(command), "rm -rf %s", dir);
	cr_expect_eq(system(command), 0);
}

static inline void expect_error(int rc, int want, const char *text)
{
	cr_expect_eq(rc, want, "%s instead of %s: %s", avf_error_name(rc),
		     avf_error_name(want), avf_last_error()->text);
	if (text)
		cr_expect_not_null(strstr(avf_last_error()->text, text),
				   "\"%s\" is not in \"%s\"", text,
				   avf_last_error()->text);
}

static inline avf_vm *create(const char *name)
{
	avf_vm *vm = NULL;

	cr_assert_eq(avf_manager_create(manager, name, config, &vm), 0, "%s",
		     avf_last_error()->text);
	return vm;
}

static inline unsigned int count_entries(const char *path)
{
	unsigned int n = 0;
	DIR *d = opendir(path);

	cr_assert_not_null(d);
	while (readdir(d))
		n++;
	closedir(d);
	return n - 2; /* . and .. */
}

static inline unsigned int count_fds(void)
{
	return count_entries("/proc/self/fd");
}
