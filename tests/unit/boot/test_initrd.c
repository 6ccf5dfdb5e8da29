/* Where the initrd lands, and when it does not fit. */
#include <string.h>
#include <unistd.h>

#include <criterion/criterion.h>

#include "base/checked.h"
#include "boot/initrd.h"
#include "support/fake_kernel.h"

#define RAM 0x100000ULL

static const struct {
	const char *what;
	size_t size;
	struct boot_range room;
	int rc;
	gpa_t base;
} rows[] = {
	{"at the top", 4096, {0x1000, RAM - 0x1000}, 0, RAM - 4096},
	{"one byte takes a page", 1, {0x1000, RAM - 0x1000}, 0, RAM - 4096},
	{"a page and a byte", 4097, {0x1000, RAM - 0x1000}, 0, RAM - 8192},
	{"exact fit", 8192, {0x1000, 8192}, 0, 0x1000},
	{"below an end that is not aligned", 100, {0x1000, 0x1234}, 0, 0x2000},
	{"one byte too large", 8193, {0x1000, 8192}, AVF_ERR_LIMIT, 0},
	{"too large once aligned", 4000, {0x1080, 4010}, AVF_ERR_LIMIT, 0},
	{"no room", 1, {0x1000, 0}, AVF_ERR_LIMIT, 0},
	{"room that is no memory", 1, {RAM, 0x1000}, AVF_ERR_INVALID, 0},
	{"room across the end",
	 0x2000,
	 {RAM - 0x1000, 0x2000},
	 AVF_ERR_INVALID,
	 0},
};

Test(initrd, lands_high_or_is_refused)
{
	static unsigned char data[16384];
	unsigned char copy[16384];
	struct boot_range got;
	struct gmem gm;
	int rc;

	memset(data, 0xa5, sizeof(data));
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		int fd = fake_file(data, rows[i].size);

		gmem_init(&gm);
		cr_assert_eq(gmem_add_anonymous(&gm, 0, RAM), 0);
		rc = initrd_load(fd, &gm, rows[i].room, &got);
		cr_expect_eq(rc, rows[i].rc, "%s: %d", rows[i].what, rc);
		if (rc == 0) {
			cr_expect_eq(got.base, rows[i].base, "%s",
				     rows[i].what);
			cr_expect_eq(got.size, rows[i].size, "%s",
				     rows[i].what);
			cr_assert_eq(
				gmem_read(&gm, got.base, copy, rows[i].size),
				0);
			cr_expect_eq(memcmp(copy, data, rows[i].size), 0, "%s",
				     rows[i].what);
		}
		(void)close(fd);
		gmem_fini(&gm);
	}
}

Test(initrd, an_empty_file_is_none)
{
	struct boot_range got = {1, 1};
	struct gmem gm;

	gmem_init(&gm);
	cr_assert_eq(gmem_add_anonymous(&gm, 0, RAM), 0);
	cr_assert_eq(initrd_load(fake_file("", 0), &gm,
				 (struct boot_range){0x1000, 0x1000}, &got),
		     0);
	cr_expect_eq(got.size, 0);
	gmem_fini(&gm);
}

Test(initrd, says_how_much_does_not_fit)
{
	struct boot_range got;
	struct gmem gm;
	int fd = fake_file("x", 1);

	gmem_init(&gm);
	cr_assert_eq(ftruncate(fd, 900LL << 20), 0);
	cr_expect_eq(initrd_load(fd, &gm,
				 (struct boot_range){0x1000, 256ULL << 20},
				 &got),
		     AVF_ERR_LIMIT);
	cr_expect_not_null(strstr(error_record()->text,
				  "initrd: 900 MiB do not fit into the 256"),
			   "%s", error_record()->text);
}

Test(initrd, wants_a_file)
{
	struct boot_range got;
	struct gmem gm;
	int fds[2];

	gmem_init(&gm);
	cr_assert_eq(pipe(fds), 0);
	cr_expect_eq(initrd_load(fds[0], &gm,
				 (struct boot_range){0x1000, 0x1000}, &got),
		     AVF_ERR_INVALID);
}
