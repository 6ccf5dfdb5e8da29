/*
 * What a device of the host reaches by DMA: all memory of a protected VM, as no
 * IOMMU that pKVM controls stands between. It takes no hostile kernel: a
 * program that has the memory in its address space asks for I/O that goes past
 * the page cache (O_DIRECT), and a disk reads or writes the guest's pages.
 *
 * These tests say that it works. A kernel that prevents it makes them fail, and
 * then the probe's rows and docs/protected-vms.md promise too little.
 */
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/fd.h"
#include "pkvm/secret_vm.h"
#include "support/vm_harness.h"

#define PAGE SECRET_PAGE

/* The lab's disk to write to (scripts/lab/arm64.sh), past the page cache; -1:
 * there is none. */
static int open_disk(void)
{
	char path[32], serial[20];
	ssize_t n;
	int fd;

	for (char c = 'a'; c <= 'z'; c++) {
		(void)snprintf(path, sizeof(path), "/sys/block/vd%c/serial", c);
		fd = open(path, O_RDONLY | O_CLOEXEC);
		n = fd < 0 ? 0 : read(fd, serial, sizeof(serial));
		fd_close(fd);
		if (n < 7 || memcmp(serial, "scratch", 7) != 0)
			continue;
		(void)snprintf(path, sizeof(path), "/dev/vd%c", c);
		return open(path, O_RDWR | O_DIRECT | O_CLOEXEC);
	}
	return -1;
}

/* A page that is ours, for what went to the disk and what comes from there. */
static unsigned char *own_page(void)
{
	static unsigned char page[PAGE] __attribute__((aligned(4096)));

	memset(page, 0, sizeof(page));
	return page;
}

/* Whether the disk gets the secret out of the guest's first page. */
static void read_by_disk(bool is_protected)
{
	unsigned char *page, *copy = own_page();
	struct secret_vm vm;
	int disk = open_disk();

	if (!secret_vm_init(&vm, is_protected)) {
		fd_close(disk);
		return;
	}
	page = secret_vm_place(&vm);
	CHECK(page && secret_load(page, copy, 1) == !is_protected);
	CHECK(pwrite(disk, own_page(), PAGE, 0) == PAGE);
	CHECK(page && pwrite(disk, page, PAGE, 0) == PAGE);
	CHECK(pread(disk, copy, PAGE, 0) == PAGE);
	CHECK(secret_is(copy, PAGE, vm.seed));
	/* nobody else noticed: it is as private as before, and whole */
	CHECK(page && secret_load(page, copy, 1) == !is_protected);
	CHECK(secret_vm_finish(&vm, 1) == SECRET_WHOLE);
	secret_vm_fini(&vm);
	fd_close(disk);
}

/* Whether the disk puts something else into it. */
static void write_by_disk(bool is_protected)
{
	unsigned char *page, *other = own_page();
	struct secret_vm vm;
	int disk = open_disk();

	if (!secret_vm_init(&vm, is_protected)) {
		fd_close(disk);
		return;
	}
	page = secret_vm_place(&vm);
	memset(other, 'x', PAGE);
	CHECK(pwrite(disk, other, PAGE, 0) == PAGE);
	CHECK(page && pread(disk, page, PAGE, 0) == PAGE);
	/* it finds its memory changed */
	CHECK(secret_vm_finish(&vm, 1) == 0);
	secret_vm_fini(&vm);
	fd_close(disk);
}

static void control(void)
{
	read_by_disk(false);
	write_by_disk(false);
}

static void a_disk_reads(void)
{
	read_by_disk(true);
}

static void a_disk_writes(void)
{
	write_by_disk(true);
}

static const struct vmt_test tests[] = {
	{"control", control},
	{"a_disk_reads", a_disk_reads},
	{"a_disk_writes", a_disk_writes},
};

int main(int argc, char **argv)
{
	int disk;

	secret_vm_need_protection();
	if (!getenv("AVF_LAB"))
		vmt_skip_all("it writes to a disk of its own: only in the lab");
	disk = open_disk();
	if (disk < 0)
		vmt_skip_all("this lab has no disk to write to");
	fd_close(disk);
	return vmt_main(argc, argv, tests, sizeof(tests) / sizeof(tests[0]));
}
