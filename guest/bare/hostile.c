/*
 * Attacks its VMM over the first disk, in the way that "attack=" says, for
 * "rounds=" rounds. Afterwards an honest driver must get sector 0 all the
 * same; then it prints "survived N" with the resets that the device asked
 * for. With "halt=1" it leaves the device as it is, prints "attacked", halts.
 */
#include "pci.h"
#include "virtio.h"

#define SECTOR        512U
#define DEVICE_STATUS 0x14U
#define NEEDS_RESET   64U
#define CONFIG_DISK   (0x1040U + VIRTIO_ID_BLOCK)
#define PCI_COMMAND   0x04U
#define PCI_BAR0      0x10U
#define PATIENCE      10000U /* rounds of waiting for a request */

enum attack { FLIP = 1, RESET, BARS, STORM };

struct request {
	uint32_t type; /* 0: read */
	uint32_t reserved;
	uint64_t sector;
};

static struct virtio_dev disk;
static struct request head;
static unsigned char data[SECTOR], status;
static bool flipping; /* what the other CPUs do goes on */
static bool storming;
static unsigned int n_resets;

static uint32_t next_random(void)
{
	static uint32_t state = 12345;

	state = state * 1664525U + 1013904223U;
	return state >> 8;
}

static void offer_read(void)
{
	const struct virtio_part parts[3] = {
		{&head, sizeof(head), false},
		{data, sizeof(data), true},
		{&status, sizeof(status), true},
	};

	virtio_offer(&disk.queues[0], 0, parts, 3);
	virtio_kick(&disk.queues[0]);
}

/* The rings are new as well: the device begins at 0. */
static void restart(void)
{
	memset(&disk, 0, sizeof(disk));
	virtio_start(&disk, VIRTIO_ID_BLOCK, 0, 1);
}

/* While the device looks at descriptors they become others. */
static void flip(void)
{
	volatile struct virtio_desc *d =
		&disk.queues[0].desc[next_random() % VIRTIO_QUEUE_SIZE];

	switch (next_random() % 5) {
	case 0:
		d->len = next_random();
		break;
	case 1:
		d->addr = (uint64_t)next_random() << (next_random() % 40);
		break;
	case 2:
		d->flags = (uint16_t)(next_random() & 7);
		break;
	case 3:
		d->next = (uint16_t)(next_random() & 15);
		break;
	case 4: /* the disk's answers must not land on our code */
		d->addr = (uintptr_t)data;
		d->len = 1 + next_random() % SECTOR;
		break;
	}
}

static void kick_wildly(void)
{
	for (uint32_t i = 0; i < 16; i++)
		mmio_write16(disk.queues[0].notify + (uint64_t)i * 4,
			     (uint16_t)next_random());
}

void cpu_main(unsigned int cpu)
{
	(void)cpu;
	for (;;) {
		if (__atomic_load_n(&flipping, __ATOMIC_ACQUIRE))
			flip();
		else if (__atomic_load_n(&storming, __ATOMIC_ACQUIRE))
			kick_wildly();
		else
			relax();
	}
}

/* Whether the device still works after the request, or what it became. */
static void wait_a_moment(void)
{
	uint16_t first;
	uint32_t len;

	for (unsigned int i = 0; i < PATIENCE; i++) {
		if (virtio_take(&disk.queues[0], &first, &len))
			return;
		relax();
	}
}

static void attack_flip(void)
{
	__atomic_store_n(&flipping, true, __ATOMIC_RELEASE);
	offer_read();
	/* without another CPU there is still what this one breaks */
	flip();
	virtio_kick(&disk.queues[0]);
	wait_a_moment();
	if (mmio_read8(disk.common + DEVICE_STATUS) & NEEDS_RESET) {
		n_resets++;
		__atomic_store_n(&flipping, false, __ATOMIC_RELEASE);
		restart();
	}
}

/* What was in flight must not touch our memory after the reset. */
static void attack_reset(void)
{
	offer_read();
	mmio_write8(disk.common + DEVICE_STATUS, 0);
	while (mmio_read8(disk.common + DEVICE_STATUS) != 0)
		relax();
	memset(data, 0x5a, sizeof(data));
	for (unsigned int i = 0; i < 200; i++)
		relax();
	for (unsigned int i = 0; i < SECTOR; i++) {
		if (data[i] != 0x5a)
			give_up("written after a reset");
	}
	restart();
}

/* BARs over RAM, over other devices, over each other, nowhere. */
static void attack_bars(void)
{
	static const uint32_t places[] = {
		0x00400000, 0x00000000, 0xe0000000, 0xfee00000,
		0xfffff000, 0xc0000000, 0xc0004000, 0xdffff000,
	};
	volatile uint32_t *ram = (volatile uint32_t *)0x00400000ULL;
	const uint64_t config = pci_find(0x1af4, CONFIG_DISK, 0);
	const uint32_t bar0 = mmio_read32(config + PCI_BAR0);
	const uint32_t bar2 = mmio_read32(config + PCI_BAR0 + 8);

	offer_read();
	for (unsigned int i = 0; i < sizeof(places) / sizeof(*places); i++) {
		*ram = i;
		mmio_write32(config + PCI_BAR0, places[i]);
		mmio_write32(config + PCI_BAR0 + 8, places[(i + 3) % 8]);
		mmio_write16(config + PCI_COMMAND, (uint16_t)next_random());
		if (*ram != i)
			give_up("a BAR covers memory");
		mmio_write16(disk.queues[0].notify, 0);
	}
	mmio_write32(config + PCI_BAR0, bar0);
	mmio_write32(config + PCI_BAR0 + 8, bar2);
	mmio_write16(config + PCI_COMMAND, 6);
	wait_a_moment();
	restart();
}

static void attack_storm(void)
{
	__atomic_store_n(&storming, true, __ATOMIC_RELEASE);
	kick_wildly();
}

static void honest_read(void)
{
	uint16_t first;
	uint32_t len;

	restart();
	head = (struct request){0, 0, 0};
	status = 0xff;
	offer_read();
	while (!virtio_take(&disk.queues[0], &first, &len))
		relax();
	if (status != 0 || len != SECTOR + 1)
		give_up("an honest request failed");
	print_bytes(data, 8);
}

void guest_main(void)
{
	static void (*const attacks[])(void) = {
		[FLIP] = attack_flip,
		[RESET] = attack_reset,
		[BARS] = attack_bars,
		[STORM] = attack_storm,
	};
	const uint64_t attack = cmdline_number("attack", FLIP) % 5;
	const uint64_t rounds = cmdline_number("rounds", 100);

	if (count_cpus() > 1)
		start_cpus();
	restart();
	for (uint64_t i = 0; i < rounds && attacks[attack]; i++)
		attacks[attack]();
	__atomic_store_n(&flipping, false, __ATOMIC_RELEASE);
	if (cmdline_number("halt", 0)) {
		print("attacked\n");
		halt_forever();
	}
	__atomic_store_n(&storming, false, __ATOMIC_RELEASE);
	honest_read();
	print("\nsurvived ");
	print_number(n_resets);
	print("\n");
	power_off();
}
