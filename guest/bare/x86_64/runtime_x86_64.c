#include "runtime.h"

#define COM1             0x3f8
#define COM1_LINE_STATUS (COM1 + 5)
#define LINE_STATUS_THRE 0x20

#define PM_SLEEP_CONTROL 0x600
#define PM_RESET         0x602
#define PM_RESET_VALUE   0x01
#define SLEEP_S5         (5 << 2 | 0x20) /* SLP_TYP 5, SLP_EN */

#define LAPIC              0xfee00000ULL
#define LAPIC_SPURIOUS     (LAPIC + 0xf0)
#define LAPIC_ICR          (LAPIC + 0x300)
#define LAPIC_ENABLE       0x1ffU
#define ICR_INIT_OTHERS    0x000c4500U
#define ICR_STARTUP_OTHERS 0x000c4600U /* | page of the trampoline */
#define TRAMPOLINE         0x8000U

extern const char ap_trampoline[], ap_trampoline_end[];
extern uint32_t start_info;

void unexpected_exception(uint64_t vector, uint64_t error, uint64_t rip,
			  uint64_t cr2);

/* xen/interface/hvm/start_info.h, as far as we read it */
struct start_info_fields {
	uint32_t magic, version, flags, n_modules;
	uint64_t modlist, cmdline, rsdp;
};

void *memset(void *to, int value, size_t size)
{
	void *p = to;

	__asm__ volatile("rep stosb"
			 : "+D"(p), "+c"(size)
			 : "a"(value)
			 : "memory");
	return to;
}

void *memcpy(void *to, const void *from, size_t size)
{
	void *p = to;

	__asm__ volatile("rep movsb"
			 : "+D"(p), "+S"(from), "+c"(size)
			 :
			 : "memory");
	return to;
}

void print_char(char c)
{
	while (!(inb(COM1_LINE_STATUS) & LINE_STATUS_THRE))
		relax();
	outb(COM1, (uint8_t)c);
}

_Noreturn void halt_forever(void)
{
	for (;;)
		__asm__ volatile("cli; hlt");
}

_Noreturn void power_off(void)
{
	outb(PM_SLEEP_CONTROL, SLEEP_S5);
	halt_forever();
}

_Noreturn void reset(void)
{
	outb(PM_RESET, PM_RESET_VALUE);
	halt_forever();
}

void unexpected_exception(uint64_t vector, uint64_t error, uint64_t rip,
			  uint64_t cr2)
{
	print("exception ");
	print_number(vector);
	print(", error ");
	print_number(error);
	print(", from ");
	print_number(rip);
	print(", address ");
	print_number(cr2);
	print("\n");
	give_up("exception");
}

static const struct start_info_fields *info(void)
{
	return (const struct start_info_fields *)(uintptr_t)start_info;
}

const char *cmdline(void)
{
	return info()->cmdline ? (const char *)info()->cmdline : "";
}

/* Tables are not aligned for their 64-bit fields. */
static uint64_t load(uint64_t addr, size_t size)
{
	uint64_t value = 0;

	memcpy(&value, (const void *)addr, size);
	return value;
}

static uint64_t find_table(const char *signature)
{
	uint64_t xsdt = load(info()->rsdp + 24, 8);
	uint64_t end = xsdt + load(xsdt + 4, 4);
	uint64_t table;

	for (uint64_t at = xsdt + 36; at < end; at += 8) {
		table = load(at, 8);
		if (memcmp((const void *)table, signature, 4) == 0)
			return table;
	}
	give_up("no such ACPI table");
}

unsigned int count_cpus(void)
{
	uint64_t madt = find_table("APIC");
	uint64_t end = madt + load(madt + 4, 4);
	unsigned int n = 0;

	for (uint64_t at = madt + 44; at < end; at += load(at + 1, 1)) {
		/* local APIC, enabled */
		if (load(at, 1) == 0 && (load(at + 4, 4) & 1))
			n++;
	}
	return n;
}

void start_cpus(void)
{
	memcpy((void *)(uintptr_t)TRAMPOLINE, ap_trampoline,
	       (size_t)(ap_trampoline_end - ap_trampoline));
	mmio_write32(LAPIC_SPURIOUS, LAPIC_ENABLE);
	mmio_write32(LAPIC_ICR, ICR_INIT_OTHERS);
	mmio_write32(LAPIC_ICR, ICR_STARTUP_OTHERS | TRAMPOLINE >> 12);
}

void share_variables(void)
{
	/* devices reach all memory */
}

void share_page(uint64_t addr)
{
	(void)addr; /* as above */
}
