/* libvirtualization.IGuestHost: the extension of IVirtualMachineService. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include <android/binder_ibinder.h>

#include "base/error.h"

/** Longest name of a VM, in bytes: what Linux takes as a host name. */
#define GUEST_HOST_MAX_NAME 64U
#define GUEST_HOST_TEXT     256U

struct guest_orders {
	char payload_name[GUEST_HOST_TEXT]; /* a file name; "": see below */
	bool is_debuggable;
	char vm_name[GUEST_HOST_MAX_NAME + 1]; /* "": it has none */
	/* Without a payload_name: a file in the package, no way out of it. */
	char payload_config_path[GUEST_HOST_TEXT];
};

/* The server's methods; what they return is as in struct vm_service_ops. */
struct guest_host_ops {
	/** @protocol: the guest's GUEST_PROTOCOL. */
	binder_exception_t (*get_orders)(void *userdata, int32_t protocol,
					 struct guest_orders *ret_orders);
	/** @text is UTF-8 with any characters; @size without the NUL. */
	binder_exception_t (*set_stop_reason)(void *userdata, int32_t reason,
					      const char *text, size_t size);
};

struct guest_host {
	const struct guest_host_ops *ops;
	void *userdata; /* borrowed */
};

/** An object that has the methods of @host, which outlives it. NULL: no
 * memory. */
AIBinder *guest_host_new(const struct guest_host *host);

/**
 * The client's calls. Errors: those of aidl_finish(); AVF_ERR_PROTOCOL (orders
 * that nobody can follow: no file name, no host name), AVF_ERR_STATE (there
 * are none: power off), AVF_ERR_UNSUPPORTED (the host is of another build,
 * which speaks another protocol).
 */
int guest_host_get_orders(AIBinder *host,
			  struct guest_orders *ret_orders) MUST_CHECK;
/** Whether @text can be joined to a directory: one name, no way out. */
bool guest_host_is_file_name(const char *text);
/** @text is UTF-8. */
int guest_host_set_stop_reason(AIBinder *host, int32_t reason,
			       const char *text) MUST_CHECK;
