/* Messages as bytes; every length is checked before it is used. */
#include "vhost/vhost_msg.h"

#include <string.h>
#include <sys/socket.h>
#include <sys/uio.h>

#include "base/checked.h"
#include "base/fd.h"

void vhost_msg_init(struct vhost_msg *msg)
{
	memset(msg, 0, sizeof(*msg));
}

void vhost_msg_fini(struct vhost_msg *msg)
{
	for (unsigned int i = 0; i < msg->n_fds; i++)
		fd_close(msg->fds[i]);
	vhost_msg_init(msg);
}

#define STATE  sizeof(struct vhost_ring_state)
#define CONFIG offsetof(struct vhost_config_space, data)

/* What each kind must look like. A kind without @known is refused. */
static const struct {
	bool known;
	size_t min, max; /* bytes of payload */
	unsigned int max_fds;
} shapes[VHOST_REQUEST_END] = {
	[VHOST_GET_FEATURES] = {true, 0, 0, 0},
	[VHOST_SET_FEATURES] = {true, 8, 8, 0},
	[VHOST_SET_OWNER] = {true, 0, 0, 0},
	[VHOST_RESET_OWNER] = {true, 0, 0, 0},
	[VHOST_SET_MEM_TABLE] = {true, 8, sizeof(struct vhost_mem_table),
				 VHOST_MAX_REGIONS},
	[VHOST_SET_VRING_NUM] = {true, STATE, STATE, 0},
	[VHOST_SET_VRING_ADDR] = {true, sizeof(struct vhost_ring_addr),
				  sizeof(struct vhost_ring_addr), 0},
	[VHOST_SET_VRING_BASE] = {true, STATE, STATE, 0},
	[VHOST_GET_VRING_BASE] = {true, STATE, STATE, 0},
	[VHOST_SET_VRING_KICK] = {true, 8, 8, 1},
	[VHOST_SET_VRING_CALL] = {true, 8, 8, 1},
	[VHOST_SET_VRING_ERR] = {true, 8, 8, 1},
	[VHOST_GET_PROTOCOL_FEATURES] = {true, 0, 0, 0},
	[VHOST_SET_PROTOCOL_FEATURES] = {true, 8, 8, 0},
	[VHOST_GET_QUEUE_NUM] = {true, 0, 0, 0},
	[VHOST_SET_VRING_ENABLE] = {true, STATE, STATE, 0},
	[VHOST_GET_CONFIG] = {true, CONFIG, sizeof(struct vhost_config_space),
			      0},
	[VHOST_SET_CONFIG] = {true, CONFIG, sizeof(struct vhost_config_space),
			      0},
};

static int check_header(const struct vhost_header *h)
{
	if (h->request >= VHOST_REQUEST_END || !shapes[h->request].known)
		return fail(AVF_ERR_PROTOCOL, "vhost-user: request %u",
			    h->request);
	if ((h->flags & VHOST_VERSION_MASK) != VHOST_FLAG_VERSION ||
	    h->flags & VHOST_FLAG_REPLY)
		return fail(AVF_ERR_PROTOCOL, "vhost-user: flags 0x%x of %u",
			    h->flags, h->request);
	if (h->size < shapes[h->request].min ||
	    h->size > shapes[h->request].max)
		return fail(AVF_ERR_PROTOCOL,
			    "vhost-user: request %u has %u "
			    "bytes of payload",
			    h->request, h->size);
	return 0;
}

/* Keep the fds of one recvmsg(); those that find no room are closed. */
static int take_fds(struct vhost_msg *msg, struct msghdr *mh)
{
	bool too_many = mh->msg_flags & MSG_CTRUNC;
	struct cmsghdr *c;
	size_t n;
	int fd;

	for (c = CMSG_FIRSTHDR(mh); c; c = CMSG_NXTHDR(mh, c)) {
		if (c->cmsg_level != SOL_SOCKET || c->cmsg_type != SCM_RIGHTS)
			continue;
		n = (c->cmsg_len - CMSG_LEN(0)) / sizeof(fd);
		for (size_t i = 0; i < n; i++) {
			memcpy(&fd, CMSG_DATA(c) + i * sizeof(fd), sizeof(fd));
			if (msg->n_fds < VHOST_MAX_REGIONS) {
				msg->fds[msg->n_fds++] = fd;
				continue;
			}
			fd_close(fd);
			too_many = true;
		}
	}
	return too_many ? fail(AVF_ERR_PROTOCOL, "vhost-user: too many fds")
			: 0;
}

/* Read at most @want bytes more to @to. Returns 1, 0 for none now. */
static int receive(struct vhost_msg *msg, int fd, void *to, size_t want)
{
	struct iovec iov = {.iov_base = to, .iov_len = want};
	_Alignas(struct cmsghdr) char
		control[CMSG_SPACE(VHOST_MAX_REGIONS * sizeof(int))];
	struct msghdr mh = {.msg_iov = &iov,
			    .msg_iovlen = 1,
			    .msg_control = control,
			    .msg_controllen = sizeof(control)};
	ssize_t n = recvmsg(fd, &mh, MSG_DONTWAIT | MSG_CMSG_CLOEXEC);

	if (n < 0 && (errno == EAGAIN || errno == EINTR))
		return 0;
	if (n < 0)
		return fail_errno("vhost-user: receive");
	if (n == 0)
		return fail(AVF_ERR_CLOSED, "vhost-user: the peer has closed");
	msg->have += (size_t)n;
	return take_fds(msg, &mh) < 0 ? fail_as(AVF_ERR_PROTOCOL) : 1;
}

int vhost_msg_read(struct vhost_msg *msg, int fd)
{
	const size_t head = sizeof(msg->header);
	size_t at;
	int rc = 1;

	/* never past the message: the fds of the next one come with its bytes
	 */
	while (rc > 0 && msg->have < head)
		rc = receive(msg, fd, (char *)&msg->header + msg->have,
			     head - msg->have);
	if (rc <= 0)
		return rc;
	rc = check_header(&msg->header);
	if (rc < 0)
		return rc;
	for (rc = 1; rc > 0 && msg->have - head < msg->header.size;) {
		at = msg->have - head;
		rc = receive(msg, fd, (char *)&msg->payload + at,
			     msg->header.size - at);
	}
	if (rc > 0 && msg->n_fds > shapes[msg->header.request].max_fds)
		return fail(AVF_ERR_PROTOCOL, "vhost-user: %u fds with %u",
			    msg->n_fds, msg->header.request);
	return rc;
}

int vhost_msg_reply(int fd, uint32_t request, const void *payload,
		    uint32_t size)
{
	struct vhost_header header = {
		.request = request,
		.flags = VHOST_FLAG_VERSION | VHOST_FLAG_REPLY,
		.size = size,
	};
	union vhost_payload copy; /* an iovec drops const */
	struct iovec iov[2] = {
		{.iov_base = &header, .iov_len = sizeof(header)},
		{.iov_base = &copy, .iov_len = size},
	};
	struct msghdr mh = {.msg_iov = iov, .msg_iovlen = 2};
	ssize_t n;

	memcpy(&copy, payload, size);
	n = sendmsg(fd, &mh, MSG_DONTWAIT | MSG_NOSIGNAL);
	if (n < 0)
		return fail_errno("vhost-user: answer");
	if ((size_t)n != sizeof(header) + size)
		return fail(AVF_ERR_IO, "vhost-user: the peer does not read");
	return 0;
}
