/* What an x86-64 machine has besides PCI devices: its address space, COM1,
 * the ports for power-off and reset, and a kernel in memory. */
#include <stdlib.h>

#include <avf/vm.h>

#include "base/cleanup.h"
#include "boot/boot.h"
#include "devices/pm_x86_64.h"
#include "hv/boot_state_x86_64.h"
#include "machine/layout_x86_64.h"
#include "machine/machine_internal.h"
#include "machine/serial.h"

struct platform {
	struct pm_x86_64 pm;
	bool has_pm;
	struct machine_serial serial; /* COM1 */
	struct hv_boot_state boot_state;
};

const struct machine_pci_place machine_arch_pci = {
	.ecam = MACHINE_ECAM_BASE,
	.bars = {MACHINE_MMIO32_BASE, MACHINE_MMIO32_SIZE},
	.has_ports = true,
};

uint64_t machine_memory_size(const struct vm_config *config)
{
	return (uint64_t)config->memory_mib << 20;
}

/*
 * RAM has a hole below 4 GiB, for ECAM, BARs and interrupt controllers: what
 * does not fit below it continues at 4 GiB.
 */
uint64_t machine_memory_end(const struct vm_config *config)
{
	const uint64_t size = machine_memory_size(config);

	return size <= MACHINE_LOW_RAM_MAX
		       ? size
		       : MACHINE_HIGH_RAM + size - MACHINE_LOW_RAM_MAX;
}

static uint64_t ram_size(const struct machine *m)
{
	return machine_memory_size(m->params.config);
}

static uint64_t low_ram(const struct machine *m)
{
	return MIN(ram_size(m), MACHINE_LOW_RAM_MAX);
}

int machine_arch_add_memory(struct machine *m)
{
	int rc = machine_add_ram(m, 0, low_ram(m));

	if (rc < 0)
		return rc;
	return machine_add_ram(m, MACHINE_HIGH_RAM, ram_size(m) - low_ram(m));
}

/* From the power ports, on a vCPU with the machine's lock. */
static void power_off(void *userdata)
{
	machine_stop_locked(userdata, AVF_STOP_REASON_SHUTDOWN,
			    "the guest powered off");
}

static void reset(void *userdata)
{
	machine_stop_locked(userdata, AVF_STOP_REASON_REBOOT,
			    "the guest asked for a reset");
}

static const struct pm_x86_64_ops pm_ops = {
	.power_off = power_off,
	.reset = reset,
};

int machine_arch_add_platform(struct machine *m)
{
	struct platform *p = calloc(1, sizeof(*p));
	int rc;

	if (!p)
		return fail(AVF_ERR_NO_MEMORY, "platform devices");
	m->platform = p;
	rc = pm_x86_64_init(&p->pm, &m->pio, &pm_ops, m);
	if (rc < 0)
		return rc;
	p->has_pm = true;
	return machine_serial_init(&p->serial, m, &m->pio, MACHINE_COM1_PORT,
				   MACHINE_COM1_LINE);
}

void machine_arch_remove_platform(struct machine *m)
{
	struct platform *p = m->platform;

	if (!p)
		return;
	machine_serial_fini(&p->serial);
	if (p->has_pm)
		pm_x86_64_fini(&p->pm, &m->pio);
	free(p);
	m->platform = NULL;
}

/*
 * Addresses must be those that add_platform() has given to the buses: the ACPI
 * tables repeat them.
 */
int machine_arch_load(struct machine *m)
{
	const struct boot_input input = {
		.gm = &m->gm,
		.kernel_fd = m->params.config->kernel_fd,
		.initrd_fd = m->params.config->initrd_fd,
		.cmdline = m->params.cmdline,
		.n_vcpus = m->n_vcpus,
		.low_ram_size = low_ram(m),
		.high_ram_size = ram_size(m) - low_ram(m),
		.ecam = {MACHINE_ECAM_BASE, MACHINE_ECAM_SIZE},
		.mmio32 = {MACHINE_MMIO32_BASE, MACHINE_MMIO32_SIZE},
	};
	struct boot_cpu_state cpu;
	int rc;

	if (m->params.config->overlay_fd >= 0)
		return fail(AVF_ERR_UNSUPPORTED,
			    "device_tree_overlay: a machine of x86-64 has no "
			    "device tree; run it without");
	rc = boot_load(&input, &cpu);
	if (rc < 0)
		return rc;
	m->platform->boot_state = (struct hv_boot_state){
		.long_mode = cpu.mode == BOOT_LONG64,
		.entry = cpu.entry,
		.rbx = cpu.mode == BOOT_PVH32 ? cpu.boot_info_gpa : 0,
		.rsi = cpu.mode == BOOT_LONG64 ? cpu.boot_info_gpa : 0,
		.page_tables = cpu.page_tables_gpa,
		.gdt = cpu.gdt_gpa,
		.gdt_limit = cpu.gdt_limit,
	};
	m->boot_state = &m->platform->boot_state;
	return 0;
}
