/* Descriptors to hand over, and what became of them. */
#pragma once

#include <criterion/criterion.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <sys/mman.h>
#include <unistd.h>

#include "ndk/ndk.h"

/** @fd under a number that nobody else will get when it is closed. */
static inline int moved(int fd)
{
	static int next = 500;
	int high = fcntl(fd, F_DUPFD_CLOEXEC, next++);

	cr_assert_geq(high, 0);
	close(fd);
	return high;
}

/** A regular file of @size bytes. */
static inline int a_file(off_t size)
{
	int fd = memfd_create("file", MFD_CLOEXEC);

	cr_assert_geq(fd, 0);
	cr_assert_eq(ftruncate(fd, size), 0);
	return moved(fd);
}

/** A descriptor that is no file, and fit for nothing but a console. */
static inline int a_sink(void)
{
	int fd = open("/dev/null", O_RDWR | O_CLOEXEC);

	cr_assert_geq(fd, 0);
	return moved(fd);
}

static inline bool is_open(int fd)
{
	return fcntl(fd, F_GETFD) >= 0;
}

static inline unsigned int count_fds(void)
{
	unsigned int n = 0;
	DIR *d = opendir("/proc/self/fd");

	cr_assert_not_null(d);
	while (readdir(d))
		n++;
	closedir(d);
	return n - 3; /* ., .., its own */
}

/** A configuration of which a VM can be made, called @name. */
static inline AVirtualMachineRawConfig *a_config(const char *name)
{
	AVirtualMachineRawConfig *config = AVirtualMachineRawConfig_create();

	cr_assert_not_null(config);
	cr_assert_eq(AVirtualMachineRawConfig_setName(config, name), 0);
	AVirtualMachineRawConfig_setKernel(config, a_file(512));
	return config;
}

static inline AVirtualizationService *a_service(void)
{
	AVirtualizationService *service = NULL;

	cr_assert_eq(AVirtualizationService_create(&service, false), 0);
	return service;
}
