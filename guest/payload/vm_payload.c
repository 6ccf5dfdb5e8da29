/* libvm_payload.so: the AVmPayload_* functions, inside the payload. */
#include <avf/vm_payload.h>

#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "payload/service.h"

/* AVF's contract: a payload that cannot reach its manager is of no use. */
static _Noreturn void give_up(const char *what)
{
	perror(what);
	abort();
}

static int connect_manager(void)
{
	const struct sockaddr_un address = {.sun_family = AF_UNIX,
					    .sun_path = SERVICE_SOCKET_PATH};
	int fd = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0);

	if (fd < 0 ||
	    connect(fd, (const struct sockaddr *)&address, sizeof(address)) < 0)
		give_up("connect to " SERVICE_SOCKET_PATH);
	return fd;
}

/* One connection per call: calls are rare, and no state is shared between
 * threads. */
static void call_manager(enum service_request request)
{
	struct service_packet packet = {le32_make(request), le32_make(0)};
	int fd = connect_manager();

	if (send(fd, &packet, sizeof(packet), MSG_NOSIGNAL) !=
		    (ssize_t)sizeof(packet) ||
	    recv(fd, &packet, sizeof(packet), 0) != (ssize_t)sizeof(packet) ||
	    le32_get(packet.status) != SERVICE_OK)
		give_up("call the guest's manager");
	(void)close(fd); /* nothing was written that could be lost */
}

void AVmPayload_notifyPayloadReady(void)
{
	call_manager(SERVICE_NOTIFY_READY);
}

const char *AVmPayload_getApkContentsPath(void)
{
	return SERVICE_APK_PATH;
}

const char *AVmPayload_getEncryptedStoragePath(void)
{
	return NULL;
}
