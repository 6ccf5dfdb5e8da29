/*
 * Android's binderRpcTest under its own names: file descriptors. After each
 * test no descriptor may be left.
 */
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/checked.h"
#include "support/rpc_fixture.h"

#define MAX_FILES 253

/* Whether @fd's file has this text. Closes @fd. */
static bool has_text(int fd, const char *text)
{
	char found[1024];
	ssize_t n = pread(fd, found, sizeof(found) - 1, 0);

	close(fd);
	if (n < 0)
		return false;
	found[n] = '\0';
	return strcmp(found, text) == 0;
}

/* Connect with modes that do not fit. */
static void expect_refused(struct rpc_fixture *f,
			   const struct rpc_options *options)
{
	ARpcSession *session = ARpcSession_new();

	rpc_fixture_start_server(f, options);
	CHECK(f, !rpc_fixture_connect(f, options, session));
	CHECK(f, AvfRpcSession_getError(session) == STATUS_DEAD_OBJECT);
	CHECK(f, AvfRpcSession_countObjects(session) == 0);
	ARpcSession_free(session);
	rpc_fixture_stop(f);
}

/* The client wants descriptors, the server does not. */
static void FileDescriptorTransportRejectNone(struct rpc_fixture *f)
{
	const struct rpc_options options = {.transport = f->transport,
					    .client_version = 1,
					    .server.version = 1,
					    .fds = true,
					    .server.no_fds = true};

	expect_refused(f, &options);
}

/* The server wants them, the client does not. */
static void FileDescriptorTransportRejectUnix(struct rpc_fixture *f)
{
	const struct rpc_options options = {.transport = f->transport,
					    .client_version = 1,
					    .server.version = 1,
					    .server.only_fds = true};

	expect_refused(f, &options);
}

/* A mode that exists elsewhere. */
static void FileDescriptorTransportTrusty(struct rpc_fixture *f)
{
	const struct rpc_options options = {.transport = f->transport,
					    .client_version = 1};
	ARpcSession *session = ARpcSession_new();

	ARpcSession_setFileDescriptorTransportMode(
		session, ARpcSession_FileDescriptorTransportMode_Trusty);
	CHECK(f, !rpc_fixture_connect(f, &options, session));
	CHECK(f, AvfRpcSession_getError(session) == STATUS_INVALID_OPERATION);
	ARpcSession_free(session);
}

/* Sockets of other families do not carry them: each side that has such a one
 * says so before a descriptor is lost on the way. A host's end of a connection
 * into a VM is a Unix socket, so there it is the server. */
static void FileDescriptorTransportUnixElsewhere(struct rpc_fixture *f)
{
	struct rpc_options options = {
		.transport = f->transport == RPC_VSOCK ? RPC_VSOCK : RPC_INET,
		.client_version = 1,
		.server.version = 1,
		.fds = true,
	};
	ARpcSession *session = ARpcSession_new();

	rpc_fixture_start_server(f, &options);
	CHECK(f, !rpc_fixture_connect(f, &options, session));
	CHECK(f,
	      AvfRpcSession_getError(session) ==
		      (f->transport == RPC_VSOCK ? STATUS_DEAD_OBJECT
						 : STATUS_INVALID_OPERATION));
	CHECK(f, AvfRpcSession_countObjects(session) == 0);
	ARpcSession_free(session);
	rpc_fixture_stop(f);
}

/* The server takes both, the client chose none: only the use fails. */
static void FileDescriptorTransportOptionalUnix(struct rpc_fixture *f)
{
	int fd = -1;

	CHECK(f, service_echo_file(f->roots[0], "hello", &fd) ==
			 STATUS_FDS_NOT_ALLOWED);
	CHECK(f,
	      service_concat(f->roots[0], 0, 1, &fd) == STATUS_FDS_NOT_ALLOWED);
	CHECK(f, fd == -1);
	CHECK(f, AIBinder_ping(f->roots[0]) == STATUS_OK);
}

static void ReceiveFile(struct rpc_fixture *f)
{
	int fd = -1;

	CHECK(f, service_echo_file(f->roots[0], "hello", &fd) == STATUS_OK);
	CHECK(f, has_text(fd, "hello"));
}

