/*
 * The objects that both sides of a session know, each under an address. Each
 * time an address travels the receiver holds one reference more, and pays it
 * back later:
 *
 *	sent      how many references the peer holds, for what we have sent.
 *		  While there are any, the table keeps an object of ours
 *		  alive.
 *	received  how many we hold. We pay them back when nobody here has a
 *		  reference to the peer's object any more, and at once for an
 *		  object of our own that has come back.
 *
 * A call counts its target as sent. A peer's object that nobody here has any
 * more is given back when the peer has paid for that, not before: over another
 * connection it would be there before the call, and the peer would not know
 * the object. Nothing is kept alive for it but the node: a remote object keeps
 * its session, which would wait for a peer that may never pay.
 *
 * A node is there while one of them is not 0. Any thread; the lock is inside,
 * and nothing is called with it held. What was erased with the last reference
 * in it is handed to the caller, who drops it.
 */
#pragma once

#include <pthread.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "binder/object.h"
#include "binder/parcel.h"

struct rpc_session;

/* A oneway call whose turn has not come: rpc_oneway.c. */
struct rpc_oneway {
	struct rpc_oneway *next; /* ascending numbers */
	bool keeps; /* the reference that came with it is not paid yet */
	uint64_t number;
	uint32_t code, flags;
	struct parcel_frame frame; /* owned */
	AIBinder *target;          /* owned */
};

struct rpc_node {
	struct rpc_node *next; /* once it has left the table */
	uint64_t address;
	AIBinder *binder; /* a weak reference, and a strong one if @strong */
	bool strong;      /* ours, and the peer has references to it */
	bool released;    /* the peer's, and nobody has it here any more */
	uint64_t sent, received;
	uint64_t async_out; /* of the next oneway call to it */
	uint64_t async_in;  /* of the next oneway call that runs */
	bool async_running;
	struct rpc_oneway *queue; /* owned */
	struct rpc_oneway *queue_tail;
	size_t n_queued;
	size_t n_kept; /* of them and the running one: that keep a reference */
};

struct rpc_table {
	pthread_mutex_t lock;
	/* guarded by @lock */
	void *by_address; /* trees of tsearch(): balanced, so that no choice */
	void *by_binder;  /* of addresses makes them slow */
	size_t n_nodes;
	size_t n_exported; /* of them: @strong ones */
	size_t max_queued; /* early oneway calls per object: immutable */
	size_t queued_bytes, queued_fds;
	uint32_t next_id;
	bool for_server; /* we are the session's server: immutable */
	bool closed;     /* the session has ended */
};

void rpc_table_init(struct rpc_table *table, bool for_server);
void rpc_table_fini(struct rpc_table *table);

/** @binder is about to be sent. As leave() in binder/session.h. */
binder_status_t rpc_table_leave(struct rpc_table *table,
				const struct binder_session *session,
				AIBinder *binder, uint64_t *ret_address);

/** The number of the oneway call to @address that is about to be sent. */
uint64_t rpc_table_next_async(struct rpc_table *table, uint64_t address);

/**
 * The peer pays back @amount references. What it says in excess is ignored, as
 * Android does. *@ret_drop is a reference that the caller drops, or NULL;
 * *@ret_pay, how many references the caller pays in return: they count as paid.
 * Returns whether the table has become empty.
 */
bool rpc_table_paid(struct rpc_table *table, uint64_t address, uint64_t amount,
		    AIBinder **ret_drop, uint64_t *ret_pay);

/**
 * An address has come: count it, and give its object with a reference. An
 * unknown one of the peer becomes a new remote object of @session.
 * Errors: STATUS_BAD_VALUE, STATUS_BAD_TYPE, STATUS_NO_MEMORY,
 * STATUS_DEAD_OBJECT.
 */
binder_status_t rpc_table_enter(struct rpc_table *table,
				struct binder_session *session,
				uint64_t address, int32_t stability,
				AIBinder **ret_binder);

/** The same for the target of a call, which must be ours. *@ret_node stays
 * while the caller owes its reference. */
binder_status_t rpc_table_enter_target(struct rpc_table *table,
				       uint64_t address, AIBinder **ret_binder);

/**
 * How many references to pay for @address, all but @keep; they count as paid.
 * @proxy is the remote object that ends, NULL for an object of our own. There
 * is nothing to pay for one for which the peer has to pay first.
 * *@ret_empty: the table has become empty.
 */
uint64_t rpc_table_pay(struct rpc_table *table, uint64_t address,
		       const AIBinder *proxy, bool *ret_empty);

size_t rpc_table_count(struct rpc_table *table);
/** Whether the peer has references to objects of ours. */
bool rpc_table_exports(struct rpc_table *table);

/** Empty the table for good. Returns what it held, a list that is the
 * caller's; outside of any lock it goes to the two below. */
struct rpc_node *rpc_table_close(struct rpc_table *table);
/** Tell the recipients of the peer's objects that they are dead. */
void rpc_nodes_announce_death(struct rpc_node *list);
/** Give up the references and the queued calls, and free the list. */
void rpc_nodes_free(struct rpc_node *list);

/** Take any node out; NULL: there is none. With the lock held. */
struct rpc_node *rpc_table_take_any(struct rpc_table *table);

/** The node of @address, or NULL. With the lock held. */
struct rpc_node *rpc_table_find(struct rpc_table *table, uint64_t address);
