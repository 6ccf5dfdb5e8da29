/* Needs a library that no guest has: it cannot be loaded. */
#include <avf/vm_payload.h>

#include "sub.h"

int AVmPayload_main(void)
{
	return *sub_library_was_run();
}
