/*
 * Uses what a VM has, as an operating system would: a console with interrupts
 * in both directions, entropy, connections to the host's port 3, where a
 * payload's manager is, and to port 9000. Then it resets the vsock device
 * under a connection that the host has asked for, and powers off.
 */
#include "pci.h"
#include "vsock.h"

#define CAP_MSIX        0x11U
#define MSIX_ENABLE     0x8000U
#define MSIX_ENTRY      16U /* bytes */
#define LOCAL_APIC      0xfee00000U
#define FIRST_INTERRUPT 0x40U /* never taken: interrupts are off */
#define PORT_MANAGER    3U
#define PORT_LISTENER   9000U
#define FIRST_OWN_PORT  1024U
#define RX_SLOTS        4U

enum { CONSOLE_RX, CONSOLE_TX };

static struct virtio_dev console, rng, vsock;
static struct vsock_packet rx[RX_SLOTS], tx;
static unsigned char input[16];
static uint64_t msix_table;

/* An interrupt that came while its entry was masked is due at once. */
static void unmask(unsigned int vector)
{
	mmio_write32(msix_table + vector * MSIX_ENTRY + 12, 0);
}

static void enable_interrupts(void)
{
	const uint64_t cap = pci_capability(console.pci, 0, CAP_MSIX);
	const uint32_t table = mmio_read32(cap + 4);

	msix_table = pci_bar(console.pci, table & 7U) + (table & ~7U);
	for (unsigned int i = 0; i < 2; i++) {
		const uint64_t entry = msix_table + i * MSIX_ENTRY;

		mmio_write32(entry, LOCAL_APIC);
		mmio_write32(entry + 4, 0);
		mmio_write32(entry + 8, FIRST_INTERRUPT + i);
		virtio_set_vector(&console, (uint16_t)i, (uint16_t)i);
	}
	mmio_write16(cap + 2, MSIX_ENABLE);
}

/* The answer's interrupt is delivered by the unmasking CPU, that of the input
 * by the device. */
static void use_console(void)
{
	const struct virtio_part in = {input, sizeof(input), true};
	const struct virtio_part out = {input, 1, false};

	virtio_start(&console, VIRTIO_ID_CONSOLE, 0, 2);
	enable_interrupts();
	unmask(CONSOLE_RX);
	(void)virtio_do(&console.queues[CONSOLE_RX], &in, 1);
	(void)virtio_do(&console.queues[CONSOLE_TX], &out, 1);
	unmask(CONSOLE_TX);
}

static void use_rng(void)
{
	const struct virtio_part part = {input, sizeof(input), true};

	virtio_start(&rng, VIRTIO_ID_RNG, 0, 1);
	(void)virtio_do(&rng.queues[0], &part, 1);
}

static void offer(uint16_t slot)
{
	const struct virtio_part part = {&rx[slot], sizeof(rx[slot]), true};

	virtio_offer(&vsock.queues[VSOCK_QUEUE_RX], slot, &part, 1);
	virtio_kick(&vsock.queues[VSOCK_QUEUE_RX]);
}

static void send(uint32_t from, uint32_t to, uint16_t op, uint32_t len)
{
	const struct virtio_part part = {
		&tx, (uint32_t)VSOCK_HEADER_BYTES + len, false};

	vsock_head(&tx, mmio_read32(vsock.config), from, to, op, len);
	if (op == VSOCK_SHUTDOWN)
		tx.flags = VSOCK_NO_SEND;
	(void)virtio_do(&vsock.queues[VSOCK_QUEUE_TX], &part, 1);
}

/* The operation of the next packet. */
static uint16_t receive(void)
{
	uint16_t slot, op;
	uint32_t len;

	while (!virtio_take(&vsock.queues[VSOCK_QUEUE_RX], &slot, &len))
		relax();
	op = rx[slot].op;
	offer(slot);
	return op;
}

static bool connect(uint32_t from, uint32_t to)
{
	send(from, to, VSOCK_REQUEST, 0);
	return receive() == VSOCK_RESPONSE;
}

void guest_main(void)
{
	uint32_t port = FIRST_OWN_PORT;

	use_console();
	use_rng();
	virtio_start(&vsock, VIRTIO_ID_VSOCK, 0, 3);
	for (uint16_t i = 0; i < RX_SLOTS; i++)
		offer(i);
	if (connect(port, PORT_MANAGER))
		send(port, PORT_MANAGER, VSOCK_RW, 1);
	while (!connect(++port, PORT_LISTENER))
		relax();
	send(port, PORT_LISTENER, VSOCK_RW, 1);
	send(port, PORT_LISTENER, VSOCK_SHUTDOWN, 0);
	while (receive() != VSOCK_REQUEST)
		;
	virtio_reset(&vsock);
	power_off();
}
