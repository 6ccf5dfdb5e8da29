#include "rpc/rpc_table.h"

#include <search.h>
#include <stdlib.h>

#include "rpc/rpc_wire.h"

static int compare_address(const void *a, const void *b)
{
	const struct rpc_node *x = a, *y = b;

	return (x->address > y->address) - (x->address < y->address);
}

static int compare_binder(const void *a, const void *b)
{
	const struct rpc_node *x = a, *y = b;

	return ((uintptr_t)x->binder > (uintptr_t)y->binder) -
	       ((uintptr_t)x->binder < (uintptr_t)y->binder);
}

static void lock(struct rpc_table *table)
{
	(void)pthread_mutex_lock(&table->lock);
}

static void unlock(struct rpc_table *table)
{
	(void)pthread_mutex_unlock(&table->lock);
}

void rpc_table_init(struct rpc_table *table, bool for_server)
{
	*table = (struct rpc_table){.max_queued = RPC_MAX_QUEUED,
				    .for_server = for_server};
	(void)pthread_mutex_init(&table->lock, NULL); /* cannot fail */
}

void rpc_table_fini(struct rpc_table *table)
{
	rpc_nodes_free(rpc_table_close(table));
	(void)pthread_mutex_destroy(&table->lock);
}

struct rpc_node *rpc_table_find(struct rpc_table *table, uint64_t address)
{
	const struct rpc_node key = {.address = address};
	struct rpc_node **found =
		tfind(&key, &table->by_address, compare_address);

	return found ? *found : NULL;
}

static struct rpc_node *find_binder(struct rpc_table *table, AIBinder *binder)
{
	const struct rpc_node key = {.binder = binder};
	struct rpc_node **found =
		tfind(&key, &table->by_binder, compare_binder);

	return found ? *found : NULL;
}

/* A new node. Has a weak reference to @binder. */
static struct rpc_node *add_node(struct rpc_table *table, uint64_t address,
				 AIBinder *binder)
{
	struct rpc_node *node = calloc(1, sizeof(*node));

	if (!node)
		return NULL;
	node->address = address;
	node->binder = binder;
	if (!tsearch(node, &table->by_address, compare_address)) {
		free(node);
		return NULL;
	}
	if (!tsearch(node, &table->by_binder, compare_binder)) {
		tdelete(node, &table->by_address, compare_address);
		free(node);
		return NULL;
	}
	object_ref_weak(binder);
	table->n_nodes++;
	return node;
}

/* Take @node out of the trees. */
static void remove_node(struct rpc_table *table, struct rpc_node *node)
{
	tdelete(node, &table->by_address, compare_address);
	tdelete(node, &table->by_binder, compare_binder);
	table->n_nodes--;
}

struct rpc_node *rpc_table_take_any(struct rpc_table *table)
{
	struct rpc_node *node = NULL;

	if (table->by_address) {
		/* a tree's node begins with the pointer to what it holds */
		node = *(struct rpc_node **)table->by_address;
		remove_node(table, node);
	}
	return node;
}

/* Take the node out and free it, if nobody owes anything any more. Returns
 * whether the table has become empty by that. */
static bool erase_if_settled(struct rpc_table *table, struct rpc_node *node)
{
	if (node->sent != 0 || node->received != 0 || node->queue ||
	    node->async_running)
		return false;
	remove_node(table, node);
	object_unref_weak(node->binder);
	free(node);
	return table->n_nodes == 0;
}

/* An address that is not in use. There are more addresses than nodes. */
static uint64_t new_address(struct rpc_table *table)
{
	uint32_t options = RPC_ADDRESS_CREATED;
	uint64_t address;

	if (table->for_server)
		options |= RPC_ADDRESS_FOR_SERVER;
	do {
		address = (uint64_t)table->next_id << 32 | options;
		table->next_id++;
		if (table->next_id == UINT32_MAX)
			table->next_id = 0;
	} while (rpc_table_find(table, address));
	return address;
}

/* The node of an object that leaves, a new one when it is ours. */
static binder_status_t node_to_leave(struct rpc_table *table, AIBinder *binder,
				     struct rpc_node **ret_node)
{
	struct rpc_node *node = find_binder(table, binder);

