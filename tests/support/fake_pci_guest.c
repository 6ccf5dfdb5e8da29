#include "support/fake_pci_guest.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static void must(bool ok, const char *what)
{
	if (ok)
		return;
	(void)fprintf(stderr, "fake guest: %s: %s\n", what,
		      error_record()->text);
	abort();
}

void fake_machine_init(struct fake_machine *m)
{
	memset(m, 0, sizeof(*m));
	gmem_init(&m->gm);
	must(gmem_add_anonymous(&m->gm, 0, GUEST_RAM) == 0, "memory");
	bus_init(&m->mmio, "mmio");
	bus_init(&m->pio, "pio");
	fake_hv_init(&m->hv);
	must(pci_bus_init(&m->pci, &m->mmio, &m->pio, &m->hv.hv, GUEST_ECAM,
			  GUEST_WINDOW, GUEST_WINDOW_SIZE) == 0,
	     "PCI");
	must(loop_init(&m->loop) == 0, "loop");
}

void fake_machine_fini(struct fake_machine *m)
{
	pci_bus_fini(&m->pci);
	loop_fini(&m->loop);
	gmem_fini(&m->gm);
}

void fake_machine_run(struct fake_machine *m)
{
	/* more batches than any test needs; none waits */
	for (int i = 0; i < 8; i++)
		must(loop_run_once(&m->loop, 0) == 0, "loop");
}

uint64_t fake_guest_read(struct fake_guest *g, uint64_t gpa, uint32_t size)
{
	uint64_t v = 0;

	(void)bus_read(&g->machine->mmio, gpa, &v, size);
	return v;
}

void fake_guest_write(struct fake_guest *g, uint64_t gpa, uint64_t value,
		      uint32_t size)
{
	/* as KVM: a doorbell in the kernel makes no exit */
	if (!fake_hv_ring(&g->machine->hv, gpa))
		(void)bus_write(&g->machine->mmio, gpa, &value, size);
}

static uint64_t ecam(const struct fake_guest *g, uint32_t reg)
{
	return GUEST_ECAM + ((uint64_t)g->slot << 15) + reg;
}

uint32_t fake_guest_config(struct fake_guest *g, uint32_t reg, uint32_t size)
{
	return (uint32_t)fake_guest_read(g, ecam(g, reg), size);
}

void fake_guest_set_config(struct fake_guest *g, uint32_t reg, uint32_t value,
			   uint32_t size)
{
	fake_guest_write(g, ecam(g, reg), value, size);
}

static uint64_t bar_address(struct fake_guest *g, uint32_t bar)
{
	uint64_t low = fake_guest_config(g, 0x10 + 4 * bar, 4) & ~15U;

	return low | (uint64_t)fake_guest_config(g, 0x14 + 4 * bar, 4) << 32;
}

static void found_virtio(struct fake_guest *g, uint32_t at)
{
	uint64_t gpa = bar_address(g, fake_guest_config(g, at + 4, 1)) +
		       fake_guest_config(g, at + 8, 4);

	switch (fake_guest_config(g, at + 3, 1)) {
	case 1:
		g->common = gpa;
		break;
	case 2:
		g->notify = gpa;
		g->multiplier = fake_guest_config(g, at + 16, 4);
		break;
	case 3:
		g->isr = gpa;
		break;
	case 4:
		g->device = gpa;
		break;
	case 5:
		g->pci_cfg = at;
		break;
	}
}

void fake_guest_init(struct fake_guest *g, struct fake_machine *m,
		     unsigned int slot)
{
	uint32_t at;

	memset(g, 0, sizeof(*g));
	g->machine = m;
	g->slot = slot;
	must(fake_guest_config(g, 0, 2) == 0x1af4, "no virtio device");
	at = fake_guest_config(g, 0x34, 1);
	for (int n = 0; at != 0 && n < 32; n++) {
		uint32_t id = fake_guest_config(g, at, 1);

		if (id == 9)
			found_virtio(g, at);
		else if (id == 0x11)
			g->msix = at;
		at = fake_guest_config(g, at + 1, 1);
	}
	must(at == 0, "endless list of capabilities");
	must(g->common && g->notify && g->isr && g->msix, "capabilities");
}

