/*
 * The guest's manager: one vsock connection on GUESTLINK_PORT, which tells the
 * payload's life and takes START, NAME and SHUTDOWN. All that it says is the
 * guest's word: states only move forward, so each event is emitted at most
 * once, and a broken frame ends the connection but not the VM. On the loop. The
 * first connection counts; any process of the guest could try another one.
 */
#include "vmm/manager.h"

#include <stdio.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/checked.h"
#include "base/fd.h"
#include "devices/virtio_vsock.h"
#include "vmm/vmm_internal.h"

/* Reads of one turn of the loop, so that a chatty guest cannot hold it. */
#define MAX_READS 16

void manager_init(struct manager *manager, struct vmm *vmm)
{
	memset(manager, 0, sizeof(*manager));
	manager->vmm = vmm;
	manager->fd = -1;
}

/* No-op when there is none; after it nobody can be asked to shut down. */
static void hang_up(struct manager *m)
{
	loop_remove(&m->vmm->loop, &m->source);
	fd_close(m->fd);
	m->fd = -1;
}

void manager_fini(struct manager *manager)
{
	hang_up(manager);
}

/* Returns false when it could not be sent as a whole. */
static bool send_message(struct manager *m, const struct guestlink_msg *msg)
{
	unsigned char frame[GUESTLINK_MAX_FRAME];
	size_t size;

	if (guestlink_encode(msg, frame, sizeof(frame), &size) < 0)
		return false;
	/* a few small frames per run: the socket's buffer always has room */
	return send(m->fd, frame, size, MSG_DONTWAIT | MSG_NOSIGNAL) ==
	       (ssize_t)size;
}

/* The VM's name is its guest's host name, as in AVF. */
static bool send_name(struct manager *m)
{
	struct guestlink_msg msg = {.type = GUESTLINK_NAME};
	const char *name = m->vmm->config.name;

	if (!name)
		return true;
	(void)snprintf(msg.text, sizeof(msg.text), "%s", name);
	return send_message(m, &msg);
}

/* The orders; until they come, the manager waits. */
static void send_start(struct manager *m)
{
	const struct vm_config *config = &m->vmm->config;
	struct guestlink_msg msg = {.type = GUESTLINK_START};

	if (config->debug_level == AVF_DEBUG_LEVEL_FULL)
		msg.flags |= GUESTLINK_START_DEBUG;
	(void)snprintf(msg.text, sizeof(msg.text), "%s", config->payload_name);
	if (!send_name(m) || !send_message(m, &msg))
		vmm_stop(m->vmm, AVF_STOP_REASON_INFRASTRUCTURE_ERROR,
			 "the guest does not take its orders");
}

/* Forward only. Returns whether this is news. */
static bool move_to(struct manager *m, enum payload_state state)
{
	if (state <= m->state)
		return false;
	m->state = state;
	return true;
}

static void on_error(struct manager *m, const struct guestlink_msg *msg)
{
	struct vmm *vmm = m->vmm;

	/* it is about to power off; a payload that could not be loaded still
	 * tells its exit code */
	timer_set(&vmm->boot_timer, 0);
	event_emit(&vmm->events, AVF_EVENT_ERROR, msg->error_code, msg->text);
	vmm_guest_reason(vmm, msg->stop_reason, msg->text);
}

static void on_message(struct manager *m, const struct guestlink_msg *msg)
{
	struct event_queue *events = &m->vmm->events;

	switch (msg->type) {
	case GUESTLINK_HELLO:
		/* asked to stop while it was booting: here is whom to ask */
		if (!m->vmm->stop_requested)
			send_start(m);
		else if (!manager_ask_shutdown(m))
			hang_up(m);
		return;
	case GUESTLINK_PAYLOAD_STARTED:
		timer_set(&m->vmm->boot_timer, 0);
		if (move_to(m, PAYLOAD_STARTED))
			event_emit(events, AVF_EVENT_PAYLOAD_STARTED, 0, NULL);
		return;
	case GUESTLINK_PAYLOAD_READY:
		if (m->state == PAYLOAD_STARTED && move_to(m, PAYLOAD_READY))
			event_emit(events, AVF_EVENT_PAYLOAD_READY, 0, NULL);
		return;
	case GUESTLINK_PAYLOAD_FINISHED:
		if (move_to(m, PAYLOAD_FINISHED))
			event_emit(events, AVF_EVENT_PAYLOAD_FINISHED,
				   msg->exit_code, NULL);
		return;
	case GUESTLINK_ERROR:
		on_error(m, msg);
		return;
	default: /* the reader refuses what a guest may not send */
		return;
	}
}

static int read_messages(struct manager *m)
{
	struct guestlink_msg msg;
	int rc;

	while ((rc = guestlink_reader_next(&m->reader, &msg)) > 0)
		on_message(m, &msg);
	return rc;
}

/* Bounded reads: others on the loop get their turn. */
static void ready(struct loop_source *source, uint32_t events)
{
	struct manager *m = container_of(source, struct manager, source);
	char buf[1024];
	ssize_t n = -1;

	(void)events;
	for (int i = 0; i < MAX_READS; i++) {
		n = recv(m->fd, buf, sizeof(buf), MSG_DONTWAIT);
		if (n <= 0)
			break;
		/* the reader holds a whole frame: it takes what we read */
		if (guestlink_reader_feed(&m->reader, buf, (size_t)n) !=
			    (size_t)n ||
		    read_messages(m) < 0) {
			log_warn(&m->vmm->log, "the guest's manager: %s",
				 error_record()->text);
			hang_up(m);
			return;
		}
	}
	if (n == 0 || (n < 0 && errno != EAGAIN && errno != EINTR))
		hang_up(m);
}

/* Takes @fd. */
static int accept_manager(void *userdata, uint32_t guest_port, int fd)
{
	struct manager *m = userdata;
	int rc;

	(void)guest_port;
	if (m->had_one) {
		fd_close(fd);
		return fail(AVF_ERR_BUSY, "the guest's manager has connected");
	}
	rc = loop_add(&m->vmm->loop, &m->source, fd, EPOLLIN, ready);
	if (rc < 0) {
		fd_close(fd);
		return rc;
	}
	m->had_one = true;
	m->fd = fd;
	guestlink_reader_init(&m->reader, GUESTLINK_GUEST);
	return 0;
}

int manager_listen(struct manager *manager)
{
	return virtio_vsock_listen(manager->vmm->backend->vsock, GUESTLINK_PORT,
				   accept_manager, manager);
}

bool manager_is_expected(const struct manager *manager)
{
	return manager->vmm->config.kind == AVF_CONFIG_PAYLOAD &&
	       !manager->had_one;
}

bool manager_ask_shutdown(struct manager *manager)
{
	const struct guestlink_msg msg = {.type = GUESTLINK_SHUTDOWN};

	return manager->fd >= 0 && send_message(manager, &msg);
}
