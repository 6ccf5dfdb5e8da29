#include <criterion/criterion.h>

#include <arpa/inet.h>
#include <fcntl.h>
#include <linux/vm_sockets.h>
#include <netinet/in.h>
#include <string.h>
#include <unistd.h>

#include "base/checked.h"
#include "rpc/rpc_socket.h"
#include "support/raw_peer.h"

Test(socket, unix_paths)
{
	char path[109];
	struct rpc_address address;

	memset(path, 'x', sizeof(path));
	path[108] = '\0';
	cr_expect_eq(rpc_address_unix(path, &address), AVF_ERR_INVALID,
		     "108 bytes and a NUL");
	path[107] = '\0';
	cr_expect_eq(rpc_address_unix(path, &address), 0);
	cr_expect_eq(rpc_address_unix("", &address), AVF_ERR_INVALID);
}

Test(socket, inet_addresses)
{
	static const struct {
		const char *host;
		unsigned int port;
		int rc;
	} rows[] = {
		{"127.0.0.1", 65535, 0},
		{"::1", 1, 0},
		{"127.0.0.1", 65536, AVF_ERR_INVALID},
		{"localhost", 1, AVF_ERR_INVALID},
		{"", 1, AVF_ERR_INVALID},
		{"127.0.0.1.2", 1, AVF_ERR_INVALID},
		{"::1%", 1, AVF_ERR_INVALID},
	};
	struct rpc_address address;

	for (size_t i = 0; i < ARRAY_SIZE(rows); i++)
		cr_expect_eq(
			rpc_address_inet(rows[i].host, rows[i].port, &address),
			rows[i].rc, "%s", rows[i].host);
}

Test(socket, vsock_addresses)
{
	struct rpc_address address;
	struct sockaddr_vm vm;

	rpc_address_vsock(7, 1234, &address);
	memcpy(&vm, &address.u, sizeof(vm));
	cr_expect(vm.svm_family == AF_VSOCK && vm.svm_cid == 7 &&
		  vm.svm_port == 1234);
	cr_expect_eq(address.size, sizeof(vm));
}

Test(socket, nobody_listens)
{
	struct rpc_address address;
	char path[128];

	raw_socket_path(path, sizeof(path));
	cr_assert_eq(rpc_address_unix(path, &address), 0);
	cr_expect_eq(rpc_socket_connect(&address), AVF_ERR_NOT_FOUND);
}

Test(socket, bind_and_connect)
{
	struct rpc_address address;
	char path[128];
	int listener, client;

	raw_socket_path(path, sizeof(path));
	cr_assert_eq(rpc_address_unix(path, &address), 0);
	listener = rpc_socket_bind(&address);
	cr_assert_geq(listener, 0);
	cr_expect_lt(rpc_socket_bind(&address), 0, "it is taken");
	cr_assert_eq(listen(listener, 1), 0);
	client = rpc_socket_connect(&address);
	cr_assert_geq(client, 0);
	cr_expect(fcntl(client, F_GETFD) & FD_CLOEXEC);
	close(client);
	close(listener);
	(void)unlink(path);
}

Test(socket, bootstrap, .timeout = 60)
{
	int pair[2], ours, theirs, probe;
	char byte = 'x';

	cr_assert_eq(socketpair(AF_UNIX, SOCK_STREAM, 0, pair), 0);
	ours = rpc_socket_bootstrap(pair[1]);
	cr_assert_geq(ours, 0);
	theirs = rpc_socket_accept_bootstrap(pair[0]);
	cr_assert_geq(theirs, 0);
	cr_assert_eq(write(ours, &byte, 1), 1);
	cr_assert_eq(read(theirs, &byte, 1), 1);
	close(ours);
	close(theirs);
	/* none, and two: the next one may be better */
	probe = dup(0);
	close(probe);
	raw_send(pair[1], "00000000");
	cr_expect_eq(rpc_socket_accept_bootstrap(pair[0]), AVF_ERR_PROTOCOL);
	raw_send_fds(pair[1], "00000000", 0, 2);
	cr_expect_eq(rpc_socket_accept_bootstrap(pair[0]), AVF_ERR_PROTOCOL);
	raw_send_fds(pair[1], "00000000", 0, 100);
	cr_expect_eq(rpc_socket_accept_bootstrap(pair[0]), AVF_ERR_PROTOCOL);
	cr_expect_eq(dup(0), probe, "all that came is closed");
	close(probe);
	ours = rpc_socket_bootstrap(pair[1]);
	theirs = rpc_socket_accept_bootstrap(pair[0]);
	cr_expect_geq(theirs, 0);
	close(ours);
	close(theirs);
	close(pair[1]);
	cr_expect_eq(rpc_socket_accept_bootstrap(pair[0]), AVF_ERR_CLOSED);
	close(pair[0]);
}

Test(rpc_socket, descriptors_cross_unix_sockets_only)
{
	int tcp = socket(AF_INET, SOCK_STREAM, 0);
	int local = socket(AF_UNIX, SOCK_STREAM, 0);

	cr_expect(rpc_socket_carries_fds(local));
	cr_expect_not(rpc_socket_carries_fds(tcp));
	close(tcp);
	close(local);
	cr_expect_not(rpc_socket_carries_fds(-1));
}
