/*
 * One function for each node, called by root() in the order of the tree.
 * libfdt's sequential-write interface builds it, so a node is complete when
 * end() is called and cannot be changed afterwards. Properties follow the
 * bindings of Linux; addresses come from the machine's layout, and what is said
 * here must be what machine_arm64.c has built.
 */
#include "boot/dtree.h"

#include <inttypes.h>
#include <libfdt.h>
#include <stdio.h>
#include <string.h>

#include "base/checked.h"

/* Who is referred to by others. */
enum phandle {
	PHANDLE_GIC = 1,
	PHANDLE_MSI,
	PHANDLE_POOL,
	PHANDLE_CLOCK,
};

/* Interrupt specifiers of arm,gic-v3: kind, number, trigger. */
#define GIC_SPI   0U
#define GIC_PPI   1U
#define EDGE      1U
#define LEVEL     4U
#define UART_HZ   1843200U
#define APB_HZ    24000000U
#define PCI_MEM32 0x02000000U /* phys.hi: 32-bit memory space */

/* Running out of room is remembered, not reported by each call. */
struct tree {
	void *data; /* borrowed */
	int error;  /* of libfdt, the first */
	const struct boot_arm64_input *in;
};

/* Keeps the first error: those after it are only its consequences. */
static void check(struct tree *t, int error)
{
	if (t->error == 0)
		t->error = error;
}

/* Nodes nest: each begin() or begin_at() has its end(). */
static void begin(struct tree *t, const char *name)
{
	check(t, fdt_begin_node(t->data, name));
}

/* "@name@address", as the specification wants it for nodes with reg. */
static void begin_at(struct tree *t, const char *name, uint64_t address)
{
	char full[64];

	(void)snprintf(full, sizeof(full), "%s@%" PRIx64, name, address);
	begin(t, full);
}

static void end(struct tree *t)
{
	check(t, fdt_end_node(t->data));
}

static void text(struct tree *t, const char *name, const char *value)
{
	check(t, fdt_property(t->data, name, value, (int)strlen(value) + 1));
}

/* A property without a value: its presence is the message. */
static void flag(struct tree *t, const char *name)
{
	check(t, fdt_property(t->data, name, NULL, 0));
}

static void number(struct tree *t, const char *name, uint32_t value)
{
	check(t, fdt_property_u32(t->data, name, value));
}

/* At most 16 cells, which the longest list here (timer) does not reach. */
static void cells(struct tree *t, const char *name, const uint32_t *values,
		  size_t n)
{
	fdt32_t raw[16];

	for (size_t i = 0; i < n; i++)
		raw[i] = cpu_to_fdt32(values[i]);
	check(t,
	      fdt_property(t->data, name, raw, (int)n * (int)sizeof(raw[0])));
}

#define CELLS(t, name, ...)                                 \
	cells((t), (name), (const uint32_t[]){__VA_ARGS__}, \
	      sizeof((const uint32_t[]){__VA_ARGS__}) / 4)

/* A 64-bit value as two cells. */
#define WIDE(value) (uint32_t)((uint64_t)(value) >> 32), (uint32_t)(value)

static void reg(struct tree *t, struct boot_range r)
{
	CELLS(t, "reg", WIDE(r.base), WIDE(r.size));
}

static void widths(struct tree *t, uint32_t address, uint32_t size)
{
	number(t, "#address-cells", address);
	number(t, "#size-cells", size);
}

/*
 * The seeds make the kernel's addresses and random numbers differ with each
 * run. Both parts of the seed are used once only: 8 bytes for KASLR, the rest
 * for the generator.
 */
static void chosen(struct tree *t, struct boot_range initrd)
{
	const struct boot_arm64_input *in = t->in;
	char console[32];

	(void)snprintf(console, sizeof(console), "/serial@%" PRIx64,
		       in->serial.base);
	begin(t, "chosen");
	text(t, "bootargs", in->cmdline ? in->cmdline : "");
	text(t, "stdout-path", console);
	if (initrd.size > 0) {
		CELLS(t, "linux,initrd-start", WIDE(initrd.base));
		CELLS(t, "linux,initrd-end", WIDE(initrd.base + initrd.size));
	}
	check(t, fdt_property(t->data, "kaslr-seed", in->seed, 8));
	check(t, fdt_property(t->data, "rng-seed", in->seed + 8,
			      (int)sizeof(in->seed) - 8));
	end(t);
}

