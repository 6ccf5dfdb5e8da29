#include <criterion/criterion.h>

#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "base/checked.h"
#include "image/cpio.h"

static char bytes[4096];

static size_t read_back(int fd)
{
	ssize_t n = pread(fd, bytes, sizeof(bytes), 0);

	cr_assert_geq(n, 0);
	return (size_t)n;
}

/* buffer-format.rst: magic, then 13 fields of 8 hex digits, the name with its
 * NUL, both and the content on multiples of four. */
Test(cpio, file_byte_for_byte)
{
	static const char expected[] = "070701"
				       "00000000"
				       "000081ed"
				       "00000000"
				       "00000000"
				       "00000001"
				       "00000000"
				       "00000005"
				       "00000000"
				       "00000000"
				       "00000000"
				       "00000000"
				       "00000006"
				       "00000000"
				       "bin/x\0"
				       "hello\0\0\0"
				       "070701"
				       "00000001"
				       "00000000"
				       "00000000"
				       "00000000"
				       "00000001"
				       "00000000"
				       "00000000"
				       "00000000"
				       "00000000"
				       "00000000"
				       "00000000"
				       "0000000b"
				       "00000000"
				       "TRAILER!!!\0\0\0";
	struct cpio cpio = {.fd = memfd_create("cpio", 0)};

	cr_assert_eq(cpio_file(&cpio, "bin/x", 0755, "hello", 5), 0);
	cr_assert_eq(cpio_end(&cpio), 0);
	cr_assert_eq(read_back(cpio.fd), sizeof(expected));
	cr_expect_eq(memcmp(bytes, expected, sizeof(expected)), 0);
	cr_expect_eq(cpio.size, sizeof(expected));
}

Test(cpio, device_has_its_numbers)
{
	struct cpio cpio = {.fd = memfd_create("cpio", 0)};

	cr_assert_eq(cpio_char_device(&cpio, "dev/console", 5, 1), 0);
	(void)read_back(cpio.fd);
	cr_expect_eq(memcmp(bytes + 14, "00002180", 8), 0, "mode");
	cr_expect_eq(memcmp(bytes + 78, "0000000500000001", 16), 0, "numbers");
}

Test(cpio, bad_names)
{
	char long_name[CPIO_MAX_NAME + 2];
	struct cpio cpio = {.fd = memfd_create("cpio", 0)};

	memset(long_name, 'a', sizeof(long_name) - 1);
	long_name[sizeof(long_name) - 1] = '\0';
	cr_expect_eq(cpio_dir(&cpio, ""), AVF_ERR_INVALID, "empty");
	cr_expect_eq(cpio_dir(&cpio, "/bin"), AVF_ERR_INVALID, "absolute");
	cr_expect_eq(cpio_dir(&cpio, long_name), AVF_ERR_INVALID, "too long");
	cr_expect_eq(cpio_dir(&cpio, long_name + 1), 0, "longest");
}

Test(cpio, full_disk_is_named)
{
	struct cpio cpio = {.fd = -1};
	FILE *full = fopen("/dev/full", "w");

	cr_assert_not_null(full);
	cpio.fd = fileno(full);
	cr_expect_eq(cpio_dir(&cpio, "bin"), AVF_ERR_NO_SPACE);
	(void)fclose(full);
}
