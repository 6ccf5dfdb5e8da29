/* The configuration on its way to the VMM: copied, encoded, decoded. */
#include <criterion/criterion.h>
#include <fcntl.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <unistd.h>

#include "base/checked.h"
#include "base/cleanup.h"
#include "base/protected_vm.h"
#include "config/vm_config.h"

static unsigned char buf[VM_CONFIG_MAX_BYTES + 1];
static int fds[VM_CONFIG_MAX_FDS + 1];

static int new_fd(void)
{
	int fd = memfd_create("test", MFD_CLOEXEC);

	cr_assert_geq(fd, 0);
	return fd;
}

static unsigned int count_fds(void)
{
	unsigned int n = 0;

	for (int fd = 0; fd < 256; fd++)
		n += fcntl(fd, F_GETFD) >= 0;
	return n;
}

/* Everything set, to its longest. */
static void fill(struct vm_config *c)
{
	vm_config_init(c);
	c->kind = AVF_CONFIG_PAYLOAD;
	c->memory_mib = AVF_MAX_MEMORY_MIB;
	c->vcpus = AVF_MAX_VCPUS;
	c->acceleration = AVF_ACCELERATION_EMULATION;
	c->architecture = AVF_ARCHITECTURE_ARM64;
	c->jail = AVF_JAIL_STRICT;
	c->is_protected = true;
	c->hugepages = true;
	c->debug_level = AVF_DEBUG_LEVEL_FULL;
	c->boot_timeout_ms = UINT32_MAX;
	c->name = strndup("name", AVF_MAX_NAME);
	c->cmdline = calloc(1, AVF_MAX_CMDLINE + 1);
	memset(c->cmdline, 'c', AVF_MAX_CMDLINE);
	c->payload_name = calloc(1, VM_CONFIG_MAX_PAYLOAD_NAME + 1);
	memset(c->payload_name, 'p', VM_CONFIG_MAX_PAYLOAD_NAME);
	c->payload_config_path = calloc(1, VM_CONFIG_MAX_CONFIG_PATH + 1);
	memset(c->payload_config_path, 'j', VM_CONFIG_MAX_CONFIG_PATH);
	c->guest_image = calloc(1, VM_CONFIG_MAX_PATH + 1);
	memset(c->guest_image, '/', VM_CONFIG_MAX_PATH);
	c->kernel_fd = new_fd();
	c->initrd_fd = new_fd();
	c->overlay_fd = new_fd();
	c->package_fd = new_fd();
	c->console_out_fd = new_fd();
	c->console_in_fd = new_fd();
	c->log_fd = new_fd();
	c->n_disks = AVF_MAX_DISKS;
	for (unsigned int i = 0; i < AVF_MAX_DISKS; i++) {
		c->disks[i].fd = new_fd();
		c->disks[i].writable = i % 2 == 1;
		c->disks[i].id = strdup("twenty bytes of id..");
	}
}

static void expect_equal(const struct vm_config *a, const struct vm_config *b)
{
	cr_expect_eq(a->kind, b->kind);
	cr_expect_eq(a->memory_mib, b->memory_mib);
	cr_expect_eq(a->vcpus, b->vcpus);
	cr_expect_eq(a->acceleration, b->acceleration);
	cr_expect_eq(a->architecture, b->architecture);
	cr_expect_eq(a->jail, b->jail);
	cr_expect_eq(a->is_protected, b->is_protected);
	cr_expect_eq(a->hugepages, b->hugepages);
	cr_expect_eq(a->debug_level, b->debug_level);
	cr_expect_eq(a->boot_timeout_ms, b->boot_timeout_ms);
	cr_expect_str_eq(a->name, b->name);
	cr_expect_str_eq(a->cmdline, b->cmdline);
	cr_expect_str_eq(a->payload_name, b->payload_name);
	cr_expect_str_eq(a->payload_config_path, b->payload_config_path);
	cr_expect_str_eq(a->guest_image, b->guest_image);
	cr_assert_eq(a->n_disks, b->n_disks);
	for (unsigned int i = 0; i < a->n_disks; i++) {
		cr_expect_eq(a->disks[i].writable, b->disks[i].writable);
		cr_expect_str_eq(a->disks[i].id, b->disks[i].id);
	}
}

