#include "rpc_input.h"

#include <sys/socket.h>
#include <unistd.h>

#include <android/binder_parcel.h>

#include "binder/object.h"
#include "rpc/rpc_wire.h"

#define BUFFER_BYTES (1 << 20)
#define MAX_PARCEL   192
#define MAX_FDS      3
#define MAX_TABLE    16

/* A message under construction. */
struct message {
	uint8_t bytes[512];
	size_t size;
	uint32_t version;
	uint32_t table[MAX_TABLE + 1];
	size_t n_table;
	int n_fds;
};

static void add(struct message *m, const void *bytes, size_t size)
{
	FUZZ_ASSERT(size <= sizeof(m->bytes) - m->size);
	memcpy(m->bytes + m->size, bytes, size);
	m->size += size;
}

static void add32(struct message *m, uint32_t value)
{
	add(m, &value, sizeof(value));
}

void rpc_input_pair(int ret_fds[2])
{
	const int size = BUFFER_BYTES;

	fuzz_socketpair(SOCK_STREAM, ret_fds);
	for (int i = 0; i < 2; i++)
		(void)setsockopt(ret_fds[i], SOL_SOCKET, SO_SNDBUF, &size,
				 sizeof(size));
}

/* One of few addresses: ours, the peer's, wrong ones. */
static void add_address(struct message *m, struct fuzz_input *in)
{
	static const uint32_t options[] = {3, 1, 0, 2, 7, 0xffffffff, 3, 1};
	uint8_t b = fuzz_u8(in);

	add32(m, options[b & 7]);
	add32(m, (b >> 3) & 3);
}

/* Something that a reader may look for. */
static void add_value(struct message *m, struct fuzz_input *in, size_t start)
{
	static const int32_t stabilities[] = {0x0c, 0x0c, 0x3f, 0};
	uint8_t b = fuzz_u8(in);

	switch (b & 7) {
	case 0:
	case 1:
		/* version 2 lists objects, mostly */
		if (m->version == 2 && m->n_table < MAX_TABLE && !(b & 0x40))
			m->table[m->n_table++] = (uint32_t)(m->size - start);
		add32(m, 1);
		add_address(m, in);
		add32(m, (uint32_t)stabilities[(b >> 3) & 3]);
		break;
	case 2:
		if (m->n_fds == MAX_FDS || m->n_table == MAX_TABLE)
			break;
		m->table[m->n_table++] = (uint32_t)(m->size - start);
		add32(m, 2);
		add32(m, (b & 8) ? fuzz_u8(in) : (uint32_t)m->n_fds);
		m->n_fds++;
		break;
	case 3:
		add32(m, 2); /* two units */
		add32(m, 0x00420041);
		add32(m, b & 8 ? 0x00430043 : 0);
		break;
	case 4:
		add32(m, 0xffffffff);
		break;
	default:
		add32(m, fuzz_u8(in));
	}
}

/* A parcel at the end of @m, with or without what its table should be. */
static uint32_t add_parcel(struct message *m, struct fuzz_input *in)
{
	size_t start = m->size;
	uint8_t count = fuzz_u8(in) & 7;

	while (count-- > 0 && m->size - start < MAX_PARCEL)
		add_value(m, in, start);
	return (uint32_t)(m->size - start);
}

static void add_table(struct message *m, struct fuzz_input *in)
{
	uint8_t b = fuzz_u8(in);

	/* mostly the right one */
	if ((b & 7) == 7)
		m->table[m->n_table++] = b >> 3;
	if ((b & 7) == 6 && m->n_table > 0)
		m->n_table--;
	add(m, m->table, m->n_table * sizeof(uint32_t));
	if ((b & 7) == 5)
		m->n_fds++;
}

static void set_size(struct message *m, uint32_t command, struct fuzz_input *in)
{
	uint32_t header[4] = {command, (uint32_t)m->size - 16, 0, 0};

	if ((fuzz_u8(in) & 31) == 31)
		header[1] = fuzz_u32(in);
	memcpy(m->bytes, header, sizeof(header));
}