/*
 * For the firmware of Android's protected VMs (pvmfw), which checks the kernel
 * before it enters it. Others have no firmware.
 */
static void config(struct tree *t, struct boot_range kernel)
{
	if (t->in->bounce_size == 0)
		return;
	begin(t, "config");
	number(t, "kernel-address", (uint32_t)kernel.base);
	number(t, "kernel-size", (uint32_t)kernel.size);
	end(t);
}

static void memory(struct tree *t)
{
	begin_at(t, "memory", t->in->ram.base);
	text(t, "device_type", "memory");
	reg(t, t->in->ram);
	end(t);
}

struct boot_range dtree_bounce_pool(const struct boot_arm64_input *in)
{
	return (struct boot_range){
		.base = in->ram.base + in->ram.size - in->bounce_size,
		.size = in->bounce_size,
	};
}

/* The one part of a protected VM's memory that devices may reach. */
static void bounce_pool(struct tree *t)
{
	const struct boot_range pool = dtree_bounce_pool(t->in);

	if (pool.size == 0)
		return;
	begin(t, "reserved-memory");
	widths(t, 2, 2);
	flag(t, "ranges");
	begin_at(t, "restricted_dma_reserved", pool.base);
	text(t, "compatible", "restricted-dma-pool");
	reg(t, pool);
	number(t, "phandle", PHANDLE_POOL);
	end(t);
	end(t);
}

/* KVM's numbering: 16 vCPUs in a cluster, for the SGIs of a GICv3. */
static uint32_t mpidr(unsigned int cpu)
{
	return (cpu & 15) | cpu >> 4 << 8;
}

static void cpus(struct tree *t)
{
	begin(t, "cpus");
	widths(t, 1, 0);
	for (unsigned int i = 0; i < t->in->n_vcpus; i++) {
		begin_at(t, "cpu", mpidr(i));
		text(t, "device_type", "cpu");
		text(t, "compatible", "arm,armv8");
		text(t, "enable-method", "psci");
		number(t, "reg", mpidr(i));
		end(t);
	}
	end(t);
}

/*
 * KVM answers PSCI calls made with HVC itself; that is how secondary CPUs start
 * and how the guest powers off.
 */
static void psci(struct tree *t)
{
	static const char names[] = "arm,psci-1.0\0arm,psci-0.2";

	begin(t, "psci");
	check(t, fdt_property(t->data, "compatible", names, sizeof(names)));
	text(t, "method", "hvc");
	end(t);
}

/* Secure, non-secure, virtual, hypervisor: PPIs 13, 14, 11, 10. */
static void timer(struct tree *t)
{
	begin(t, "timer");
	text(t, "compatible", "arm,armv8-timer");
	CELLS(t, "interrupts", GIC_PPI, 13, LEVEL, GIC_PPI, 14, LEVEL, GIC_PPI,
	      11, LEVEL, GIC_PPI, 10, LEVEL);
	flag(t, "always-on");
	end(t);
}

/* Where MSIs of all PCI devices go: without one of these two no virtio device
 * has an interrupt. */
static void its(struct tree *t)
{
	begin_at(t, "msi-controller", t->in->gic_its.base);
	text(t, "compatible", "arm,gic-v3-its");
	flag(t, "msi-controller");
	number(t, "#msi-cells", 1);
	reg(t, t->in->gic_its);
	number(t, "phandle", PHANDLE_MSI);
	end(t);
}

/* Linux takes it for the MSIs of a GICv3 that has no ITS. */
static void msi_frame(struct tree *t)
{
	begin_at(t, "v2m", t->in->gic_frame.base);
	text(t, "compatible", "arm,gic-v2m-frame");
	flag(t, "msi-controller");
	reg(t, t->in->gic_frame);
	number(t, "arm,msi-base-spi", t->in->frame_first);
	number(t, "arm,msi-num-spis", t->in->frame_count);
	number(t, "phandle", PHANDLE_MSI);
	end(t);
}

