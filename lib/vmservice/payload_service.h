/* android.system.virtualization.payload.IVmPayloadService: what a payload calls
 * on the guest's manager. */
#pragma once

#include <android/binder_ibinder.h>

#include "base/error.h"

#define PAYLOAD_SERVICE_SOCKET_PATH "/run/vm_payload_service"
#define PAYLOAD_SERVICE_APK_PATH    "/mnt/apk"

/* The server: an object that calls @ready for each notifyPayloadReady(). */
struct payload_service {
	void (*ready)(void *userdata);
	void *userdata; /* borrowed */
};

/** @service outlives the object. NULL: no memory. */
AIBinder *payload_service_new(const struct payload_service *service);

/** The client's call. Errors: those of aidl_finish(). */
int payload_service_ready(AIBinder *service) MUST_CHECK;
