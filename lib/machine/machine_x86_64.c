/* What an x86-64 machine has besides PCI devices: its address space, COM1,
 * the ports for power-off and reset, and a kernel in memory. */
#include <stdlib.h>
#include <sys/eventfd.h>

#include <avf/vm.h>

#include "base/cleanup.h"
#include "boot/boot.h"
#include "devices/pm_x86_64.h"
#include "devices/sink.h"
#include "devices/uart_16550.h"
#include "hv/boot_state_x86_64.h"
#include "machine/layout_x86_64.h"
#include "machine/machine_internal.h"

struct platform {
	struct pm_x86_64 pm;
	bool has_pm;
	struct sink serial_out;
	bool has_serial_out;
	struct uart_16550 serial;
	bool has_serial;
	int serial_irq; /* owned eventfd */
};

static uint64_t ram_size(const struct machine *m)
{
	return (uint64_t)m->params.config->memory_mib << 20;
}

static uint64_t low_ram(const struct machine *m)
{
	return MIN(ram_size(m), MACHINE_LOW_RAM_MAX);
}

static int add_ram(struct machine *m, gpa_t base, uint64_t size)
{
	struct gmem_slice slice;
	int rc;

	if (size == 0)
		return 0;
	rc = gmem_add_anonymous(&m->gm, base, size);
	if (rc < 0)
		return rc;
	rc = gmem_map(&m->gm, base, size, &slice);
	if (rc < 0)
		return rc;
	if (m->params.config->hugepages)
		gmem_advise_huge(&m->gm);
	return m->hv->ops->add_memory(m->hv, base, size, slice.host);
}

int machine_arch_add_memory(struct machine *m)
{
	int rc = add_ram(m, 0, low_ram(m));

	if (rc < 0)
		return rc;
	return add_ram(m, MACHINE_HIGH_RAM, ram_size(m) - low_ram(m));
}

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

/* COM1 writes where the console does. */
static int add_serial(struct machine *m)
{
	struct platform *p = m->platform;
	struct uart_16550_config config = {
		.loop = m->params.loop,
		.out = &p->serial_out,
		.in_fd = -1,
		.log = m->params.log,
	};
	int out = -1;
	int rc;

	if (m->params.config->console_out_fd >= 0) {
		out = fd_dup(m->params.config->console_out_fd);
		if (out < 0)
			return out;
	}
	sink_init(&p->serial_out, out, m->params.loop);
	p->has_serial_out = true;
	p->serial_irq = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	if (p->serial_irq < 0)
		return fail_errno("eventfd");
	config.irq_fd = p->serial_irq;
	rc = uart_16550_init(&p->serial, &config);
	if (rc < 0)
		return rc;
	p->has_serial = true;
	p->serial.range.base = MACHINE_COM1_PORT;
	rc = bus_add(&m->pio, &p->serial.range);
	if (rc < 0)
		return rc;
	return m->hv->ops->add_line(m->hv, MACHINE_COM1_LINE, p->serial_irq);
}

int machine_arch_add_platform(struct machine *m)
{
	struct platform *p = calloc(1, sizeof(*p));
	int rc;

	if (!p)
		return fail(AVF_ERR_NO_MEMORY, "platform devices");
	p->serial_irq = -1;
	m->platform = p;
	rc = pci_bus_init(&m->pci, &m->mmio, &m->pio, m->hv, MACHINE_ECAM_BASE,
			  MACHINE_MMIO32_BASE, MACHINE_MMIO32_SIZE);
	if (rc < 0)
		return rc;
	m->has_pci = true;
	rc = pm_x86_64_init(&p->pm, &m->pio, &pm_ops, m);
	if (rc < 0)
		return rc;
	p->has_pm = true;
	return add_serial(m);
}

void machine_arch_remove_platform(struct machine *m)
{
	struct platform *p = m->platform;

	if (!p)
		return;
	if (p->has_serial) {
		bus_remove(&m->pio, &p->serial.range);
		uart_16550_fini(&p->serial);
	}
	if (p->has_serial_out)
		sink_fini(&p->serial_out);
	fd_close(p->serial_irq);
	if (p->has_pm)
		pm_x86_64_fini(&p->pm, &m->pio);
	if (m->has_pci)
		pci_bus_fini(&m->pci);
	free(p);
	m->platform = NULL;
}

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
	int rc = boot_load(&input, &cpu);

	if (rc < 0)
		return rc;
	m->boot_state = calloc(1, sizeof(*m->boot_state));
	if (!m->boot_state)
		return fail(AVF_ERR_NO_MEMORY, "boot state");
	m->boot_state->long_mode = cpu.mode == BOOT_LONG64;
	m->boot_state->entry = cpu.entry;
	m->boot_state->rbx = cpu.mode == BOOT_PVH32 ? cpu.boot_info_gpa : 0;
	m->boot_state->rsi = cpu.mode == BOOT_LONG64 ? cpu.boot_info_gpa : 0;
	m->boot_state->page_tables = cpu.page_tables_gpa;
	m->boot_state->gdt = cpu.gdt_gpa;
	return 0;
}
