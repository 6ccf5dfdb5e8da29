#include <criterion/criterion.h>

#include "base/checked.h"
#include "rpc/rpc_table.h"
#include "rpc/rpc_wire.h"
#include "support/echo_object.h"
#include "support/fake_session.h"

/* The table of a server, whose first object has this address. */
#define OURS   3ULL
#define THEIRS 1ULL /* the client's first object */

static struct rpc_table table;
static struct fake_session fake;
static struct echo_object state;
static AIBinder *local;

static void set_up(void)
{
	rpc_table_init(&table, true);
	fake_session_init(&fake);
	local = AIBinder_new(echo_class_new("echo"), &state);
}

static void tear_down(void)
{
	rpc_table_fini(&table);
	fake_session_fini(&fake);
	AIBinder_decStrong(local);
	cr_expect_eq(state.destroyed, 1);
	cr_expect_eq(fake.refs, 0);
}

TestSuite(table, .init = set_up, .fini = tear_down);

static uint64_t leave(AIBinder *binder)
{
	uint64_t address = 0;

	cr_assert_eq(rpc_table_leave(&table, &fake.session, binder, &address),
		     STATUS_OK);
	return address;
}

static AIBinder *enter(uint64_t address)
{
	AIBinder *binder = NULL;

	cr_assert_eq(rpc_table_enter(&table, &fake.session, address,
				     STABILITY_SYSTEM, &binder),
		     STATUS_OK);
	return binder;
}

/* The peer pays @amount for an object. Drops nothing, pays nothing. */
static bool paid(uint64_t address, uint64_t amount)
{
	AIBinder *drop;
	uint64_t pay;
	bool empty;

	empty = rpc_table_paid(&table, address, amount, &drop, &pay);
	cr_expect_null(drop);
	cr_expect_eq(pay, 0);
	return empty;
}

Test(table, what_is_sent_is_kept_until_it_is_paid)
{
	AIBinder *drop;
	uint64_t pay;

	cr_expect_eq(leave(local), OURS);
	cr_expect_eq(leave(local), OURS);
	cr_expect_eq(AIBinder_debugGetRefCount(local), 2);
	cr_expect(rpc_table_exports(&table));
	cr_expect_not(paid(OURS, 3), "too much");
	cr_expect_not(paid(OURS + 4, 1), "unknown");
	cr_expect_not(paid(OURS, 1));
	cr_expect(rpc_table_exports(&table));
	cr_expect(rpc_table_paid(&table, OURS, 1, &drop, &pay), "empty now");
	cr_expect_eq(drop, local);
	cr_expect_eq(pay, 0);
	cr_expect_not(rpc_table_exports(&table));
	AIBinder_decStrong(drop);
	cr_expect_eq(rpc_table_count(&table), 0);
	/* a new life, a new address */
	cr_expect_eq(leave(local), OURS | 1ULL << 32);
}

Test(table, addresses_that_are_in_use_are_skipped)
{
	static struct echo_object other_state; /* outlives the test */
	AIBinder *other = AIBinder_new(echo_class_new("other"), &other_state);

	cr_expect_eq(leave(local), OURS);
	table.next_id = UINT32_MAX - 1;
	cr_expect_eq(leave(other), OURS | (uint64_t)(UINT32_MAX - 1) << 32);
	cr_expect_eq(table.next_id, 0);
	AIBinder_decStrong(other);
	other = AIBinder_new(echo_class_new("another"), &other_state);
	cr_expect_eq(leave(other), OURS | 1ULL << 32, "0 is the local one's");
	AIBinder_decStrong(other);
}

Test(table, objects_of_elsewhere_do_not_leave)
{
	struct fake_session other;
	uint64_t address;
	AIBinder *proxy, *dead;

	fake_session_init(&other);
	proxy = object_new_remote(&other.session, 1, STABILITY_SYSTEM);
	cr_expect_eq(rpc_table_leave(&table, &fake.session, proxy, &address),
		     STATUS_INVALID_OPERATION);
	AIBinder_decStrong(proxy);
	dead = object_new_remote(&fake.session, 1, STABILITY_SYSTEM);
	cr_expect_eq(rpc_table_leave(&table, &fake.session, dead, &address),
		     STATUS_DEAD_OBJECT, "not in the table");
	AIBinder_decStrong(dead);
	cr_expect_eq(rpc_table_count(&table), 0);
}

