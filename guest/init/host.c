/*
 * The host, which is the VMM: a client's session of RPC binder over vsock, with
 * one connection to call on and one to be called on. A call returns when the
 * host has answered, so what was told before the power-off has arrived.
 */
#include "manager.h"

/* before the kernel's header, which needs sa_family_t */
#include <sys/socket.h>

#include <linux/vm_sockets.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include <android/binder_rpc_unstable.h>
#include <avf/vm.h>

#include "base/cleanup.h"
#include "base/guest_protocol.h"
#include "base/text.h"
#include "base/utf8.h"

#define CONNECT_LIMIT_NS 5000000000ULL
#define CONNECT_PAUSE_MS 20
/* The host answers at once; one that does not is as good as gone. */
#define CALL_LIMIT_MS 30000

/* Returns a connected socket or -1 with errno. */
static int try_connect(void)
{
	const struct sockaddr_vm address = {.svm_family = AF_VSOCK,
					    .svm_cid = VMADDR_CID_HOST,
					    .svm_port = VM_SERVICE_PORT};
	CLEANUP(close_p)
	int fd = socket(AF_VSOCK, SOCK_STREAM | SOCK_CLOEXEC, 0);

	if (fd < 0 ||
	    connect(fd, (const struct sockaddr *)&address, sizeof(address)) < 0)
		return -1;
	return take_fd(&fd);
}

/* The driver may not be there yet. */
static int connect_patiently(void *param)
{
	const uint64_t limit = clock_now_ns() + CONNECT_LIMIT_NS;
	int fd;

	(void)param;
	for (;;) {
		fd = try_connect();
		if (fd >= 0 || clock_now_ns() >= limit)
			return fd;
		system_pause_ms(CONNECT_PAUSE_MS);
	}
}

static int begin_session(struct manager *m)
{
	ARpcSession *session = ARpcSession_new();
	binder_status_t status;

	if (!session)
		return fail(AVF_ERR_NO_MEMORY, "session with the host");
	AvfRpcSession_setCallTimeout(session, CALL_LIMIT_MS);
	AvfRpcSession_setMaxFrameSize(session, RPC_POLLED_MAX);
	m->service = ARpcSession_setupPreconnectedClient(
		session, connect_patiently, NULL);
	status = AvfRpcSession_getError(session);
	ARpcSession_free(session);
	if (!m->service)
		return fail(AVF_ERR_CLOSED,
			    "connect to the host's vsock port %u: status %d",
			    VM_SERVICE_PORT, status);
	if (AIBinder_getExtension(m->service, &m->host) != STATUS_OK ||
	    !m->host)
		return fail(AVF_ERR_PROTOCOL, "the host has no IGuestHost");
	return 0;
}

static void shut_down(void *userdata)
{
	struct manager *m = userdata;

	m->shutting_down = true;
}

/* The second connection, and who is called on it. */
static int register_agent(struct manager *m)
{
	int fd = connect_patiently(NULL);
	AIBinder *agent;
	int rc;

	if (fd < 0)
		return fail_errno("connect to the host once more");
	if (rpc_polled_join(&m->calls, m->service, fd) != STATUS_OK ||
	    rpc_polled_wait(&m->calls, CALL_LIMIT_MS) != STATUS_OK)
		return fail(AVF_ERR_CLOSED, "the host does not call back");
	m->agent = (struct guest_agent){shut_down, m};
	agent = guest_agent_new(&m->agent);
	rc = vm_service_register_guest_agent(m->service, agent);
	AIBinder_decStrong(agent);
	return rc;
}

int host_connect(struct manager *m)
{
	int rc = begin_session(m);

	return rc < 0 ? rc : register_agent(m);
}

int host_get_orders(struct manager *m)
{
	int rc = guest_host_get_orders(m->host, &m->orders);

	if (rc == AVF_ERR_UNSUPPORTED)
		return fail(rc,
			    "the host does not speak version %d of the "
			    "protocol, as this image does",
			    GUEST_PROTOCOL);
	if (rc == AVF_ERR_STATE) {
		m->shutting_down = true;
		return 0;
	}
	/* nothing depends on the name */
	if (rc == 0 && m->orders.vm_name[0])
		(void)sethostname(m->orders.vm_name, strlen(m->orders.vm_name));
	return rc;
}

int host_tell_error(struct manager *m, int32_t error_code, int32_t stop_reason,
		    const char *text)
{
	char clean[VM_SERVICE_TEXT];
	int rc;

	/* a string of binder's is Unicode; a package's file names are not */
	(void)snprintf(clean, sizeof(clean), "%s", text);
	if (!utf8_is_valid(clean))
		text_sanitise(clean, sizeof(clean), text, strlen(text));
	rc = vm_service_error(m->service, error_code, clean);
	if (rc < 0)
		return rc;
	return guest_host_set_stop_reason(m->host, stop_reason, clean);
}

int host_calls_fd(const struct manager *m)
{
	return m->calls.conn && !m->shutting_down ? m->calls.conn->fd : -1;
}

void host_take_calls(struct manager *m)
{
	if (rpc_polled_ready(&m->calls) != RPC_POLLED_ENDED)
		return;
	m->shutting_down = true; /* nobody to trust is left */
	rpc_polled_fini(&m->calls);
}