Test(vm_config, everything_survives_the_way)
{
	struct vm_config from;
	struct vm_config to;
	unsigned int n_fds;
	size_t used;

	fill(&from);
	cr_assert_eq(vm_config_encode(&from, buf, VM_CONFIG_MAX_BYTES, &used,
				      fds, VM_CONFIG_MAX_FDS, &n_fds),
		     0);
	cr_assert_eq(n_fds, VM_CONFIG_MAX_FDS);
	cr_expect_eq(fds[0], from.kernel_fd);
	for (unsigned int i = 0; i < n_fds; i++)
		fds[i] = fd_dup(fds[i]);
	const int kernel = fds[0];
	const int last_disk = fds[n_fds - 1];

	cr_assert_eq(vm_config_decode(buf, used, fds, n_fds, &to), 0);
	expect_equal(&from, &to);
	cr_expect_eq(to.kernel_fd, kernel);
	cr_expect_eq(to.disks[AVF_MAX_DISKS - 1].fd, last_disk);
	cr_expect_eq(fds[0], -1);
	vm_config_fini(&from);
	vm_config_fini(&to);
}

Test(vm_config, a_copy_owns_its_own)
{
	unsigned int before = count_fds();
	struct vm_config from;
	struct vm_config to;

	fill(&from);
	cr_assert_eq(vm_config_copy(&from, &to), 0);
	expect_equal(&from, &to);
	cr_expect_neq(from.kernel_fd, to.kernel_fd);
	cr_expect_eq(fcntl(to.kernel_fd, F_GETFD), FD_CLOEXEC);
	vm_config_fini(&from);
	cr_expect_geq(fcntl(to.disks[3].fd, F_GETFD), 0);
	vm_config_fini(&to);
	cr_expect_eq(count_fds(), before);
}

Test(vm_config, a_copy_without_fds_left_keeps_nothing)
{
	struct rlimit limit = {0};
	unsigned int before;
	struct vm_config from;
	struct vm_config to;

	fill(&from);
	before = count_fds();
	/* three more fds, then no more: numbers up to here are all in use */
	limit.rlim_cur = limit.rlim_max = (rlim_t)new_fd() + 3;
	cr_assert_eq(setrlimit(RLIMIT_NOFILE, &limit), 0);
	vm_config_init(&to);
	cr_expect_eq(vm_config_copy(&from, &to), AVF_ERR_LIMIT);
	cr_expect_eq(to.kernel_fd, -1, "output written by a failure");
	cr_expect_eq(count_fds(), before + 1, "fds kept by a failure");
	vm_config_fini(&from);
}

Test(vm_config, too_little_room_is_an_error)
{
	struct vm_config from;
	unsigned int n_fds;
	size_t used;
	size_t full;

	fill(&from);
	cr_assert_eq(vm_config_encode(&from, buf, sizeof(buf), &full, fds,
				      VM_CONFIG_MAX_FDS, &n_fds),
		     0);
	for (size_t size = 0; size < full; size += 37)
		cr_expect_eq(vm_config_encode(&from, buf, size, &used, fds,
					      VM_CONFIG_MAX_FDS, &n_fds),
			     AVF_ERR_LIMIT, "%zu bytes", size);
	for (unsigned int max = 0; max < VM_CONFIG_MAX_FDS; max++)
		cr_expect_eq(vm_config_encode(&from, buf, sizeof(buf), &used,
					      fds, max, &n_fds),
			     AVF_ERR_LIMIT, "%u fds", max);
	vm_config_fini(&from);
}

/* Hostile bytes. Each row is put behind what is needed at least. */
struct bytes_row {
	const char *what;
	const char *bytes;
	size_t size;
	unsigned int n_fds;
	int rc;
};

#define ROW(what, bytes, n_fds, rc)                       \
	{                                                 \
		what, bytes, sizeof(bytes) - 1, n_fds, rc \
	}

static const char good[] = "\1\0\0\0"           /* format */
			   "\1\0\4\0\0\0\0\0"   /* raw */
			   "\2\0\4\0\0\1\0\0"   /* 256 MiB */
			   "\3\0\4\0\1\0\0\0"   /* one vCPU */
			   "\4\0\4\0\0\0\0\0"   /* KVM */
			   "\5\0\4\0\0\0\0\0"   /* not protected */
			   "\6\0\4\0\0\0\0\0"   /* no huge pages */
			   "\7\0\4\0\0\0\0\0"   /* not debuggable */
			   "\10\0\4\0\0\0\0\0"  /* default time-out */
			   "\24\0\4\0\0\0\0\0"  /* default jail */
			   "\27\0\4\0\0\0\0\0"; /* for the host */

