/*
 * A server that is an enemy, a guest's for instance: the answers to the set-up,
 * then to calls with objects of ours, and calls of its own to a thread of ours.
 *
 * After two minutes: cov: 1034.
 */
#include "fuzz.h"

#include <sys/socket.h>

#include "binder/object.h"
#include "rpc/rpc_wire.h"
#include "rpc_input.h"

#include <android/binder_parcel.h>
#include <android/binder_rpc_unstable.h>

#define MAX_CONNECTIONS 3

/* What the client dials: connections whose answers are there already. */
struct enemy {
	struct fuzz_input *in;
	uint32_t version;
	bool calls;   /* on the connection behind those that it serves */
	int n_serves; /* what it says about those */
	int ends[MAX_CONNECTIONS]; /* owned */
	int count;
};

static void send_words(int fd, const uint32_t *words, size_t count)
{
	(void)!send(fd, words, count * sizeof(*words), MSG_NOSIGNAL);
}

/* What begins a connection on which we serve the enemy, as every client of a
 * VM does: its "cci". */
static void begin_calls(int fd)
{
	const struct rpc_wire_init init = {.magic = RPC_INIT_MAGIC};

	(void)!send(fd, &init, sizeof(init), MSG_NOSIGNAL);
}

/* The set-up as it should be, up to the root, so that what follows is reached.
 * Which answer is missing is the input's choice. */
static void answer_set_up(struct enemy *e, int fd, uint8_t b)
{
	const uint32_t n_serves = (uint32_t)e->n_serves;
	const uint32_t welcome[] = {e->version, 0};
	const uint32_t threads[] = {1, 24, 0, 0, 0, 4, 0, 0, 0, n_serves};
	uint32_t id[18] = {1, 20 + 36, 0, 0, 0, 36, 0, 0, 0, 32};
	const uint32_t root[] = {1, 36, 0, 0, 0, 16, 0, 0, 0, 1, 3, 0, 0x0c};
	const uint32_t root_2[] = {1, 40, 0, 0, 0, 16,   0,
				   0, 0,  1, 3, 0, 0x0c, 0};
	/* version 0 */
	const uint32_t threads_0[] = {1, 8, 0, 0, 0, n_serves};
	uint32_t id_0[14] = {1, 40, 0, 0, 0, 32};
	const uint32_t root_0[] = {1, 20, 0, 0, 0, 1, 3, 0, 0x0c};

	send_words(fd, welcome, 2);
	if (b & 4)
		return;
	if (e->version == 0) {
		send_words(fd, threads_0, 6);
		send_words(fd, id_0, 14);
		send_words(fd, root_0, 9);
	} else {
		send_words(fd, threads, 10);
		send_words(fd, id, 18);
		send_words(fd, e->version == 2 ? root_2 : root,
			   e->version == 2 ? 14 : 13);
	}
}

static int dial(void *param)
{
	struct enemy *e = param;
	uint8_t b = fuzz_u8(e->in);
	bool calls = e->calls && e->count > 0 && e->count == e->n_serves;
	bool begins = calls && (b & 0x30) != 0x30;
	int pair[2];

	if (e->count == MAX_CONNECTIONS)
		return -1;
	rpc_input_pair(pair);
	if (e->count == 0) {
		e->n_serves = b & 3;
		answer_set_up(e, pair[1], b);
	}
	if (begins)
		begin_calls(pair[1]);
	for (int i = 0; i < 16 && fuzz_more(e->in); i++)
		rpc_input_send(pair[1], e->in, e->version);
	/* the end of what we serve would be that of the session, at any time */
	if (!begins)
		(void)shutdown(pair[1], SHUT_WR);
	e->ends[e->count++] = pair[1];
	return pair[0];
}

/* Let the thread that serves the enemy come to the end of what it sent. It
 * ends the session then. */
static void end_calls(const struct enemy *e)
{
	char bytes[4096];
	int fd;

	if (!e->calls || e->n_serves == 0 || e->count <= e->n_serves)
		return;
	fd = e->ends[e->n_serves];
	(void)shutdown(fd, SHUT_WR);
	while (recv(fd, bytes, sizeof(bytes), 0) > 0)
		;
}

/* Calls with an object of ours, and whatever comes back. */
static void use(AIBinder *root)
{
	AIBinder *mine = rpc_input_object();
	AIBinder *back = NULL;
	AParcel *in, *out;

	(void)AIBinder_ping(root);
	__atomic_store_n(&root->clazz, mine->clazz, __ATOMIC_RELEASE);
	for (uint32_t code = 1; code <= 4; code++) {
		in = NULL;
		out = NULL;
		if (AIBinder_prepareTransaction(root, &in) == STATUS_OK &&
		    AParcel_writeStrongBinder(in, mine) == STATUS_OK &&
		    AIBinder_transact(root, code, &in, &out,
				      code == 3 ? FLAG_ONEWAY : 0) ==
			    STATUS_OK &&
		    AParcel_readStrongBinder(out, &back) == STATUS_OK) {
			(void)AIBinder_isAlive(back);
			AIBinder_decStrong(back);
		}
		AParcel_delete(in);
		AParcel_delete(out);
	}
	AIBinder_decStrong(mine);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	unsigned int fds = fuzz_count_fds();
	struct fuzz_input in = {data, size};
	struct enemy enemy = {.in = &in};
	ARpcSession *session = ARpcSession_new();
	uint8_t b = fuzz_u8(&in);
	AIBinder *root;

	FUZZ_ASSERT(session);
	enemy.version = b & 4 ? 2 : b & 1;
	FUZZ_ASSERT(AvfRpcSession_setProtocolVersion(session, RPC_VERSION_MAX));
	if (b & 2)
		ARpcSession_setFileDescriptorTransportMode(
			session, ARpcSession_FileDescriptorTransportMode_Unix);
	enemy.calls = (b & 8) != 0;
	ARpcSession_setMaxIncomingThreads(session, enemy.calls ? 1 : 0);
	root = ARpcSession_setupPreconnectedClient(session, dial, &enemy);
	if (root) {
		use(root);
		AIBinder_decStrong(root);
	}
	end_calls(&enemy);
	AvfRpcSession_shutdown(session, true);
	FUZZ_ASSERT(AvfRpcSession_countObjects(session) == 0);
	ARpcSession_free(session);
	for (int i = 0; i < enemy.count; i++)
		fuzz_close(enemy.ends[i]);
	FUZZ_ASSERT(fuzz_count_fds() == fds);
	return 0;
}