static void make_call(struct message *m, struct fuzz_input *in,
		      uint32_t version)
{
	static const uint32_t codes[] = {1,
					 2,
					 3,
					 4,
					 5,
					 6,
					 0,
					 CODE_PING,
					 CODE_INTERFACE,
					 CODE_DUMP,
					 CODE_EXTENSION,
					 CODE_SHELL_COMMAND,
					 CODE_DEBUG_PID,
					 7,
					 1,
					 2};
	uint8_t b = fuzz_u8(in);
	size_t size_at;
	uint32_t size;

	if (b & 0x40) {
		add32(m, 0);
		add32(m, 0);
		add32(m, b & 3); /* a special one */
	} else {
		add_address(m, in);
		add32(m, codes[b & 15]);
	}
	add32(m, b & 0x80 ? FLAG_ONEWAY : 0);
	add32(m, b & 0x80 ? fuzz_u8(in) & 15 : 0);
	add32(m, 0);
	size_at = m->size;
	for (int i = 0; i < 4; i++)
		add32(m, 0);
	size = add_parcel(m, in);
	if (b & 0x20)
		size += fuzz_u8(in);
	memcpy(m->bytes + size_at, &size, sizeof(size));
	if (version > 0)
		add_table(m, in);
	set_size(m, RPC_TRANSACT, in);
}

static void make_reply(struct message *m, struct fuzz_input *in,
		       uint32_t version)
{
	uint8_t b = fuzz_u8(in);
	size_t size_at;
	uint32_t size;

	add32(m, b & 3 ? 0 : 0xffffff00U | b);
	size_at = m->size;
	for (int i = 0; version > 0 && i < 4; i++)
		add32(m, 0);
	size = add_parcel(m, in);
	if (version > 0) {
		memcpy(m->bytes + size_at, &size, sizeof(size));
		add_table(m, in);
	}
	set_size(m, RPC_REPLY, in);
}

static void send_message(int fd, const struct message *m)
{
	union {
		struct cmsghdr align;
		char space[CMSG_SPACE(sizeof(int) * (MAX_FDS + 1))];
	} control = {0};
	struct iovec iov = {.iov_base = (void *)(uintptr_t)m->bytes,
			    .iov_len = m->size};
	struct msghdr msg = {.msg_iov = &iov, .msg_iovlen = 1};
	struct cmsghdr *cmsg = &control.align;
	size_t size = sizeof(int) * (size_t)m->n_fds;
	int sent = 2;

	if (m->n_fds > 0) {
		msg.msg_control = &control;
		msg.msg_controllen = CMSG_SPACE(size);
		cmsg->cmsg_level = SOL_SOCKET;
		cmsg->cmsg_type = SCM_RIGHTS;
		cmsg->cmsg_len = CMSG_LEN(size);
		for (int i = 0; i < m->n_fds; i++)
			memcpy(CMSG_DATA(cmsg) + sizeof(int) * (size_t)i, &sent,
			       sizeof(int));
	}
	(void)!sendmsg(fd, &msg, MSG_NOSIGNAL | MSG_DONTWAIT);
}

void rpc_input_send(int fd, struct fuzz_input *in, uint32_t version)
{
	struct message m = {.size = 16, .version = version};
	uint8_t b = fuzz_u8(in);

	switch (b & 7) {
	case 0:
	case 1:
	case 2:
	case 3:
		make_call(&m, in, version);
		break;
	case 4:
	case 5:
		make_reply(&m, in, version);
		break;
	case 6:
		add_address(&m, in);
		add32(&m, b & 8 ? fuzz_u32(in) : 1);
		add32(&m, 0);
		set_size(&m, RPC_DEC_STRONG, in);
		break;
	default:
		m.size = fuzz_bytes(in, m.bytes, b >> 3);
	}
	if (m.size > 0)
		send_message(fd, &m);
}

