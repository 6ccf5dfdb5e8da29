/* Writes 8 MiB of numbered lines of 64 bytes to its log. */
#include <avf/vm_payload.h>

#include <stdio.h>

#define LINE_SIZE 64
#define N_LINES   (8 * 1024 * 1024 / LINE_SIZE)

int AVmPayload_main(void)
{
	AVmPayload_notifyPayloadReady();
	for (int i = 0; i < N_LINES; i++) {
		if (printf("%0*d\n", LINE_SIZE - 1, i) != LINE_SIZE)
			return 2;
	}
	return fflush(stdout) == 0 ? 0 : 3;
}