static void SendFiles(struct rpc_fixture *f)
{
	int fd = -1, all = -1;

	CHECK(f, service_echo_file(f->roots[0], "123", &fd) == STATUS_OK);
	CHECK(f, service_concat(f->roots[0], fd, 4, &all) == STATUS_OK);
	CHECK(f, has_text(all, "123123123123"));
	close(fd);
}

static void SendMaxFiles(struct rpc_fixture *f)
{
	char text[MAX_FILES + 1];
	int fd = -1, all = -1;

	memset(text, 'a', MAX_FILES);
	text[MAX_FILES] = '\0';
	CHECK(f, service_echo_file(f->roots[0], "a", &fd) == STATUS_OK);
	CHECK(f, service_concat(f->roots[0], fd, MAX_FILES, &all) == STATUS_OK);
	CHECK(f, has_text(all, text));
	close(fd);
}

static void SendTooManyFiles(struct rpc_fixture *f)
{
	int fd = -1, all = -1;

	CHECK(f, service_echo_file(f->roots[0], "a", &fd) == STATUS_OK);
	CHECK(f, service_concat(f->roots[0], fd, MAX_FILES + 1, &all) ==
			 STATUS_BAD_VALUE);
	CHECK(f, AIBinder_ping(f->roots[0]) == STATUS_OK);
	close(fd);
}

static void AppendInvalidFd(struct rpc_fixture *f)
{
	AParcel *in;

	CHECK(f, AIBinder_prepareTransaction(f->roots[0], &in) == STATUS_OK);
	CHECK(f,
	      AParcel_writeParcelFileDescriptor(in, 9999) == STATUS_BAD_VALUE);
	CHECK(f, AParcel_writeParcelFileDescriptor(in, -5) ==
			 STATUS_UNKNOWN_ERROR);
	AParcel_delete(in);
}

/* Hundreds of transfers leave nothing behind: the fixture counts. */
static void Fds(struct rpc_fixture *f)
{
	int fd = -1, all = -1;

	for (int i = 0; i < 100; i++) {
		CHECK(f, service_echo_file(f->roots[0], "x", &fd) == STATUS_OK);
		CHECK(f, service_concat(f->roots[0], fd, 3, &all) == STATUS_OK);
		CHECK(f, has_text(all, "xxx"));
		close(fd);
	}
}

static void DumpOverASession(struct rpc_fixture *f)
{
	const char *args[] = {"one"};

	CHECK(f, AIBinder_dump(f->roots[0], 1, args, 1) == STATUS_OK);
}

/* Version 0 has no place for descriptors in a message. */
static void VersionZeroHasNone(struct rpc_fixture *f)
{
	const struct rpc_options options = {.transport = f->transport,
					    .fds = true};
	int fd = -1;

	rpc_fixture_start(f, &options);
	CHECK(f, service_concat(f->roots[0], 0, 1, &fd) == STATUS_BAD_VALUE);
	CHECK(f, service_echo_file(f->roots[0], "x", &fd) == STATUS_BAD_VALUE);
	CHECK(f, AIBinder_ping(f->roots[0]) == STATUS_OK);
	rpc_fixture_stop(f);
}

#define NO_FDS "vsock carries no descriptors"

static const struct rpc_test tests[] = {
	RPC_BARE(FileDescriptorTransportRejectNone),
	RPC_BARE(FileDescriptorTransportRejectUnix),
	RPC_ONE(FileDescriptorTransportTrusty, .server.threads = 1),
	RPC_BARE(FileDescriptorTransportUnixElsewhere),
	RPC_ONE(FileDescriptorTransportOptionalUnix, .server.threads = 1),
	RPC_HERE(ReceiveFile, NO_FDS, .fds = true),
	RPC_HERE(SendFiles, NO_FDS, .fds = true),
	RPC_HERE(SendMaxFiles, NO_FDS, .fds = true),
	RPC_HERE(SendTooManyFiles, NO_FDS, .fds = true),
	RPC_HERE(AppendInvalidFd, NO_FDS, .fds = true),
	RPC_HERE(Fds, NO_FDS, .fds = true),
	RPC_HERE(DumpOverASession, NO_FDS, .fds = true),
	RPC_HERE_BARE(VersionZeroHasNone, NO_FDS),
};

int main(int argc, char **argv)
{
	return rpc_run_tests(tests, ARRAY_SIZE(tests), argc, argv);
}
