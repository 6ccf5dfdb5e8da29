/* Dies by SIGSEGV. */
#include <avf/vm_payload.h>

#include <signal.h>
#include <stdio.h>

int AVmPayload_main(void)
{
	printf("crash: about to fault\n");
	fflush(stdout);
	(void)raise(SIGSEGV);
	return 0;
}
