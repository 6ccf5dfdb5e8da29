/* libvm_payload.so: the AVmPayload_* functions, inside the payload. */
#include <avf/vm_payload.h>

#include <stdio.h>
#include <stdlib.h>

#include <android/binder_rpc_unstable.h>

#include "vmservice/payload_service.h"

/* AVF's contract: a payload that cannot reach its manager is of no use. */
static _Noreturn void give_up(const char *what)
{
	(void)fprintf(stderr, "%s\n", what);
	abort();
}

/* One session per call: calls are rare, and no state is shared between
 * threads. */
static AIBinder *connect_manager(void)
{
	ARpcSession *session = ARpcSession_new();
	AIBinder *service = NULL;

	if (session)
		service = ARpcSession_setupUnixDomainClient(
			session, PAYLOAD_SERVICE_SOCKET_PATH);
	ARpcSession_free(session);
	if (!service)
		give_up("cannot connect to " PAYLOAD_SERVICE_SOCKET_PATH);
	return service;
}

void AVmPayload_notifyPayloadReady(void)
{
	AIBinder *service = connect_manager();

	if (payload_service_ready(service) < 0)
		give_up(error_record()->text);
	AIBinder_decStrong(service); /* its session goes with it */
}

const char *AVmPayload_getApkContentsPath(void)
{
	return PAYLOAD_SERVICE_APK_PATH;
}

const char *AVmPayload_getEncryptedStoragePath(void)
{
	return NULL;
}
