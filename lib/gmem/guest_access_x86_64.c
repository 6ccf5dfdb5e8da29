/* No guest keeps memory to itself here: plain accesses, which cannot fail. */
#include "gmem/guest_access.h"

#include <string.h>

int guest_access_init(void)
{
	return fail(AVF_ERR_UNSUPPORTED, "no protected VMs on x86-64");
}

int guest_copy(void *to, const void *from, size_t size)
{
	memcpy(to, from, size);
	return 0;
}

int guest_load16(const uint16_t *from, uint16_t *ret_value)
{
	*ret_value = __atomic_load_n(from, __ATOMIC_ACQUIRE);
	return 0;
}

/* NOLINTNEXTLINE(readability-non-const-parameter): the builtin writes to it */
int guest_store16(uint16_t *to, uint16_t value)
{
	__atomic_store_n(to, value, __ATOMIC_RELEASE);
	return 0;
}
