/*
 * What the targets of RPC binder share: messages with valid framing and wild
 * content, and an object that does everything with what it is sent.
 */
#pragma once

#include <stdint.h>

#include <android/binder_ibinder.h>

#include "fuzz.h"

/** A connected pair whose buffers hold all that one input can make. */
void rpc_input_pair(int ret_fds[2]);

/** Write one message, which the input chooses, to @fd. Version 0 to 2. */
void rpc_input_send(int fd, struct fuzz_input *in, uint32_t version);

/** Write up to @max messages, then end the stream. */
void rpc_input_send_all(int fd, struct fuzz_input *in, uint32_t version,
			int max);

/** An object whose methods read objects, descriptors and strings, call, keep
 * and return them. Never NULL. */
AIBinder *rpc_input_object(void);
