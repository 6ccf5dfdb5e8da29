/*
 * The guest's manager: a session of two connections to VM_SERVICE_PORT. On the
 * first it tells the payload's life and asks for its orders, on the second it
 * hears that it shall shut down. All that it says is the guest's word: states
 * only move forward, so each of their events is emitted at most once; errors
 * are counted (event.h). Whatever breaks the protocol ends the session but not
 * the VM. On the loop, which waits for nothing (rpc_polled.h). The first
 * connections count; any process of the guest could try another one.
 */
#include "vmm/manager.h"

#include <stdio.h>
#include <string.h>
#include <sys/epoll.h>

#include "base/checked.h"
#include "base/fd.h"
#include "base/guest_protocol.h"
#include "base/text.h"
#include "devices/virtio_vsock.h"
#include "vmm/vmm_internal.h"
#include "vmservice/guest_agent.h"

/* No-op when there is none; after it nobody can be asked to shut down. */
static void hang_up(struct manager *m)
{
	for (unsigned int i = 0; i < m->n_links; i++) {
		loop_remove(&m->vmm->loop, &m->links[i].source);
		rpc_polled_fini(&m->links[i].polled);
	}
	AIBinder_decStrong(m->agent);
	m->agent = NULL;
	if (m->session)
		rpc_session_end(m->session);
	rpc_session_unref(m->session);
	m->session = NULL;
}

void manager_fini(struct manager *manager)
{
	hang_up(manager);
}

/* ---- what the guest calls ---------------------------------------------------
 */

/* Forward only. Returns whether this is news. */
static bool move_to(struct manager *m, enum payload_state state)
{
	if (state <= m->state)
		return false;
	m->state = state;
	return true;
}

static binder_exception_t on_agent(void *userdata, AIBinder *agent)
{
	struct manager *m = userdata;

	/* an object of our own would be called on this thread, for ever */
	if (m->agent || !AIBinder_isRemote(agent))
		return EX_ILLEGAL_STATE;
	AIBinder_incStrong(agent);
	m->agent = agent;
	/* asked to stop while it was booting: here is whom to ask. If that
	 * fails (an agent that came before the connection to call it on), the
	 * stop's time-out comes. */
	if (m->vmm->stop_requested)
		(void)manager_ask_shutdown(m);
	return EX_NONE;
}

static binder_exception_t on_started(void *userdata)
{
	struct manager *m = userdata;

	timer_set(&m->vmm->boot_timer, 0);
	if (!move_to(m, PAYLOAD_STARTED))
		return EX_ILLEGAL_STATE;
	event_emit(&m->vmm->events, AVF_EVENT_PAYLOAD_STARTED, 0, NULL);
	return EX_NONE;
}

static binder_exception_t on_ready(void *userdata)
{
	struct manager *m = userdata;

	if (m->state != PAYLOAD_STARTED || !move_to(m, PAYLOAD_READY))
		return EX_ILLEGAL_STATE;
	event_emit(&m->vmm->events, AVF_EVENT_PAYLOAD_READY, 0, NULL);
	return EX_NONE;
}

static binder_exception_t on_finished(void *userdata, int32_t exit_code)
{
	struct manager *m = userdata;

	if (!move_to(m, PAYLOAD_FINISHED))
		return EX_ILLEGAL_STATE;
	event_emit(&m->vmm->events, AVF_EVENT_PAYLOAD_FINISHED, exit_code,
		   NULL);
	return EX_NONE;
}

/* It is about to power off; a payload that could not be loaded still tells its
 * exit code. */
static binder_exception_t on_error(void *userdata, int32_t error_code,
				   const char *text, size_t size)
{
	struct manager *m = userdata;
	char clean[VM_SERVICE_TEXT];

	text_sanitise(clean, sizeof(clean), text, size);
	timer_set(&m->vmm->boot_timer, 0);
	event_emit(&m->vmm->events, AVF_EVENT_ERROR, error_code, clean);
	return EX_NONE;
}

static const struct vm_service_ops service_ops = {
	.register_guest_agent = on_agent,
	.payload_started = on_started,
	.payload_ready = on_ready,
	.payload_finished = on_finished,
	.error = on_error,
};

/* The image and this program are of builds that do not go together. @speaks is
 * what the guest's manager does. */
static void refuse_image(struct manager *m, const char *speaks)
{
	char text[GUEST_HOST_TEXT];

	(void)snprintf(text, sizeof(text),
		       "the guest image's manager speaks %s, this library "
		       "version %d: they are of different builds; make the "
		       "image again with `avf image build`",
		       speaks, GUEST_PROTOCOL);
	vmm_guest_reason(
		m->vmm,
		AVF_STOP_REASON_MICRODROID_FAILED_TO_CONNECT_TO_VIRTUALIZATION_SERVICE,
		text);
}

/* None for a guest that was asked to stop while it was booting. */
static binder_exception_t on_get_orders(void *userdata, int32_t protocol,
					struct guest_orders *ret_orders)
{
	struct manager *m = userdata;
	const struct vm_config *config = &m->vmm->config;
	char speaks[64];

