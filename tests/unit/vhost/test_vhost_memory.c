#include "vhost/vhost_memory.h"

#include <criterion/criterion.h>
#include <fcntl.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "base/checked.h"

#define PAGE      0x1000ULL
#define FILE_SIZE (4 * PAGE)

static struct gmem gm;
static struct vhost_memory memory = {.gm = &gm};

static int make_file(bool sealed)
{
	int fd = memfd_create("guest", MFD_ALLOW_SEALING);

	cr_assert_geq(fd, 0);
	cr_assert_eq(ftruncate(fd, FILE_SIZE), 0);
	if (sealed)
		cr_assert_eq(fcntl(fd, F_ADD_SEALS, F_SEAL_SHRINK), 0);
	return fd;
}

/* A message with @n regions, each with a file of its own. */
static void fill(struct vhost_msg *msg, const struct vhost_region *regions,
		 unsigned int n)
{
	vhost_msg_init(msg);
	msg->header.request = VHOST_SET_MEM_TABLE;
	msg->header.size = 8 + n * 32;
	msg->payload.table.n_regions = n;
	for (unsigned int i = 0; i < n; i++) {
		msg->payload.table.regions[i] = regions[i];
		msg->fds[i] = make_file(true);
	}
	msg->n_fds = n;
}

static const struct vhost_region good[] = {
	{0, 2 * PAGE, 0x7f0000000000, 0},
	{1ULL << 32, 2 * PAGE, 0x7f0000002000, 2 * PAGE},
};

static void share_good(void)
{
	struct vhost_msg msg;

	fill(&msg, good, 2);
	cr_assert_eq(vhost_memory_set(&memory, &msg), 0);
	vhost_msg_fini(&msg);
}

Test(vhost_memory, regions_are_mapped_and_translated)
{
	static const struct {
		const char *what;
		uint64_t user;
		gpa_t gpa;
		int rc;
	} rows[] = {
		{"first byte", 0x7f0000000000, 0, 0},
		{"last of the first", 0x7f0000001fff, 2 * PAGE - 1, 0},
		{"first of the second", 0x7f0000002000, 1ULL << 32, 0},
		{"past the end", 0x7f0000004000, 0, AVF_ERR_PROTOCOL},
		{"before the beginning", 0x7effffffffff, 0, AVF_ERR_PROTOCOL},
		{"a guest address", 0x10, 0, AVF_ERR_PROTOCOL},
		{"the top", UINT64_MAX, 0, AVF_ERR_PROTOCOL},
	};
	gpa_t gpa = 0;

	share_good();
	cr_assert_eq(gmem_write(&gm, (1ULL << 32) + 2 * PAGE - 1, "x", 1), 0);
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		cr_expect_eq(vhost_memory_gpa(&memory, rows[i].user, &gpa),
			     rows[i].rc, "%s", rows[i].what);
		if (rows[i].rc == 0)
			cr_expect_eq(gpa, rows[i].gpa, "%s", rows[i].what);
	}
	gmem_fini(&gm);
}

Test(vhost_memory, bad_tables_leave_the_old_one)
{
	static const struct {
		const char *what;
		struct vhost_region region;
	} rows[] = {
		{"no bytes", {0, 0, 0x1000, 0}},
		{"longer than the file", {0, FILE_SIZE + PAGE, 0, 0}},
		{"offset past the file", {0, PAGE, 0, FILE_SIZE}},
		{"offset in the middle of a page", {0, PAGE, 0, 12}},
		{"offset plus size wraps", {0, PAGE, 0, ~PAGE + 1}},
		{"user address wraps", {0, 2 * PAGE, ~PAGE + 1, 0}},
		{"guest address wraps", {~PAGE + 1, 2 * PAGE, 0, 0}},
		{"the whole address space", {0, UINT64_MAX, 0, 0}},
		{"overlaps the other region", {PAGE, PAGE, 0x9000, 0}},
	};
	struct vhost_msg msg;

	share_good();
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		const struct vhost_region both[] = {good[0], rows[i].region};

		fill(&msg, both, 2);
		if (rows[i].region.gpa == 0)
			msg.payload.table.regions[0].gpa = 1ULL << 40;
		cr_expect_lt(vhost_memory_set(&memory, &msg), 0, "%s",
			     rows[i].what);
		vhost_msg_fini(&msg);
		cr_expect_eq(gmem_size(&gm), 4 * PAGE, "%s", rows[i].what);
		cr_expect_eq(memory.n_regions, 2, "%s", rows[i].what);
	}
	gmem_fini(&gm);
}

Test(vhost_memory, counts_must_agree)
{
	static const struct {
		const char *what;
		uint32_t n_regions, size;
		unsigned int n_fds;
	} rows[] = {
		{"more regions than fds", 2, 72, 1},
		{"more fds than regions", 1, 40, 2},
		{"more regions than bytes", 2, 40, 2},
		{"nine regions", 9, 264, 8},
		{"4 billion regions", UINT32_MAX, 264, 8},
	};
	struct vhost_msg msg;

	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		fill(&msg, good, 2);
		for (unsigned int k = 2; k < rows[i].n_fds; k++)
			msg.fds[msg.n_fds++] = make_file(true);
		if (rows[i].n_fds < 2)
			(void)close(msg.fds[--msg.n_fds]);
		msg.payload.table.n_regions = rows[i].n_regions;
		msg.header.size = rows[i].size;
		cr_expect_eq(vhost_memory_set(&memory, &msg), AVF_ERR_PROTOCOL,
			     "%s", rows[i].what);
		vhost_msg_fini(&msg);
	}
}

Test(vhost_memory, files_that_could_shrink)
{
	struct vhost_msg msg;

	fill(&msg, good, 1);
	(void)close(msg.fds[0]);
	msg.fds[0] = make_file(false);
	cr_assert_eq(vhost_memory_set(&memory, &msg), AVF_ERR_PROTOCOL);
	(void)close(msg.fds[0]);
	msg.fds[0] = open("/dev/zero", O_RDWR | O_CLOEXEC);
	cr_assert_eq(vhost_memory_set(&memory, &msg), AVF_ERR_PROTOCOL);
	vhost_msg_fini(&msg);
}
