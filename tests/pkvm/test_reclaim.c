/*
 * A host that takes a protected VM's memory away: by what a process may do to
 * its own memory, or another one to it, and by a memory cgroup. The VM goes on
 * as if nothing had been, or it cannot; it never finds its memory changed. A
 * second VM goes on in any case.
 */
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/fd.h"
#include "pkvm/secret_vm.h"
#include "support/vm_harness.h"

/* --- by a process ----------------------------------------------------- */

static void advise(struct secret_vm *vm, int advice)
{
	(void)madvise(vm->ram, SECRET_BYTES, advice);
}

static void page_out(struct secret_vm *vm)
{
	advise(vm, MADV_PAGEOUT);
}

static void make_cold(struct secret_vm *vm)
{
	advise(vm, MADV_COLD);
}

static void forget(struct secret_vm *vm)
{
	advise(vm, MADV_DONTNEED);
}

static void free_lazily(struct secret_vm *vm)
{
	advise(vm, MADV_FREE);
}

static void page_out_by_another(struct secret_vm *vm)
{
	const struct iovec all = {vm->ram, SECRET_BYTES};
	int fd = (int)syscall(SYS_pidfd_open, getpid(), 0);

	(void)!syscall(SYS_process_madvise, fd, &all, 1UL, MADV_PAGEOUT, 0);
	fd_close(fd);
}

/* Other pages in the place of the guest's. */
static void replace(struct secret_vm *vm)
{
	CHECK(mmap(vm->ram, SECRET_BYTES, PROT_READ | PROT_WRITE,
		   MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED | MAP_POPULATE, -1,
		   0) == vm->ram);
}

static void take_access(struct secret_vm *vm)
{
	CHECK(mprotect(vm->ram, SECRET_BYTES, PROT_NONE) == 0);
}

/* A child shares the pages until one of both writes; pinned ones are copied at
 * once, which is an access of the kernel's. */
static void fork_child(struct secret_vm *vm)
{
	int status = -1;
	pid_t pid = fork();

	if (pid == 0) {
		static unsigned char copy[SECRET_PAGE];
		bool found = false;

		for (size_t at = 0; at < SECRET_BYTES; at += SECRET_PAGE) {
			if (secret_load(vm->ram + at, copy, SECRET_PAGE))
				found |= secret_is_in(copy, SECRET_PAGE,
						      vm->seed);
		}
		_exit(found);
	}
	CHECK(pid > 0 && waitpid(pid, &status, 0) == pid);
	CHECK(WIFEXITED(status) && WEXITSTATUS(status) == 0);
}

static const struct {
	const char *name;
	void (*take)(struct secret_vm *vm);
} ways[] = {
	{"MADV_PAGEOUT", page_out},
	{"MADV_COLD", make_cold},
	{"MADV_DONTNEED", forget},
	{"MADV_FREE", free_lazily},
	{"process_madvise", page_out_by_another},
	{"other pages there", replace},
	{"no access there", take_access},
	{"fork", fork_child},
};

/* What is there now, which the host may read, has nothing of the secret. */
static bool can_read_secret(struct secret_vm *vm)
{
	static unsigned char copy[SECRET_PAGE];

	for (size_t at = 0; at < SECRET_BYTES; at += SECRET_PAGE) {
		if (secret_load(vm->ram + at, copy, SECRET_PAGE) &&
		    secret_is_in(copy, SECRET_PAGE, vm->seed))
			return true;
	}
	return false;
}

/* Where nothing protects it, the host has the secret, and a guest that loses
 * its pages finds them changed. */
static void control(void)
{
	struct secret_vm vm;
	unsigned char *place;

	if (!secret_vm_init(&vm, false))
		return;
	place = secret_vm_place(&vm);
	CHECK(can_read_secret(&vm));
	/* not more than these: without its code the guest could say nothing */
	CHECK(place && madvise(place, SECRET_SIZE, MADV_DONTNEED) == 0);
	CHECK(secret_vm_finish(&vm, 1) == 0);
	secret_vm_fini(&vm);
}

