/*
 * What the payload's library and the guest's manager say to each other, over
 * a SOCK_SEQPACKET Unix socket in the guest: one request, one reply, each a
 * packet. The manager takes the payload for hostile.
 */
#pragma once

#include "base/byteorder.h"

#define SERVICE_SOCKET_PATH "/run/vm_payload_service"
#define SERVICE_APK_PATH    "/mnt/apk"

enum service_request {
	SERVICE_NOTIFY_READY = 1,
};

enum service_status {
	SERVICE_OK = 0,
	SERVICE_UNKNOWN_REQUEST = 1,
};

struct service_packet {
	le32 request;
	le32 status; /* zero in a request */
};
_Static_assert(sizeof(struct service_packet) == 8, "service packet layout");
