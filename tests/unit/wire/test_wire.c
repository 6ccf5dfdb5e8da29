#include <criterion/criterion.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/checked.h"
#include "base/fd.h"
#include "wire/wire.h"

static int a, b;
static struct wire_message m;

static void setup(void)
{
	int pair[2];

	cr_assert_eq(wire_socketpair(pair), 0);
	a = pair[0];
	b = pair[1];
}

static unsigned int count_fds(void)
{
	unsigned int n = 0;

	for (int fd = 0; fd < 256; fd++)
		n += fcntl(fd, F_GETFD) >= 0;
	return n;
}

TestSuite(wire, .init = setup);

Test(wire, a_message_arrives_whole_with_its_fds)
{
	struct wire_port body = {le32_make(5678)}, got;
	int fds[2] = {0, 1};
	int fd;

	cr_assert_eq(wire_send(a, WIRE_CONNECT, &body, sizeof(body), fds, 2),
		     0);
	cr_assert_eq(wire_receive(b, &m), 1);
	cr_expect_eq(m.type, WIRE_CONNECT);
	cr_expect_eq(m.n_fds, 2);
	cr_expect_eq(wire_body(&m, &got, sizeof(got)), 0);
	cr_expect_eq(le32_get(got.port), 5678);
	fd = wire_take_fd(&m, 1);
	cr_expect(fcntl(fd, F_GETFD) & FD_CLOEXEC);
	cr_expect_eq(wire_take_fd(&m, 1), -1, "taken once");
	cr_expect_eq(wire_take_fd(&m, 2), -1, "there are two");
	wire_message_fini(&m);
	cr_expect_geq(fcntl(fd, F_GETFD), 0, "what was taken stays open");
}

Test(wire, last_words_arrive_though_the_peer_left_ours_unread)
{
	cr_assert_eq(wire_send(b, WIRE_STOP, NULL, 0, NULL, 0), 0);
	cr_assert_eq(wire_send(a, WIRE_EVENT, NULL, 0, NULL, 0), 0);
	(void)close(a);
	cr_expect_eq(wire_receive(b, &m), 1);
	cr_expect_eq(m.type, WIRE_EVENT);
	cr_expect_eq(wire_receive(b, &m), AVF_ERR_CLOSED);
}

Test(wire, nothing_there_is_no_error_and_the_end_is)
{
	cr_expect_eq(wire_receive(b, &m), 0);
	(void)close(a);
	cr_expect_eq(wire_receive(b, &m), AVF_ERR_CLOSED);
	cr_expect_eq(wire_send(b, WIRE_STOP, NULL, 0, NULL, 0), AVF_ERR_CLOSED);
}

Test(wire, a_full_socket_says_busy_and_keeps_what_it_has)
{
	unsigned int n = 0;
	int rc;

	while ((rc = wire_send(a, WIRE_STOP, NULL, 0, NULL, 0)) == 0)
		n++;
	cr_expect_eq(rc, AVF_ERR_BUSY);
	for (unsigned int i = 0; i < n; i++)
		cr_assert_eq(wire_receive(b, &m), 1);
	cr_expect_eq(wire_receive(b, &m), 0);
}

Test(wire, limits_are_refused_before_sending)
{
	static char big[WIRE_MAX_BODY + 1];
	int fds[WIRE_MAX_FDS + 1] = {0};

	cr_expect_eq(wire_send(a, WIRE_RUN, big, sizeof(big), NULL, 0),
		     AVF_ERR_LIMIT);
	cr_expect_eq(wire_send(a, WIRE_RUN, NULL, 0, fds, WIRE_MAX_FDS + 1),
		     AVF_ERR_LIMIT);
	cr_expect_eq(wire_receive(b, &m), 0);
	cr_expect_eq(
		wire_send(a, WIRE_RUN, big, WIRE_MAX_BODY, fds, WIRE_MAX_FDS),
		0);
	cr_expect_eq(wire_receive(b, &m), 1);
	cr_expect_eq(m.size, WIRE_MAX_BODY);
	cr_expect_eq(m.n_fds, WIRE_MAX_FDS);
	wire_message_fini(&m);
}

/* A packet of raw bytes with one fd beside it. */
static void send_raw(const void *data, size_t size)
{
	char room[CMSG_SPACE(sizeof(int))] = {0};
	struct iovec iov = {(void *)(uintptr_t)data, size};
	struct msghdr msg = {.msg_iov = &iov,
			     .msg_iovlen = 1,
			     .msg_control = room,
			     .msg_controllen = sizeof(room)};
	struct cmsghdr *c = CMSG_FIRSTHDR(&msg);
	int zero = 0;

	c->cmsg_level = SOL_SOCKET;
	c->cmsg_type = SCM_RIGHTS;
	c->cmsg_len = CMSG_LEN(sizeof(int));
	memcpy(CMSG_DATA(c), &zero, sizeof(int));
	cr_assert_eq(sendmsg(a, &msg, 0), (ssize_t)size);
}

