/*
 * A client that is an enemy: the handshake, then messages with valid framing
 * and wild content, against a server with an object that calls back.
 *
 * After two minutes: cov: 820.
 */
#include "fuzz.h"

#include <sys/socket.h>

#include "rpc/rpc_server.h"
#include "rpc_input.h"

/* The first bytes: mostly right. */
static uint32_t send_hello(int fd, struct fuzz_input *in)
{
	struct rpc_wire_hello hello = {0};
	struct rpc_wire_init init = {.magic = RPC_INIT_MAGIC};
	uint8_t b = fuzz_u8(in);
	uint8_t id[RPC_SESSION_ID_SIZE] = {0};

	hello.version = le32_make(b & 8 ? 2 : b & 1);
	hello.fd_mode = b & 2 ? RPC_FD_MODE_UNIX : RPC_FD_MODE_NONE;
	if ((b & 0xf0) == 0xf0) {
		(void)fuzz_bytes(in, &hello, sizeof(hello));
		(void)fuzz_bytes(in, id, sizeof(id));
	}
	if (b & 4)
		init.magic[fuzz_u8(in) & 3] ^= 1;
	(void)!send(fd, &hello, sizeof(hello), MSG_NOSIGNAL);
	if (le16_get(hello.session_id_size) != 0)
		(void)!send(fd, id, sizeof(id), MSG_NOSIGNAL);
	(void)!send(fd, &init, sizeof(init), MSG_NOSIGNAL);
	return MIN(le32_get(hello.version), RPC_VERSION_MAX);
}

static ARpcServer *new_server(AIBinder *root, int *ret_other)
{
	static const ARpcSession_FileDescriptorTransportMode modes[] = {
		ARpcSession_FileDescriptorTransportMode_None,
		ARpcSession_FileDescriptorTransportMode_Unix,
	};
	ARpcServer *server;
	int pair[2];

	fuzz_socketpair(SOCK_STREAM, pair);
	server = ARpcServer_newUnixDomainBootstrap(root, pair[0]);
	FUZZ_ASSERT(server);
	FUZZ_ASSERT(AvfRpcServer_setProtocolVersion(server, RPC_VERSION_MAX));
	ARpcServer_setSupportedFileDescriptorTransportModes(server, modes, 2);
	*ret_other = pair[1];
	return server;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	unsigned int fds = fuzz_count_fds();
	struct fuzz_input in = {data, size};
	AIBinder *root = rpc_input_object();
	struct rpc_worker worker = {.pending = true};
	ARpcServer *server;
	uint32_t version;
	int pair[2], other;

	server = new_server(root, &other);
	server->n_pending = 1;
	rpc_input_pair(pair);
	version = send_hello(pair[1], &in);
	rpc_input_send_all(pair[1], &in, version, 24);
	worker.server = server;
	worker.fd = pair[0];
	rpc_server_run_worker(&worker);
	/* the end of the stream is the end of the session */
	FUZZ_ASSERT(AvfRpcServer_countSessions(server) == 0);
	FUZZ_ASSERT(server->n_pending == 0);
	ARpcServer_free(server);
	FUZZ_ASSERT(AIBinder_debugGetRefCount(root) == 1);
	AIBinder_decStrong(root);
	fuzz_close(pair[1]);
	fuzz_close(other);
	FUZZ_ASSERT(fuzz_count_fds() == fds);
	return 0;
}
