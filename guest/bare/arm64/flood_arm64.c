#include "flood.h"

#include "runtime.h"

#define SERIAL 0x3f8U
#define CHUNK  4096U
#define INPUT  64U

void flood_serial(void)
{
	for (unsigned int i = 0; i < CHUNK; i++)
		mmio_write8(SERIAL, 'x');
	/* nobody types: zeros, as many as asked for */
	for (unsigned int i = 0; i < INPUT; i++) {
		if (mmio_read8(SERIAL) != 0)
			reset();
	}
}

void flood_ports(void)
{
	give_up("there are no ports");
}
