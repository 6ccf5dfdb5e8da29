/*
 * The end of a table. What it held is moved to a list with the lock held, and
 * given up later without it: the application is called when objects end. None
 * of it needs memory, which may be what the session ends for.
 */
#include <search.h>
#include <stdlib.h>

#include "rpc/rpc_oneway.h"
#include "rpc/rpc_table.h"

struct rpc_node *rpc_table_close(struct rpc_table *table)
{
	struct rpc_node *list = NULL;
	struct rpc_node *node;

	(void)pthread_mutex_lock(&table->lock);
	table->closed = true;
	/* nodes may share an object's place in the other tree for a moment,
	 * never an address: this one has them all */
	while ((node = rpc_table_take_any(table)) != NULL) {
		node->next = list;
		list = node;
	}
	(void)pthread_mutex_unlock(&table->lock);
	return list;
}

void rpc_nodes_announce_death(struct rpc_node *list)
{
	for (struct rpc_node *n = list; n; n = n->next) {
		/* an object that is about to end tells nobody */
		if (!n->binder->session || !object_promote(n->binder))
			continue;
		object_announce_death(n->binder);
		AIBinder_decStrong(n->binder);
	}
}

static void free_queue(struct rpc_oneway *call)
{
	struct rpc_oneway *next;

	for (; call; call = next) {
		next = call->next;
		rpc_oneway_free(call);
	}
}

void rpc_nodes_free(struct rpc_node *list)
{
	struct rpc_node *next;

	for (struct rpc_node *n = list; n; n = next) {
		next = n->next;
		free_queue(n->queue);
		if (n->strong)
			AIBinder_decStrong(n->binder);
		object_unref_weak(n->binder);
		free(n);
	}
}
