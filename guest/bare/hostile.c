/*
 * Attacks its VMM over one device ("target=") in the way that "attack="
 * says, for "rounds=" rounds; all other CPUs help. Another device, the
 * bystander, is asked all the time and must answer all the time. Afterwards
 * an honest driver must be served by the target all the same; then it prints
 * "survived N" with the resets that the device asked for. With "halt=1" it
 * leaves the device as it is, prints "attacked", halts.
 */
#include "pci.h"
#include "virtio.h"

#define SECTOR        512U
#define DEVICE_STATUS 0x14U
#define QUEUE_SELECT  0x16U
#define QUEUE_VECTOR  0x1aU
#define CONFIG_VECTOR 0x10U
#define NEEDS_RESET   64U
#define CAP_MSIX      0x11U
#define PCI_COMMAND   0x04U
#define PCI_BAR0      0x10U
#define PATIENCE      10000U /* rounds of waiting for a request */
#define BYSTANDERS    8U     /* rounds of an attack between two questions */
#define HEADER_BYTES  44U    /* of a vsock packet */

enum attack { FLIP = 1, RESET, BARS, STORM, MSIX, N_ATTACKS };

struct request {
	uint32_t type; /* 0: read */
	uint32_t reserved;
	uint64_t sector;
};

/*
 * Buffers of the attacked device, far from our image: with a length or an
 * address that is wild it writes all over their neighbourhood, which a
 * protected VM does not share.
 */
#define WILDERNESS (BARE_RAM + 0x800000ULL) /* to the end of memory */
#define BUFFER(n)  (WILDERNESS + (n)*0x10000ULL)
#define N_BUFFERS  4U

static struct request *const head = (struct request *)BUFFER(0);
static unsigned char *const data = (unsigned char *)BUFFER(1);
static volatile unsigned char *const status = (unsigned char *)BUFFER(2);

/* What can be attacked: a queue, and a request for it that is honest. */
static const struct target {
	unsigned int id, n_queues, queue;
	uint16_t n_parts;
	uint32_t answer; /* bytes that the device writes */
	struct virtio_part parts[3];
} targets[] = {
	{VIRTIO_ID_BLOCK,
	 1,
	 0,
	 3,
	 SECTOR + 1,
	 {{(void *)BUFFER(0), sizeof(struct request), false},
	  {(void *)BUFFER(1), SECTOR, true},
	  {(void *)BUFFER(2), 1, true}}},
	{VIRTIO_ID_RNG, 1, 0, 1, SECTOR, {{(void *)BUFFER(1), SECTOR, true}}},
	/* a packet of CID 0, to nobody */
	{VIRTIO_ID_VSOCK,
	 3,
	 1,
	 1,
	 0,
	 {{(void *)BUFFER(3), HEADER_BYTES, false}}},
};

static const struct target *target;
/* Two sets of rings, used in turn: old ones must stay as they are. */
static struct virtio_dev rings[2];
static struct virtio_dev *dev = &rings[0];
static struct virtio_queue *queue;
static struct virtio_dev bystander;
static uint64_t msix_table; /* address; the PBA is in the same BAR */
static enum attack helping; /* what the other CPUs do */
static unsigned int n_resets, n_rounds;

static uint32_t next_random(void)
{
	static uint32_t state = 12345;

	state = state * 1664525U + 1013904223U;
	return state >> 8;
}

static void help(enum attack with)
{
	__atomic_store_n(&helping, with, __ATOMIC_RELEASE);
}

static void offer_request(void)
{
	*status = target->id == VIRTIO_ID_BLOCK ? 0xff : 0;
	virtio_offer(queue, 0, target->parts, target->n_parts);
	virtio_kick(queue);
}

/* On the other rings, which are new as well: the device begins at 0. */
static void restart(void)
{
	dev = &rings[dev == &rings[0]];
	memset(dev, 0, sizeof(*dev));
	virtio_start(dev, target->id, 0, target->n_queues);
	queue = &dev->queues[target->queue];
}

static void ask_bystander(void)
{
	static unsigned char bytes[SECTOR], end;
	static struct request first;
	const struct virtio_part read[3] = {
		{&first, sizeof(first), false},
		{bytes, sizeof(bytes), true},
		{&end, sizeof(end), true},
	};
	const bool is_rng = target->id != VIRTIO_ID_RNG;

	(void)virtio_do(&bystander.queues[0], is_rng ? read + 1 : read,
			is_rng ? 1 : 3);
	if (!is_rng && end != 0)
		give_up("the bystander failed");
}

