#include <criterion/criterion.h>
#include <string.h>

#include "base/byteorder.h"
#include "base/checked.h"
#include "base/error.h"
#include "base/error_name.h"

Test(error, first_text_is_kept_with_its_place)
{
	int rc = fail(AVF_ERR_INVALID, "memory: %u MiB", 7U);

	cr_expect_eq(rc, AVF_ERR_INVALID);
	cr_expect_str_eq(error_record()->text, "memory: 7 MiB");
	cr_expect_eq(error_record()->sys_errno, 0);
	cr_expect(strstr(error_record()->file, "test_error.c"));
	rc = fail_as(AVF_ERR_PROTOCOL);
	cr_expect_eq(rc, AVF_ERR_PROTOCOL);
	cr_expect_str_eq(error_record()->text, "memory: 7 MiB");
}

Test(error, errno_becomes_code_and_words)
{
	static const struct {
		int sys_errno;
		int code;
	} rows[] = {
		{ENOENT, AVF_ERR_NOT_FOUND},  {EACCES, AVF_ERR_PERMISSION},
		{ENOMEM, AVF_ERR_NO_MEMORY},  {ENOSPC, AVF_ERR_NO_SPACE},
		{EDQUOT, AVF_ERR_NO_SPACE},   {EMFILE, AVF_ERR_LIMIT},
		{EAGAIN, AVF_ERR_BUSY},       {EPIPE, AVF_ERR_CLOSED},
		{ETIMEDOUT, AVF_ERR_TIMEOUT}, {EIO, AVF_ERR_IO},
		{EEXIST, AVF_ERR_EXISTS},
	};

	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		errno = rows[i].sys_errno;
		cr_expect_eq(fail_errno("open %s", "x"), rows[i].code, "%s",
			     strerror(rows[i].sys_errno));
		cr_expect(strstr(error_record()->text,
				 strerror(rows[i].sys_errno)),
			  "text: %s", error_record()->text);
		cr_expect_eq(error_record()->sys_errno, rows[i].sys_errno);
	}
}

Test(error, texts_that_are_too_long_are_cut)
{
	char big[2 * AVF_ERROR_TEXT_SIZE];

	memset(big, 'x', sizeof(big) - 1);
	big[sizeof(big) - 1] = '\0';
	errno = EIO;
	cr_expect_eq(fail_errno("%s", big), AVF_ERR_IO);
	cr_expect_eq(strlen(error_record()->text), AVF_ERROR_TEXT_SIZE - 1);
	cr_expect_eq(error_prefix("%s", big), AVF_ERR_IO);
	cr_expect_eq(strlen(error_record()->text), AVF_ERROR_TEXT_SIZE - 1);
}

Test(error, prefix_goes_in_front)
{
	(void)!fail(AVF_ERR_FORMAT, "not a kernel");
	cr_expect_eq(error_prefix("disks[%d]", 2), AVF_ERR_FORMAT);
	cr_expect_str_eq(error_record()->text, "disks[2]: not a kernel");
}

Test(error, every_code_has_its_own_name)
{
	for (int code = AVF_ERR_INTERNAL; code <= 0; code++) {
		cr_expect_str_neq(error_name(code), "AVF_ERR_?", "%d", code);
		for (int other = AVF_ERR_INTERNAL; other < code; other++)
			cr_expect_str_neq(error_name(code), error_name(other));
	}
	cr_expect_str_eq(error_name(1), "AVF_ERR_?");
	cr_expect_str_eq(error_name(AVF_ERR_INTERNAL - 1), "AVF_ERR_?");
	cr_expect_str_eq(error_name(-1000000), "AVF_ERR_?");
}

Test(byteorder, bytes_lie_as_the_type_says)
{
	le32 l = le32_make(0x11223344U);
	be32 b = be32_make(0x11223344U);
	const unsigned char le[] = {0x44, 0x33, 0x22, 0x11};
	const unsigned char be[] = {0x11, 0x22, 0x33, 0x44};

	cr_expect_arr_eq(l.bytes, le, 4);
	cr_expect_arr_eq(b.bytes, be, 4);
	cr_expect_eq(le32_get(l), 0x11223344U);
	cr_expect_eq(be32_get(b), 0x11223344U);
	cr_expect_eq(le64_get(le64_make(0x1122334455667788ULL)),
		     0x1122334455667788ULL);
}