static void take_from_one_of_two(unsigned int way)
{
	struct secret_process other;
	struct secret_vm victim;
	int said = -1;

	if (!secret_process_start(&other, true, NULL, NULL))
		return;
	if (secret_vm_init(&victim, true)) {
		(void)secret_vm_place(&victim);
		ways[way].take(&victim);
		if (can_read_secret(&victim))
			vmt_fail(__FILE__, __LINE__,
				 "%s: the host has the secret", ways[way].name);
		said = secret_vm_finish(&victim, 1);
		secret_vm_fini(&victim);
	}
	printf("    %s: the guest %s\n", ways[way].name,
	       said == SECRET_WHOLE ? "has its memory whole"
	       : said == 0          ? "finds its memory changed"
				    : error_record()->text);
	CHECK(said != 0);
	CHECK(secret_process_was_whole(secret_process_finish(&other)));
}

static void by_a_process(void)
{
	for (unsigned int i = 0; i < sizeof(ways) / sizeof(ways[0]); i++)
		take_from_one_of_two(i);
}

/* --- by a memory cgroup ----------------------------------------------- */

#define CGROUPS "/tmp/avf-cgroups"
#define GROUP   CGROUPS "/victim"

/* Returns 0 or errno. */
static int put(const char *path, const char *text)
{
	int fd = open(path, O_WRONLY | O_CLOEXEC);
	int rc = fd < 0 || write(fd, text, strlen(text)) < 0 ? errno : 0;

	fd_close(fd);
	return rc;
}

static bool make_group(void)
{
	(void)mkdir(CGROUPS, 0700);
	if (mount("none", CGROUPS, "cgroup2", 0, NULL) < 0)
		return false;
	return put(CGROUPS "/cgroup.subtree_control", "+memory") == 0 &&
	       mkdir(GROUP, 0700) == 0;
}

static void remove_group(void)
{
	(void)rmdir(GROUP);
	(void)umount2(CGROUPS, MNT_DETACH);
	(void)rmdir(CGROUPS);
}

static void join_group(struct secret_vm *vm)
{
	(void)vm;
	if (put(GROUP "/cgroup.procs", "0") != 0)
		_exit(77);
}

/* Returns how the victim ended, whose group was told @text by @file. */
static int press(const char *file, const char *text)
{
	struct secret_process victim;
	int status, rc;

	if (!secret_process_start(&victim, true, join_group, NULL))
		return -1;
	rc = put(file, text);
	/* less was reclaimed than was asked for */
	CHECK(rc == 0 || rc == EAGAIN);
	status = secret_process_finish(&victim);
	printf("    \"%s\" for %s: the VMM %s %d\n", text, file,
	       WIFEXITED(status) ? "ended with" : "was killed by",
	       WIFEXITED(status) ? WEXITSTATUS(status) : WTERMSIG(status));
	return status;
}

/* Its pages are pinned, so there is nothing to reclaim; a limit below them is
 * the end of the VMM, by the kernel. */
static void under_pressure(void)
{
	struct secret_process other;
	int status;

	if (!secret_process_start(&other, true, NULL, NULL))
		return;
	CHECK(secret_process_was_whole(press(GROUP "/memory.reclaim", "64M")));
	status = press(GROUP "/memory.max", "64K");
	CHECK(WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL);
	CHECK(secret_process_was_whole(secret_process_finish(&other)));
}

static void by_a_cgroup(void)
{
	if (!getenv("AVF_LAB"))
		vmt_skip("it makes memory cgroups: only in the lab");
	else if (!make_group())
		vmt_skip("this kernel has no memory cgroups");
	else
		under_pressure();
	if (getenv("AVF_LAB"))
		remove_group();
}

static const struct vmt_test tests[] = {
	{"control", control},
	{"by_a_process", by_a_process},
	{"by_a_cgroup", by_a_cgroup},
};

int main(int argc, char **argv)
{
	secret_vm_need_protection();
	return vmt_main(argc, argv, tests, sizeof(tests) / sizeof(tests[0]));
}
