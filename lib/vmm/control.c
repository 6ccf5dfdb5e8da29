/* The control server: what the application asks for while the VM runs. */
#include <stdlib.h>
#include <sys/epoll.h>

#include "base/cleanup.h"
#include "devices/virtio_vsock.h"
#include "vmm/vmm_internal.h"

/* AVF gives a guest this long to shut down before it is killed. */
#define STOP_GRACE_MS 5000
/* Messages of one turn of the loop. */
#define MAX_MESSAGES 64

/*
 * The guest's manager is asked first, then a power button. A guest that can be
 * asked by neither is stopped at once: there is nothing to wait for.
 */
static void on_stop(struct vmm *vmm)
{
	bool asked = manager_ask_shutdown(&vmm->manager);

	/* a guest that is still booting may have a power button */
	if (!asked)
		asked = vmm->backend->ops->ask_shutdown(vmm->backend);
	if (asked || manager_is_expected(&vmm->manager)) {
		vmm->stop_requested = true;
		timer_set(&vmm->stop_timer, STOP_GRACE_MS);
		return;
	}
	vmm_stop(vmm, AVF_STOP_REASON_KILLED,
		 "stopped by the host; the guest cannot be asked");
}

/*
 * From the vsock device, when the guest has answered or never will. Takes
 * @userdata. Called exactly once for each request.
 */
static void connected(void *userdata, int rc)
{
	int *answer = userdata;

	/* an application that gave up waiting needs no answer */
	(void)!wire_send_reply(*answer, rc);
	fd_close(*answer);
	free(answer);
}

/* Two descriptors: the channel, and the socket for the answer. */
static void on_connect(struct vmm *vmm, uint32_t port,
		       struct wire_message *message)
{
	CLEANUP(close_p) int channel = wire_take_fd(message, 0);
	CLEANUP(close_p) int answer_fd = wire_take_fd(message, 1);
	int *answer = malloc(sizeof(*answer));
	int rc;

	if (!answer) {
		rc = fail(AVF_ERR_NO_MEMORY, "connection");
		/* an application that is gone needs no answer */
		(void)!wire_send_reply(answer_fd, rc);
		return;
	}
	*answer = take_fd(&answer_fd);
	rc = virtio_vsock_connect(vmm->backend->vsock, port, take_fd(&channel),
				  connected, answer);
	if (rc < 0)
		connected(answer, rc);
}

/* The application's process has ended, whoever may still hold its socket. */
static void owner_ended(struct loop_source *source, uint32_t events)
{
	struct vmm *vmm = container_of(source, struct vmm, owner_source);

	(void)events;
	vmm_stop(vmm, AVF_STOP_REASON_KILLED, "the application is gone");
}

/* Takes the descriptor out of the message when it succeeds. */
static int on_owner(struct vmm *vmm, struct wire_message *message)
{
	int rc;

	if (vmm->owner >= 0)
		return fail(AVF_ERR_PROTOCOL, "a second owner");
	rc = loop_add(&vmm->loop, &vmm->owner_source, message->fds[0], EPOLLIN,
		      owner_ended);
	if (rc == 0)
		vmm->owner = wire_take_fd(message, 0);
	return rc;
}

/* A message that the library would not send ends nothing but itself. */
static int dispatch(struct vmm *vmm, struct wire_message *message)
{
	bool is_empty = message->size == 0;
	struct wire_port body;
	int rc;

	if (message->type == WIRE_STOP && is_empty && message->n_fds == 0) {
		on_stop(vmm);
		return 0;
	}
	if (message->type == WIRE_OWNER && is_empty && message->n_fds == 1)
		return on_owner(vmm, message);
	rc = wire_body(message, &body, sizeof(body));
	if (rc < 0)
		return rc;
	if (message->type == WIRE_CONNECT && message->n_fds == 2)
		on_connect(vmm, le32_get(body.port), message);
	else if (message->type == WIRE_LISTEN && message->n_fds == 1)
		listener_open(vmm, le32_get(body.port),
			      wire_take_fd(message, 0));
	else
		return fail(AVF_ERR_PROTOCOL, "control message %d with %u fds",
			    message->type, message->n_fds);
	return 0;
}

/*
 * Bounded, so that an application that asks without end cannot hold the loop,
 * on which the guest's devices run.
 */
static void receive(struct vmm *vmm)
{
	struct wire_message message;
	int rc = 1;

	for (int i = 0; i < MAX_MESSAGES && !vmm->stopped; i++) {
		rc = wire_receive(vmm->control, &message);
		if (rc <= 0)
			break;
		if (dispatch(vmm, &message) < 0)
			log_warn(&vmm->log, "control socket: %s",
				 error_record()->text);
		wire_message_fini(&message);
	}
	if (rc == AVF_ERR_CLOSED || rc == AVF_ERR_IO)
		vmm_stop(vmm, AVF_STOP_REASON_KILLED,
			 "the application is gone");
	else if (rc < 0)
		log_warn(&vmm->log, "control socket: %s", error_record()->text);
}

/* Room in the socket comes first: events wait for it in their queue. */
static void ready(struct loop_source *source, uint32_t events)
{
	struct vmm *vmm = container_of(source, struct vmm, control_source);

	if (events & EPOLLOUT) {
		loop_modify(&vmm->loop, source, EPOLLIN);
		event_flush(&vmm->events);
	}
	if (events & (EPOLLIN | EPOLLHUP | EPOLLERR))
		receive(vmm);
}

int control_init(struct vmm *vmm)
{
	vmm->owner = -1;
	return loop_add(&vmm->loop, &vmm->control_source, vmm->control, EPOLLIN,
			ready);
}

void control_blocked(void *userdata)
{
	struct vmm *vmm = userdata;

	loop_modify(&vmm->loop, &vmm->control_source, EPOLLIN | EPOLLOUT);
}

void control_fini(struct vmm *vmm)
{
	loop_remove(&vmm->loop, &vmm->control_source);
	/* no source: there never was an owner */
	if (!vmm->owner_source.ready)
		return;
	loop_remove(&vmm->loop, &vmm->owner_source);
	close_p(&vmm->owner);
}
