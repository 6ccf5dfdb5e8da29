/*
 * Everything that a guest reaches by port and memory accesses of a virtio
 * device: configuration space, BARs, common configuration, MSI-X table,
 * doorbells, the PCI_CFG window.
 *
 * After a minute: cov: 595.
 */
#include "fuzz.h"

#include "pci/msix.h"
#include "support/echo_dev.h"
#include "support/fake_pci_guest.h"
#include "virtio/pci.h"

#define MSIX_BAR_OFFSET 0x4000U /* BAR 2 was placed behind BAR 0 */

struct state {
	struct fuzz_input in;
	struct fake_machine m;
	struct fake_guest g;
	struct fake_driver drv[2];
	struct virtio_dev *dev;
	struct virtio_pci *vp;
	int freed;
};

/* One access of the size and direction that @how says. */
static void access_at(struct state *s, uint64_t gpa, uint8_t how)
{
	uint32_t size = 1U << (how & 3);

	if (how & 4)
		fake_guest_write(&s->g, gpa,
				 how & 8 ? fuzz_u64(&s->in) : fuzz_u8(&s->in),
				 size);
	else
		(void)fake_guest_read(&s->g, gpa, size);
}

static void access_port(struct state *s)
{
	uint16_t port = 0xcf8 + (fuzz_u8(&s->in) & 7);
	uint8_t how = fuzz_u8(&s->in);
	uint64_t v = how & 4 ? fuzz_u32(&s->in) : 0;
	uint32_t size = 1U << (how & 3);

	if (how & 8)
		v = 0x80000000U | s->g.slot << 11 | (how >> 4) * 4U;
	if (how & 4)
		(void)bus_write(&s->m.pio, port, &v, size);
	else
		(void)bus_read(&s->m.pio, port, &v, size);
}

static void set_up_queue(struct state *s, uint16_t q)
{
	(void)fake_driver_init(&s->drv[q], &s->m.gm, 0x10000 + q * 0x4000ULL,
			       ECHO_QUEUE_SIZE);
	fake_guest_set_queue(&s->g, q, &s->drv[q]);
}

/* What a driver that knows how does. */
static void shortcut(struct state *s, uint8_t which)
{
	struct fake_desc d = {.addr = 0x80000, .len = which};

	switch (which & 3) {
	case 0:
		(void)fake_guest_negotiate(&s->g, ~0ULL);
		break;
	case 1:
		set_up_queue(s, which >> 7);
		break;
	case 2:
		fake_guest_driver_ok(&s->g);
		break;
	case 3:
		fake_guest_enable_msix(&s->g, 3);
		break;
	}
	if (which & 4 && s->drv[0].gm)
		(void)fake_driver_add(&s->drv[0], &d, 1);
	if (which & 8)
		fake_guest_kick(&s->g, 0);
}

static void act(struct state *s)
{
	uint8_t action = fuzz_u8(&s->in);
	uint8_t how = action >> 4;

	switch (action & 15) {
	case 0:
		access_at(s, s->g.common + fuzz_u8(&s->in) % 64, how);
		break;
	case 1:
		access_at(s, s->g.common + (fuzz_u16(&s->in) & 0x3fff), how);
		break;
	case 2:
		access_at(s,
			  s->g.common + MSIX_BAR_OFFSET +
				  (fuzz_u16(&s->in) & 0xfff),
			  how);
		break;
	case 3:
		access_at(s,
			  GUEST_ECAM + ((uint64_t)s->g.slot << 15) +
				  fuzz_u8(&s->in),
			  how);
		break;
	case 4:
		access_at(s, GUEST_ECAM + (fuzz_u32(&s->in) & 0xfffff), how);
		break;
	case 5:
		access_port(s);
		break;
	case 6:
		access_at(s, GUEST_WINDOW + (fuzz_u32(&s->in) & 0xffffff), how);
		break;
	case 7:
		access_at(s, fuzz_u64(&s->in), how);
		break;
	case 8:
		shortcut(s, fuzz_u8(&s->in));
		break;
	case 9:
		fake_machine_run(&s->m);
		break;
	case 10:
		pci_msix_signal(s->m.pci.devices[s->g.slot], how);
		break;
	case 11:
		virtio_dev_config_changed(s->dev);
		break;
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct state s;
	struct echo_dev *dev;

	memset(&s, 0, sizeof(s));
	s.in = (struct fuzz_input){data, size};
	fake_machine_init(&s.m);
	dev = echo_dev_new(&s.m.gm, 2);
	dev->n_free = &s.freed;
	s.dev = &dev->dev;
	FUZZ_ASSERT(virtio_pci_new(&dev->dev, &s.m.pci, &s.m.loop, &s.m.hv.hv,
				   NULL, &s.vp) == 0);
	fake_guest_init(&s.g, &s.m, 1);
	while (fuzz_more(&s.in))
		act(&s);
	fake_machine_run(&s.m);
	virtio_pci_free(s.vp);
	FUZZ_ASSERT(s.freed == 1);
	FUZZ_ASSERT(fake_hv_n_routes(&s.m.hv) == 0);
	FUZZ_ASSERT(s.m.hv.n_ioeventfds == 0);
	fake_machine_fini(&s.m);
	return 0;
}