Test(wire, malformed_packets_are_refused_and_their_fds_closed)
{
	static const struct {
		const char *what;
		uint32_t magic, type, size;
		size_t bytes;
	} rows[] = {
		{"no header", 0x31465641, 2, 0, 4},
		{"one byte short of a header", 0x31465641, 2, 0, 11},
		{"wrong magic", 0x41414141, 2, 0, 12},
		{"type 0", 0x31465641, 0, 0, 12},
		{"type beyond the last", 0x31465641, 9, 0, 12},
		{"type with the sign bit", 0x31465641, 0x80000002, 0, 12},
		{"says more than it has", 0x31465641, 2, 1, 12},
		{"says less than it has", 0x31465641, 2, 3, 16},
		{"size wraps", 0x31465641, 2, 0xffffffff, 12},
	};
	unsigned char raw[64];

	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		const le32 header[3] = {le32_make(rows[i].magic),
					le32_make(rows[i].type),
					le32_make(rows[i].size)};
		unsigned int before = count_fds();

		memset(raw, 0, sizeof(raw));
		memcpy(raw, header, sizeof(header));
		send_raw(raw, rows[i].bytes);
		cr_expect_eq(wire_receive(b, &m), AVF_ERR_PROTOCOL, "%s",
			     rows[i].what);
		cr_expect_eq(count_fds(), before, "%s: fd leaked",
			     rows[i].what);
	}
}

Test(wire, an_empty_packet_ends_it_and_its_fd_is_closed)
{
	unsigned int before = count_fds();

	send_raw(NULL, 0);
	cr_expect_eq(wire_receive(b, &m), AVF_ERR_CLOSED);
	cr_expect_eq(count_fds(), before);
}

Test(wire, packets_too_long_are_refused)
{
	static unsigned char raw[WIRE_MAX_BODY + 64];
	const le32 header[3] = {le32_make(0x31465641), le32_make(2),
				le32_make(sizeof(raw) - 12)};
	unsigned int before = count_fds();

	memcpy(raw, header, sizeof(header));
	send_raw(raw, sizeof(raw));
	cr_expect_eq(wire_receive(b, &m), AVF_ERR_PROTOCOL);
	cr_expect_eq(count_fds(), before);
}

Test(wire, bodies_of_another_size_are_refused)
{
	char body[sizeof(struct wire_event) + 1] = {0};
	const size_t sizes[] = {0, 3, sizeof(body) - 2, sizeof(body)};
	struct wire_event event;

	for (size_t i = 0; i < ARRAY_SIZE(sizes); i++) {
		cr_assert_eq(wire_send(a, WIRE_EVENT, body, sizes[i], NULL, 0),
			     0);
		cr_assert_eq(wire_receive(b, &m), 1);
		cr_expect_eq(wire_body(&m, &event, sizeof(event)),
			     AVF_ERR_PROTOCOL, "%zu bytes", sizes[i]);
	}
}

Test(wire, texts_are_cut_and_cleaned)
{
	char text[WIRE_TEXT];
	char big[WIRE_TEXT + 10];

	memset(big, 'x', sizeof(big) - 1);
	big[sizeof(big) - 1] = '\0';
	wire_text_set(text, big);
	cr_expect_eq(strlen(text), WIRE_TEXT - 1);
	memset(text, '\x1b', sizeof(text));
	wire_text_clean(text);
	cr_expect_eq(strlen(text), WIRE_TEXT - 1);
	cr_expect_eq(strchr(text, '\x1b'), NULL, "no escape sequences");
}

Test(wire, replies_carry_the_error_and_its_words)
{
	cr_assert_eq(wire_send_reply(a, 0), 0);
	cr_expect_eq(wire_wait_reply(b, 1000), 0);
	(void)!fail(AVF_ERR_REFUSED, "nobody listens on port 5678");
	cr_assert_eq(wire_send_reply(a, AVF_ERR_REFUSED), 0);
	error_clear();
	cr_expect_eq(wire_wait_reply(b, 1000), AVF_ERR_REFUSED);
	cr_expect_str_eq(error_record()->text, "nobody listens on port 5678");
}

Test(wire, waiting_for_a_reply_ends)
{
	cr_expect_eq(wire_wait_reply(b, 10), AVF_ERR_TIMEOUT);
	cr_assert_eq(wire_send(a, WIRE_STOP, NULL, 0, NULL, 0), 0);
	cr_expect_eq(wire_wait_reply(b, 10), AVF_ERR_PROTOCOL, "not a reply");
	(void)close(a);
	cr_expect_eq(wire_wait_reply(b, -1), AVF_ERR_CLOSED);
}
