/*
 * Where boot data lives in a PC's first MiB, and the fixed addresses that the
 * ACPI tables promise. The kernel image begins at 1 MiB or above.
 */
#pragma once

/* Below 640 KiB: read by the kernel early, then free for it to use. */
#define LAYOUT_GDT         0x1000ULL
#define LAYOUT_START_INFO  0x2000ULL /* PVH: info, modules, memory map */
#define LAYOUT_MODLIST     0x2100ULL
#define LAYOUT_MEMMAP      0x2200ULL
#define LAYOUT_ZERO_PAGE   0x3000ULL
#define LAYOUT_CMDLINE     0x4000ULL
#define LAYOUT_PAGE_TABLES 0x8000ULL /* PML4, PDPT, four PDs */

#define LAYOUT_CMDLINE_MAX 2047U /* bytes without NUL: what Linux keeps */

/* From here to 1 MiB is no RAM for the guest to use. */
#define LAYOUT_RESERVED   0x9fc00ULL
#define LAYOUT_ACPI       0xe0000ULL /* RSDP first: where kernels scan */
#define LAYOUT_ACPI_SIZE  0x20000ULL
#define LAYOUT_KERNEL_MIN 0x100000ULL

#define LAYOUT_HIGH_RAM 0x100000000ULL

/* Interrupt controllers */
#define LAYOUT_IOAPIC 0xfec00000ULL
#define LAYOUT_LAPIC  0xfee00000ULL

/* Power ports: ACPI 6.4 sections 4.8.3.6, 4.8.3.7 */
#define LAYOUT_PM_SLEEP_CONTROL 0x600U
#define LAYOUT_PM_SLEEP_STATUS  0x601U
#define LAYOUT_PM_RESET         0x602U
#define LAYOUT_PM_RESET_VALUE   0x01U
#define LAYOUT_PM_SLP_TYP_S5    5U

#define LAYOUT_COM1     0x3f8U
#define LAYOUT_COM1_IRQ 4U

_Static_assert(LAYOUT_ACPI + LAYOUT_ACPI_SIZE == LAYOUT_KERNEL_MIN,
	       "ACPI tables end where the kernel may begin");
