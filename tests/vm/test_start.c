/* What keeps a VM from starting: files that are no kernels, too little
 * memory, disks that another VM holds. And that nothing remains of it. */
#include <elf.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "support/vm_harness.h"

/* --- kernels ---------------------------------------------------------- */

static avf_config *config_with_kernel(int kernel)
{
	avf_config *config = NULL;

	CHECK_OK(avf_config_new(AVF_CONFIG_RAW, &config));
	CHECK_OK(avf_config_set_memory_mib(config, 16));
	CHECK_OK(avf_config_set_kernel_fd(config, kernel));
	return config;
}

/* Refused by the configuration or by the VMM, with @part in the text. */
static void expect_refused(avf_config *config, const char *part)
{
	avf_problems *problems = NULL;
	struct vmt_vm v;

	if (avf_config_validate(config, &problems) > 0) {
		if (!vmt_contains(avf_problems_field(problems, 0), part))
			vmt_fail(__FILE__, __LINE__, "field %s, not %s",
				 avf_problems_field(problems, 0), part);
		avf_config_free(config);
	} else if (vmt_new(&v, config)) {
		if (vmt_run(&v) && vmt_wait_stopped(&v))
			vmt_check_stopped(&v, AVF_STOP_REASON_START_FAILED,
					  part);
		CHECK(strcmp(v.events, "STOPPED ") == 0);
		vmt_free(&v);
	}
	avf_problems_free(problems);
}

static void expect_no_kernel(const void *data, size_t size)
{
	int fd = vmt_memfd(0, 0);

	CHECK(size == 0 || pwrite(fd, data, size, 0) == (ssize_t)size);
	expect_refused(config_with_kernel(fd), "kernel");
	(void)close(fd);
}

static void kernel_empty(void)
{
	expect_no_kernel("", 0);
}

static void kernel_of_text(void)
{
	static const char text[] = "#!/bin/sh\necho no kernel\n";

	expect_no_kernel(text, sizeof(text) - 1);
}

/* Where bare guests are ELF files, arm64's Image is foreign (its magic is at
 * 56), and where they are Images, x86's bzImage (boot.rst: at 0x1fe, 0x202). */
static void kernel_of_another_architecture(void)
{
	unsigned char image[4096] = {0};

	if (vmt_bare_is_elf()) {
		memcpy(image + 56, "ARM\x64", 4);
	} else {
		memcpy(image + 0x1fe, "\x55\xaa", 2);
		memcpy(image + 0x202, "HdrS\x0f\x02", 6);
	}
	expect_no_kernel(image, sizeof(image));
}

static void kernel_zeros(void)
{
	static const char zeros[65536];

	expect_no_kernel(zeros, sizeof(zeros));
}

static void kernel_directory(void)
{
	avf_config *config = NULL;
	int fd = open("/", O_RDONLY | O_DIRECTORY | O_CLOEXEC);

	CHECK_OK(avf_config_new(AVF_CONFIG_RAW, &config));
	CHECK_FAILS(avf_config_set_kernel(config, "/"), AVF_ERR_INVALID,
		    "directory");
	CHECK_FAILS(avf_config_set_kernel_fd(config, fd), AVF_ERR_INVALID,
		    "kernel");
	CHECK_FAILS(avf_config_set_kernel(config, "/nowhere"),
		    AVF_ERR_NOT_FOUND, "/nowhere");
	avf_config_free(config);
	(void)close(fd);
}

/* The good guest's file, for damage. */
static size_t read_guest(unsigned char *buf, size_t size)
{
	int fd = open(vmt_bare_path("hello"), O_RDONLY | O_CLOEXEC);
	ssize_t n = read(fd, buf, size);

	CHECK(n > 0);
	(void)close(fd);
	return n < 0 ? 0 : (size_t)n;
}

static unsigned char guest[1 << 20];

static void kernel_truncated(void)
{
	static const size_t sizes[] = {1, 4, 63, 64, 120, 4000};
	size_t size = read_guest(guest, sizeof(guest));

	/* an Image may end before the size in its header: the rest is BSS */
	if (!vmt_bare_is_elf())
		size = 64;
	for (size_t i = 0; i < sizeof(sizes) / sizeof(sizes[0]); i++) {
		if (sizes[i] < size)
			expect_no_kernel(guest, sizes[i]);
	}
}

static Elf64_Phdr *first_load(void)
{
	Elf64_Ehdr *head = (void *)guest;
	Elf64_Phdr *rows = (void *)(guest + head->e_phoff);

	for (unsigned int i = 0; i < head->e_phnum; i++) {
		if (rows[i].p_type == PT_LOAD)
			return &rows[i];
	}
	vmt_fail(__FILE__, __LINE__, "a guest without a segment");
	exit(1);
}

/* Where the file says what size it has in memory, and where it goes. */
static void place_guest(uint64_t address, uint64_t size)
{
	if (vmt_bare_is_elf()) {
		first_load()->p_paddr = address;
		first_load()->p_memsz = size;
	} else {
		memcpy(guest + 8, &address, sizeof(address));
		memcpy(guest + 16, &size, sizeof(size));
	}
}

static void kernel_larger_than_memory(void)
{
	const uint64_t address = vmt_bare_is_elf() ? 1 << 20 : 0;
	size_t size = read_guest(guest, sizeof(guest));

	place_guest(address, 1ULL << 30);
	expect_no_kernel(guest, size);
	place_guest(address, UINT64_MAX - 4096);
	expect_no_kernel(guest, size);
}

