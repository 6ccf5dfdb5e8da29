/* android.system.virtualmachineservice.IVirtualMachineService: what the guest
 * calls on its host. */
#pragma once

#include <stdint.h>

#include <android/binder_ibinder.h>

#include "base/error.h"

/** Where the host listens: CID 2, a port that is the guest's own CID. */
#define VM_SERVICE_PORT      3U
#define VM_SERVICE_GUEST_CID 3U
/** Room for the text of an error, NUL included. */
#define VM_SERVICE_TEXT 256U

/* The server's methods. Each returns what the caller gets: EX_NONE, or
 * EX_ILLEGAL_STATE. */
struct vm_service_ops {
	/** Borrows @agent, which may be an object of any interface. */
	binder_exception_t (*register_guest_agent)(void *userdata,
						   AIBinder *agent);
	binder_exception_t (*payload_started)(void *userdata);
	binder_exception_t (*payload_ready)(void *userdata);
	binder_exception_t (*payload_finished)(void *userdata,
					       int32_t exit_code);
	/** @text is UTF-8 with any characters; @size without the NUL. */
	binder_exception_t (*error)(void *userdata, int32_t error_code,
				    const char *text, size_t size);
};

struct vm_service {
	const struct vm_service_ops *ops;
	void *userdata; /* borrowed */
};

/** An object that has the methods of @service, which outlives it. NULL: no
 * memory. */
AIBinder *vm_service_new(const struct vm_service *service);

/* The client's calls. Errors: those of aidl_finish(). */
int vm_service_register_guest_agent(AIBinder *service,
				    AIBinder *agent) MUST_CHECK;
int vm_service_payload_started(AIBinder *service) MUST_CHECK;
int vm_service_payload_ready(AIBinder *service) MUST_CHECK;
int vm_service_payload_finished(AIBinder *service,
				int32_t exit_code) MUST_CHECK;
/** @text is UTF-8. */
int vm_service_error(AIBinder *service, int32_t error_code,
		     const char *text) MUST_CHECK;