Test(table, addresses_that_enter)
{
	static const struct {
		const char *what;
		uint64_t address;
		binder_status_t status;
	} rows[] = {
		{"the session itself", 0, STATUS_BAD_VALUE},
		{"not created", 2, STATUS_BAD_VALUE},
		{"unknown options", 5, STATUS_BAD_VALUE},
		{"all options", 0xffffffff, STATUS_BAD_VALUE},
		{"one that only we could have made", OURS, STATUS_BAD_VALUE},
		{"the peer's", THEIRS, STATUS_OK},
		{"the peer's last", THEIRS | 0xffffffffULL << 32, STATUS_OK},
	};
	AIBinder *binder;
	bool empty;

	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		binder = NULL;
		cr_expect_eq(rpc_table_enter(&table, &fake.session,
					     rows[i].address, STABILITY_SYSTEM,
					     &binder),
			     rows[i].status, "%s", rows[i].what);
		if (!binder)
			continue;
		cr_expect_eq(
			rpc_table_pay(&table, rows[i].address, binder, &empty),
			1);
		cr_expect(empty);
		AIBinder_decStrong(binder);
	}
}

Test(table, an_address_is_one_object)
{
	AIBinder *one, *two, *other;
	bool empty;

	cr_assert_eq(rpc_table_enter(&table, &fake.session, THEIRS,
				     STABILITY_SYSTEM, &one),
		     STATUS_OK);
	cr_assert_eq(rpc_table_enter(&table, &fake.session, THEIRS,
				     STABILITY_SYSTEM, &two),
		     STATUS_OK);
	cr_expect_eq(one, two);
	cr_expect_eq(rpc_table_enter(&table, &fake.session, THEIRS,
				     STABILITY_VINTF, &other),
		     STATUS_BAD_TYPE, "its stability does not change");
	cr_expect_eq(leave(one), THEIRS);
	cr_expect_not(paid(THEIRS, 1));
	/* both references at once */
	cr_expect_eq(rpc_table_pay(&table, THEIRS, one, &empty), 2);
	cr_expect(empty);
	AIBinder_decStrong(one);
	AIBinder_decStrong(two);
}

/* The peer may never pay for the calls on its object: that keeps its node, and
 * what is paid for it in return, but not the object. */
Test(table, an_object_of_the_peer_is_not_kept_for_what_it_owes)
{
	AIBinder *proxy = enter(THEIRS);
	AIBinder *drop;
	uint64_t pay;
	bool empty;

	cr_expect_eq(leave(proxy), THEIRS);
	cr_expect_eq(leave(proxy), THEIRS);
	cr_expect_eq(AIBinder_debugGetRefCount(proxy), 1);
	cr_expect_not(rpc_table_exports(&table));
	cr_expect_eq(rpc_table_pay(&table, THEIRS, proxy, &empty), 0);
	cr_expect_not(empty);
	AIBinder_decStrong(proxy);
	cr_expect_eq(fake.refs, 0, "nor its session");
	cr_expect_not(paid(THEIRS, 3), "too much");
	cr_expect_not(paid(THEIRS, 1), "one call has come, the other not");
	cr_expect(rpc_table_paid(&table, THEIRS, 1, &drop, &pay));
	cr_expect_null(drop);
	cr_expect_eq(pay, 1);
	cr_expect_eq(rpc_table_count(&table), 0);
}

/* An object that was let go of, and comes again before the peer has paid. */
Test(table, the_heir_of_one_that_waits_for_the_peer)
{
	AIBinder *old = enter(THEIRS);
	AIBinder *heir;
	bool empty;

	cr_expect_eq(leave(old), THEIRS);
	cr_expect_eq(rpc_table_pay(&table, THEIRS, old, &empty), 0);
	AIBinder_decStrong(old);
	heir = enter(THEIRS);
	cr_expect_not(paid(THEIRS, 1), "nothing in return: it is in use");
	cr_expect_eq(rpc_table_pay(&table, THEIRS, heir, &empty), 2);
	cr_expect(empty);
	AIBinder_decStrong(heir);
}

