/*
 * The body of the DSDT (ACPI 6.4, 5.2.11.1): what cannot be found by probing.
 * Its addresses come from boot_input and layout_x86_64.h, the same numbers that
 * the machine's buses are built from; a difference between the two shows as a
 * device that Linux cannot reach.
 */
#include "boot/acpi.h"
#include "boot/layout_x86_64.h"

#define PCI_CONFIG_PORT 0xcf8U

/*
 * The host bridge. No interrupt routing: every function uses MSI-X. No I/O
 * window: every BAR is memory.
 */
static void write_pci(struct aml *a, const struct boot_input *in)
{
	size_t device = aml_open_device(a, "PCI0");
	size_t resources;

	aml_name(a, "_HID");
	aml_eisaid(a, "PNP0A08");
	aml_name(a, "_CID");
	aml_eisaid(a, "PNP0A03");
	aml_name(a, "_SEG");
	aml_integer(a, 0);
	aml_name(a, "_BBN");
	aml_integer(a, 0);
	aml_name(a, "_UID");
	aml_integer(a, 0);
	aml_name(a, "_CRS");
	resources = aml_open_resources(a);
	aml_bus_numbers(a, 0, (uint16_t)((in->ecam.size >> 20) - 1));
	aml_io(a, PCI_CONFIG_PORT, 8);
	if (in->mmio32.size > 0)
		aml_memory_window(a, in->mmio32);
	if (in->mmio64.size > 0)
		aml_memory_window(a, in->mmio64);
	aml_close_resources(a, resources);
	aml_close(a, device);
}

/*
 * The ECAM range as a motherboard resource: PCI Firmware 3.0 section 4.1.2
 * wants it reserved here and not in the bridge's own resources.
 */
static void write_motherboard(struct aml *a, const struct boot_input *in)
{
	size_t device = aml_open_device(a, "MRES");
	size_t resources;

	aml_name(a, "_HID");
	aml_eisaid(a, "PNP0C02");
	aml_name(a, "_UID");
	aml_integer(a, 0);
	aml_name(a, "_CRS");
	resources = aml_open_resources(a);
	aml_memory_fixed(a, (uint32_t)in->ecam.base, (uint32_t)in->ecam.size);
	aml_close_resources(a, resources);
	aml_close(a, device);
}

/*
 * PNP0501 is a 16550; without this node Linux finds the port only by its old
 * fixed list, and no interrupt for it.
 */
static void write_serial(struct aml *a)
{
	size_t device = aml_open_device(a, "COM1");
	size_t resources;

	aml_name(a, "_HID");
	aml_eisaid(a, "PNP0501");
	aml_name(a, "_UID");
	aml_integer(a, 0);
	aml_name(a, "_CRS");
	resources = aml_open_resources(a);
	aml_io(a, LAYOUT_COM1, 8);
	aml_irq(a, LAYOUT_COM1_IRQ);
	aml_close_resources(a, resources);
	aml_close(a, device);
}

/* Name(_S5, Package(){type for the sleep port, the same, 0, 0}) (7.4.2.6) */
static void write_s5(struct aml *a)
{
	size_t package;

	aml_name(a, "_S5");
	package = aml_open_package(a, 4);
	aml_integer(a, LAYOUT_PM_SLP_TYP_S5);
	aml_integer(a, LAYOUT_PM_SLP_TYP_S5);
	aml_integer(a, 0);
	aml_integer(a, 0);
	aml_close(a, package);
}

void acpi_write_dsdt(struct aml *a, const struct boot_input *in)
{
	size_t scope = aml_open_scope(a, "_SB");

	write_pci(a, in);
	write_motherboard(a, in);
	write_serial(a);
	aml_close(a, scope);
	write_s5(a);
}
