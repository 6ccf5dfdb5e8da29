/*
 * Listeners of the application: a socket each, on which accepted connections
 * are handed over. The application closes its end to stop listening.
 */
#include <stdlib.h>
#include <sys/epoll.h>

#include "base/cleanup.h"
#include "devices/virtio_vsock.h"
#include "vmm/vmm_internal.h"

struct vmm_listener {
	struct vmm *vmm; /* borrowed */
	struct vmm_listener *next;
	struct loop_source source;
	int fd; /* owned */
	uint32_t port;
};

/* From the vsock device. An error refuses the guest's connection. */
static int hand_over(void *userdata, uint32_t guest_port, int fd)
{
	struct vmm_listener *l = userdata;
	struct wire_port body = {.port = le32_make(guest_port)};
	CLEANUP(close_p) int owned = fd;

	/* a full socket refuses the connection: that is the backlog */
	return wire_send(l->fd, WIRE_ACCEPTED, &body, sizeof(body), &owned, 1);
}

/* Stop and free one that is off the list. */
static void listener_free(struct vmm_listener *l)
{
	virtio_vsock_unlisten(l->vmm->backend->vsock, l->port);
	loop_remove(&l->vmm->loop, &l->source);
	fd_close(l->fd);
	free(l);
}

/*
 * Readable means closed here; anything else that comes is not understood and
 * treated alike.
 */
static void ready(struct loop_source *source, uint32_t events)
{
	struct vmm_listener *l =
		container_of(source, struct vmm_listener, source);
	struct vmm_listener **p = &l->vmm->listeners;

	/* the application only ever closes its end */
	(void)events;
	while (*p && *p != l)
		p = &(*p)->next;
	if (*p)
		*p = l->next;
	listener_free(l);
}

/* Takes @fd when it succeeds. */
static int open_listener(struct vmm *vmm, uint32_t port, int fd)
{
	struct vmm_listener *l = calloc(1, sizeof(*l));
	int rc;

	if (!l)
		return fail(AVF_ERR_NO_MEMORY, "listener");
	l->vmm = vmm;
	l->fd = fd;
	l->port = port;
	rc = virtio_vsock_listen(vmm->backend->vsock, port, hand_over, l);
	if (rc < 0) {
		free(l);
		return rc;
	}
	rc = loop_add(&vmm->loop, &l->source, fd, EPOLLIN, ready);
	if (rc < 0) {
		virtio_vsock_unlisten(vmm->backend->vsock, port);
		free(l);
		return rc;
	}
	l->next = vmm->listeners;
	vmm->listeners = l;
	return 0;
}

void listener_open(struct vmm *vmm, uint32_t port, int fd)
{
	int rc = open_listener(vmm, port, fd);

	/* an application that is gone needs no answer */
	(void)!wire_send_reply(fd, rc);
	if (rc < 0)
		fd_close(fd);
}

void listener_close_all(struct vmm *vmm)
{
	struct vmm_listener *l;

	while ((l = vmm->listeners) != NULL) {
		vmm->listeners = l->next;
		listener_free(l);
	}
}
