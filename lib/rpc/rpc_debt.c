#include "rpc/rpc_debt.h"

#include <search.h>
#include <stdlib.h>

#include "rpc/rpc_wire.h"

struct debt {
	uint64_t address, amount;
};

static int compare(const void *a, const void *b)
{
	const struct debt *x = a, *y = b;

	return (x->address > y->address) - (x->address < y->address);
}

static void lock(struct rpc_debts *debts)
{
	(void)pthread_mutex_lock(&debts->lock);
}

static void unlock(struct rpc_debts *debts)
{
	(void)pthread_mutex_unlock(&debts->lock);
}

/* With the lock held. */
static void set_count(struct rpc_debts *debts, size_t count)
{
	__atomic_store_n(&debts->count, count, __ATOMIC_RELEASE);
}

void rpc_debts_init(struct rpc_debts *debts)
{
	*debts = (struct rpc_debts){0};
	(void)pthread_mutex_init(&debts->lock, NULL); /* cannot fail */
}

void rpc_debts_fini(struct rpc_debts *debts)
{
	uint64_t address, amount;

	while (rpc_debts_take(debts, &address, &amount))
		continue;
	(void)pthread_mutex_destroy(&debts->lock);
}

void rpc_debts_add(struct rpc_debts *debts, uint64_t address, uint64_t amount)
{
	struct debt *debt = calloc(1, sizeof(*debt));
	struct debt **found;

	if (!debt)
		return;
	debt->address = address;
	lock(debts);
	/* a peer that reads nothing could hand over new objects for ever */
	found = debts->count < RPC_MAX_NODES
			? tsearch(debt, &debts->by_address, compare)
			: tfind(debt, &debts->by_address, compare);
	if (found)
		(*found)->amount += amount;
	/* there was one already, no room, or no memory for the tree's node */
	if (!found || *found != debt)
		free(debt);
	else
		set_count(debts, debts->count + 1);
	unlock(debts);
}

bool rpc_debts_any(struct rpc_debts *debts)
{
	return __atomic_load_n(&debts->count, __ATOMIC_ACQUIRE) > 0;
}

bool rpc_debts_take(struct rpc_debts *debts, uint64_t *ret_address,
		    uint64_t *ret_amount)
{
	struct debt *debt = NULL;

	if (!rpc_debts_any(debts))
		return false;
	lock(debts);
	if (debts->by_address) {
		/* the root of the tree, as good as any: a node begins with
		 * the pointer to what it holds */
		debt = *(struct debt **)debts->by_address;
		*ret_address = debt->address;
		*ret_amount = debt->amount;
		tdelete(debt, &debts->by_address, compare);
		set_count(debts, debts->count - 1);
		free(debt);
	}
	unlock(debts);
	return debt != NULL;
}
