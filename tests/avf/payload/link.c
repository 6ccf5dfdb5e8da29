#include "test_service.h"

#include <sys/socket.h>

#include <linux/vm_sockets.h>
#include <string.h>
#include <unistd.h>

int link_listen(uint32_t port)
{
	const struct sockaddr_vm address = {.svm_family = AF_VSOCK,
					    .svm_cid = VMADDR_CID_ANY,
					    .svm_port = port};
	int fd = socket(AF_VSOCK, SOCK_STREAM | SOCK_CLOEXEC, 0);

	if (fd < 0)
		return -1;
	if (bind(fd, (const struct sockaddr *)&address, sizeof(address)) < 0 ||
	    listen(fd, 4) < 0) {
		(void)close(fd);
		return -1;
	}
	return fd;
}

int link_read_line(int fd, char line[TEST_LINE_SIZE])
{
	size_t n = 0;

	/* a byte at a time: nothing of the next line may be taken */
	while (n < TEST_LINE_SIZE && read(fd, line + n, 1) == 1) {
		if (line[n] == '\n') {
			line[n] = '\0';
			return (int)n;
		}
		n++;
	}
	return -1;
}

int link_write(int fd, const char *data, size_t size)
{
	while (size > 0) {
		ssize_t n = send(fd, data, size, MSG_NOSIGNAL);

		if (n <= 0)
			return -1;
		data += n;
		size -= (size_t)n;
	}
	return 0;
}

void link_unescape(char *field)
{
	char *to = field;

	for (const char *from = field; *from; from++) {
		if (*from == '\\' && from[1]) {
			from++;
			*to++ = *from == 't' ? '\t'
					     : (*from == 'n' ? '\n' : *from);
		} else {
			*to++ = *from;
		}
	}
	*to = '\0';
}

void link_append(char line[TEST_LINE_SIZE], const char *text)
{
	size_t n = strlen(line);

	/* room for one escape, the LF and the NUL */
	for (; *text && n + 4 <= TEST_LINE_SIZE; text++) {
		char c = *text;

		if (c == '\\' || c == '\t' || c == '\n') {
			line[n++] = '\\';
			c = c == '\t' ? 't' : (c == '\n' ? 'n' : c);
		}
		line[n++] = c;
	}
	line[n] = '\0';
}
