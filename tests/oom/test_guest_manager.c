/*
 * The session of the guest's manager while memory runs out: a call fails or
 * the session ends, the VMM lives, and nothing of it stays.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/checked.h"
#include "base/fd.h"
#include "devices/virtio_vsock.h"
#include "rpc/rpc_wire.h"
#include "support/oom.h"
#include "vmm/vmm_internal.h"

#define SERVICE "android.system.virtualmachineservice.IVirtualMachineService"

static vsock_accept_fn *accept_fn;
static void *accept_userdata;

int __wrap_virtio_vsock_listen(struct virtio_dev *dev, uint32_t port,
			       vsock_accept_fn *accept, void *userdata);

int __wrap_virtio_vsock_listen(struct virtio_dev *dev, uint32_t port,
			       vsock_accept_fn *accept, void *userdata)
{
	(void)dev;
	(void)port;
	accept_fn = accept;
	accept_userdata = userdata;
	return 0;
}

struct host {
	struct vmm *vmm;
	struct backend backend;
	int app;   /* the application's end */
	int guest; /* the guest's end of the first connection */
};

static void expired(void *userdata)
{
	(void)userdata;
}

/* Only the manager's own memory counts. */
static int begin(struct host *h)
{
	int pair[2];
	int rc;

	oom_pause();
	memset(h, 0, sizeof(*h));
	h->guest = -1;
	h->vmm = calloc(1, sizeof(*h->vmm));
	OOM_MUST(h->vmm && loop_init(&h->vmm->loop) == 0);
	OOM_MUST(wire_socketpair(pair) == 0);
	h->app = pair[0];
	h->vmm->control = pair[1];
	vm_config_init(&h->vmm->config);
	h->vmm->config.kind = AVF_CONFIG_PAYLOAD;
	h->vmm->config.payload_name = strdup("libx.so");
	manager_init(&h->vmm->manager, h->vmm);
	event_queue_init(&h->vmm->events, pair[1], control_blocked, h->vmm);
	OOM_MUST(timer_init(&h->vmm->boot_timer, &h->vmm->loop, expired,
			    h->vmm) == 0);
	h->vmm->backend = &h->backend;
	oom_resume();
	rc = manager_listen(&h->vmm->manager);
	return rc;
}

static void end(struct host *h)
{
	oom_pause();
	manager_fini(&h->vmm->manager);
	timer_fini(&h->vmm->boot_timer);
	vm_config_fini(&h->vmm->config);
	loop_fini(&h->vmm->loop);
	fd_close(h->vmm->control);
	fd_close(h->app);
	fd_close(h->guest);
	free(h->vmm);
	oom_resume();
}

static int connect_guest(int *ret_fd)
{
	int pair[2];
	int rc;

	OOM_MUST(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair) == 0);
	rc = accept_fn(accept_userdata, 1000, pair[1]);
	if (rc < 0)
		fd_close(pair[0]);
	else
		*ret_fd = pair[0];
	return rc;
}

static void tell(int fd, const void *bytes, size_t size)
{
	(void)!send(fd, bytes, size, MSG_NOSIGNAL);
}

static void turn(struct host *h)
{
	for (int i = 0; i < 4; i++)
		OOM_MUST(loop_run_once(&h->vmm->loop, 0) == 0);
}

static void greet(struct host *h)
{
	const struct rpc_wire_hello hello = {.version = le32_make(1)};
	const struct rpc_wire_init init = {.magic = RPC_INIT_MAGIC};

	tell(h->guest, &hello, sizeof(hello));
	tell(h->guest, &init, sizeof(init));
	turn(h);
}

/* A call of the object @address with what is in @in. */
static void call(struct host *h, uint64_t address, uint32_t code,
		 const AParcel *in)
{
	struct {
		struct rpc_wire_header header;
		struct rpc_wire_transaction call;
		uint8_t data[512];
	} m = {.header.command = le32_make(RPC_TRANSACT)};
	const size_t size = in ? (size_t)AParcel_getDataSize(in) : 0;

	OOM_MUST(size <= sizeof(m.data));
	OOM_MUST(!in || AParcel_marshal(in, m.data, 0, size) == STATUS_OK);
	m.header.body_size = le32_make((uint32_t)(sizeof(m.call) + size));
	m.call.address = le64_make(address);
	m.call.code = le32_make(code);
	m.call.parcel_size = le32_make((uint32_t)size);
	tell(h->guest, &m, sizeof(m.header) + sizeof(m.call) + size);
	turn(h);
}

/* notifyError(7, "text"), and an agent. */
static AParcel *make_arguments(bool agent)
{
	AParcel *in = AParcel_create();

	OOM_MUST(in != NULL);
	(void)AParcel_writeString(in, SERVICE, (int32_t)strlen(SERVICE));
	if (agent) {
		(void)AParcel_writeInt32(in, 1);
		(void)AParcel_writeInt32(in, 1); /* the client's, number 0 */
		(void)AParcel_writeInt32(in, 0);
		(void)AParcel_writeInt32(in, 0x0c);
	} else {
		(void)AParcel_writeInt32(in, 7);
		(void)AParcel_writeString(in, "text", 4);
	}
	return in;
}

static int session(void)
{
	AParcel *error, *agent;
	struct host h;
	int rc;

	oom_pause();
	error = make_arguments(false);
	agent = make_arguments(true);
	oom_resume();
	rc = begin(&h);
	if (rc == 0)
		rc = connect_guest(&h.guest);
	if (rc == 0) {
		greet(&h);
		call(&h, 0, RPC_GET_ROOT, NULL);
		call(&h, 3, FIRST_CALL_TRANSACTION + 5, error);
		call(&h, 3, FIRST_CALL_TRANSACTION + 1, agent);
		/* an event was emitted, an agent is there, or memory ran out */
		if (!h.vmm->manager.agent)
			rc = AVF_ERR_NO_MEMORY;
		OOM_EXPECT(!h.vmm->stopped);
	}
	end(&h);
	oom_pause();
	AParcel_delete(error);
	AParcel_delete(agent);
	oom_resume();
	return rc;
}

static const struct oom_scenario scenarios[] = {
	/* what only a reference's debt or one call suffers from is no end */
	{"session", session, true},
};

int main(int argc, char **argv)
{
	return oom_main(argc, argv, scenarios, ARRAY_SIZE(scenarios));
}
