#include "rpc/rpc_socket.h"

#include <arpa/inet.h>
#include <linux/vm_sockets.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <string.h>
#include <sys/un.h>
#include <time.h>
#include <unistd.h>

#include "base/cleanup.h"

/* A server that closes connections while it starts: try again a little. */
#define CONNECT_TRIES    5
#define CONNECT_PAUSE_NS 10000000L

int rpc_address_unix(const char *path, struct rpc_address *ret)
{
	struct sockaddr_un un = {.sun_family = AF_UNIX};
	size_t size = strlen(path);

	if (size == 0 || size >= sizeof(un.sun_path))
		return fail(AVF_ERR_INVALID,
			    "a Unix socket's path of %zu bytes; 1 to %zu fit",
			    size, sizeof(un.sun_path) - 1);
	memcpy(un.sun_path, path, size);
	memset(ret, 0, sizeof(*ret));
	memcpy(&ret->u, &un, sizeof(un));
	ret->size = sizeof(un);
	return 0;
}

int rpc_address_inet(const char *host, unsigned int port,
		     struct rpc_address *ret)
{
	struct sockaddr_in in = {.sin_family = AF_INET};
	struct sockaddr_in6 in6 = {.sin6_family = AF_INET6};

	if (port > UINT16_MAX)
		return fail(AVF_ERR_INVALID, "port %u", port);
	memset(ret, 0, sizeof(*ret));
	in.sin_port = htons((uint16_t)port);
	in6.sin6_port = htons((uint16_t)port);
	if (inet_pton(AF_INET, host, &in.sin_addr) == 1) {
		memcpy(&ret->u, &in, sizeof(in));
		ret->size = sizeof(in);
		return 0;
	}
	if (inet_pton(AF_INET6, host, &in6.sin6_addr) == 1) {
		memcpy(&ret->u, &in6, sizeof(in6));
		ret->size = sizeof(in6);
		return 0;
	}
	return fail(AVF_ERR_INVALID, "\"%s\" is no numeric address", host);
}

void rpc_address_vsock(unsigned int cid, unsigned int port,
		       struct rpc_address *ret)
{
	const struct sockaddr_vm vm = {
		.svm_family = AF_VSOCK,
		.svm_port = port,
		.svm_cid = cid,
	};

	memset(ret, 0, sizeof(*ret));
	memcpy(&ret->u, &vm, sizeof(vm));
	ret->size = sizeof(vm);
}

void rpc_socket_no_delay(int fd)
{
	const int on = 1;

	/* fails on what is not TCP */
	(void)setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));
}

bool rpc_socket_carries_fds(int fd)
{
	int family = AF_UNSPEC;
	socklen_t size = sizeof(family);

	return getsockopt(fd, SOL_SOCKET, SO_DOMAIN, &family, &size) == 0 &&
	       family == AF_UNIX;
}

/* Connect once; a signal does not end the attempt. */
static int connect_fd(int fd, const struct rpc_address *address)
{
	socklen_t size = sizeof(int);
	int error = 0;
	int rc;

	if (connect(fd, &address->u.any, address->size) == 0)
		return 0;
	if (errno != EINTR)
		return fail_errno("connect");
	rc = fd_wait(fd, POLLOUT, -1);
	if (rc < 0)
		return rc;
	if (getsockopt(fd, SOL_SOCKET, SO_ERROR, &error, &size) < 0)
		return fail_errno("connect");
	errno = error;
	return error == 0 ? 0 : fail_errno("connect");
}

static int connect_once(const struct rpc_address *address)
{
	CLEANUP(close_p) int fd = -1;
	int rc;

	fd = socket(address->u.any.sa_family, SOCK_STREAM | SOCK_CLOEXEC, 0);
	if (fd < 0)
		return fail_errno("socket");
	rpc_socket_no_delay(fd);
	rc = connect_fd(fd, address);
	return rc < 0 ? rc : take_fd(&fd);
}

int rpc_socket_connect(const struct rpc_address *address)
{
	const struct timespec pause = {.tv_nsec = CONNECT_PAUSE_NS};
	int rc;

	for (int i = 1;; i++) {
		rc = connect_once(address);
		if (rc >= 0 || errno != ECONNRESET || i == CONNECT_TRIES)
			return rc;
		(void)nanosleep(&pause, NULL);
	}
}