/* While the device looks at descriptors they become others. */
static void flip(void)
{
	volatile struct virtio_desc *d =
		&queue->desc[next_random() % VIRTIO_QUEUE_SIZE];

	switch (next_random() % 5) {
	case 0:
		d->len = next_random();
		break;
	case 1:
		/* not below the wilderness, where we are */
		d->addr = WILDERNESS +
			  ((uint64_t)next_random() << (next_random() % 40));
		break;
	case 2:
		d->flags = (uint16_t)(next_random() & 7);
		break;
	case 3:
		d->next = (uint16_t)(next_random() & 15);
		break;
	case 4:
		d->addr = (uintptr_t)data;
		d->len = 1 + next_random() % SECTOR;
		break;
	}
}

static void kick_wildly(void)
{
	for (uint32_t i = 0; i < 16; i++)
		mmio_write16(queue->notify + (uint64_t)i * 4,
			     (uint16_t)next_random());
}

/* A message for a CPU that has interrupts off, or for nobody; masks. */
static void change_vector(void)
{
	uint64_t entry = msix_table + next_random() % 4 * 16;

	switch (next_random() % 4) {
	case 0:
		mmio_write32(entry, (uint32_t)BARE_IRQ_CHIP |
					    (next_random() & 0xff00cU));
		break;
	case 1:
		mmio_write32(entry + 4, next_random() & 1);
		break;
	case 2:
		mmio_write32(entry + 8, next_random() & 0x1ff);
		break;
	case 3:
		mmio_write32(entry + 12, next_random() & 1);
		break;
	}
}

void cpu_main(unsigned int cpu)
{
	(void)cpu;
	for (;;) {
		switch (__atomic_load_n(&helping, __ATOMIC_ACQUIRE)) {
		case FLIP:
			flip();
			break;
		case STORM:
			kick_wildly();
			break;
		case MSIX:
			change_vector();
			break;
		default:
			relax();
			break;
		}
	}
}

static bool needs_reset(void)
{
	return mmio_read8(dev->common + DEVICE_STATUS) & NEEDS_RESET;
}

/* For an answer, or for a device that gives none any more. */
static void wait_a_moment(void)
{
	uint16_t first;
	uint32_t len;

	for (unsigned int i = 1; i < PATIENCE; i++) {
		if (virtio_take(queue, &first, &len))
			return;
		/* an exit each: not all the time */
		if (i % 256 == 0 && needs_reset())
			return;
		relax();
	}
}

static void wait_for_answer(void)
{
	uint16_t first;
	uint32_t len;

	while (!virtio_take(queue, &first, &len))
		relax();
	if (len != target->answer || *status != 0)
		give_up("an honest request failed");
}

static void attack_flip(void)
{
	/* the first is broken for certain, the others by chance */
	virtio_offer(queue, 0, target->parts, target->n_parts);
	if (n_rounds == 0)
		queue->desc[0].addr = UINT64_MAX;
	help(FLIP);
	virtio_kick(queue);
	/* without another CPU there is still what this one breaks */
	flip();
	virtio_kick(queue);
	wait_a_moment();
	if (needs_reset()) {
		n_resets++;
		help(0);
		restart();
	}
}

static void expect_poison(const void *where, size_t size)
{
	const unsigned char *p = where;

	for (size_t i = 0; i < size; i++) {
		if (p[i] != 0x5a)
			give_up("written after a reset");
	}
}

/* What was in flight must not touch our memory after the reset, nor the
 * rings that it was on, while the device works with others. */
static void attack_reset(void)
{
	struct virtio_queue *old = queue;

	offer_request();
	mmio_write8(dev->common + DEVICE_STATUS, 0);
	while (mmio_read8(dev->common + DEVICE_STATUS) != 0)
		relax();
	memset(data, 0x5a, SECTOR);
	memset(&old->used, 0x5a, sizeof(old->used));
	for (unsigned int i = 0; i < 200; i++)
		relax();
	expect_poison(data, SECTOR);
	restart();
	offer_request();
	wait_for_answer();
	expect_poison(&old->used, sizeof(old->used));
}