static uint32_t width(enum guest_common field)
{
	if (field < C_CONFIG_VECTOR || field >= C_QUEUE_DESC)
		return 4;
	return field == C_STATUS || field == C_GENERATION ? 1 : 2;
}

uint32_t fake_guest_get(struct fake_guest *g, enum guest_common field)
{
	return (uint32_t)fake_guest_read(g, g->common + field, width(field));
}

void fake_guest_set(struct fake_guest *g, enum guest_common field,
		    uint32_t value)
{
	fake_guest_write(g, g->common + field, value, width(field));
}

void fake_guest_enable_msix(struct fake_guest *g, unsigned int n)
{
	uint32_t bir = fake_guest_config(g, g->msix + 4, 4);
	uint64_t table = bar_address(g, bir & 7) + (bir & ~7U);

	for (unsigned int i = 0; i < n; i++) {
		fake_guest_write(g, table + 16 * i, GUEST_MSI, 8);
		fake_guest_write(g, table + 16 * i + 8, GUEST_VECTOR + i, 4);
		fake_guest_write(g, table + 16 * i + 12, 0, 4);
	}
	fake_guest_set_config(g, g->msix + 2, 0x8000, 2);
}

uint64_t fake_guest_interrupts(struct fake_guest *g, unsigned int n)
{
	return fake_hv_delivered(&g->machine->hv, GUEST_MSI, GUEST_VECTOR + n);
}

bool fake_guest_negotiate(struct fake_guest *g, uint64_t features)
{
	uint64_t offered = 0;

	fake_guest_set(g, C_STATUS, 0);
	fake_guest_set(g, C_STATUS, 1);
	fake_guest_set(g, C_STATUS, 3);
	for (uint32_t i = 0; i < 2; i++) {
		fake_guest_set(g, C_DEVICE_SELECT, i);
		offered |= (uint64_t)fake_guest_get(g, C_DEVICE_FEATURE)
			   << (32 * i);
	}
	features = (features | 1ULL << 32) & offered;
	for (uint32_t i = 0; i < 2; i++) {
		fake_guest_set(g, C_DRIVER_SELECT, i);
		fake_guest_set(g, C_DRIVER_FEATURE,
			       (uint32_t)(features >> (32 * i)));
	}
	fake_guest_set(g, C_STATUS, 11);
	return fake_guest_get(g, C_STATUS) == 11;
}

static void set64(struct fake_guest *g, enum guest_common field, uint64_t v)
{
	fake_guest_write(g, g->common + field, (uint32_t)v, 4);
	fake_guest_write(g, g->common + field + 4, v >> 32, 4);
}

void fake_guest_set_queue(struct fake_guest *g, uint16_t q,
			  const struct fake_driver *drv)
{
	fake_guest_set(g, C_QUEUE_SELECT, q);
	fake_guest_set(g, C_QUEUE_SIZE, drv->size);
	fake_guest_set(g, C_QUEUE_VECTOR, q + 1U);
	set64(g, C_QUEUE_DESC, drv->desc);
	set64(g, C_QUEUE_DRIVER, drv->avail);
	set64(g, C_QUEUE_DEVICE, drv->used);
	fake_guest_set(g, C_QUEUE_ENABLE, 1);
}

void fake_guest_driver_ok(struct fake_guest *g)
{
	fake_guest_set(g, C_STATUS, 15);
	fake_machine_run(g->machine);
}

void fake_guest_kick(struct fake_guest *g, uint16_t q)
{
	fake_guest_set(g, C_QUEUE_SELECT, q);
	fake_guest_write(g,
			 g->notify +
				 (uint64_t)g->multiplier *
					 fake_guest_get(g, C_QUEUE_NOTIFY_OFF),
			 q, 2);
	fake_machine_run(g->machine);
}
