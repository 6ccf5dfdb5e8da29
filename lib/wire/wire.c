/*
 * Messages on the control socket (SOCK_SEQPACKET: a message arrives whole or
 * not at all), each with a header and perhaps descriptors (SCM_RIGHTS,
 * unix(7)). Both sides distrust each other: a compromised VMM talks to the
 * application with this. Invariant: descriptors that arrived belong to the
 * message until wire_take_fd(), and wire_message_fini() closes the rest, so no
 * message can leak one.
 */
#include "wire/wire.h"

#include <inttypes.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>

#include "base/checked.h"
#include "base/fd.h"

#define WIRE_MAGIC 0x31465641U /* "AVF1" */

union control { /* aligned room for the fds */
	struct cmsghdr header;
	char room[CMSG_SPACE(sizeof(int) * WIRE_MAX_FDS)];
};

int wire_socketpair(int ret_fds[2])
{
	if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, ret_fds) < 0)
		return fail_errno("control socket");
	return 0;
}

/* At most WIRE_MAX_FDS, which the caller checked: @control has that room. */
static void attach_fds(struct msghdr *msg, union control *control,
		       const int *fds, unsigned int n_fds)
{
	struct cmsghdr *c;

	if (n_fds == 0)
		return;
	memset(control, 0, sizeof(*control));
	msg->msg_control = control;
	msg->msg_controllen = CMSG_SPACE(sizeof(int) * n_fds);
	c = CMSG_FIRSTHDR(msg);
	c->cmsg_level = SOL_SOCKET;
	c->cmsg_type = SCM_RIGHTS;
	c->cmsg_len = CMSG_LEN(sizeof(int) * n_fds);
	memcpy(CMSG_DATA(c), fds, sizeof(int) * n_fds);
}

int wire_send(int sock, enum wire_type type, const void *body, size_t size,
	      const int *fds, unsigned int n_fds)
{
	struct wire_header header = {
		.magic = le32_make(WIRE_MAGIC),
		.type = le32_make((uint32_t)type),
		.size = le32_make((uint32_t)size),
	};
	struct iovec iov[2] = {
		{&header, sizeof(header)},
		{(void *)(uintptr_t)body, size},
	};
	struct msghdr msg = {.msg_iov = iov, .msg_iovlen = 2};
	union control control;
	ssize_t n;

	if (size > WIRE_MAX_BODY || n_fds > WIRE_MAX_FDS)
		return fail(AVF_ERR_LIMIT,
			    "control message of %zu bytes and %u fds", size,
			    n_fds);
	attach_fds(&msg, &control, fds, n_fds);
	do {
		n = sendmsg(sock, &msg, MSG_NOSIGNAL | MSG_DONTWAIT);
	} while (n < 0 && errno == EINTR);
	if (n < 0)
		return fail_errno("send to the VMM's control socket");
	return 0;
}

/*
 * Takes all that came, also with a message that check() will refuse. The kernel
 * cannot give more than the control buffer has room for.
 */
static void collect_fds(struct msghdr *msg, struct wire_message *m)
{
	for (struct cmsghdr *c = CMSG_FIRSTHDR(msg); c;
	     c = CMSG_NXTHDR(msg, c)) {
		size_t n = (c->cmsg_len - CMSG_LEN(0)) / sizeof(int);

		if (c->cmsg_level != SOL_SOCKET || c->cmsg_type != SCM_RIGHTS)
			continue;
		memcpy(m->fds + m->n_fds, CMSG_DATA(c), n * sizeof(int));
		m->n_fds += (unsigned int)n;
	}
}

/* Nothing of the body is looked at; that is wire_body()'s, by type. */
static int check(const struct wire_header *header, const struct msghdr *msg,
		 ssize_t n, struct wire_message *m)
{
	uint32_t type = le32_get(header->type);

	if (msg->msg_flags & (MSG_TRUNC | MSG_CTRUNC))
		return fail(AVF_ERR_PROTOCOL, "control message is too long");
	if ((size_t)n < sizeof(*header) ||
	    le32_get(header->magic) != WIRE_MAGIC)
		return fail(AVF_ERR_PROTOCOL, "control message has no header");
	if (le32_get(header->size) != (size_t)n - sizeof(*header))
		return fail(AVF_ERR_PROTOCOL,
			    "control message says %" PRIu32 " bytes, has %zu",
			    le32_get(header->size),
			    (size_t)n - sizeof(*header));
	if (type < WIRE_RUN || type > WIRE_OWNER)
		return fail(AVF_ERR_PROTOCOL, "control message type %" PRIu32,
			    type);
	m->type = (enum wire_type)type;
	m->size = (size_t)n - sizeof(*header);
	return 0;
}

