/*
 * The session of the guest's manager while memory runs out: a call fails or
 * the session ends, the VMM lives, and nothing of it stays.
 */
#include <string.h>
#include <sys/socket.h>

#include "base/checked.h"
#include "base/fd.h"
#include "rpc/rpc_wire.h"
#include "support/manager_fixture.h"
#include "support/oom.h"

#define SERVICE "android.system.virtualmachineservice.IVirtualMachineService"

struct host {
	struct manager_fixture fixture;
	int guest; /* its end of the first connection */
};

/* Only the manager's own memory counts. */
static int begin(struct host *h)
{
	int rc;

	oom_pause();
	manager_fixture_init(&h->fixture);
	h->guest = -1;
	oom_resume();
	rc = manager_listen(&h->fixture.vmm->manager);
	if (rc == 0) {
		h->guest = manager_fixture_dial();
		rc = MIN(h->guest, 0);
	}
	return rc;
}

static void end(struct host *h)
{
	oom_pause();
	manager_fixture_fini(&h->fixture);
	if (h->guest >= 0)
		fd_close(h->guest);
	oom_resume();
}

static void tell(int fd, const void *bytes, size_t size)
{
	(void)!send(fd, bytes, size, MSG_NOSIGNAL);
}

static void turn(struct host *h)
{
	for (int i = 0; i < 4; i++)
		OOM_MUST(loop_run_once(&h->fixture.vmm->loop, 0) == 0);
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
	if (rc == 0) {
		greet(&h);
		call(&h, 0, RPC_GET_ROOT, NULL);
		call(&h, 3, FIRST_CALL_TRANSACTION + 5, error);
		call(&h, 3, FIRST_CALL_TRANSACTION + 1, agent);
		/* an event was emitted, an agent is there, or memory ran out */
		if (!h.fixture.vmm->manager.agent)
			rc = AVF_ERR_NO_MEMORY;
		OOM_EXPECT(!h.fixture.vmm->stopped);
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
