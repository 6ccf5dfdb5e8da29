/*
 * An MSI-X table: every access to it, signals at any time, a hypervisor that
 * runs out of routes. A second, simple-minded account says what must be.
 *
 * After a minute: cov: 223.
 */
#include "fuzz.h"

#include "pci/msix.h"
#include "support/fake_hv.h"

#define WINDOW  0xc0000000ULL
#define CONTROL 0x42U /* of the only capability */
#define ENABLED 0x80U
#define MASKED  0x40U

struct table {
	struct bus mmio;
	struct fake_hv hv;
	struct pci_bus bus;
	struct pci_dev dev;
	unsigned int n;
	bool pending[MSIX_MAX_VECTORS]; /* by our own account */
	bool starved; /* routes came back: nobody tells those that wait */
};

static void bar_read(struct pci_dev *d, unsigned int bar, uint64_t offset,
		     void *data, uint32_t size)
{
	(void)bar;
	msix_read(d->msix, offset, data, size);
}

static void bar_write(struct pci_dev *d, unsigned int bar, uint64_t offset,
		      const void *data, uint32_t size)
{
	(void)bar;
	msix_write(d->msix, offset, data, size);
}

static const struct pci_dev_ops ops = {.bar_read = bar_read,
				       .bar_write = bar_write};

static uint64_t get(struct table *t, uint64_t offset, uint32_t size)
{
	uint64_t v = 0;

	(void)bus_read(&t->mmio, WINDOW + offset, &v, size);
	return v;
}

static bool deliverable(struct table *t, unsigned int vector)
{
	uint8_t control = t->dev.config[CONTROL + 1];

	return (control & (ENABLED | MASKED)) == ENABLED &&
	       !(get(t, vector * 16ULL + 12, 4) & 1);
}

/* What waits waits for a reason; what came out has a route. */
static void check(struct table *t)
{
	uint64_t bits = get(t, MSIX_PBA, 8);
	bool routes_left = fake_hv_n_routes(&t->hv) < t->hv.max_routes;

	for (unsigned int i = 0; i < t->n; i++) {
		bool pending = bits >> i & 1;

		FUZZ_ASSERT(!pending || t->pending[i]);
		FUZZ_ASSERT(!pending || t->starved || !deliverable(t, i) ||
			    !routes_left);
		t->pending[i] = pending;
	}
	FUZZ_ASSERT(t->n == 64 || bits >> t->n == 0);
	FUZZ_ASSERT(fake_hv_n_routes(&t->hv) <= t->n);
}

/* It comes out at once, unless something holds it. */
static void signal_vector(struct table *t, unsigned int vector)
{
	bool routes_left = fake_hv_n_routes(&t->hv) < t->hv.max_routes;

	if (vector < t->n)
		t->pending[vector] = true;
	pci_msix_signal(&t->dev, vector);
	if (vector < t->n && routes_left && deliverable(t, vector))
		FUZZ_ASSERT(!(get(t, MSIX_PBA, 8) >> vector & 1));
}

static void act(struct table *t, struct fuzz_input *in)
{
	uint8_t action = fuzz_u8(in);
	uint32_t size = 1U << (action >> 6);
	uint64_t value = 0;

	switch (action & 7) {
	case 0:
	case 1:
		(void)get(t, fuzz_u8(in) * 16ULL + (action >> 3 & 15), size);
		break;
	case 2:
		value = fuzz_u64(in);
		(void)bus_write(&t->mmio, WINDOW + (fuzz_u16(in) & 0xfff),
				&value, size);
		break;
	case 3: /* one word of an entry that exists */
		value = fuzz_u8(in);
		(void)bus_write(&t->mmio,
				WINDOW + fuzz_u8(in) % t->n * 16ULL +
					4 * (action >> 3 & 3),
				&value, 4);
		break;
	case 4:
		value = fuzz_u8(in);
		pci_dev_config_write(&t->dev, CONTROL + 1, &value, 1);
		break;
	case 5:
	case 6:
		signal_vector(t, fuzz_u8(in));
		break;
	case 7:
		t->starved = true;
		t->hv.max_routes = fuzz_u8(in) % FAKE_HV_MAX;
		break;
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const struct pci_ids ids = {.vendor = 0x1af4};
	struct fuzz_input in = {data, size};
	unsigned int n_fds = fuzz_count_fds();
	static struct table t;

	memset(&t, 0, sizeof(t));
	bus_init(&t.mmio, "mmio");
	fake_hv_init(&t.hv);
	FUZZ_ASSERT(pci_bus_init(&t.bus, &t.mmio, NULL, &t.hv.hv, 0xe0000000,
				 WINDOW, 0x100000) == 0);
	pci_dev_init(&t.dev, &ops, &ids);
	t.n = 1 + fuzz_u8(&in) % MSIX_MAX_VECTORS;
	FUZZ_ASSERT(msix_add(&t.dev, 0, t.n) == 0);
	FUZZ_ASSERT(pci_bus_add(&t.bus, &t.dev) == 0);
	while (fuzz_more(&in)) {
		act(&t, &in);
		check(&t);
	}
	pci_bus_remove(&t.dev);
	pci_dev_fini(&t.dev);
	pci_bus_fini(&t.bus);
	FUZZ_ASSERT(fake_hv_n_routes(&t.hv) == 0);
	FUZZ_ASSERT(fuzz_count_fds() == n_fds);
	return 0;
}
