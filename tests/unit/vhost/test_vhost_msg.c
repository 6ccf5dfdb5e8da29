#include "vhost/vhost_msg.h"

#include <criterion/criterion.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/checked.h"

static int peer, ours;
static struct vhost_msg msg;

static void setup(void)
{
	int pair[2];

	cr_assert_eq(socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0, pair),
		     0);
	peer = pair[0];
	ours = pair[1];
	vhost_msg_init(&msg);
}

static void teardown(void)
{
	vhost_msg_fini(&msg);
	(void)close(peer);
	(void)close(ours);
}

TestSuite(vhost_msg, .init = setup, .fini = teardown);

/* Send @size bytes with @n_fds copies of an eventfd. */
static void send_with_fds(const void *data, size_t size, unsigned int n_fds)
{
	char bytes[1024];
	char control[CMSG_SPACE(16 * sizeof(int))] = {0};
	struct iovec iov = {.iov_base = bytes, .iov_len = size};
	struct msghdr mh = {.msg_iov = &iov, .msg_iovlen = 1};
	int fd = eventfd(0, 0);
	struct cmsghdr *c;

	memcpy(bytes, data, size);
	if (n_fds > 0) {
		mh.msg_control = control;
		mh.msg_controllen = CMSG_SPACE(n_fds * sizeof(int));
		c = CMSG_FIRSTHDR(&mh);
		c->cmsg_level = SOL_SOCKET;
		c->cmsg_type = SCM_RIGHTS;
		c->cmsg_len = CMSG_LEN(n_fds * sizeof(int));
		for (unsigned int i = 0; i < n_fds; i++)
			memcpy(CMSG_DATA(c) + i * sizeof(int), &fd, sizeof(fd));
	}
	cr_assert_eq(sendmsg(peer, &mh, 0), (ssize_t)size);
	(void)close(fd);
}

static unsigned int open_fds(void)
{
	unsigned int n = 0;

	for (int fd = 0; fd < 200; fd++)
		n += dup2(fd, fd) == fd;
	return n;
}

Test(vhost_msg, shapes)
{
	static const struct {
		const char *what;
		struct vhost_header header;
		unsigned int n_fds;
		int rc;
	} rows[] = {
		{"GET_FEATURES", {1, 1, 0}, 0, 1},
		{"NEED_REPLY is allowed", {2, 9, 8}, 0, 1},
		{"kick with its fd", {12, 1, 8}, 1, 1},
		{"eight regions", {5, 1, 8 + 8 * 32}, 8, 1},
		{"request 0", {0, 1, 0}, 0, AVF_ERR_PROTOCOL},
		{"SET_LOG_BASE was not offered",
		 {6, 1, 8},
		 0,
		 AVF_ERR_PROTOCOL},
		{"one past the last", {26, 1, 0}, 0, AVF_ERR_PROTOCOL},
		{"request of 32 bits", {UINT32_MAX, 1, 0}, 0, AVF_ERR_PROTOCOL},
		{"version 0", {1, 0, 0}, 0, AVF_ERR_PROTOCOL},
		{"version 2", {1, 2, 0}, 0, AVF_ERR_PROTOCOL},
		{"a reply", {1, 5, 0}, 0, AVF_ERR_PROTOCOL},
		{"payload where none is", {1, 1, 8}, 0, AVF_ERR_PROTOCOL},
		{"payload of 4 GiB", {2, 1, UINT32_MAX}, 0, AVF_ERR_PROTOCOL},
		{"payload too short", {8, 1, 4}, 0, AVF_ERR_PROTOCOL},
		{"nine regions", {5, 1, 8 + 9 * 32}, 8, AVF_ERR_PROTOCOL},
		{"fd where none is", {1, 1, 0}, 1, AVF_ERR_PROTOCOL},
		{"two kick fds", {12, 1, 8}, 2, AVF_ERR_PROTOCOL},
		{"nine fds", {5, 1, 8}, 9, AVF_ERR_PROTOCOL},
	};

	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		char bytes[1024] = {0};
		unsigned int before;
		size_t size = 0;

		setup();
		before = open_fds();
		memcpy(bytes, &rows[i].header, sizeof(rows[i].header));
		if (rows[i].header.size <= 512)
			size = rows[i].header.size;
		send_with_fds(bytes, sizeof(rows[i].header) + size,
			      rows[i].n_fds);
		cr_expect_eq(vhost_msg_read(&msg, ours), rows[i].rc, "%s",
			     rows[i].what);
		vhost_msg_fini(&msg);
		cr_expect_eq(open_fds(), before, "%s: an fd stays open",
			     rows[i].what);
		teardown();
	}
	setup();
}

Test(vhost_msg, a_message_may_come_byte_by_byte)
{
	const struct vhost_header header = {VHOST_SET_FEATURES, 1, 8};
	const uint64_t value = 0x1122334455667788;
	char bytes[sizeof(header) + sizeof(value)];

	memcpy(bytes, &header, sizeof(header));
	memcpy(bytes + sizeof(header), &value, sizeof(value));
	for (size_t i = 0; i < sizeof(bytes); i++) {
		cr_assert_eq(vhost_msg_read(&msg, ours), 0, "byte %zu", i);
		cr_assert_eq(write(peer, bytes + i, 1), 1);
	}
	cr_assert_eq(write(peer, "next", 4), 4);
	cr_assert_eq(vhost_msg_read(&msg, ours), 1);
	cr_assert_eq(msg.payload.u64, value);
	cr_assert_eq(read(ours, bytes, sizeof(bytes)), 4, "the next is left");
}

Test(vhost_msg, the_peer_closes_in_the_middle)
{
	cr_assert_eq(write(peer, "12345", 5), 5);
	(void)close(peer);
	peer = -1;
	cr_assert_eq(vhost_msg_read(&msg, ours), AVF_ERR_CLOSED);
}

Test(vhost_msg, answers)
{
	const uint64_t value = 7;
	struct vhost_header header;
	unsigned int n = 0;
	int rc = 0;

	cr_assert_eq(vhost_msg_reply(ours, 1, &value, sizeof(value)), 0);
	cr_assert_eq(read(peer, &header, sizeof(header)), sizeof(header));
	cr_assert_eq(header.request, 1);
	cr_assert_eq(header.flags, 5);
	cr_assert_eq(header.size, 8);
	for (; rc == 0 && n < 100000; n++)
		rc = vhost_msg_reply(ours, 1, &value, sizeof(value));
	cr_assert_lt(rc, 0, "a peer that does not read its answers");
	(void)close(peer);
	peer = -1;
	cr_assert_lt(vhost_msg_reply(ours, 1, &value, sizeof(value)), 0);
}