	if (protocol != GUEST_PROTOCOL) {
		(void)snprintf(speaks, sizeof(speaks),
			       "version %d of the protocol", protocol);
		refuse_image(m, speaks);
		return EX_UNSUPPORTED_OPERATION;
	}
	if (m->vmm->stop_requested)
		return EX_ILLEGAL_STATE;
	ret_orders->is_debuggable = config->debug_level == AVF_DEBUG_LEVEL_FULL;
	if (config->payload_name)
		(void)snprintf(ret_orders->payload_name,
			       sizeof(ret_orders->payload_name), "%s",
			       config->payload_name);
	if (config->payload_config_path)
		(void)snprintf(ret_orders->payload_config_path,
			       sizeof(ret_orders->payload_config_path), "%s",
			       config->payload_config_path);
	/* the VM's name is its guest's host name, as in AVF */
	if (config->name)
		(void)snprintf(ret_orders->vm_name, sizeof(ret_orders->vm_name),
			       "%s", config->name);
	return EX_NONE;
}

static binder_exception_t on_stop_reason(void *userdata, int32_t reason,
					 const char *text, size_t size)
{
	struct manager *m = userdata;
	char clean[GUEST_HOST_TEXT];

	text_sanitise(clean, sizeof(clean), text, size);
	vmm_guest_reason(m->vmm, reason, clean);
	return EX_NONE;
}

static const struct guest_host_ops host_ops = {
	.get_orders = on_get_orders,
	.set_stop_reason = on_stop_reason,
};

/* ---- the session ------------------------------------------------------------
 */

void manager_init(struct manager *manager, struct vmm *vmm)
{
	memset(manager, 0, sizeof(*manager));
	manager->vmm = vmm;
	manager->service = (struct vm_service){&service_ops, manager};
	manager->host = (struct guest_host){&host_ops, manager};
}

/* Before it has greeted, a manager that does not belong to this VMM is the
 * likeliest reason. */
static void complain(struct manager *m, const struct rpc_polled *polled)
{
	log_warn(&m->vmm->log, "the guest's manager breaks the protocol (%d)",
		 polled->error);
	if (polled->state != RPC_POLLED_SERVES)
		refuse_image(m, "no protocol that is known");
}

static void ready(struct loop_source *source, uint32_t events)
{
	struct manager_link *link =
		container_of(source, struct manager_link, source);
	struct manager *m = link->manager;

	(void)events;
	switch (rpc_polled_ready(&link->polled)) {
	case RPC_POLLED_GIVEN:
		loop_remove(&m->vmm->loop, source);
		break;
	case RPC_POLLED_ENDED:
		if (link->polled.error != STATUS_OK &&
		    link->polled.error != STATUS_DEAD_OBJECT)
			complain(m, &link->polled);
		hang_up(m);
		break;
	default:
		break;
	}
}

/* The session that the guest's first connection begins. */
static int make_session(struct manager *m)
{
	AIBinder *root = vm_service_new(&m->service);
	AIBinder *extension = guest_host_new(&m->host);

	if (root && extension &&
	    AIBinder_setExtension(root, extension) == STATUS_OK)
		m->session = rpc_polled_session(root);
	AIBinder_decStrong(root);
	AIBinder_decStrong(extension);
	if (!m->session)
		return fail(AVF_ERR_NO_MEMORY, "session of the manager");
	return 0;
}

/* Takes @fd. */
static int add_link(struct manager *m, int fd)
{
	struct manager_link *link = &m->links[m->n_links];
	int rc;

	if (rpc_polled_accept(&link->polled, m->session, m->n_links > 0, fd) !=
	    STATUS_OK)
		return fail(AVF_ERR_NO_MEMORY, "connection of the manager");
	link->manager = m;
	rc = loop_add(&m->vmm->loop, &link->source, fd, EPOLLIN, ready);
	if (rc < 0)
		rpc_polled_fini(&link->polled);
	else
		m->n_links++;
	return rc;
}

/* Takes @fd. */
static int accept_manager(void *userdata, uint32_t guest_port, int fd)
{
	struct manager *m = userdata;

	(void)guest_port;
	if (m->n_links == MANAGER_LINKS || !m->session) {
		fd_close(fd);
		return fail(AVF_ERR_BUSY, "the guest's manager has connected");
	}
	return add_link(m, fd);
}

int manager_listen(struct manager *manager)
{
	/* now, as a session's id is random: beside a QEMU the jail has no
	 * random numbers once it is closed */
	int rc = make_session(manager);

	if (rc < 0)
		return rc;
	return virtio_vsock_listen(manager->vmm->backend->vsock,
				   VM_SERVICE_PORT, accept_manager, manager);
}

bool manager_is_expected(const struct manager *manager)
{
	return manager->session && !manager->agent;
}

bool manager_ask_shutdown(struct manager *manager)
{
	return manager->agent && guest_agent_shutdown(manager->agent) == 0;
}
