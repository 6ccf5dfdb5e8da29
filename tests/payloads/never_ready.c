/* Runs for ever, never says that it is ready, and ignores SIGTERM. */
#include <avf/vm_payload.h>

#include <signal.h>
#include <stdio.h>
#include <unistd.h>

int AVmPayload_main(void)
{
	(void)signal(SIGTERM, SIG_IGN);
	printf("never_ready: running\n");
	fflush(stdout);
	for (;;)
		(void)pause();
}