static const struct bytes_row rows[] = {
	ROW("nothing more", "", 0, 0),
	ROW("a name", "\x09\0\2\0vm", 0, 0),
	ROW("a kernel", "\x0d\0\2\0\0\0", 1, 0),
	ROW("a writable disk with an id", "\x13\0\5\0\0\0\1id", 1, 0),
	ROW("tag 0", "\0\0\0\0", 0, AVF_ERR_PROTOCOL),
	ROW("the first unknown tag", "\x18\0\0\0", 0, AVF_ERR_PROTOCOL),
	ROW("the last unknown tag", "\xff\xff\0\0", 0, AVF_ERR_PROTOCOL),
	ROW("a tag beyond the mask of seen ones", "\x20\0\0\0", 0,
	    AVF_ERR_PROTOCOL),
	ROW("half a header", "\x09\0", 0, AVF_ERR_PROTOCOL),
	ROW("a value cut short", "\x09\0\3\0vm", 0, AVF_ERR_PROTOCOL),
	ROW("the longest size and no value", "\x09\0\xff\xff", 0,
	    AVF_ERR_PROTOCOL),
	ROW("the kind twice", "\1\0\4\0\0\0\0\0", 0, AVF_ERR_PROTOCOL),
	ROW("a name twice", "\x09\0\1\0a\x09\0\1\0b", 0, AVF_ERR_PROTOCOL),
	ROW("a name with NUL inside", "\x09\0\3\0a\0b", 0, AVF_ERR_PROTOCOL),
	ROW("a name of 65 bytes",
	    "\x09\0\x41\0"
	    "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa",
	    0, AVF_ERR_PROTOCOL),
	ROW("a kernel without its fd", "\x0d\0\2\0\0\0", 0, AVF_ERR_PROTOCOL),
	ROW("an fd index just past the end", "\x0d\0\2\0\1\0", 1,
	    AVF_ERR_PROTOCOL),
	ROW("the last fd index", "\x0d\0\2\0\xff\xff", 1, AVF_ERR_PROTOCOL),
	ROW("an fd index of one byte", "\x0d\0\1\0\0", 1, AVF_ERR_PROTOCOL),
	ROW("an fd index of three bytes", "\x0d\0\3\0\0\0\0", 1,
	    AVF_ERR_PROTOCOL),
	ROW("one fd for kernel and initrd", "\x0d\0\2\0\0\0\x0e\0\2\0\0\0", 1,
	    AVF_ERR_PROTOCOL),
	ROW("an fd that nothing uses", "", 1, AVF_ERR_PROTOCOL),
	ROW("a disk without flags", "\x13\0\2\0\0\0", 1, AVF_ERR_PROTOCOL),
	ROW("a disk with an unknown flag", "\x13\0\3\0\0\0\2", 1,
	    AVF_ERR_PROTOCOL),
	ROW("a disk with an id of 21 bytes",
	    "\x13\0\x18\0\0\0\0aaaaaaaaaaaaaaaaaaaaa", 1, AVF_ERR_PROTOCOL),
	ROW("a disk id with NUL inside", "\x13\0\6\0\0\0\0a\0b", 1,
	    AVF_ERR_PROTOCOL),
	ROW("the disk of the kernel", "\x0d\0\2\0\0\0\x13\0\3\0\0\0\0", 1,
	    AVF_ERR_PROTOCOL),
};

static int decode(const void *bytes, size_t size, unsigned int n_fds)
{
	struct vm_config config;
	int rc;

	for (unsigned int i = 0; i < n_fds; i++)
		fds[i] = new_fd();
	rc = vm_config_decode(bytes, size, fds, n_fds, &config);
	for (unsigned int i = 0; i < n_fds; i++)
		cr_expect_eq(fds[i], -1, "fd %u not taken", i);
	if (rc == 0)
		vm_config_fini(&config);
	return rc;
}

Test(vm_config, hostile_bytes_are_refused)
{
	unsigned int before = count_fds();

	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		memcpy(buf, good, sizeof(good) - 1);
		memcpy(buf + sizeof(good) - 1, rows[i].bytes, rows[i].size);
		cr_expect_eq(decode(buf, sizeof(good) - 1 + rows[i].size,
				    rows[i].n_fds),
			     rows[i].rc, "%s", rows[i].what);
		cr_expect_eq(count_fds(), before, "fd leak: %s", rows[i].what);
	}
}