/* BARs over RAM, over other devices, over each other, nowhere. */
static void attack_bars(void)
{
	static const uint32_t places[] = {
		BARE_RAM + 0x400000,
		BARE_RAM,
		BARE_ECAM,
		BARE_IRQ_CHIP,
		0xfffff000,
		BARE_WINDOW,
		BARE_WINDOW + 0x4000,
		BARE_WINDOW_END - 0x1000,
	};
	volatile uint32_t *ram = (volatile uint32_t *)(BARE_RAM + 0x400000);
	const uint64_t config =
		pci_find(0x1af4, (uint16_t)(0x1040 + target->id), 0);
	const uint32_t bar0 = mmio_read32(config + PCI_BAR0);
	const uint32_t bar2 = mmio_read32(config + PCI_BAR0 + 8);

	offer_request();
	for (unsigned int i = 0; i < sizeof(places) / sizeof(*places); i++) {
		*ram = i;
		mmio_write32(config + PCI_BAR0, places[i]);
		mmio_write32(config + PCI_BAR0 + 8, places[(i + 3) % 8]);
		mmio_write16(config + PCI_COMMAND, (uint16_t)next_random());
		if (*ram != i)
			give_up("a BAR covers memory");
		mmio_write16(queue->notify, 0);
	}
	/* where the bystander is; it still answers */
	mmio_write16(config + PCI_COMMAND, 6);
	mmio_write32(config + PCI_BAR0, (uint32_t)bystander.common);
	mmio_write32(config + PCI_BAR0 + 8, (uint32_t)bystander.common);
	ask_bystander();
	mmio_write32(config + PCI_BAR0, bar0);
	mmio_write32(config + PCI_BAR0 + 8, bar2);
	wait_a_moment();
	restart();
}

/* Both devices are served while the doorbells do not stop ringing. */
static void attack_storm(void)
{
	help(STORM);
	kick_wildly();
	if (n_rounds % BYSTANDERS != 0)
		return;
	offer_request();
	wait_for_answer();
}

/* Interrupts of a device whose table changes under them. */
static void attack_msix(void)
{
	const uint64_t config =
		pci_find(0x1af4, (uint16_t)(0x1040 + target->id), 0);
	const uint64_t cap = pci_capability(config, 0, CAP_MSIX);

	msix_table = pci_bar(config, mmio_read8(cap + 4) & 7) +
		     (mmio_read32(cap + 4) & ~7U);
	help(MSIX);
	mmio_write16(cap + 2, (uint16_t)(0x8000 | (next_random() & 0x4000)));
	mmio_write16(dev->common + QUEUE_SELECT, (uint16_t)target->queue);
	mmio_write16(dev->common + QUEUE_VECTOR, (uint16_t)(next_random() % 3));
	mmio_write16(dev->common + CONFIG_VECTOR,
		     (uint16_t)(next_random() % 3));
	for (unsigned int i = 0; i < 4; i++)
		change_vector();
	mmio_write32(msix_table + 0x800, UINT32_MAX); /* the PBA is ours not */
	offer_request();
	wait_for_answer();
}

static void honest_request(void)
{
	restart();
	*head = (struct request){0, 0, 0};
	memset((void *)BUFFER(3), 0, HEADER_BYTES);
	offer_request();
	wait_for_answer();
	ask_bystander();
	if (target->id == VIRTIO_ID_BLOCK)
		print_bytes(data, 8);
	else
		print("served");
}

static void run(uint64_t attack, uint64_t rounds)
{
	static void (*const attacks[N_ATTACKS])(void) = {
		[FLIP] = attack_flip, [RESET] = attack_reset,
		[BARS] = attack_bars, [STORM] = attack_storm,
		[MSIX] = attack_msix,
	};

	for (; n_rounds < rounds && attacks[attack]; n_rounds++) {
		if (n_rounds % BYSTANDERS == 0)
			ask_bystander();
		attacks[attack]();
	}
}

void guest_main(void)
{
	uint64_t rounds;

	target = &targets[cmdline_number("target", 0) % 3];
	for (unsigned int i = 0; i < N_BUFFERS; i++)
		share_page(BUFFER(i));
	if (count_cpus() > 1)
		start_cpus();
	virtio_start(&bystander,
		     target->id == VIRTIO_ID_RNG ? VIRTIO_ID_BLOCK
						 : VIRTIO_ID_RNG,
		     0, 1);
	restart();
	rounds = cmdline_number("rounds", 100);
	if (cmdline_number("few", 0))
		rounds /= 4;
	run(cmdline_number("attack", FLIP) % N_ATTACKS, rounds);
	if (cmdline_number("halt", 0)) {
		help(0);
		print("attacked\n");
		halt_forever();
	}
	/* a storm goes on, and the honest request is served in it */
	if (helping != STORM)
		help(0);
	honest_request();
	print("\nsurvived ");
	print_number(n_resets);
	print("\n");
	power_off();
}