static void gic(struct tree *t)
{
	const struct boot_arm64_input *in = t->in;

	begin_at(t, "intc", in->gic_dist.base);
	text(t, "compatible", "arm,gic-v3");
	number(t, "#interrupt-cells", 3);
	flag(t, "interrupt-controller");
	CELLS(t, "reg", WIDE(in->gic_dist.base), WIDE(in->gic_dist.size),
	      WIDE(in->gic_redist.base), WIDE(in->gic_redist.size));
	number(t, "phandle", PHANDLE_GIC);
	widths(t, 2, 2);
	flag(t, "ranges");
	if (in->gic_its.size > 0)
		its(t);
	else
		msi_frame(t);
	end(t);
}

/* The console; its interrupt is an edge, as KVM's irqfd makes one. */
static void serial(struct tree *t)
{
	begin_at(t, "serial", t->in->serial.base);
	text(t, "compatible", "ns16550a");
	reg(t, t->in->serial);
	number(t, "clock-frequency", UART_HZ);
	CELLS(t, "interrupts", GIC_SPI, t->in->serial_spi, EDGE);
	end(t);
}

/*
 * The clock that tells the time of day, and the one that beats in it: a driver
 * of an AMBA device asks for the latter before it touches the device.
 */
static void rtc(struct tree *t)
{
	static const char names[] = "arm,pl031\0arm,primecell";

	begin(t, "apb-pclk");
	text(t, "compatible", "fixed-clock");
	number(t, "#clock-cells", 0);
	number(t, "clock-frequency", APB_HZ);
	text(t, "clock-output-names", "clk24mhz");
	number(t, "phandle", PHANDLE_CLOCK);
	end(t);
	begin_at(t, "rtc", t->in->rtc.base);
	check(t, fdt_property(t->data, "compatible", names, sizeof(names)));
	reg(t, t->in->rtc);
	number(t, "clocks", PHANDLE_CLOCK);
	text(t, "clock-names", "apb_pclk");
	end(t);
}

/*
 * PCI functions reach memory through the bounce pool alone when there is one,
 * which the memory-region property says to Linux.
 */
static void pci(struct tree *t)
{
	const struct boot_arm64_input *in = t->in;

	begin_at(t, "pcie", in->ecam.base);
	text(t, "compatible", "pci-host-ecam-generic");
	text(t, "device_type", "pci");
	widths(t, 3, 2);
	reg(t, in->ecam);
	CELLS(t, "bus-range", 0, 0);
	CELLS(t, "ranges", PCI_MEM32, WIDE(in->mmio32.base),
	      WIDE(in->mmio32.base), WIDE(in->mmio32.size));
	/* a device's requester id is its id at the ITS; a frame has none */
	CELLS(t, "msi-map", 0, PHANDLE_MSI, 0, 0x10000);
	flag(t, "dma-coherent");
	if (in->bounce_size > 0)
		number(t, "memory-region", PHANDLE_POOL);
	end(t);
}

static void root(struct tree *t, const struct dtree_places *places)
{
	begin(t, "");
	text(t, "compatible", "linux,dummy-virt");
	text(t, "model", "libvirtualization");
	widths(t, 2, 2);
	number(t, "interrupt-parent", PHANDLE_GIC);
	chosen(t, places->initrd);
	config(t, places->kernel);
	memory(t);
	bounce_pool(t);
	cpus(t);
	psci(t);
	timer(t);
	gic(t);
	serial(t);
	rtc(t);
	pci(t);
	end(t);
}

int dtree_build(const struct boot_arm64_input *in,
		const struct dtree_places *places, void *data, size_t capacity,
		size_t *ret_size)
{
	struct tree t = {.data = data, .in = in};

	check(&t, fdt_create(data, (int)MIN(capacity, (size_t)INT32_MAX)));
	check(&t, fdt_finish_reservemap(data));
	if (t.error == 0)
		root(&t, places);
	check(&t, fdt_finish(data));
	if (t.error != 0)
		return fail(AVF_ERR_LIMIT, "device tree: %s",
			    fdt_strerror(t.error));
	*ret_size = fdt_totalsize(data);
	return 0;
}
