#include <criterion/criterion.h>

#include "rpc/rpc_debt.h"
#include "rpc/rpc_wire.h"

static struct rpc_debts debts;

static void set_up(void)
{
	rpc_debts_init(&debts);
}

static void tear_down(void)
{
	rpc_debts_fini(&debts);
}

TestSuite(debts, .init = set_up, .fini = tear_down);

Test(debts, there_are_none_at_first)
{
	uint64_t address = 77, amount = 78;

	cr_expect_not(rpc_debts_any(&debts));
	cr_expect_not(rpc_debts_take(&debts, &address, &amount));
	cr_expect_eq(address, 77, "untouched");
	cr_expect_eq(amount, 78, "untouched");
}

Test(debts, those_of_one_address_are_summed_up)
{
	uint64_t address, amount, sum = 0;

	rpc_debts_add(&debts, 3, 2);
	rpc_debts_add(&debts, 1, 10);
	rpc_debts_add(&debts, 3, 5);
	cr_expect(rpc_debts_any(&debts));
	for (int i = 0; i < 2; i++) {
		cr_assert(rpc_debts_take(&debts, &address, &amount));
		cr_expect_eq(amount, address == 3 ? 7 : 10);
		sum += amount;
	}
	cr_expect_eq(sum, 17);
	cr_expect_not(rpc_debts_any(&debts));
}

/* Else a peer that reads nothing would have us remember what it likes. */
Test(debts, are_those_of_as_many_addresses_as_a_session_has)
{
	uint64_t address, amount, sum = 0;
	unsigned int n = 0;

	for (uint64_t i = 0; i < RPC_MAX_NODES + 2; i++)
		rpc_debts_add(&debts, i, 1);
	rpc_debts_add(&debts, 7, 1);
	while (rpc_debts_take(&debts, &address, &amount)) {
		cr_assert_lt(address, RPC_MAX_NODES);
		sum += amount;
		n++;
	}
	cr_expect_eq(n, RPC_MAX_NODES);
	cr_expect_eq(sum, RPC_MAX_NODES + 1, "7 is there, so more is, too");
	rpc_debts_add(&debts, RPC_MAX_NODES, 1);
	cr_expect(rpc_debts_any(&debts), "there is room again");
}

Test(debts, what_is_left_is_freed)
{
	/* AddressSanitizer's build sees a leak */
	rpc_debts_add(&debts, 3, 1);
	rpc_debts_add(&debts, 0xffffffff00000003ULL, 1);
}
