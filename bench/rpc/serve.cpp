/* bench_rpc_serve DIR: the service at DIR/rpc and the bare echo at DIR/echo,
 * until the end of standard input. */
#include "service.h"
#include "echo.h"

#include <android/binder_rpc_unstable.h>

#include <cstdio>
#include <cstring>
#include <string>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

static int fail(const char *what)
{
	std::perror(what);
	return 1;
}

int main(int argc, char **argv)
{
	auto service = ndk::SharedRefBase::make<Bench>();
	struct sockaddr_un address = {};
	ARpcServer *server;
	std::string dir;
	char end;
	int fd;

	if (argc != 2)
		return 2;
	dir = argv[1];
	server = AvfRpcServer_newUnixDomain(service->asBinder().get(),
					    (dir + "/rpc").c_str());
	if (!server)
		return fail("rpc");
	AvfRpcServer_setMaxThreads(server, 4);
	ARpcServer_start(server);
	address.sun_family = AF_UNIX;
	(void)std::snprintf(address.sun_path, sizeof(address.sun_path),
			    "%s/echo", argv[1]);
	fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	if (bind(fd, reinterpret_cast<struct sockaddr *>(&address),
		 sizeof(address)) < 0 ||
	    echo_serve(fd) < 0)
		return fail("echo");
	std::printf("serving\n");
	std::fflush(stdout);
	while (read(STDIN_FILENO, &end, 1) > 0)
		;
	ARpcServer_free(server);
	return 0;
}
