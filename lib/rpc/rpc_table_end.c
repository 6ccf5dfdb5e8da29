/*
 * The end of a table. What it held is moved to lists with the lock held, and
 * given up later without it: the application is called when objects end.
 */
#include <search.h>
#include <stdlib.h>

#include "rpc/rpc_table.h"

/* The nodes in the order of the walk. twalk_r() visits, and must not free. */
struct collector {
	struct rpc_node **nodes;
	size_t count;
};

static void collect(const void *p, VISIT visit, void *closure)
{
	struct collector *collector = closure;

	if (visit == postorder || visit == leaf)
		collector->nodes[collector->count++] =
			*(struct rpc_node *const *)p;
}

/* Move what @node holds to @rest, and free it. */
static void take_node(struct rpc_node *node, struct rpc_table_rest *rest)
{
	AIBinder *binder = node->binder;

	if (rest->proxies && binder->session && object_promote(binder))
		rest->proxies[rest->n_proxies++] = binder;
	if (node->strong && rest->strong)
		rest->strong[rest->n_strong++] = binder;
	if (node->queue_tail) {
		node->queue_tail->next = rest->queue;
		rest->queue = node->queue;
	}
	object_unref_weak(binder);
	free(node);
}

static void free_nothing(void *node)
{
	(void)node;
}

void rpc_table_close(struct rpc_table *table, struct rpc_table_rest *ret_rest)
{
	struct collector all = {0};
	struct rpc_table_rest rest = {0};

	(void)pthread_mutex_lock(&table->lock);
	table->closed = true;
	if (table->n_nodes > 0) {
		all.nodes = calloc(table->n_nodes, sizeof(*all.nodes));
		rest.proxies = calloc(table->n_nodes, sizeof(AIBinder *));
		rest.strong = calloc(table->n_nodes, sizeof(AIBinder *));
	}
	/* without memory for the lists the references are lost, no more */
	if (all.nodes) {
		twalk_r(table->by_address, collect, &all);
		for (size_t i = 0; i < all.count; i++)
			take_node(all.nodes[i], &rest);
		tdestroy(table->by_address, free_nothing);
		tdestroy(table->by_binder, free_nothing);
		table->by_address = NULL;
		table->by_binder = NULL;
		table->n_nodes = 0;
	}
	(void)pthread_mutex_unlock(&table->lock);
	free(all.nodes);
	*ret_rest = rest;
}

void rpc_table_rest_fini(struct rpc_table_rest *rest)
{
	struct rpc_oneway *next;

	for (size_t i = 0; i < rest->n_strong; i++)
		AIBinder_decStrong(rest->strong[i]);
	for (size_t i = 0; i < rest->n_proxies; i++)
		AIBinder_decStrong(rest->proxies[i]);
	for (struct rpc_oneway *call = rest->queue; call; call = next) {
		next = call->next;
		rpc_oneway_free(call);
	}
	free(rest->strong);
	free(rest->proxies);
	*rest = (struct rpc_table_rest){0};
}