/* An object is on its way out while its address comes again. */
Test(table, a_proxy_that_ends_leaves_its_references_to_its_heir)
{
	AIBinder *old, *heir;
	bool empty;

	cr_assert_eq(rpc_table_enter(&table, &fake.session, THEIRS,
				     STABILITY_SYSTEM, &old),
		     STATUS_OK);
	object_ref_weak(old);
	AIBinder_decStrong(old); /* the fake session does not tell the table */
	cr_assert_eq(rpc_table_enter(&table, &fake.session, THEIRS,
				     STABILITY_SYSTEM, &heir),
		     STATUS_OK);
	cr_expect_neq(heir, old);
	cr_expect_eq(rpc_table_pay(&table, THEIRS, old, &empty), 0);
	cr_expect_eq(rpc_table_pay(&table, THEIRS, heir, &empty), 2);
	cr_expect(empty);
	object_unref_weak(old);
	AIBinder_decStrong(heir);
}

Test(table, targets_are_ours_and_alive)
{
	AIBinder *binder, *proxy, *drop;
	uint64_t pay;
	bool empty;

	cr_expect_eq(rpc_table_enter_target(&table, OURS, &binder),
		     STATUS_DEAD_OBJECT);
	cr_expect_eq(rpc_table_enter_target(&table, 0, &binder),
		     STATUS_BAD_VALUE);
	cr_assert_eq(rpc_table_enter(&table, &fake.session, THEIRS,
				     STABILITY_SYSTEM, &proxy),
		     STATUS_OK);
	cr_expect_eq(rpc_table_enter_target(&table, THEIRS, &binder),
		     STATUS_DEAD_OBJECT, "the peer's own");
	(void)leave(local);
	cr_assert_eq(rpc_table_enter_target(&table, OURS, &binder), STATUS_OK);
	cr_expect_eq(binder, local);
	/* paid by the peer while the call runs: the node stays for our debt */
	cr_expect_not(rpc_table_paid(&table, OURS, 1, &drop, &pay));
	AIBinder_decStrong(drop);
	cr_expect_eq(rpc_table_count(&table), 2);
	AIBinder_decStrong(binder);
	cr_expect_eq(rpc_table_pay(&table, OURS, NULL, &empty), 1);
	cr_expect_eq(rpc_table_count(&table), 1);
	AIBinder_decStrong(proxy);
}

Test(table, objects_have_a_limit)
{
	AIBinder *binder = NULL;
	uint64_t address;

	table.n_nodes = RPC_MAX_NODES;
	cr_expect_eq(rpc_table_leave(&table, &fake.session, local, &address),
		     STATUS_NO_MEMORY);
	cr_expect_eq(rpc_table_enter(&table, &fake.session, THEIRS,
				     STABILITY_SYSTEM, &binder),
		     STATUS_NO_MEMORY);
	table.n_nodes = 0;
	cr_expect_eq(AIBinder_debugGetRefCount(local), 1);
}

Test(table, the_end)
{
	struct rpc_node *nodes;
	AIBinder *proxy, *drop;
	uint64_t address;
	bool empty;

	(void)leave(local);
	cr_assert_eq(rpc_table_enter(&table, &fake.session, THEIRS,
				     STABILITY_SYSTEM, &proxy),
		     STATUS_OK);
	nodes = rpc_table_close(&table);
	cr_expect_eq(rpc_table_count(&table), 0);
	cr_assert(nodes && nodes->next && !nodes->next->next);
	cr_expect_eq(AIBinder_debugGetRefCount(local), 2, "not dropped yet");
	rpc_nodes_announce_death(nodes);
	cr_expect_eq(proxy->dead, true);
	cr_expect_eq(local->dead, false, "only the peer's are");
	rpc_nodes_free(nodes);
	cr_expect_eq(AIBinder_debugGetRefCount(local), 1);
	cr_expect_eq(AIBinder_debugGetRefCount(proxy), 1);
	cr_expect_eq(rpc_table_leave(&table, &fake.session, local, &address),
		     STATUS_DEAD_OBJECT);
	cr_expect_eq(rpc_table_enter(&table, &fake.session, THEIRS,
				     STABILITY_SYSTEM, &drop),
		     STATUS_DEAD_OBJECT);
	cr_expect_eq(rpc_table_pay(&table, THEIRS, proxy, &empty), 0);
	cr_expect_not(paid(OURS, 1));
	AIBinder_decStrong(proxy);
}
