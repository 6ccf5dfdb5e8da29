#include "devices/vsock_buffer.h"

#include <criterion/criterion.h>
#include <stdlib.h>
#include <string.h>

#include "base/checked.h"
#include "devices/virtio_vsock.h"
#include "virtio/queue.h"

static struct vsock_buffer buffer;
static uint64_t total;
static unsigned char source[2 * VSOCK_BUF_ALLOC];
static const unsigned char *is_private; /* a byte that only the guest has */

int __wrap_guest_copy(void *to, const void *from, size_t size);
int __real_guest_copy(void *to, const void *from, size_t size);

int __wrap_guest_copy(void *to, const void *from, size_t size)
{
	const unsigned char *begin = from;

	if (is_private && is_private >= begin && is_private < begin + size)
		return fail(AVF_ERR_PROTOCOL, "private");
	return __real_guest_copy(to, from, size);
}

static void setup(void)
{
	vsock_buffer_init(&buffer, &total);
	for (size_t i = 0; i < sizeof(source); i++)
		source[i] = (unsigned char)(i * 7 + (i >> 8));
}

static void teardown(void)
{
	vsock_buffer_fini(&buffer);
	cr_expect_eq(total, 0, "%llu bytes still charged",
		     (unsigned long long)total);
}

TestSuite(vsock_buffer, .init = setup, .fini = teardown);

static int append(uint32_t at, uint32_t len)
{
	const struct iovec parts = {.iov_base = source,
				    .iov_len = sizeof(source)};

	return vsock_buffer_append(&buffer, &parts, 1, at, len);
}

/* What is held must be source[@at...]. */
static void expect(uint32_t at, uint32_t len, const char *what)
{
	static unsigned char got[VSOCK_BUF_ALLOC];
	struct iovec parts[2];
	unsigned int n = vsock_buffer_parts(&buffer, parts);

	cr_assert_eq(buffer.used, len, "%s: %u bytes", what, buffer.used);
	cr_assert_eq(iov_read(parts, n, 0, got, sizeof(got)), len, "%s", what);
	cr_assert_arr_eq(got, source + at, len, "%s", what);
}

Test(vsock_buffer, comes_and_goes)
{
	cr_assert_null(buffer.data);
	expect(0, 0, "new");
	cr_assert_eq(append(0, 100), 0);
	expect(0, 100, "once");
	cr_assert_eq(append(100, 50), 0);
	expect(0, 150, "twice");
	vsock_buffer_consume(&buffer, 30);
	expect(30, 120, "some went");
	vsock_buffer_consume(&buffer, 120);
	cr_assert_null(buffer.data, "an empty one holds no memory");
	cr_assert_eq(total, 0);
}

Test(vsock_buffer, wraps_and_grows_in_order)
{
	uint32_t head = 0;
	uint32_t tail = 4000;

	cr_assert_eq(append(0, tail), 0);
	/* the gap stays, the ends go round; lengths that share no factor */
	for (unsigned int i = 0; i < 400; i++) {
		vsock_buffer_consume(&buffer, 97);
		head += 97;
		cr_assert_eq(append(tail, 101), 0);
		tail += 101;
		expect(head, tail - head, "round and round");
	}
	cr_assert_eq(append(tail, VSOCK_BUF_ALLOC - (tail - head)), 0);
	expect(head, VSOCK_BUF_ALLOC, "full");
	cr_assert_eq(append(0, 1), AVF_ERR_LIMIT);
	expect(head, VSOCK_BUF_ALLOC, "a refusal changes nothing");
}

Test(vsock_buffer, limits)
{
	static const struct {
		const char *what;
		uint32_t len;
		uint64_t others;
		int rc;
	} rows[] = {
		{"everything", VSOCK_BUF_ALLOC, 0, 0},
		{"one too many", VSOCK_BUF_ALLOC + 1, 0, AVF_ERR_LIMIT},
		{"wraps", UINT32_MAX, 0, AVF_ERR_LIMIT},
		{"others left room", 4096, VSOCK_MAX_BUFFERED - 4096, 0},
		{"others left less", 4097, VSOCK_MAX_BUFFERED - 4096,
		 AVF_ERR_LIMIT},
		{"others took all", 1, VSOCK_MAX_BUFFERED, AVF_ERR_LIMIT},
	};

	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		total = rows[i].others;
		cr_expect_eq(append(0, rows[i].len), rows[i].rc, "%s",
			     rows[i].what);
		vsock_buffer_fini(&buffer);
		cr_expect_eq(total, rows[i].others, "%s", rows[i].what);
	}
	total = 0;
}

/* vsock_tx.c has compared the length: what is not there is not to be had. */
Test(vsock_buffer, a_packet_that_ends_early)
{
	cr_assert_eq(append(sizeof(source) - 10, 11), AVF_ERR_PROTOCOL);
	expect(0, 0, "nothing was taken");
}

/* In the middle of what the ring has in two pieces. */
Test(vsock_buffer, data_that_the_guest_keeps_to_itself)
{
	cr_assert_eq(append(0, 4000), 0);
	vsock_buffer_consume(&buffer, 3000);
	is_private = source + 4050;
	cr_expect_eq(append(4000, 200), AVF_ERR_PROTOCOL);
	cr_expect(strstr(error_record()->text, "cannot be read"), "%s",
		  error_record()->text);
	is_private = NULL;
	expect(3000, 1000, "what was there stays");
	cr_expect_eq(append(4000, 200), 0);
	expect(3000, 1200, "and goes on");
}
