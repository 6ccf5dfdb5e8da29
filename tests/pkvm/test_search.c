/*
 * The search for a secret in everything that a VMM has: all of its memory, as
 * it is, as another process reads it, and as a core dump. What is found in a
 * VM that is not protected is not found in a protected one.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/fd.h"
#include "pkvm/secret_search.h"
#include "pkvm/secret_vm.h"
#include "support/vm_harness.h"

/* --- the VMM searches itself ------------------------------------------ */

static void search_myself(bool is_protected)
{
	struct secret_vm vm;
	unsigned long read;
	bool found;

	if (!secret_vm_init(&vm, is_protected))
		return;
	(void)secret_vm_place(&vm);
	found = secret_search(getpid(), secret_by_load, vm.seed, &read);
	printf("    %lu pages read: %s\n", read, found ? "found" : "not found");
	CHECK(found == !is_protected);
	CHECK(found || read > SECRET_BYTES / SECRET_PAGE / 2);
	CHECK(secret_vm_finish(&vm, 1) == SECRET_WHOLE);
	secret_vm_fini(&vm);
}

static void whole_address_space(void)
{
	search_myself(false);
	search_myself(true);
}

/* --- another process searches a VMM ----------------------------------- */

static void search_other(bool is_protected, bool by_mem)
{
	struct secret_process p;
	unsigned long read;
	int status;
	bool found;

	if (!secret_process_start(&p, is_protected, NULL, NULL))
		return;
	found = secret_search(
		p.pid, by_mem ? secret_by_proc_mem : secret_by_process_vm_readv,
		p.seed, &read);
	CHECK(found == !is_protected);
	CHECK(found || read > 100);
	status = secret_process_finish(&p);
	printf("    %lu pages read: %s; the guest %s\n", read,
	       found ? "found" : "not found",
	       secret_process_was_whole(status) ? "has its memory whole"
						: "ends");
	/* 1: it found its memory changed */
	CHECK(WIFEXITED(status) && WEXITSTATUS(status) != 1);
}

static void process_vm_readv_of_all(void)
{
	search_other(false, false);
	search_other(true, false);
}

static void proc_mem_of_all(void)
{
	search_other(false, true);
	search_other(true, true);
}

/* --- a core dump ------------------------------------------------------ */

#define PATTERN "/proc/sys/kernel/core_pattern"

static bool swap_pattern(const char *pattern, char *ret_old, size_t size)
{
	int fd = open(PATTERN, O_RDWR | O_CLOEXEC);
	ssize_t n = ret_old ? pread(fd, ret_old, size - 1, 0) : 0;
	bool done = n >= 0 && pwrite(fd, pattern, strlen(pattern), 0) > 0;

	if (ret_old && n >= 0)
		ret_old[n] = '\0';
	fd_close(fd);
	return done;
}

static bool file_has_secret(const char *path, uint64_t seed, off_t *ret_size)
{
	bool found = false;
	void *file;
	int fd = open(path, O_RDONLY | O_CLOEXEC);

	*ret_size = fd < 0 ? 0 : lseek(fd, 0, SEEK_END);
	if (*ret_size <= 0)
		return false;
	file = mmap(NULL, (size_t)*ret_size, PROT_READ, MAP_PRIVATE, fd, 0);
	fd_close(fd);
	if (file == MAP_FAILED)
		return false;
	found = secret_is_in(file, (size_t)*ret_size, seed);
	(void)munmap(file, (size_t)*ret_size);
	return found;
}

/* The VMM proper forbids both. */
static void allow_dump(struct secret_vm *vm)
{
	const struct rlimit all = {RLIM_INFINITY, RLIM_INFINITY};

	(void)setrlimit(RLIMIT_CORE, &all);
	(void)prctl(PR_SET_DUMPABLE, 1L, 0L, 0L, 0L);
	(void)madvise(vm->ram, SECRET_BYTES, MADV_DODUMP);
	abort();
}

static void dump(bool is_protected)
{
	struct secret_process p;
	char path[64];
	off_t size;
	int status;
	bool found;

	if (!secret_process_start(&p, is_protected, NULL, allow_dump))
		return;
	status = secret_process_finish(&p);
	CHECK(WIFSIGNALED(status) && WCOREDUMP(status));
	(void)snprintf(path, sizeof(path), "/tmp/avf-core.%d", (int)p.pid);
	found = file_has_secret(path, p.seed, &size);
	printf("    a core of %lld KiB: %s\n", (long long)size / 1024,
	       found ? "found" : "not found");
	/* all of the guest's memory is in it, as what can be read of it */
	CHECK(size > (off_t)SECRET_BYTES);
	CHECK(found == !is_protected);
	(void)unlink(path);
}

static void core_dump(void)
{
	char old[256];

	if (!getenv("AVF_LAB")) {
		vmt_skip("it changes where the computer's core dumps go: only "
			 "in the lab");
		return;
	}
	if (!swap_pattern("/tmp/avf-core.%p", old, sizeof(old))) {
		vmt_fail(__FILE__, __LINE__, PATTERN ": %s", strerror(errno));
		return;
	}
	dump(false);
	dump(true);
	(void)swap_pattern(old, NULL, 0);
}

static const struct vmt_test tests[] = {
	{"whole_address_space", whole_address_space},
	{"process_vm_readv_of_all", process_vm_readv_of_all},
	{"proc_mem_of_all", proc_mem_of_all},
	{"core_dump", core_dump},
};

int main(int argc, char **argv)
{
	secret_vm_need_protection();
	return vmt_main(argc, argv, tests, sizeof(tests) / sizeof(tests[0]));
}
