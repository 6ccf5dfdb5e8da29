/*
 * A descriptor on its way through a Unix socket: one small message that says
 * which files come with it, and the files.
 */
#include <string.h>
#include <sys/socket.h>

#include "base/byteorder.h"
#include "base/checked.h"
#include "base/cleanup.h"
#include "manager/manager.h"

#define N_FILES (AVF_DESCRIPTOR_STORAGE + 1)

/* "AVFD", read as little endian. */
#define DESCRIPTOR_MAGIC   0x44465641U
#define DESCRIPTOR_VERSION 1U

/* More fds than ours are accepted by recvmsg(), so as to be closed here. */
#define MAX_RECEIVED 16

struct descriptor_message {
	le32 magic;
	le32 version;
	le32 files; /* bit n: the file with number n */
};

union control {
	struct cmsghdr align;
	char buf[CMSG_SPACE(MAX_RECEIVED * sizeof(int))];
};

static int send_message(int sock, struct msghdr *msg)
{
	/* Blocks as long as the caller's socket does. */
	size_t size = sizeof(struct descriptor_message);
	ssize_t n;

	do {
		n = sendmsg(sock, msg, MSG_NOSIGNAL);
	} while (n < 0 && errno == EINTR);
	if (n < 0)
		return fail_errno("send a descriptor");
	if ((size_t)n != size)
		return fail(AVF_ERR_IO, "send a descriptor: cut short");
	return 0;
}

int descriptor_send(const struct avf_descriptor *descriptor, int sock)
{
	struct descriptor_message m = {
		.magic = le32_make(DESCRIPTOR_MAGIC),
		.version = le32_make(DESCRIPTOR_VERSION),
	};
	struct iovec iov = {&m, sizeof(m)};
	struct msghdr msg = {.msg_iov = &iov, .msg_iovlen = 1};
	union control control;
	struct cmsghdr *cmsg;
	int fds[N_FILES];
	uint32_t files = 0;
	size_t n = 0;

	memset(&control, 0, sizeof(control));
	for (unsigned int i = 0; i < N_FILES; i++) {
		if (descriptor->fds[i] < 0)
			continue;
		files |= BIT(i);
		fds[n++] = descriptor->fds[i];
	}
	m.files = le32_make(files);
	msg.msg_control = control.buf;
	msg.msg_controllen = CMSG_SPACE(n * sizeof(int));
	cmsg = CMSG_FIRSTHDR(&msg);
	cmsg->cmsg_level = SOL_SOCKET;
	cmsg->cmsg_type = SCM_RIGHTS;
	cmsg->cmsg_len = CMSG_LEN(n * sizeof(int));
	memcpy(CMSG_DATA(cmsg), fds, n * sizeof(int));
	return send_message(sock, &msg);
}

/* Every fd that came, so that none is forgotten. Returns how many. */
static size_t collect(struct msghdr *msg, int fds[MAX_RECEIVED])
{
	size_t n = 0;
	size_t count;

	for (struct cmsghdr *c = CMSG_FIRSTHDR(msg); c;
	     c = CMSG_NXTHDR(msg, c)) {
		if (c->cmsg_level != SOL_SOCKET || c->cmsg_type != SCM_RIGHTS)
			continue;
		count = (c->cmsg_len - CMSG_LEN(0)) / sizeof(int);
		count = MIN(count, MAX_RECEIVED - n);
		memcpy(fds + n, CMSG_DATA(c), count * sizeof(int));
		n += count;
	}
	return n;
}

/* On an error too, what came is in @fds, for the caller to close. */
static int receive_message(int sock, struct descriptor_message *ret_message,
			   int fds[MAX_RECEIVED], size_t *ret_n)
{
	struct iovec iov = {ret_message, sizeof(*ret_message)};
	struct msghdr msg = {.msg_iov = &iov, .msg_iovlen = 1};
	union control control;
	ssize_t n;

	memset(&control, 0, sizeof(control));
	msg.msg_control = control.buf;
	msg.msg_controllen = sizeof(control.buf);
	do {
		n = recvmsg(sock, &msg, MSG_CMSG_CLOEXEC);
	} while (n < 0 && errno == EINTR);
	if (n < 0)
		return fail_errno("receive a descriptor");
	*ret_n = collect(&msg, fds);
	if (n == 0 && *ret_n == 0)
		return fail(AVF_ERR_CLOSED, "the peer has closed");
	if ((size_t)n != sizeof(*ret_message) ||
	    (msg.msg_flags & (MSG_TRUNC | MSG_CTRUNC)) != 0)
		return fail(AVF_ERR_PROTOCOL, "not a descriptor");
	return 0;
}

/* What the message says of its files must be what came. */
static int check_message(const struct descriptor_message *m, size_t n)
{
	const uint32_t always = BIT(AVF_DESCRIPTOR_CONFIG) |
				BIT(AVF_DESCRIPTOR_INSTANCE_ID) |
				BIT(AVF_DESCRIPTOR_INSTANCE_IMAGE);
	uint32_t files = le32_get(m->files);

	if (le32_get(m->magic) != DESCRIPTOR_MAGIC)
		return fail(AVF_ERR_PROTOCOL, "not a descriptor");
	if (le32_get(m->version) != DESCRIPTOR_VERSION)
		return fail(AVF_ERR_PROTOCOL, "descriptor: version %u",
			    le32_get(m->version));
	if ((files & always) != always || files >= BIT(N_FILES) ||
	    (size_t)__builtin_popcount(files) != n)
		return fail(AVF_ERR_PROTOCOL,
			    "descriptor: files 0x%x with %zu fds", files, n);
	return 0;
}

int descriptor_receive(int sock, struct avf_descriptor **ret_descriptor)
{
	CLEANUP(descriptor_free_p) struct avf_descriptor *descriptor = NULL;
	struct descriptor_message m;
	int fds[MAX_RECEIVED];
	size_t n = 0;
	size_t next = 0;
	int rc = descriptor_alloc(&descriptor);

	if (rc < 0)
		return rc;
	memset(fds, 0xff, sizeof(fds)); /* -1 */
	rc = receive_message(sock, &m, fds, &n);
	if (rc == 0)
		rc = check_message(&m, n);
	for (unsigned int i = 0; rc == 0 && i < N_FILES; i++)
		if (le32_get(m.files) & BIT(i))
			descriptor->fds[i] = take_fd(&fds[next++]);
	for (size_t i = 0; i < n; i++)
		fd_close(fds[i]);
	if (rc == 0)
		*ret_descriptor = TAKE_PTR(descriptor);
	return rc;
}
