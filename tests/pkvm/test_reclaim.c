/*
 * A host that takes a protected VM's memory away: by what a process may do to
 * its own memory, or another one to it, and by a memory cgroup. The VM goes on
 * as if nothing had been, or it cannot, as the table says; it never finds its
 * memory changed. A second VM goes on afterwards in any case.
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
#include <sys/swap.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/fd.h"
#include "pkvm/secret_vm.h"
#include "support/vm_harness.h"

/* --- somewhere to swap to --------------------------------------------- */

#define ZRAM      "/sys/block/zram0/disksize"
#define SWAP      "/dev/zram0"
#define SWAP_SIZE (64U << 20)

/* Returns 0 or errno. */
static int put(const char *path, const char *text)
{
	int fd = open(path, O_WRONLY | O_CLOEXEC);
	int rc = fd < 0 || write(fd, text, strlen(text)) < 0 ? errno : 0;

	fd_close(fd);
	return rc;
}

/* The first page of a swap device, as mkswap makes it. */
static bool make_swap(void)
{
	static unsigned char page[SECRET_PAGE];
	const uint32_t head[] = {1, SWAP_SIZE / SECRET_PAGE - 1, 0};
	int fd = open(SWAP, O_WRONLY | O_CLOEXEC);
	bool done;

	memcpy(page + 1024, head, sizeof(head));
	memcpy(page + SECRET_PAGE - 10, "SWAPSPACE2", 10);
	done = write(fd, page, sizeof(page)) == sizeof(page);
	fd_close(fd);
	return done;
}

/* Once, for all tests of a run; it ends with the lab. */
static bool have_swap(void)
{
	static int state;

	if (state == 0 && getenv("AVF_LAB"))
		state = put(ZRAM, "64M") == 0 && make_swap() &&
					swapon(SWAP, 0) == 0
				? 1
				: -1;
	return state > 0;
}

/* How many pages of these are not in memory. */
static unsigned int count_absent(void *p, size_t size)
{
	static unsigned char resident[SECRET_BYTES / SECRET_PAGE];
	unsigned int n = 0;

	CHECK(mincore(p, size, resident) == 0);
	for (size_t i = 0; i < size / SECRET_PAGE; i++)
		n += !(resident[i] & 1);
	return n;
}

/* --- by a process ----------------------------------------------------- */

/* A part of a VM's memory, for what takes it away. */
struct part {
	struct secret_vm *vm;
	unsigned char *p;
	size_t size; /* bytes */
	bool found;  /* the secret, by the one who took it */
};

static void page_out(struct part *part)
{
	(void)madvise(part->p, part->size, MADV_PAGEOUT);
}

/* The first advice takes nothing: pages are only found to be cold sooner. */
static void make_cold(struct part *part)
{
	(void)madvise(part->p, part->size, MADV_COLD);
	page_out(part);
}

static void forget(struct part *part)
{
	(void)madvise(part->p, part->size, MADV_DONTNEED);
}

/* As late as when somebody needs the memory. */
static void free_lazily(struct part *part)
{
	(void)madvise(part->p, part->size, MADV_FREE);
	page_out(part);
}

static void page_out_by_another(struct part *part)
{
	const struct iovec all = {part->p, part->size};
	int fd = (int)syscall(SYS_pidfd_open, getpid(), 0);

	(void)!syscall(SYS_process_madvise, fd, &all, 1UL, MADV_PAGEOUT, 0);
	fd_close(fd);
}

/* Other pages in the place of the guest's. */
static void replace(struct part *part)
{
	CHECK(mmap(part->p, part->size, PROT_READ | PROT_WRITE,
		   MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED | MAP_POPULATE, -1,
		   0) == part->p);
}

static void take_access(struct part *part)
{
	CHECK(mprotect(part->p, part->size, PROT_NONE) == 0);
}

/* What is there now, which the host may read, has nothing of the secret. */
static bool can_read_secret(struct secret_vm *vm)
{
	static unsigned char copy[SECRET_PAGE];
	bool found = false;

	for (size_t at = 0; at < SECRET_BYTES && !found; at += SECRET_PAGE)
		found = secret_load(vm->ram + at, copy, SECRET_PAGE) &&
			secret_is_in(copy, SECRET_PAGE, vm->seed);
	return found;
}

/* A child shares the pages until one of both writes; pinned ones are copied at
 * once, which is an access of the kernel's. */
static void fork_child(struct part *part)
{
	int status = -1;
	pid_t pid = fork();

	if (pid == 0)
		_exit(can_read_secret(part->vm));
	CHECK(pid > 0 && waitpid(pid, &status, 0) == pid);
	CHECK(WIFEXITED(status));
	part->found = WEXITSTATUS(status) != 0;
}

/* Each, and what it does where nothing protects the VM, and where it is. */
static const struct {
	const char *name;
	void (*take)(struct part *part);
	bool needs_swap; /* to do anything */
	bool finds;      /* the secret */
	int said;        /* by the guest, as secret_vm_finish() */
	const char *end; /* of a protected one, by KVM's word; NULL: whole */
} ways[] = {
	{"MADV_PAGEOUT", page_out, true, false, SECRET_WHOLE, NULL},
	{"MADV_COLD", make_cold, true, false, SECRET_WHOLE, NULL},
	{"MADV_DONTNEED", forget, false, false, 0, NULL},
	/* KVM takes no page that may be dropped: EIO */
	{"MADV_FREE", free_lazily, true, false, 0, "KVM_RUN: Input/output"},
	{"process_madvise", page_out_by_another, true, false, SECRET_WHOLE,
	 NULL},
	{"other pages there", replace, false, false, 0, NULL},
	{"no access there", take_access, false, false, -1, SECRET_PAGE_GONE},
	{"fork", fork_child, false, true, SECRET_WHOLE, SECRET_PAGE_GONE},
};

