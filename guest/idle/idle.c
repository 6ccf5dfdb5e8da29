/* Ready at once, then waits for the end of the VM. */
#include <avf/vm_payload.h>

#include <unistd.h>

int AVmPayload_main(void)
{
	AVmPayload_notifyPayloadReady();
	AVmPayload_notifyPayloadReady(); /* no second event */
	for (;;)
		(void)pause();
}
