/* Reads 16 bytes of entropy and prints them. */
#include "virtio.h"

static struct virtio_dev rng;
static unsigned char bytes[16];

void guest_main(void)
{
	const struct virtio_part part = {bytes, sizeof(bytes), true};
	uint32_t len;

	virtio_start(&rng, VIRTIO_ID_RNG, 0, 1);
	len = virtio_do(&rng.queues[0], &part, 1);
	if (len == 0 || len > sizeof(bytes))
		give_up("wrong length");
	print("random ");
	print_hex(bytes, len);
	print("\n");
	power_off();
}