/*
 * Where nothing protects it, each way takes the pages of the secret: they go to
 * the swap, are gone, or can be read. Not more than these, as without its code
 * the guest could say nothing.
 */
static void control_way(unsigned int way)
{
	struct secret_vm vm;
	struct part part = {.vm = &vm, .size = SECRET_SIZE};
	unsigned int n_absent;
	int said;

	if (!secret_vm_init(&vm, false))
		return;
	part.p = secret_vm_place(&vm);
	CHECK(part.p && can_read_secret(&vm));
	CHECK(part.p && count_absent(part.p, part.size) == 0);
	if (part.p)
		ways[way].take(&part);
	n_absent = part.p ? count_absent(part.p, part.size) : 0;
	said = secret_vm_finish(&vm, 1);
	printf("    %s: %u pages went, the guest says %d\n", ways[way].name,
	       n_absent, said);
	if (said != ways[way].said || part.found != ways[way].finds ||
	    (ways[way].needs_swap && n_absent == 0))
		vmt_fail(__FILE__, __LINE__, "%s has no effect",
			 ways[way].name);
	secret_vm_fini(&vm);
}

static void control(void)
{
	for (unsigned int i = 0; i < sizeof(ways) / sizeof(ways[0]); i++) {
		if (ways[i].needs_swap && !have_swap())
			printf("    %s: no control, there is no swap\n",
			       ways[i].name);
		else
			control_way(i);
	}
}

static void take_from_protected(unsigned int way)
{
	struct secret_vm victim;
	struct part all = {.vm = &victim, .size = SECRET_BYTES};
	int said;

	if (!secret_vm_init(&victim, true))
		return;
	(void)secret_vm_place(&victim);
	all.p = victim.ram;
	ways[way].take(&all);
	if (all.found || can_read_secret(&victim))
		vmt_fail(__FILE__, __LINE__, "%s: the host has the secret",
			 ways[way].name);
	said = secret_vm_finish(&victim, 1);
	printf("    %s: the guest %s\n", ways[way].name,
	       said == SECRET_WHOLE ? "has its memory whole"
	       : said == 0          ? "finds its memory changed"
				    : error_record()->text);
	if (ways[way].end
		    ? said >= 0 || !secret_vm_failed_by(&victim, ways[way].end)
		    : said != SECRET_WHOLE)
		vmt_fail(__FILE__, __LINE__, "%s: not the end that it was",
			 ways[way].name);
	secret_vm_fini(&victim);
}

/* The other one has its secret already, and goes on when the first is over. */
static void take_from_one_of_two(unsigned int way)
{
	struct secret_process other;

	if (!secret_process_start(&other, true, NULL, NULL))
		return;
	take_from_protected(way);
	CHECK(secret_process_was_whole(secret_process_finish(&other)));
}

static void by_a_process(void)
{
	(void)have_swap();
	for (unsigned int i = 0; i < sizeof(ways) / sizeof(ways[0]); i++)
		take_from_one_of_two(i);
}

/* --- by a memory cgroup ----------------------------------------------- */

#define CGROUPS "/tmp/avf-cgroups"
#define GROUP   CGROUPS "/victim"

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

static unsigned long swapped_bytes(void)
{
	char text[32] = "";
	int fd = open(GROUP "/memory.swap.current", O_RDONLY | O_CLOEXEC);

	CHECK(fd < 0 || read(fd, text, sizeof(text) - 1) > 0);
	fd_close(fd);
	return strtoul(text, NULL, 10);
}

/* Returns how the victim ended, whose group was told @text by @file, which
 * swapped @*ret_swapped bytes of it. */
static int press(bool is_protected, const char *file, const char *text,
		 unsigned long *ret_swapped)
{
	struct secret_process victim;
	int status, rc;

	if (!secret_process_start(&victim, is_protected, join_group, NULL))
		return -1;
	rc = put(file, text);
	/* less was reclaimed than was asked for */
	CHECK(rc == 0 || rc == EAGAIN);
	*ret_swapped = swapped_bytes();
	status = secret_process_finish(&victim);
	printf("    \"%s\" for %s%s: %lu KiB swapped, the VMM %s %d\n", text,
	       file, is_protected ? "" : " (control)", *ret_swapped >> 10,
	       WIFEXITED(status) ? "ended with" : "was killed by",
	       WIFEXITED(status) ? WEXITSTATUS(status) : WTERMSIG(status));
	return status;
}

/* Its pages are pinned, so there is nothing to reclaim; a limit below them is
 * the end of the VMM, by the kernel. */
static void under_pressure(void)
{
	struct secret_process other;
	unsigned long swapped = 0;
	int status;

	if (!secret_process_start(&other, true, NULL, NULL))
		return;
	if (have_swap()) {
		(void)press(false, GROUP "/memory.reclaim", "64M", &swapped);
		CHECK(swapped >= SECRET_SIZE);
	}
	CHECK(secret_process_was_whole(
		press(true, GROUP "/memory.reclaim", "64M", &swapped)));
	status = press(true, GROUP "/memory.max", "64K", &swapped);
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
