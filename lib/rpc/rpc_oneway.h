/*
 * Oneway calls: each object gets them in the order of their numbers, whichever
 * connection they come on. One that is early waits in the object's node.
 */
#pragma once

#include "rpc/rpc_session.h"

/**
 * Run @call if it is its turn, and those that have waited for it; else keep
 * it. Takes @call, whose target holds the reference that came with it.
 * Errors: STATUS_FAILED_TRANSACTION (too many wait), STATUS_BAD_VALUE (a
 * number that was there before).
 */
binder_status_t rpc_oneway_receive(struct rpc_session *session,
				   uint64_t address, struct rpc_oneway *call);

/** Free a queued call and what it holds. */
void rpc_oneway_free(struct rpc_oneway *call);
