/* Burns CPU for ever. */
#include "runtime.h"

void guest_main(void)
{
	print("spin\n");
	for (;;)
		relax();
}
