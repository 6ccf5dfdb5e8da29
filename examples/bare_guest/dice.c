/*
 * A VM with no Linux in it: says how many CPUs it has, throws dice with what
 * the host's entropy device gives, and powers off. docs/bare-guests.md builds
 * and runs it.
 */
#include "virtio.h"

#define N_DICE 6U

static struct virtio_dev rng; /* a device reaches variables, no stacks */
static unsigned char dice[N_DICE];

void guest_main(void)
{
	const struct virtio_part part = {dice, sizeof(dice), true};

	print_number(count_cpus());
	print(" CPUs threw");
	virtio_start(&rng, VIRTIO_ID_RNG, 0, 1);
	if (virtio_do(&rng.queues[0], &part, 1) != sizeof(dice))
		give_up("not enough entropy");
	for (unsigned int i = 0; i < N_DICE; i++) {
		print(" ");
		print_number(1U + dice[i] % 6U);
	}
	print("\n");
	power_off();
}
