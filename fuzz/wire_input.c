#include "wire_input.h"

#include <sys/eventfd.h>
#include <sys/socket.h>

#include "wire/wire.h"

#define MAGIC   0x31465641U
#define MAX_FDS 3U

static int make_fd(uint8_t kind, int *ret_kept)
{
	int pair[2];

	if (kind == 0)
		return eventfd(0, EFD_CLOEXEC);
	if (kind == 1)
		return fuzz_file("x", 1);
	fuzz_socketpair(kind == 2 ? SOCK_STREAM : SOCK_SEQPACKET, pair);
	fuzz_close(*ret_kept);
	*ret_kept = pair[0];
	return pair[1];
}

/* A body as the type has it. */
static size_t make_body(struct fuzz_input *in, uint32_t type,
			unsigned char body[512])
{
	struct wire_port port = {le32_make(fuzz_u8(in))};
	struct wire_event event = {.type = le32_make(le32_get(port.port))};
	struct wire_reply reply = {.code = le32_make(fuzz_u32(in))};

	switch (type) {
	case WIRE_CONNECT:
	case WIRE_LISTEN:
	case WIRE_ACCEPTED:
		memcpy(body, &port, sizeof(port));
		return sizeof(port);
	case WIRE_EVENT:
		(void)fuzz_bytes(in, event.text, fuzz_u8(in));
		memcpy(body, &event, sizeof(event));
		return sizeof(event);
	case WIRE_REPLY:
		(void)fuzz_bytes(in, reply.text, fuzz_u8(in));
		memcpy(body, &reply, sizeof(reply));
		return sizeof(reply);
	default:
		return 0;
	}
}

void wire_input_send(int sock, struct fuzz_input *in, int *ret_kept)
{
	_Alignas(
		struct cmsghdr) char control[CMSG_SPACE(MAX_FDS * sizeof(int))];
	uint8_t what = fuzz_u8(in);
	uint8_t wrong = fuzz_u8(in);
	unsigned int n_fds = (what >> 3) % (MAX_FDS + 1);
	unsigned char body[512];
	struct wire_header h;
	struct iovec iov[2] = {{&h, sizeof(h)}, {body, 0}};
	struct msghdr msg = {.msg_iov = iov, .msg_iovlen = 2};
	struct cmsghdr *c;
	int fds[MAX_FDS];

	*ret_kept = -1;
	memset(body, 0, sizeof(body));
	memset(control, 0, sizeof(control));
	iov[1].iov_len = make_body(in, what & 7, body);
	if (wrong & 1)
		iov[1].iov_len = fuzz_bytes(in, body, fuzz_u8(in) * 2U);
	h.magic = le32_make(wrong & 2 ? fuzz_u32(in) : MAGIC);
	h.type = le32_make(wrong & 4 ? fuzz_u32(in) : what & 7);
	h.size = le32_make(wrong & 8 ? fuzz_u32(in) : (uint32_t)iov[1].iov_len);
	if (wrong & 16)
		iov[0].iov_len = fuzz_u8(in) % sizeof(h);
	for (unsigned int i = 0; i < n_fds; i++)
		fds[i] = make_fd(wrong & 32 ? fuzz_u8(in) & 3 : 3 - (i == 0),
				 ret_kept);
	if (n_fds > 0) {
		msg.msg_control = control;
		msg.msg_controllen = CMSG_SPACE(n_fds * sizeof(int));
		c = CMSG_FIRSTHDR(&msg);
		c->cmsg_level = SOL_SOCKET;
		c->cmsg_type = SCM_RIGHTS;
		c->cmsg_len = CMSG_LEN(n_fds * sizeof(int));
		memcpy(CMSG_DATA(c), fds, n_fds * sizeof(int));
	}
	(void)!sendmsg(sock, &msg, MSG_NOSIGNAL | MSG_DONTWAIT);
	for (unsigned int i = 0; i < n_fds; i++)
		fuzz_close(fds[i]);
}