	if (table->closed)
		return STATUS_DEAD_OBJECT;
	if (!node && binder->session)
		return STATUS_DEAD_OBJECT; /* of before the session's end */
	if (!node) {
		if (table->n_nodes >= RPC_MAX_NODES)
			return STATUS_NO_MEMORY;
		node = add_node(table, new_address(table), binder);
	}
	if (!node)
		return STATUS_NO_MEMORY;
	*ret_node = node;
	return STATUS_OK;
}

/* An object of ours lives while the peer has references to it. */
static void keep_exported(struct rpc_table *table, struct rpc_node *node)
{
	if (node->strong || node->binder->session)
		return;
	AIBinder_incStrong(node->binder);
	node->strong = true;
	table->n_exported++;
}

/* The peer has paid for everything that was sent. Returns what is to be
 * dropped, or NULL. */
static AIBinder *stop_exporting(struct rpc_table *table, struct rpc_node *node)
{
	if (!node->strong)
		return NULL;
	node->strong = false;
	table->n_exported--;
	return node->binder;
}

binder_status_t rpc_table_leave(struct rpc_table *table,
				const struct binder_session *session,
				AIBinder *binder, uint64_t *ret_address)
{
	struct rpc_node *node;
	binder_status_t rc;

	if (binder->session && binder->session != session)
		return STATUS_INVALID_OPERATION;
	lock(table);
	rc = node_to_leave(table, binder, &node);
	if (rc == STATUS_OK) {
		node->sent++;
		keep_exported(table, node);
		*ret_address = node->address;
	}
	unlock(table);
	return rc;
}

uint64_t rpc_table_next_async(struct rpc_table *table, uint64_t address)
{
	struct rpc_node *node;
	uint64_t number = 0;

	lock(table);
	node = rpc_table_find(table, address);
	if (node)
		number = node->async_out++;
	unlock(table);
	return number;
}

/* What there is to pay for the object. What runs, or waits for its turn, keeps
 * its reference. */
static uint64_t take_received(struct rpc_node *node)
{
	uint64_t amount = node->received - node->n_kept;

	node->received -= amount;
	return amount;
}

bool rpc_table_paid(struct rpc_table *table, uint64_t address, uint64_t amount,
		    AIBinder **ret_drop, uint64_t *ret_pay)
{
	struct rpc_node *node;
	bool empty = false;

	*ret_drop = NULL;
	*ret_pay = 0;
	lock(table);
	node = rpc_table_find(table, address);
	if (node && amount <= node->sent) {
		node->sent -= amount;
		if (node->sent == 0)
			*ret_drop = stop_exporting(table, node);
		if (node->sent == 0 && node->released)
			*ret_pay = take_received(node);
		empty = erase_if_settled(table, node);
	}
	unlock(table);
	return empty;
}

/* The object of a known node, counted. @stability of 0: any. */
static binder_status_t enter_known(struct rpc_node *node, int32_t stability,
				   AIBinder **ret_binder)
{
	AIBinder *binder = node->binder;

	if (binder->session && binder->stability != stability)
		return STATUS_BAD_TYPE;
	if (!object_promote(binder))
		return STATUS_DEAD_OBJECT;
	node->received++;
	*ret_binder = binder;
	return STATUS_OK;
}

/* Put @proxy in the place of one whose end is on its way: that one will find
 * that the references are no longer its own. */
static binder_status_t replace_proxy(struct rpc_table *table,
				     struct rpc_node *node, AIBinder *proxy)
{
	AIBinder *old = node->binder;

	tdelete(node, &table->by_binder, compare_binder);
	node->binder = proxy;
	if (!tsearch(node, &table->by_binder, compare_binder)) {
		/* tdelete() has just freed what tsearch() needs */
		node->binder = old;
		(void)tsearch(node, &table->by_binder, compare_binder);
		return STATUS_NO_MEMORY;
	}
	object_ref_weak(proxy);
	object_unref_weak(old);
	node->released = false;
	return STATUS_OK;
}

