/* Copies from and to lists of parts. */
#include <criterion/criterion.h>
#include <string.h>

#include "base/checked.h"
#include "virtio/queue.h"

static char a[4], b[1], c[8];
static const struct iovec parts[] = {{a, 4}, {b, 1}, {c, 8}};

static const struct {
	const char *what;
	unsigned int n;
	uint64_t offset;
	size_t size;
	const char *text;
	unsigned int n_slices;
} rows[] = {
	{"all", 3, 0, 13, "0123456789abc", 3},
	{"inside the first", 3, 1, 2, "12", 1},
	{"across all", 3, 3, 3, "345", 3},
	{"from a border", 3, 4, 1, "4", 1},
	{"up to a border", 3, 0, 4, "0123", 1},
	{"from the last", 3, 5, 8, "56789abc", 1},
	{"more than there is", 3, 10, 100, "abc", 1},
	{"nothing", 3, 2, 0, "", 0},
	{"from the end", 3, 13, 1, "", 0},
	{"far behind the end", 3, UINT64_MAX, 8, "", 0},
	{"no parts", 0, 0, 8, "", 0},
	{"the end of a shorter list", 2, 3, 8, "34", 2},
};

Test(iov, read_write_slice)
{
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		size_t len = strlen(rows[i].text);
		struct iovec out[3];
		char data[128];
		size_t total = 0;
		unsigned int n;

		cr_assert_eq(iov_write(parts, 3, 0, "0123456789abc", 13), 13U);
		memset(data, '.', sizeof(data));
		cr_expect_eq(iov_read(parts, rows[i].n, rows[i].offset, data,
				      rows[i].size),
			     len, "%s", rows[i].what);
		cr_expect_eq(memcmp(data, rows[i].text, len), 0, "%s",
			     rows[i].what);
		cr_expect_eq(data[len], '.', "%s: too much", rows[i].what);
		n = iov_slice(parts, rows[i].n, rows[i].offset, rows[i].size,
			      out);
		cr_expect_eq(n, rows[i].n_slices, "%s", rows[i].what);
		for (unsigned int k = 0; k < n; k++)
			total += out[k].iov_len;
		cr_expect_eq(total, len, "%s", rows[i].what);
		memset(data, 'x', sizeof(data));
		cr_expect_eq(iov_write(parts, rows[i].n, rows[i].offset, data,
				       rows[i].size),
			     len, "%s", rows[i].what);
		cr_expect_eq(iov_read(parts, 3, 0, data, 13), 13U);
		for (size_t k = 0; k < 13; k++)
			cr_expect_eq(data[k] == 'x',
				     k >= rows[i].offset &&
					     k < rows[i].offset + len,
				     "%s at %zu", rows[i].what, k);
	}
}
