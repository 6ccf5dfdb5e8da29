/*
 * References that are to be paid and could not be where that arose: there was
 * no connection, or the peer did not read. Whoever has a connection next pays
 * them. Any thread; the lock is inside and taken together with no other.
 */
#pragma once

#include <pthread.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct rpc_debts {
	pthread_mutex_t lock;
	/* guarded by @lock */
	void *by_address; /* a tree of tsearch() */
	/* of addresses, RPC_MAX_NODES at most; atomic for those who only look
	 * whether there are any, without the lock */
	size_t count;
};

void rpc_debts_init(struct rpc_debts *debts);
/** What is still owed is forgotten. */
void rpc_debts_fini(struct rpc_debts *debts);

/** @amount references more for @address. Without memory, or beyond the most
 * addresses, they are forgotten, and the peer keeps an object until the session
 * ends. */
void rpc_debts_add(struct rpc_debts *debts, uint64_t address, uint64_t amount);

/** Whether there are any. */
bool rpc_debts_any(struct rpc_debts *debts);

/** Take what is owed for one address off the list. False: there is nothing. */
bool rpc_debts_take(struct rpc_debts *debts, uint64_t *ret_address,
		    uint64_t *ret_amount);
