#include "flood.h"

#include "runtime.h"

#define COM1  0x3f8U
#define CHUNK 4096U
#define INPUT 64U

static unsigned char chunk[CHUNK];

static void out_string(uint16_t port, const void *data, uint64_t n)
{
	__asm__ volatile("rep outsb" : "+S"(data), "+c"(n) : "d"(port));
}

static void in_string(uint16_t port, void *data, uint64_t n)
{
	__asm__ volatile("rep insb"
			 : "+D"(data), "+c"(n)
			 : "d"(port)
			 : "memory");
}

void flood_serial(void)
{
	memset(chunk, 'x', sizeof(chunk));
	out_string(COM1, chunk, sizeof(chunk));
	/* nobody types: zeros, as many as asked for */
	in_string(COM1, chunk, INPUT);
	if (chunk[0] != 0 || chunk[INPUT - 1] != 0 || chunk[INPUT] != 'x')
		reset();
}

#define PORT_ACCESS(suffix, type)                             \
	static void touch_##suffix(uint16_t port, type value) \
	{                                                     \
		__asm__ volatile("out" #suffix " %0, %1"      \
				 :                            \
				 : "a"(value), "Nd"(port));   \
		__asm__ volatile("in" #suffix " %1, %0"       \
				 : "=a"(value)                \
				 : "Nd"(port));               \
	}
PORT_ACCESS(b, uint8_t)
PORT_ACCESS(w, uint16_t)
PORT_ACCESS(l, uint32_t)

/* Sleep, reset, the keyboard controller's reset, and PCI's, which would move
 * the bystander away. */
static bool ends_the_vm(uint32_t port)
{
	return (port & ~7U) == 0x600 || (port & ~7U) == 0x60 ||
	       (port & ~7U) == 0xcf8;
}

/* Eight bytes across a page: nobody's window, then functions of PCI. */
static void cross_pages(void)
{
	static const uint64_t places[] = {0xd0000ffc, 0xd0001ff9, 0xe0000ffc,
					  0xe0007ffd, 0xe00ffffc};
	volatile uint64_t *at;

	for (unsigned int i = 0; i < sizeof(places) / sizeof(*places); i++) {
		at = (volatile uint64_t *)places[i];
		*at = 0x5a5a5a5a5a5a5a5a;
		if (*at != UINT64_MAX && i < 2)
			reset();
	}
}

void flood_ports(void)
{
	static uint32_t port;

	if (port % 1024 == 0)
		cross_pages();

	/* five apart, so that every alignment has its turn */
	for (unsigned int i = 0; i < 16; i++, port += 5) {
		if (ends_the_vm(port & 0xffff) ||
		    ends_the_vm((port + 3) & 0xffff))
			continue;
		touch_b((uint16_t)port, (uint8_t)port);
		touch_w((uint16_t)port, 0xffff);
		touch_l((uint16_t)port, 0xa5a5a5a5);
	}
}