int wire_receive(int sock, struct wire_message *ret_message)
{
	struct wire_message *m = ret_message;
	struct wire_header header;
	struct iovec iov[2] = {
		{&header, sizeof(header)},
		{m->body, sizeof(m->body)},
	};
	union control control;
	struct msghdr msg = {.msg_iov = iov,
			     .msg_iovlen = 2,
			     .msg_control = &control,
			     .msg_controllen = sizeof(control)};
	ssize_t n;
	int rc;

	m->n_fds = 0;
	/* ECONNRESET is said once, when the peer closes with messages of ours
	 * unread; what it sent before is still there */
	do {
		n = recvmsg(sock, &msg, MSG_DONTWAIT | MSG_CMSG_CLOEXEC);
	} while (n < 0 && (errno == EINTR || errno == ECONNRESET));
	if (n < 0 && (errno == EAGAIN || errno == EWOULDBLOCK))
		return 0;
	if (n < 0)
		return fail_errno("receive on a control socket");
	/* an empty message looks like the end, but may bring fds */
	collect_fds(&msg, m);
	rc = n == 0 ? fail(AVF_ERR_CLOSED, "the control socket is closed")
		    : check(&header, &msg, n, m);
	if (rc < 0) {
		wire_message_fini(m);
		return rc;
	}
	return 1;
}

void wire_message_fini(struct wire_message *m)
{
	for (unsigned int i = 0; i < m->n_fds; i++)
		fd_close(m->fds[i]);
	m->n_fds = 0;
}

int wire_take_fd(struct wire_message *m, unsigned int index)
{
	int fd;

	if (index >= m->n_fds)
		return -1;
	fd = m->fds[index];
	m->fds[index] = -1;
	return fd;
}

int wire_body(const struct wire_message *m, void *ret_body, size_t size)
{
	if (m->size != size)
		return fail(AVF_ERR_PROTOCOL,
			    "control message %d has %zu bytes, not %zu",
			    m->type, m->size, size);
	memcpy(ret_body, m->body, size);
	return 0;
}

void wire_text_set(char dest[WIRE_TEXT], const char *text)
{
	memset(dest, 0, WIRE_TEXT);
	(void)snprintf(dest, WIRE_TEXT, "%s", text);
}

void wire_text_clean(char text[WIRE_TEXT])
{
	text[WIRE_TEXT - 1] = '\0';
	for (char *p = text; *p; p++) {
		unsigned char c = (unsigned char)*p;

		if (c < 0x20 || c == 0x7f)
			*p = '?';
	}
}

int wire_send_reply(int sock, int code)
{
	struct wire_reply reply = {.code = le32_make((uint32_t)code)};

	if (code < 0)
		wire_text_set(reply.text, error_record()->text);
	return wire_send(sock, WIRE_REPLY, &reply, sizeof(reply), NULL, 0);
}

/* The text is the peer's: made printable before it goes into an error. */
static int read_reply(int sock)
{
	struct wire_message m;
	struct wire_reply reply;
	int32_t code;
	int rc = wire_receive(sock, &m);

	if (rc == 0) /* poll() said that something is there */
		return fail(AVF_ERR_CLOSED, "the VM has stopped");
	if (rc < 0)
		return rc == AVF_ERR_CLOSED
			       ? fail(AVF_ERR_CLOSED, "the VM has stopped")
			       : rc;
	wire_message_fini(&m);
	if (m.type != WIRE_REPLY)
		return fail(AVF_ERR_PROTOCOL, "no reply but message %d",
			    m.type);
	rc = wire_body(&m, &reply, sizeof(reply));
	if (rc < 0)
		return rc;
	code = (int32_t)le32_get(reply.code);
	if (code >= 0)
		return 0;
	wire_text_clean(reply.text);
	return fail(code, "%s", reply.text);
}

int wire_wait_reply(int sock, int timeout_ms)
{
	int rc = fd_wait(sock, POLLIN, timeout_ms);

	if (rc < 0)
		return rc;
	if (rc == 0)
		return fail(AVF_ERR_TIMEOUT, "no answer within %d ms",
			    timeout_ms);
	return read_reply(sock);
}