Test(vm_config, numbers_out_of_range_are_refused)
{
	/* the how manieth record, a value that it may not have */
	static const struct {
		unsigned int place;
		uint32_t value;
	} bad[] = {
		{1, 2},          {2, 0}, {2, 256 * 1024 + 1},
		{2, UINT32_MAX}, {3, 0}, {3, 33},
		{4, 3},          {5, 2}, {6, 256},
		{7, 2},          {9, 2},
	};

	for (size_t i = 0; i < ARRAY_SIZE(bad); i++) {
		memcpy(buf, good, sizeof(good) - 1);
		/* little endian, as the format: this test runs on x86 */
		for (unsigned int j = 0; j < 4; j++)
			buf[4 + (bad[i].place - 1) * 8 + 4 + j] =
				(unsigned char)(bad[i].value >> (8 * j));
		cr_expect_eq(decode(buf, sizeof(good) - 1, 0), AVF_ERR_PROTOCOL,
			     "record %u: %u", bad[i].place, bad[i].value);
	}
}

Test(vm_config, every_number_must_be_there)
{
	for (unsigned int place = 1; place <= 9; place++) {
		size_t at = 4 + (place - 1) * 8;

		memcpy(buf, good, at);
		memcpy(buf + at, good + at + 8, sizeof(good) - 1 - at - 8);
		cr_expect_eq(decode(buf, sizeof(good) - 1 - 8, 0),
			     AVF_ERR_PROTOCOL, "without %u", place);
	}
}

Test(vm_config, every_cut_is_noticed)
{
	for (size_t size = 0; size < sizeof(good) - 1; size++)
		cr_expect_eq(decode(good, size, 0), AVF_ERR_PROTOCOL, "%zu",
			     size);
}

Test(vm_config, a_record_never_reaches_past_the_bytes)
{
	static const unsigned char name[] = {9, 0, 3, 0, 'v', 'm', '!'};

	for (size_t cut = 1; cut <= 3; cut++) {
		memcpy(buf, good, sizeof(good) - 1);
		memcpy(buf + sizeof(good) - 1, name, sizeof(name));
		cr_expect_eq(
			decode(buf, sizeof(good) - 1 + sizeof(name) - cut, 0),
			AVF_ERR_PROTOCOL);
		cr_expect_str_eq(error_record()->text,
				 "configuration record 9: cut short");
	}
}

Test(vm_config, too_much_is_refused)
{
	memcpy(buf, good, sizeof(good) - 1);
	cr_expect_eq(decode(buf, VM_CONFIG_MAX_BYTES + 1, 0), AVF_ERR_PROTOCOL);
	cr_expect_eq(decode(buf, sizeof(good) - 1, VM_CONFIG_MAX_FDS + 1),
		     AVF_ERR_PROTOCOL);
	buf[0] = 2;
	cr_expect_eq(decode(buf, sizeof(good) - 1, 0), AVF_ERR_PROTOCOL,
		     "another format");
	for (unsigned int i = 0; i <= AVF_MAX_DISKS; i++) {
		memcpy(buf, good, sizeof(good) - 1);
		for (unsigned int j = 0; j < i; j++)
			memcpy(buf + sizeof(good) - 1 + j * 7,
			       (const unsigned char[]){0x13, 0, 3, 0,
						       (unsigned char)j, 0, 0},
			       7);
		cr_expect_eq(decode(buf, sizeof(good) - 1 + i * 7, i), 0);
	}
	memcpy(buf + sizeof(good) - 1 + 16 * 7,
	       (const unsigned char[]){0x13, 0, 3, 0, 16, 0, 0}, 7);
	cr_expect_eq(decode(buf, sizeof(good) - 1 + 17 * 7, 17),
		     AVF_ERR_PROTOCOL, "a 17th disk");
}

/* AVF's rule for the pool of a protected VM: 2 MiB x (4 + disks). */
Test(vm_config, memory_of_a_protected_vm)
{
	struct vm_config config;

	vm_config_init(&config);
	config.memory_mib = 100;
	config.n_disks = 3;
	cr_expect_eq(vm_config_bounce_bytes(&config), 0);
	cr_expect_eq(vm_config_locked_bytes(&config), 0);
	config.is_protected = true;
	cr_expect_eq(vm_config_bounce_bytes(&config), 14 << 20);
	cr_expect_eq(vm_config_locked_bytes(&config),
		     (115 << 20) + PROTECTED_VM_FIRMWARE_MAX);
	config.n_disks = 0;
	cr_expect_eq(vm_config_bounce_bytes(&config), 8 << 20);
	config.memory_mib = UINT32_MAX;
	cr_expect_gt(vm_config_locked_bytes(&config), 1ULL << 51);
}