static void kernel_at_a_bad_address(void)
{
	static const uint64_t addresses[] = {1ULL << 40, UINT64_MAX - 100,
					     15ULL << 20};
	size_t size = read_guest(guest, sizeof(guest));

	for (int i = 0; i < 3; i++) {
		place_guest(addresses[i], 2 << 20);
		expect_no_kernel(guest, size);
	}
}

static void kernel_of_another_machine(void)
{
	size_t size = read_guest(guest, sizeof(guest));
	Elf64_Ehdr *head = (void *)guest;

	if (!vmt_bare_is_elf()) {
		vmt_skip("an Image does not name its machine");
		return;
	}
	head->e_machine = EM_AARCH64;
	expect_no_kernel(guest, size);
}

static void initrd_larger_than_memory(void)
{
	avf_config *config = vmt_bare_config("hello");
	int fd = vmt_memfd(0, 0);

	CHECK(ftruncate(fd, 32 << 20) == 0);
	CHECK_OK(avf_config_set_initrd_fd(config, fd));
	expect_refused(config, "initrd");
	(void)close(fd);
}

static void initrd_that_just_fits(void)
{
	avf_config *config = vmt_bare_config("hello");
	int fd = vmt_memfd(4 << 20, 'i');
	struct vmt_vm v;

	CHECK_OK(avf_config_set_initrd_fd(config, fd));
	if (vmt_new(&v, config)) {
		vmt_run_to(&v, AVF_STOP_REASON_SHUTDOWN);
		vmt_free(&v);
	}
	(void)close(fd);
}

static void no_kernel(void)
{
	avf_config *config = NULL;
	avf_vm *vm = NULL;

	CHECK_OK(avf_config_new(AVF_CONFIG_RAW, &config));
	CHECK_FAILS(avf_vm_new(config, &vm), AVF_ERR_INVALID, "kernel");
	CHECK(!vm);
	avf_config_free(config);
}

/* --- disks ------------------------------------------------------------ */

static avf_config *config_with_disk(const char *name, int disk, bool writable)
{
	const struct avf_disk_options options = {sizeof(options), writable,
						 NULL};
	avf_config *config = vmt_bare_config(name);

	CHECK_OK(avf_config_add_disk_fd(config, disk, &options));
	return config;
}

static void expect_busy(int disk, bool first_writes, bool second_writes)
{
	struct vmt_vm a, b;

	if (!vmt_new(&a, config_with_disk("spin", disk, first_writes)))
		return;
	if (!vmt_new(&b, config_with_disk("hello", disk, second_writes))) {
		vmt_free(&a);
		return;
	}
	CHECK(vmt_run(&a) && vmt_wait_event(&a, AVF_EVENT_STARTED));
	CHECK_FAILS(avf_vm_run(b.vm), AVF_ERR_BUSY, "disks[0]");
	CHECK(avf_vm_get_status(b.vm) == AVF_STATUS_STOPPED);
	/* the first one has noticed nothing */
	CHECK(vmt_event(&a, 50) == -1);
	CHECK(avf_vm_get_status(a.vm) == AVF_STATUS_RUNNING);
	/* and when it is gone, the second may */
	CHECK_OK(avf_vm_kill(a.vm));
	CHECK(vmt_wait_stopped(&a));
	vmt_run_to(&b, AVF_STOP_REASON_SHUTDOWN);
	vmt_free(&a);
	vmt_free(&b);
}

static void disk_written_by_two(void)
{
	int disk = vmt_memfd(4096, 0);

	expect_busy(disk, true, true);
	expect_busy(disk, true, false);
	expect_busy(disk, false, true);
	(void)close(disk);
}

static void disk_read_by_two(void)
{
	int disk = vmt_memfd(4096, 0);
	struct vmt_vm a, b;

	if (vmt_new(&a, config_with_disk("spin", disk, false))) {
		CHECK(vmt_run(&a) && vmt_wait_event(&a, AVF_EVENT_STARTED));
		if (vmt_new(&b, config_with_disk("hello", disk, false))) {
			vmt_run_to(&b, AVF_STOP_REASON_SHUTDOWN);
			vmt_free(&b);
		}
		vmt_free(&a);
	}
	(void)close(disk);
}

/* One VM with the same file twice, once for writing, cannot be. */
static void disk_twice_in_one(void)
{
	int disk = vmt_memfd(4096, 0);
	avf_config *config = config_with_disk("hello", disk, true);

	CHECK_OK(avf_config_add_disk_fd(config, disk, NULL));
	expect_refused(config, "disks[1].image");
	(void)close(disk);
}

static const struct vmt_test tests[] = {
	{"kernel_empty", kernel_empty},
	{"kernel_of_text", kernel_of_text},
	{"kernel_of_another_architecture", kernel_of_another_architecture},
	{"kernel_zeros", kernel_zeros},
	{"kernel_directory", kernel_directory},
	{"kernel_truncated", kernel_truncated},
	{"kernel_larger_than_memory", kernel_larger_than_memory},
	{"kernel_at_a_bad_address", kernel_at_a_bad_address},
	{"kernel_of_another_machine", kernel_of_another_machine},
	{"initrd_larger_than_memory", initrd_larger_than_memory},
	{"initrd_that_just_fits", initrd_that_just_fits},
	{"no_kernel", no_kernel},
	{"disk_written_by_two", disk_written_by_two},
	{"disk_read_by_two", disk_read_by_two},
	{"disk_twice_in_one", disk_twice_in_one},
};

int main(int argc, char **argv)
{
	if (access("/dev/kvm", R_OK | W_OK) < 0)
		vmt_skip_all("no /dev/kvm that this user may use");
	return vmt_main(argc, argv, tests, sizeof(tests) / sizeof(tests[0]));
}
