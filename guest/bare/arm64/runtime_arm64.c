#include "runtime.h"

#define SERIAL           0x3f8ULL
#define SERIAL_STATUS    (SERIAL + 5)
#define LINE_STATUS_THRE 0x20

/* PSCI (Arm DEN 0022), calls by hvc */
#define PSCI_CPU_ON       0xc4000003ULL
#define PSCI_SYSTEM_OFF   0x84000008ULL
#define PSCI_SYSTEM_RESET 0x84000009ULL

/* Tokens of the structure block (Devicetree Specification 0.4, 5.4) */
enum { FDT_BEGIN_NODE = 1, FDT_END_NODE, FDT_PROP, FDT_NOP, FDT_END = 9 };

extern uint64_t device_tree;
extern const char secondary_cpu[];
extern const char shared_begin[], shared_end[]; /* bare.ld */

void unexpected_exception(uint64_t esr, uint64_t elr, uint64_t far);

void *memset(void *to, int value, size_t size)
{
	volatile unsigned char *p = to;

	while (size-- > 0)
		*p++ = (unsigned char)value;
	return to;
}

void *memcpy(void *to, const void *from, size_t size)
{
	volatile unsigned char *p = to;
	const unsigned char *q = from;

	while (size-- > 0)
		*p++ = *q++;
	return to;
}

void print_char(char c)
{
	while (!(mmio_read8(SERIAL_STATUS) & LINE_STATUS_THRE))
		relax();
	mmio_write8(SERIAL, (uint8_t)c);
}

_Noreturn void halt_forever(void)
{
	for (;;)
		__asm__ volatile("wfi");
}

_Noreturn void power_off(void)
{
	(void)hypercall(PSCI_SYSTEM_OFF, 0, 0, 0);
	halt_forever();
}

_Noreturn void reset(void)
{
	(void)hypercall(PSCI_SYSTEM_RESET, 0, 0, 0);
	halt_forever();
}

void unexpected_exception(uint64_t esr, uint64_t elr, uint64_t far)
{
	print("exception, syndrome ");
	print_number(esr);
	print(", from ");
	print_number(elr);
	print(", address ");
	print_number(far);
	print("\n");
	give_up("exception");
}

/* Twice is harmless: the hypervisor refuses what is shared already. Without
 * pKVM there is no such call, and no need for it. */
void share_page(uint64_t addr)
{
	(void)hypercall(PKVM_MEM_SHARE, addr, 0, 0);
}

void share_variables(void)
{
	uint64_t page = (uintptr_t)shared_begin;

	for (; page < (uintptr_t)shared_end; page += 4096)
		share_page(page);
}

static uint32_t be32(const unsigned char *p)
{
	return (uint32_t)p[0] << 24 | (uint32_t)p[1] << 16 |
	       (uint32_t)p[2] << 8 | p[3];
}

static size_t length(const char *s)
{
	size_t n = 0;

	while (s[n])
		n++;
	return n;
}

static bool begins(const char *s, const char *with)
{
	return memcmp(s, with, length(with)) == 0;
}

/* What is looked for while walking the tree. */
struct found {
	const char *bootargs;
	unsigned int n_cpus;
};

/*
 * Walk the tree once. Its nodes have no order that matters to us: the only
 * "bootargs" is that of /chosen, and only CPUs are called cpu@.
 */
static struct found walk(void)
{
	const unsigned char *tree = (const unsigned char *)device_tree;
	const unsigned char *p = tree + be32(tree + 8);
	const char *names = (const char *)tree + be32(tree + 12);
	struct found found = {"", 0};
	uint32_t token, len;

	for (;; p = tree + (((uint64_t)(p - tree) + 3) & ~3ULL)) {
		token = be32(p);
		p += 4;
		if (token == FDT_BEGIN_NODE) {
			found.n_cpus += begins((const char *)p, "cpu@");
			p += length((const char *)p) + 1;
		} else if (token == FDT_PROP) {
			len = be32(p);
			if (begins(names + be32(p + 4), "bootargs"))
				found.bootargs = (const char *)p + 8;
			p += 8 + len;
		} else if (token == FDT_END) {
			return found;
		}
	}
}

const char *cmdline(void)
{
	return walk().bootargs;
}

unsigned int count_cpus(void)
{
	return walk().n_cpus;
}

/* KVM numbers 16 CPUs in a cluster. */
void start_cpus(void)
{
	const unsigned int n = count_cpus();

	for (uint64_t i = 1; i < n && i < MAX_CPUS; i++)
		(void)hypercall(PSCI_CPU_ON, (i & 15) | i >> 4 << 8,
				(uintptr_t)secondary_cpu, i);
}
