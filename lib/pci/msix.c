#include "pci/msix.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include "base/byteorder.h"
#include "base/checked.h"
#include "base/cleanup.h"

/* The capability, PCI 3.0, 6.8.2.1 to 6.8.2.5 */
#define CAP_LEN          12
#define CAP_CONTROL      2
#define CAP_TABLE        4
#define CAP_PBA          8
#define CONTROL_ENABLE   0x80 /* in the upper byte */
#define CONTROL_MASK_ALL 0x40

/* An entry of the table is four words. */
#define WORD_ADDR_LOW  0
#define WORD_ADDR_HIGH 1
#define WORD_DATA      2
#define WORD_CONTROL   3
#define ENTRY_MASKED   1U

/*
 * A vector costs an eventfd and a route only once it is delivered: a guest need
 * not use them all.
 */
struct vector {
	uint32_t words[4];
	bool pending;
	int fd; /* owned; -1 until it is first delivered */
	bool routed;
	unsigned int route;
	struct hv_msi programmed; /* what the route sends */
};

struct msix {
	struct pci_dev *dev; /* borrowed */
	struct hv *hv;       /* borrowed; whose routes these are */
	uint32_t cap;
	unsigned int n;
	struct vector vectors[MSIX_MAX_VECTORS];
};

int msix_add(struct pci_dev *dev, unsigned int bar, unsigned int n)
{
	struct msix *msix;
	uint8_t *cap;

	assert(n > 0 && n <= MSIX_MAX_VECTORS);
	msix = calloc(1, sizeof(*msix));
	if (!msix)
		return fail(AVF_ERR_NO_MEMORY, "MSI-X table");
	msix->dev = dev;
	msix->n = n;
	for (unsigned int i = 0; i < MSIX_MAX_VECTORS; i++) {
		msix->vectors[i].words[WORD_CONTROL] = ENTRY_MASKED;
		msix->vectors[i].fd = -1;
	}
	msix->cap = pci_dev_add_cap(dev, PCI_CAP_MSIX, CAP_LEN);
	cap = dev->config + msix->cap;
	/* the field is one less than the number of vectors (6.8.2.3) */
	cap[CAP_CONTROL] = (uint8_t)(n - 1);
	cap[CAP_TABLE] = (uint8_t)bar;
	cap[CAP_PBA] = (uint8_t)bar;
	/*
	 * a byte at a time: BAR number in the low bits, offset 0 of the table
	 */
	cap[CAP_PBA + 1] = MSIX_PBA >> 8;
	dev->writable[msix->cap + CAP_CONTROL + 1] =
		CONTROL_ENABLE | CONTROL_MASK_ALL;
	pci_dev_add_bar(dev, bar, MSIX_BAR_SIZE);
	dev->msix = msix;
	return 0;
}

void msix_free(struct msix *msix)
{
	if (!msix)
		return;
	for (unsigned int i = 0; i < msix->n; i++) {
		struct vector *v = &msix->vectors[i];

		if (v->routed)
			msix->hv->ops->remove_msi_route(msix->hv, v->route);
		close_p(&v->fd);
	}
	free(msix);
}

unsigned int pci_msix_vectors(const struct pci_dev *dev)
{
	return dev->msix ? dev->msix->n : 0;
}

/* The route of @v sends what the guest wants it to send. */
static int program(struct msix *msix, struct vector *v)
{
	const struct hv_msi msi = {
		.addr = v->words[WORD_ADDR_LOW] |
			(uint64_t)v->words[WORD_ADDR_HIGH] << 32,
		.data = v->words[WORD_DATA],
		.device = msix->dev->slot << 3, /* function 0 of bus 0 */
	};
	int rc;

	if (v->routed && msi.addr == v->programmed.addr &&
	    msi.data == v->programmed.data)
		return 0;
	if (v->fd < 0)
		v->fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	if (v->fd < 0)
		return fail_errno("eventfd of an interrupt");
	if (v->routed)
		rc = msix->hv->ops->set_msi_route(msix->hv, v->route, msi);
	else
		rc = msix->hv->ops->add_msi_route(msix->hv, v->fd, msi,
						  &v->route);
	if (rc < 0)
		return rc;
	v->routed = true;
	v->programmed = msi;
	return 0;
}

