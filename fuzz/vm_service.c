/*
 * A guest's manager that is an enemy: connections, handshakes that are mostly
 * right, and calls of IVirtualMachineService and its extension with wild
 * arguments, in pieces. The VMM waits for none of it, and lives.
 *
 * After a minute: cov: 832.
 */
#include "fuzz.h"

#include <sys/socket.h>

#include <android/binder_ibinder.h>

#include "binder/object.h"
#include "rpc/rpc_wire.h"
#include "support/manager_fixture.h"

#define N_LINKS 3U /* one more than there may be */

struct state {
	struct fuzz_input in;
	struct manager_fixture fixture;
	struct vmm *vmm; /* the fixture's */
	int links[N_LINKS];
	uint8_t id[RPC_SESSION_ID_SIZE];
};

static void set_up(struct state *s)
{
	manager_fixture_init(&s->fixture);
	s->vmm = s->fixture.vmm;
	FUZZ_ASSERT(manager_listen(&s->vmm->manager) == 0);
	/* an enemy that knows its session, as one does after one call */
	memcpy(s->id, s->vmm->manager.session->id, sizeof(s->id));
	for (unsigned int i = 0; i < N_LINKS; i++)
		s->links[i] = -1;
}

static void tear_down(struct state *s)
{
	manager_fixture_fini(&s->fixture);
	for (unsigned int i = 0; i < N_LINKS; i++)
		fuzz_close(s->links[i]);
}

static void send_bytes(int fd, const void *bytes, size_t size)
{
	(void)!send(fd, bytes, size, MSG_NOSIGNAL | MSG_DONTWAIT);
}

/* A connection, and the first bytes on it. */
static void connect_link(struct state *s, int *fd)
{
	uint8_t b = fuzz_u8(&s->in);
	bool joins = fd != &s->links[0];
	struct rpc_wire_hello hello = {
		.version = le32_make(b & 3),
		.options = joins ? RPC_HELLO_INCOMING : 0,
		.session_id_size = le16_make(joins ? RPC_SESSION_ID_SIZE : 0)};
	struct rpc_wire_init init = {.magic = RPC_INIT_MAGIC};

	fuzz_close(*fd);
	*fd = manager_fixture_dial();
	if (*fd < 0) {
		*fd = -1;
		return;
	}
	if ((b & 0xf0) == 0xf0)
		(void)fuzz_bytes(&s->in, &hello, sizeof(hello));
	send_bytes(*fd, &hello, sizeof(hello));
	if (joins)
		send_bytes(*fd, s->id, sizeof(s->id));
	else
		send_bytes(*fd, &init, sizeof(init));
}

/* A call of one of the two interfaces, or of the session itself. */
static void make_call(struct state *s, AParcel *in)
{
	static const char *const names[] = {
		"android.system.virtualmachineservice.IVirtualMachineService",
		"libvirtualization.IGuestHost", "", NULL};
	const char *name = names[fuzz_u8(&s->in) & 3];
	uint8_t count = fuzz_u8(&s->in) & 7;
	char text[64] = "";

	if (name)
		(void)AParcel_writeString(in, name, (int32_t)strlen(name));
	while (count-- > 0) {
		uint8_t b = fuzz_u8(&s->in);

		switch (b & 3) {
		case 0:
			(void)fuzz_bytes(&s->in, text, b >> 3);
			(void)AParcel_writeString(in, text, b >> 3);
			break;
		case 1: /* an object of the guest's, or of the host's */
			(void)AParcel_writeInt32(in, 1);
			(void)AParcel_writeInt32(in, b & 4 ? 1 : 3);
			(void)AParcel_writeInt32(in, b >> 6);
			(void)AParcel_writeInt32(in, 0x0c);
			break;
		default:
			(void)AParcel_writeInt32(in, (int32_t)fuzz_u32(&s->in));
		}
	}
}

static void send_call(struct state *s, int fd)
{
	uint8_t b = fuzz_u8(&s->in);
	uint8_t code = fuzz_u8(&s->in);
	AParcel *in = AParcel_create();
	struct {
		struct rpc_wire_header header;
		struct rpc_wire_transaction call;
		uint8_t data[1024];
	} m = {.header.command =
		       le32_make(b & 0x80 ? RPC_DEC_STRONG : RPC_TRANSACT)};
	int32_t size;

	FUZZ_ASSERT(in);
	make_call(s, in);
	size = MIN(AParcel_getDataSize(in), (int32_t)sizeof(m.data));
	if (AParcel_marshal(in, m.data, 0, (size_t)size) != STATUS_OK)
		size = 0;
	AParcel_delete(in);
	/* the root and its extension, mostly */
	m.call.address = le64_make(b & 8 ? 0 : 3 | (uint64_t)(b & 3) << 32);
	m.call.code = le32_make(code & 0x80 ? CODE_EXTENSION : code & 15);
	m.call.flags = le32_make(b & 0x40 ? FLAG_ONEWAY : 0);
	m.call.async_number = le64_make(b & 0x40 ? code >> 5 : 0);
	m.call.parcel_size = le32_make((uint32_t)size);
	m.header.body_size = le32_make(
		b & 0x80 ? 16 : (uint32_t)sizeof(m.call) + (uint32_t)size);
	send_bytes(fd, &m,
		   sizeof(m.header) + (b & 0x80 ? 16 : sizeof(m.call)) +
			   (b & 0x80 ? 0 : (size_t)size));
}

static void act(struct state *s)
{
	uint8_t action = fuzz_u8(&s->in);
	int *fd = &s->links[(action >> 4) % N_LINKS];
	unsigned char bytes[64];

	switch (action & 7) {
	case 0:
		connect_link(s, fd);
		break;
	case 1:
		send_bytes(*fd, bytes,
			   fuzz_bytes(&s->in, bytes, fuzz_u8(&s->in) & 63));
		break;
	case 2:
		fuzz_close(*fd);
		*fd = -1;
		break;
	case 3:
		(void)!recv(*fd, bytes, sizeof(bytes), MSG_DONTWAIT);
		break;
	case 4:
		(void)manager_ask_shutdown(&s->vmm->manager);
		s->vmm->stop_requested = action & 8;
		break;
	default:
		send_call(s, *fd);
	}
	FUZZ_ASSERT(loop_run_once(&s->vmm->loop, 0) == 0);
	FUZZ_ASSERT(!s->vmm->stopped);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	unsigned int fds = fuzz_count_fds();
	struct state s;

	memset(&s, 0, sizeof(s));
	s.in = (struct fuzz_input){data, size};
	set_up(&s);
	while (fuzz_more(&s.in))
		act(&s);
	tear_down(&s);
	FUZZ_ASSERT(fuzz_count_fds() == fds);
	return 0;
}
