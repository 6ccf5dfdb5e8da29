#include "echo_reverse.h"

#include <sys/socket.h>

#include <algorithm>
#include <linux/vm_sockets.h>
#include <string>
#include <thread>
#include <unistd.h>

/* Above 2^31 on purpose, as AVF's: no place may take it for negative. */
static constexpr unsigned int PORT = 0x80000001;

static int listen_on(unsigned int port)
{
	struct sockaddr_vm address = {};
	int fd = socket(AF_VSOCK, SOCK_STREAM | SOCK_CLOEXEC, 0);

	address.svm_family = AF_VSOCK;
	address.svm_cid = VMADDR_CID_ANY;
	address.svm_port = port;
	if (fd < 0)
		return -1;
	if (bind(fd, reinterpret_cast<sockaddr *>(&address), sizeof(address)) <
		    0 ||
	    listen(fd, 1) < 0) {
		(void)close(fd);
		return -1;
	}
	return fd;
}

/* A line with its LF; empty at the end of the stream. */
static std::string read_line(int fd)
{
	std::string line;
	char c;

	while (read(fd, &c, 1) == 1) {
		line.push_back(c);
		if (c == '\n')
			return line;
	}
	return {};
}

static bool send_all(int fd, const std::string &data)
{
	size_t sent = 0;

	while (sent < data.size()) {
		ssize_t n = send(fd, data.data() + sent, data.size() - sent,
				 MSG_NOSIGNAL);

		if (n < 0)
			return false;
		sent += static_cast<size_t>(n);
	}
	return true;
}

static void serve(int listen_fd)
{
	int fd = accept4(listen_fd, nullptr, nullptr, SOCK_CLOEXEC);
	std::string line;

	(void)close(listen_fd);
	if (fd < 0)
		return;
	do {
		line = read_line(fd);
		if (!line.empty())
			std::reverse(line.begin(), line.end() - 1);
	} while (!line.empty() && send_all(fd, line));
	(void)close(fd);
}

int echo_reverse_start()
{
	int fd = listen_on(PORT);

	if (fd < 0)
		return -1;
	std::thread(serve, fd).detach();
	return 0;
}
