/* What an arm64 machine has besides PCI devices: its address space, a serial
 * line, and a kernel in memory. Power-off and reset are PSCI calls, which the
 * hypervisor takes. */
#include <stdlib.h>
#include <sys/random.h>

#include "base/cleanup.h"
#include "boot/boot_arm64.h"
#include "devices/rtc_pl031.h"
#include "hv/boot_state_arm64.h"
#include "hv/gic_arm64.h"
#include "machine/layout_arm64.h"
#include "machine/machine_internal.h"
#include "machine/serial.h"

struct platform {
	struct machine_serial serial;
	struct rtc_pl031 rtc;
	struct hv_boot_state boot_state;
};

const struct machine_pci_place machine_arch_pci = {
	.ecam = MACHINE_ECAM_BASE,
	.bars = {MACHINE_MMIO32_BASE, MACHINE_MMIO32_SIZE},
};

uint64_t machine_memory_size(const struct vm_config *config)
{
	return ((uint64_t)config->memory_mib << 20) +
	       vm_config_bounce_bytes(config);
}

uint64_t machine_memory_end(const struct vm_config *config)
{
	return MACHINE_RAM_BASE + machine_memory_size(config);
}

int machine_arch_add_memory(struct machine *m)
{
	return machine_add_ram(m, MACHINE_RAM_BASE,
			       machine_memory_size(m->params.config));
}

int machine_arch_add_platform(struct machine *m)
{
	struct platform *p = calloc(1, sizeof(*p));
	int rc;

	if (!p)
		return fail(AVF_ERR_NO_MEMORY, "platform devices");
	m->platform = p;
	rtc_pl031_init(&p->rtc);
	p->rtc.range.base = MACHINE_RTC_BASE;
	rc = bus_add(&m->mmio, &p->rtc.range);
	if (rc < 0)
		return rc;
	return machine_serial_init(&p->serial, m, &m->mmio, MACHINE_SERIAL_BASE,
				   MACHINE_SERIAL_LINE);
}

void machine_arch_remove_platform(struct machine *m)
{
	struct platform *p = m->platform;

	if (!p)
		return;
	machine_serial_fini(&p->serial);
	bus_remove(&m->mmio, &p->rtc.range);
	free(p);
	m->platform = NULL;
}

/* The device tree repeats these addresses: they must be those that
 * add_platform() and the hypervisor have given. */
static struct boot_arm64_input describe(struct machine *m)
{
	struct boot_arm64_input input = {
		.gm = &m->gm,
		.kernel_fd = m->params.config->kernel_fd,
		.initrd_fd = m->params.config->initrd_fd,
		.overlay_fd = m->params.config->overlay_fd,
		.cmdline = m->params.cmdline,
		.n_vcpus = m->n_vcpus,
		.ram = {MACHINE_RAM_BASE,
			machine_memory_size(m->params.config)},
		.ecam = {MACHINE_ECAM_BASE, MACHINE_ECAM_SIZE},
		.mmio32 = {MACHINE_MMIO32_BASE, MACHINE_MMIO32_SIZE},
		.gic_dist = {HV_GIC_DIST_BASE, HV_GIC_DIST_SIZE},
		.gic_redist = {HV_GIC_REDIST_BASE,
			       HV_GIC_REDIST_SIZE * m->n_vcpus},
		.gic_frame = {HV_GIC_FRAME_BASE, HV_GIC_FRAME_SIZE},
		.frame_first = HV_GIC_FRAME_FIRST,
		.frame_count = HV_GIC_FRAME_COUNT,
		.serial = {MACHINE_SERIAL_BASE, UART_16550_PORTS},
		.serial_spi = MACHINE_SERIAL_LINE,
		.rtc = {MACHINE_RTC_BASE, RTC_PL031_SIZE},
		.bounce_size = vm_config_bounce_bytes(m->params.config),
	};

	if (!m->params.config->is_protected)
		input.gic_its =
			(struct boot_range){HV_GIC_ITS_BASE, HV_GIC_ITS_SIZE};
	return input;
}

int machine_arch_load(struct machine *m)
{
	struct boot_arm64_input input = describe(m);
	struct boot_arm64_state state;
	int rc;

	if (getrandom(input.seed, sizeof(input.seed), 0) !=
	    (ssize_t)sizeof(input.seed))
		return fail_errno("getrandom");
	rc = boot_arm64_load(&input, &state);
	if (rc < 0)
		return rc;
	m->platform->boot_state = (struct hv_boot_state){
		.entry = state.entry,
		.kernel_size = state.kernel_size,
		.fdt = state.dtree,
	};
	m->boot_state = &m->platform->boot_state;
	return 0;
}