int rpc_socket_bind(const struct rpc_address *address)
{
	CLEANUP(close_p) int fd = -1;
	const int on = 1;

	fd = socket(address->u.any.sa_family, SOCK_STREAM | SOCK_CLOEXEC, 0);
	if (fd < 0)
		return fail_errno("socket");
	rpc_socket_no_delay(fd);
	/* a restarted server; no effect on other families */
	if (address->u.any.sa_family == AF_INET ||
	    address->u.any.sa_family == AF_INET6)
		(void)setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on));
	if (bind(fd, &address->u.any, address->size) < 0)
		return fail_errno("bind");
	return take_fd(&fd);
}

union one_fd {
	struct cmsghdr align;
	char space[CMSG_SPACE(sizeof(int))];
};

int rpc_socket_bootstrap(int bootstrap)
{
	CLEANUP(close_p) int ours = -1;
	CLEANUP(close_p) int theirs = -1;
	int32_t word = 0;
	union one_fd control = {0};
	struct iovec iov = {.iov_base = &word, .iov_len = sizeof(word)};
	struct msghdr msg = {
		.msg_iov = &iov,
		.msg_iovlen = 1,
		.msg_control = &control,
		.msg_controllen = sizeof(control),
	};
	struct cmsghdr *cmsg = CMSG_FIRSTHDR(&msg);
	int fds[2];
	ssize_t n;

	if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, fds) < 0)
		return fail_errno("socketpair");
	ours = fds[0];
	theirs = fds[1];
	cmsg->cmsg_level = SOL_SOCKET;
	cmsg->cmsg_type = SCM_RIGHTS;
	cmsg->cmsg_len = CMSG_LEN(sizeof(int));
	memcpy(CMSG_DATA(cmsg), &theirs, sizeof(int));
	do {
		n = sendmsg(bootstrap, &msg, MSG_NOSIGNAL);
	} while (n < 0 && errno == EINTR);
	if (n != (ssize_t)sizeof(word))
		return fail_errno("pass a connection");
	return take_fd(&ours);
}

/* The descriptors of @msg: the first one is kept, the others are closed. */
static int take_one_fd(struct msghdr *msg, int *ret_count)
{
	struct cmsghdr *cmsg;
	int first = -1;
	int fd;

	*ret_count = 0;
	for (cmsg = CMSG_FIRSTHDR(msg); cmsg; cmsg = CMSG_NXTHDR(msg, cmsg)) {
		if (cmsg->cmsg_level != SOL_SOCKET ||
		    cmsg->cmsg_type != SCM_RIGHTS)
			continue;
		for (size_t at = CMSG_LEN(0); at < cmsg->cmsg_len;
		     at += sizeof(int)) {
			memcpy(&fd, (char *)cmsg + at, sizeof(int));
			if (first < 0)
				first = fd;
			else
				fd_close(fd);
			++*ret_count;
		}
	}
	return first;
}

int rpc_socket_accept_bootstrap(int bootstrap)
{
	CLEANUP(close_p) int fd = -1;
	union {
		struct cmsghdr align;
		char space[CMSG_SPACE(sizeof(int) * 16)];
	} control;
	int32_t word;
	struct iovec iov = {.iov_base = &word, .iov_len = sizeof(word)};
	struct msghdr msg = {
		.msg_iov = &iov,
		.msg_iovlen = 1,
		.msg_control = &control,
		.msg_controllen = sizeof(control),
	};
	int count;
	ssize_t n;

	do {
		n = recvmsg(bootstrap, &msg, MSG_CMSG_CLOEXEC);
	} while (n < 0 && errno == EINTR);
	if (n < 0)
		return fail_errno("take a connection");
	fd = take_one_fd(&msg, &count);
	if (n == 0)
		return fail(AVF_ERR_CLOSED, "the bootstrap socket");
	if (count != 1 || (msg.msg_flags & MSG_CTRUNC))
		return fail(AVF_ERR_PROTOCOL, "%d descriptors, one expected",
			    count);
	return take_fd(&fd);
}
