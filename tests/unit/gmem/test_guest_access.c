/* Where no guest keeps memory to itself; tests/pkvm has the other case. */
#include <criterion/criterion.h>

#include <string.h>

#include "gmem/guest_access.h"

Test(guest_access, copies)
{
	static unsigned char from[100], to[102];

	for (size_t i = 0; i < sizeof(from); i++)
		from[i] = (unsigned char)(i + 1);
	for (size_t size = 0; size <= sizeof(from); size++) {
		memset(to, 0, sizeof(to));
		cr_assert_eq(guest_copy(to + 1, from, size), 0);
		cr_assert_arr_eq(to + 1, from, size);
		cr_assert_eq(to[0], 0);
		cr_assert_eq(to[size + 1], 0);
	}
}

Test(guest_access, indices)
{
	uint16_t place = 0, value = 0;

	cr_assert_eq(guest_store16(&place, 0xabcd), 0);
	cr_expect_eq(place, 0xabcd);
	cr_assert_eq(guest_load16(&place, &value), 0);
	cr_expect_eq(value, 0xabcd);
}