/* Add @proxy for an address of the peer. */
static binder_status_t enter_new(struct rpc_table *table, uint64_t address,
				 AIBinder *proxy)
{
	bool by_server = (address & RPC_ADDRESS_FOR_SERVER) != 0;
	struct rpc_node *node = rpc_table_find(table, address);
	binder_status_t rc = STATUS_OK;

	/* who makes up addresses of ours? */
	if (by_server == table->for_server)
		return STATUS_BAD_VALUE;
	if (node) {
		rc = replace_proxy(table, node, proxy);
	} else {
		if (table->n_nodes >= RPC_MAX_NODES)
			return STATUS_NO_MEMORY;
		node = add_node(table, address, proxy);
		if (!node)
			return STATUS_NO_MEMORY;
	}
	if (rc == STATUS_OK)
		node->received++;
	return rc;
}

static bool is_address(uint64_t address)
{
	uint32_t options = (uint32_t)address;

	return (options & ~RPC_ADDRESS_KNOWN) == 0 &&
	       (options & RPC_ADDRESS_CREATED) != 0;
}

/* With the lock held. @proxy: what an unknown address becomes, NULL when it
 * has not been made yet (STATUS_NAME_NOT_FOUND asks for it). */
static binder_status_t enter_locked(struct rpc_table *table, uint64_t address,
				    int32_t stability, AIBinder *proxy,
				    AIBinder **ret_binder)
{
	struct rpc_node *node = rpc_table_find(table, address);
	binder_status_t rc;

	if (table->closed)
		return STATUS_DEAD_OBJECT;
	if (node) {
		rc = enter_known(node, stability, ret_binder);
		if (rc != STATUS_DEAD_OBJECT || !node->binder->session)
			return rc;
	}
	if (!proxy)
		return STATUS_NAME_NOT_FOUND;
	rc = enter_new(table, address, proxy);
	if (rc == STATUS_OK)
		*ret_binder = proxy;
	return rc;
}

binder_status_t rpc_table_enter(struct rpc_table *table,
				struct binder_session *session,
				uint64_t address, int32_t stability,
				AIBinder **ret_binder)
{
	AIBinder *proxy;
	binder_status_t rc;

	if (!is_address(address))
		return STATUS_BAD_VALUE;
	lock(table);
	rc = enter_locked(table, address, stability, NULL, ret_binder);
	unlock(table);
	if (rc != STATUS_NAME_NOT_FOUND)
		return rc;
	proxy = object_new_remote(session, address, stability);
	if (!proxy)
		return STATUS_NO_MEMORY;
	lock(table);
	rc = enter_locked(table, address, stability, proxy, ret_binder);
	unlock(table);
	if (rc != STATUS_OK || *ret_binder != proxy)
		AIBinder_decStrong(proxy); /* not in the table */
	return rc;
}

binder_status_t rpc_table_enter_target(struct rpc_table *table,
				       uint64_t address, AIBinder **ret_binder)
{
	struct rpc_node *node;
	binder_status_t rc = STATUS_DEAD_OBJECT;

	if (!is_address(address))
		return STATUS_BAD_VALUE;
	lock(table);
	node = rpc_table_find(table, address);
	if (node && !node->binder->session)
		rc = enter_known(node, 0, ret_binder);
	unlock(table);
	return rc;
}

uint64_t rpc_table_pay(struct rpc_table *table, uint64_t address,
		       const AIBinder *proxy, bool *ret_empty)
{
	struct rpc_node *node;
	uint64_t amount = 0;

	*ret_empty = false;
	lock(table);
	node = rpc_table_find(table, address);
	/* the references of a remote object that was replaced are its heir's */
	if (node && (!proxy || node->binder == proxy)) {
		node->released = proxy != NULL;
		if (!proxy || node->sent == 0)
			amount = take_received(node);
		*ret_empty = erase_if_settled(table, node);
	}
	unlock(table);
	return amount;
}

bool rpc_table_exports(struct rpc_table *table)
{
	bool exports;

	lock(table);
	exports = table->n_exported > 0;
	unlock(table);
	return exports;
}

size_t rpc_table_count(struct rpc_table *table)
{
	size_t count;

	lock(table);
	count = table->n_nodes;
	unlock(table);
	return count;
}