void rpc_input_send_all(int fd, struct fuzz_input *in, uint32_t version,
			int max)
{
	for (int i = 0; i < max && fuzz_more(in); i++)
		rpc_input_send(fd, in, version);
	(void)shutdown(fd, SHUT_WR);
}

/* ---- the object ------------------------------------------------------------
 */

enum {
	CALL_IT = FIRST_CALL_TRANSACTION,
	KEEP_IT,
	DROP_IT,
	RETURN_IT,
	SEND_ONEWAY,
	READ_FILES,
};

struct keeper {
	AIBinder *kept; /* owned */
};

static void *on_create(void *args)
{
	(void)args;
	return calloc(1, sizeof(struct keeper));
}

static void on_destroy(void *user_data)
{
	struct keeper *keeper = user_data;

	AIBinder_decStrong(keeper->kept);
	free(keeper);
}

static AIBinder_Class *the_class;

/* Call @binder with @code 1 and an object of ours. */
static binder_status_t call_it(AIBinder *binder, uint32_t flags)
{
	AIBinder *mine = rpc_input_object();
	AParcel *in = NULL, *out = NULL;
	AIBinder *back;
	binder_status_t rc = STATUS_BAD_TYPE;

	if (AIBinder_isRemote(binder)) {
		/* whatever its name is */
		__atomic_store_n(&binder->clazz, the_class, __ATOMIC_RELEASE);
		rc = AIBinder_prepareTransaction(binder, &in);
	}
	if (rc == STATUS_OK)
		rc = AParcel_writeStrongBinder(in, mine);
	if (rc == STATUS_OK)
		rc = AIBinder_transact(binder, 1, &in, &out, flags);
	if (rc == STATUS_OK &&
	    AParcel_readStrongBinder(out, &back) == STATUS_OK)
		AIBinder_decStrong(back);
	AParcel_delete(in);
	AParcel_delete(out);
	AIBinder_decStrong(mine);
	return rc;
}

static binder_status_t on_transact(AIBinder *self, transaction_code_t code,
				   const AParcel *in, AParcel *out)
{
	struct keeper *keeper = AIBinder_getUserData(self);
	AIBinder *binder = NULL, *old;
	int fd;
	binder_status_t rc = STATUS_OK;

	switch (code) {
	case CALL_IT:
	case SEND_ONEWAY:
		rc = AParcel_readStrongBinder(in, &binder);
		if (rc == STATUS_OK && binder)
			rc = call_it(binder, code == CALL_IT ? 0 : FLAG_ONEWAY);
		if (rc == STATUS_OK)
			rc = AParcel_writeStrongBinder(out, binder);
		AIBinder_decStrong(binder);
		return rc;
	case KEEP_IT:
		rc = AParcel_readStrongBinder(in, &binder);
		/* a circle would keep itself */
		if (rc == STATUS_OK && AIBinder_isRemote(binder)) {
			old = keeper->kept;
			keeper->kept = binder;
			binder = old;
		}
		AIBinder_decStrong(binder);
		return rc;
	case DROP_IT:
		old = keeper->kept;
		keeper->kept = NULL;
		AIBinder_decStrong(old);
		return STATUS_OK;
	case RETURN_IT:
		return AParcel_writeStrongBinder(out, keeper->kept);
	case READ_FILES:
		while (AParcel_readParcelFileDescriptor(in, &fd) == STATUS_OK)
			fuzz_close(fd);
		return AParcel_writeParcelFileDescriptor(out, 2);
	default:
		return STATUS_UNKNOWN_TRANSACTION;
	}
}

AIBinder *rpc_input_object(void)
{
	AIBinder *binder;

	if (!the_class) {
		the_class = AIBinder_Class_define("x", on_create, on_destroy,
						  on_transact);
		FUZZ_ASSERT(the_class);
		AIBinder_Class_disableInterfaceTokenHeader(the_class);
	}
	binder = AIBinder_new(the_class, NULL);
	FUZZ_ASSERT(binder);
	return binder;
}