/*
 * The function's mask and the vector's own must both be open. Both are closed
 * after a reset.
 */
static bool deliverable(const struct msix *msix, const struct vector *v)
{
	uint8_t control = msix->dev->config[msix->cap + CAP_CONTROL + 1];

	return control & CONTROL_ENABLE && !(control & CONTROL_MASK_ALL) &&
	       !(v->words[WORD_CONTROL] & ENTRY_MASKED);
}

/*
 * Pending until delivered. A route that the host cannot give leaves the
 * vector pending: the next signal or unmasking tries again.
 */
static void try_deliver(struct msix *msix, struct vector *v)
{
	const uint64_t one = 1;

	if (!v->pending || !msix->dev->bus || !deliverable(msix, v))
		return;
	msix->hv = msix->dev->bus->hv;
	if (program(msix, v) < 0)
		return;
	v->pending = false;
	/* a full counter means that it is signalled already */
	(void)!write(v->fd, &one, sizeof(one));
}

void pci_msix_signal(struct pci_dev *dev, unsigned int vector)
{
	struct msix *msix = dev->msix;

	if (!msix || vector >= msix->n)
		return;
	msix->vectors[vector].pending = true;
	try_deliver(msix, &msix->vectors[vector]);
}

/*
 * All vectors: enabling the function or clearing its mask may set several
 * pending ones free.
 */
void msix_control_written(struct msix *msix)
{
	for (unsigned int i = 0; i < msix->n; i++)
		try_deliver(msix, &msix->vectors[i]);
}

/* One word of the pending bit array, which the guest only reads. */
static uint32_t pending_word(const struct msix *msix, uint64_t word)
{
	uint32_t bits = 0;

	for (unsigned int i = 0; i < 32 && word * 32 + i < msix->n; i++)
		bits |= (uint32_t)msix->vectors[word * 32 + i].pending << i;
	return bits;
}

/* What is no entry and not the PBA reads as 0. */
static uint32_t read_word(const struct msix *msix, uint64_t offset)
{
	uint64_t entry = offset / 16;

	if (offset >= MSIX_PBA && offset - MSIX_PBA < MSIX_MAX_VECTORS / 8)
		return pending_word(msix, (offset - MSIX_PBA) / 4);
	if (entry < msix->n)
		return msix->vectors[entry].words[offset / 4 % 4];
	return 0;
}

/*
 * Unmasking is a write of the control word: a pending vector goes out. A new
 * message in an open entry takes effect with the next delivery.
 */
static void write_word(struct msix *msix, uint64_t offset, uint32_t value)
{
	uint64_t entry = offset / 16;
	uint64_t word = offset / 4 % 4;

	if (entry >= msix->n) /* the PBA, too, ignores writes */
		return;
	if (word == WORD_CONTROL)
		value &= ENTRY_MASKED;
	else if (word == WORD_ADDR_LOW)
		value &= ~3U;
	/* the two low bits are reserved: a message is a write of 32 bits */
	msix->vectors[entry].words[word] = value;
	try_deliver(msix, &msix->vectors[entry]);
}

/* 6.8.2: only aligned accesses of 4 and 8 bytes have a meaning. */
static bool meaningful(uint64_t offset, uint32_t size)
{
	return (size == 4 || size == 8) && offset % size == 0;
}

void msix_read(struct msix *msix, uint64_t offset, void *data, uint32_t size)
{
	for (uint32_t i = 0; meaningful(offset, size) && i < size; i += 4) {
		const le32 raw = le32_make(read_word(msix, offset + i));

		memcpy((char *)data + i, &raw, sizeof(raw));
	}
}

void msix_write(struct msix *msix, uint64_t offset, const void *data,
		uint32_t size)
{
	le32 raw;

	for (uint32_t i = 0; meaningful(offset, size) && i < size; i += 4) {
		memcpy(&raw, (const char *)data + i, sizeof(raw));
		write_word(msix, offset + i, le32_get(raw));
	}
}
