/* android.system.virtualizationcommon.IGuestAgent: what the host calls in the
 * guest. */
#pragma once

#include <android/binder_ibinder.h>

#include "base/error.h"

/* The server: an object that calls @shutdown. */
struct guest_agent {
	void (*shutdown)(void *userdata);
	void *userdata; /* borrowed */
};

/** @agent outlives the object. NULL: no memory. */
AIBinder *guest_agent_new(const struct guest_agent *agent);

/** Ask the guest to shut down. Oneway: nobody waits. Errors: those of
 * aidl_finish(). */
int guest_agent_shutdown(AIBinder *agent) MUST_CHECK;
