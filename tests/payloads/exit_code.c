/* Ends at once, with an exit code of its own. */
#include <avf/vm_payload.h>

int AVmPayload_main(void)
{
	return 7;
}
