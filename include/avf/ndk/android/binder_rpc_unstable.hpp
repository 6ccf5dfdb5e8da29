/*
 * C++17. What binder_rpc_unstable.h has, with the enum as Android's C++ code
 * spells it: ARpcSession_FileDescriptorTransportMode::Unix. The same functions,
 * as their arguments are the same numbers. A source includes this one or the
 * other, not both.
 */
#pragma once

/** Whether file descriptors travel in parcels. */
enum class ARpcSession_FileDescriptorTransportMode {
	None = 0,
	/** Unix sockets only. */
	Unix = 1,
	/** Not supported: refused. */
	Trusty = 2,
};

#define AVF_NO_RPC_FD_MODES
#include <android/binder_rpc_unstable.h>
