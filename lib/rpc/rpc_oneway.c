#include "rpc/rpc_oneway.h"

#include <stdlib.h>

#include "base/cleanup.h"

void rpc_oneway_free(struct rpc_oneway *call)
{
	parcel_frame_fini(&call->frame);
	AIBinder_decStrong(call->target);
	free(call);
}

/* What a call that waits takes: itself, the message with its parcel, its
 * descriptors, and the table twice, as it came and as it is used. Calls that
 * are empty are many: each object has its own queue. */
static size_t held_bytes(const struct rpc_oneway *call)
{
	return sizeof(*call) + call->frame.offset + call->frame.size +
	       call->frame.n_fds * sizeof(int) +
	       2 * call->frame.n_positions * sizeof(uint32_t);
}

/* What the queues of a session may hold. With the lock held. */
static bool has_room(const struct rpc_table *table, const struct rpc_node *node,
		     const struct rpc_oneway *call)
{
	return node->n_queued < table->max_queued &&
	       call->frame.n_fds <= RPC_MAX_QUEUED_FDS - table->queued_fds &&
	       held_bytes(call) <= RPC_MAX_QUEUED_BYTES - table->queued_bytes;
}

/* The reference that came with @call is not to be paid before the call has
 * run: until then the peer must not forget the object, and its count of oneway
 * calls. Another call on the object may have paid for this one as well. */
static void keep_reference(struct rpc_node *node, struct rpc_oneway *call)
{
	call->keeps = node->received > node->n_kept;
	node->n_kept += call->keeps ? 1 : 0;
}

/* Put @call into the queue of its object; they mostly come in order. */
static binder_status_t enqueue(struct rpc_table *table, struct rpc_node *node,
			       struct rpc_oneway *call)
{
	struct rpc_oneway **link = &node->queue;

	if (!has_room(table, node, call))
		return STATUS_FAILED_TRANSACTION;
	if (node->queue_tail && node->queue_tail->number < call->number)
		link = &node->queue_tail->next;
	while (*link && (*link)->number < call->number)
		link = &(*link)->next;
	if (*link && (*link)->number == call->number)
		return STATUS_BAD_VALUE;
	call->next = *link;
	*link = call;
	if (!call->next)
		node->queue_tail = call;
	keep_reference(node, call);
	node->n_queued++;
	table->queued_bytes += held_bytes(call);
	table->queued_fds += call->frame.n_fds;
	return STATUS_OK;
}

/* The call whose turn it is, or NULL. */
static struct rpc_oneway *dequeue(struct rpc_table *table,
				  struct rpc_node *node)
{
	struct rpc_oneway *call = node->queue;

	if (!call || call->number != node->async_in)
		return NULL;
	node->queue = call->next;
	if (!node->queue)
		node->queue_tail = NULL;
	node->n_queued--;
	table->queued_bytes -= held_bytes(call);
	table->queued_fds -= call->frame.n_fds;
	call->next = NULL;
	return call;
}

/* Decide about @call: *@ret_run says that it runs now. */
static binder_status_t admit(struct rpc_table *table, uint64_t address,
			     struct rpc_oneway *call, bool *ret_run)
{
	struct rpc_node *node = rpc_table_find(table, address);

	*ret_run = false;
	if (!node)
		return STATUS_DEAD_OBJECT; /* the session has ended */
	/* a peer that gave the object up and got it again starts anew */
	if (call->number == 0 && !node->async_running && !node->queue)
		node->async_in = 0;
	if (call->number < node->async_in ||
	    (call->number == node->async_in && node->async_running))
		return STATUS_BAD_VALUE;
	if (call->number > node->async_in)
		return enqueue(table, node, call);
	keep_reference(node, call);
	node->async_running = true;
	*ret_run = true;
	return STATUS_OK;
}

/* The call after the one that has run, or NULL. @kept: whether that one has
 * kept its reference, which is to be paid now. */
static struct rpc_oneway *next_call(struct rpc_table *table, uint64_t address,
				    bool kept)
{
	struct rpc_oneway *call = NULL;
	struct rpc_node *node;

	(void)pthread_mutex_lock(&table->lock);
	node = rpc_table_find(table, address);
	if (node) {
		node->async_in++;
		node->n_kept -= kept ? 1 : 0;
		call = dequeue(table, node);
		node->async_running = call != NULL;
	}
	(void)pthread_mutex_unlock(&table->lock);
	return call;
}

/* Run and free @call. What it returns goes nowhere. */
static void run(struct rpc_session *session, struct rpc_oneway *call)
{
	AParcel *in = parcel_new_received(&session->base, &call->frame);
	AParcel *out = parcel_new(&session->base);

	if (in && out) {
		in->sensitive = (call->flags & FLAG_CLEAR_BUF) != 0;
		(void)object_execute(call->target, call->code, in, out);
	}
	AParcel_delete(in);
	AParcel_delete(out);
	rpc_oneway_free(call);
}

binder_status_t rpc_oneway_receive(struct rpc_session *session,
				   uint64_t address, struct rpc_oneway *call)
{
	struct rpc_table *table = &session->table;
	bool now, kept;
	binder_status_t rc;

	(void)pthread_mutex_lock(&table->lock);
	rc = admit(table, address, call, &now);
	(void)pthread_mutex_unlock(&table->lock);
	if (rc != STATUS_OK)
		rpc_oneway_free(call);
	if (!now)
		return rc;
	while (call) {
		kept = call->keeps;
		run(session, call);
		call = next_call(table, address, kept);
	}
	return STATUS_OK;
}
