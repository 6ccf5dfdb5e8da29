/*
 * vsock channels: socketpairs whose other end the VMM holds. Each request
 * has a socket of its own for the answer, so any thread may make one.
 */
#include <poll.h>
#include <stdlib.h>
#include <sys/socket.h>

#include "base/cleanup.h"
#include "base/owner.h"
#include "client/vm.h"
#include "wire/wire.h"

/* Ports below are for the library's own use: the guest's manager. */
static int check_port(uint32_t port)
{
	if (port < AVF_MIN_VSOCK_PORT)
		return fail(AVF_ERR_INVALID,
			    "Bad port %u: an application may use %u to %u",
			    port, AVF_MIN_VSOCK_PORT, AVF_MAX_VSOCK_PORT);
	return 0;
}

/*
 * The lock is held for the sending only: the control socket may be closed by
 * the thread that owns the handle.
 */
static int request(struct avf_vm *vm, enum wire_type type, uint32_t port,
		   const int *fds, unsigned int n_fds)
{
	struct wire_port body = {.port = le32_make(port)};
	int rc;

	(void)pthread_mutex_lock(&vm->lock);
	if (vm->process.control < 0 && vm->backing &&
	    vm->backing->ops->is_deleted(vm))
		rc = fail(AVF_ERR_STATE, "VM has been deleted");
	else if (vm->process.control < 0)
		rc = fail(AVF_ERR_STATE, "VM is not in running state");
	else
		rc = wire_send(vm->process.control, type, &body, sizeof(body),
			       fds, n_fds);
	(void)pthread_mutex_unlock(&vm->lock);
	return rc;
}

/* As request(), but waits while the VMM has a full queue of them. */
static int request_patiently(struct avf_vm *vm, enum wire_type type,
			     uint32_t port, const int *fds, unsigned int n_fds)
{
	const struct timespec pause = {.tv_nsec = 1000000};
	int rc;

	for (int tries = 0; tries < 1000; tries++) {
		rc = request(vm, type, port, fds, n_fds);
		if (rc != AVF_ERR_BUSY)
			return rc;
		(void)nanosleep(&pause, NULL);
	}
	return rc;
}

int vm_connect(struct avf_vm *vm, uint32_t port, int timeout_ms, int *ret_fd)
{
	CLEANUP(close_p) int ours = -1, theirs = -1;
	CLEANUP(close_p) int answer = -1, answer_theirs = -1;
	int pair[2], fds[2];
	int rc = check_port(port);

	if (rc < 0)
		return rc;
	if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair) < 0)
		return fail_errno("vsock channel");
	ours = pair[0];
	theirs = pair[1];
	rc = wire_socketpair(pair);
	if (rc < 0)
		return rc;
	answer = pair[0];
	answer_theirs = pair[1];
	fds[0] = theirs;
	fds[1] = answer_theirs;
	rc = request_patiently(vm, WIRE_CONNECT, port, fds, 2);
	if (rc < 0)
		return rc;
	/* ours must be the VMM's alone, or its end would not be seen */
	close_p(&answer_theirs);
	close_p(&theirs);
	rc = wire_wait_reply(answer, timeout_ms);
	if (rc < 0)
		return error_prefix("connect to port %u", port);
	*ret_fd = take_fd(&ours);
	return 0;
}

/* How long the VMM may take to say whether a port is free. It answers from
 * its loop, without the guest. */
#define LISTEN_TIMEOUT_MS 10000

int vm_listen(struct avf_vm *vm, uint32_t port,
	      struct avf_listener **ret_listener)
{
	CLEANUP(close_p) int ours = -1, theirs = -1;
	CLEANUP(free_p) struct avf_listener *listener = NULL;
	int pair[2];
	int rc = check_port(port);

	if (rc < 0)
		return rc;
	listener = calloc(1, sizeof(*listener));
	if (!listener)
		return fail(AVF_ERR_NO_MEMORY, "listener");
	rc = wire_socketpair(pair);
	if (rc < 0)
		return rc;
	ours = pair[0];
	theirs = pair[1];
	rc = request_patiently(vm, WIRE_LISTEN, port, &theirs, 1);
	if (rc < 0)
		return rc;
	close_p(&theirs);
	rc = wire_wait_reply(ours, LISTEN_TIMEOUT_MS);
	if (rc < 0)
		return error_prefix("listen on port %u", port);
	listener->owner = owner_self();
	listener->fd = take_fd(&ours);
	*ret_listener = TAKE_PTR(listener);
	return 0;
}

/* What comes over a listener's socket is the VMM's word: checked as such. */
static int take_accepted(struct avf_listener *listener, int *ret_fd)
{
	struct wire_message m;
	int fd = -1;
	int rc = wire_receive(listener->fd, &m);

	if (rc == AVF_ERR_CLOSED)
		return fail(AVF_ERR_CLOSED, "the VM has stopped");
	if (rc < 0)
		return rc;
	if (rc == 0)
		return fail(AVF_ERR_TIMEOUT, "no connection waits");
	if (m.type == WIRE_ACCEPTED)
		fd = wire_take_fd(&m, 0);
	wire_message_fini(&m);
	if (fd < 0)
		return fail(AVF_ERR_PROTOCOL, "message %d on a listener",
			    m.type);
	*ret_fd = fd;
	return 0;
}

/* AVF_ERR_CLOSED when the VMM is gone: its end of the socket closed. */
int listener_accept(struct avf_listener *listener, int timeout_ms, int *ret_fd)
{
	int rc = owner_check(listener->owner, "listener");

	if (rc < 0)
		return rc;
	rc = fd_wait(listener->fd, POLLIN, timeout_ms);
	if (rc < 0)
		return rc;
	if (rc == 0)
		return fail(AVF_ERR_TIMEOUT, "no connection within %d ms",
			    timeout_ms);
	return take_accepted(listener, ret_fd);
}

void listener_free(struct avf_listener *listener)
{
	if (!listener)
		return;
	fd_close(listener->fd);
	free(listener);
}
