/*
 * Says what its CPU can do, by its identification registers and by doing it,
 * and what time it is: "sve 0 gives 0", "pauth 1 gives N", "time N". With
 * "odd=N" it reaches for a place where nothing is in a way that a CPU does not
 * describe to a hypervisor, which must be an exception for it alone:
 *
 *	1  two registers
 *	2  an exclusive load
 *	3  a load that moves its base on
 *	4  a store of two registers
 */
#include "runtime.h"

#define NOWHERE 0x0a000000ULL
#define CLOCK   0x00002000ULL /* a PL031; its first register is the time */

/* Arm ARM, D19.2: the fields of which any value but 0 is a yes */
#define PFR0_SVE(v)    ((v) >> 32 & 0xf)
#define ISAR1_PAUTH(v) ((v)&0xff000ff0U) /* GPI, GPA, API, APA */
#define ISAR2_PAUTH(v) ((v)&0xff00U)     /* APA3, GPA3 */
#define CPACR_OPEN     (0x33ULL << 16)   /* ZEN, FPEN: nothing traps */

#define READ_ID(name)                                             \
	static uint64_t read_##name(void)                         \
	{                                                         \
		uint64_t value;                                   \
                                                                  \
		__asm__ volatile("mrs %0, " #name : "=r"(value)); \
		return value;                                     \
	}
READ_ID(id_aa64pfr0_el1)
READ_ID(id_aa64isar1_el1)
READ_ID(s3_0_c0_c6_2) /* id_aa64isar2_el1 */

/* Of a vector register; the instruction is rdvl x0, #1. */
static uint64_t vector_bytes(void)
{
	register uint64_t x0 __asm__("x0");
	uint64_t cpacr;

	__asm__ volatile("mrs %0, cpacr_el1" : "=r"(cpacr));
	__asm__ volatile("msr cpacr_el1, %0\n\tisb"
			 :
			 : "r"(cpacr | CPACR_OPEN));
	__asm__ volatile(".inst 0x04bf5020" : "=r"(x0));
	return x0;
}

/* A code over two numbers, by the key of this CPU: pacga x0, x1, x2. */
static uint64_t code(void)
{
	register uint64_t x0 __asm__("x0");
	register uint64_t x1 __asm__("x1") = 0x1234;
	register uint64_t x2 __asm__("x2") = 0x5678;

	__asm__ volatile(".inst 0x9ac23020" : "=r"(x0) : "r"(x1), "r"(x2));
	return x0;
}

static void show(const char *name, bool has, uint64_t value)
{
	print(name);
	print_number(has);
	print(" gives ");
	print_number(has ? value : 0);
	print("\n");
}

static void show_features(void)
{
	const bool sve = PFR0_SVE(read_id_aa64pfr0_el1());
	const bool pauth = ISAR1_PAUTH(read_id_aa64isar1_el1()) ||
			   ISAR2_PAUTH(read_s3_0_c0_c6_2());

	show("sve ", sve, sve ? vector_bytes() : 0);
	show("pauth ", pauth, pauth ? code() : 0);
}

static void be_odd(uint64_t way)
{
	uint64_t a = 0, b = 0, at = NOWHERE;

	switch (way) {
	case 1:
		__asm__ volatile("ldp %0, %1, [%2]"
				 : "=r"(a), "=r"(b)
				 : "r"(at));
		break;
	case 2:
		__asm__ volatile("ldxr %0, [%1]" : "=r"(a) : "r"(at));
		break;
	case 3:
		__asm__ volatile("ldr %0, [%1], #8" : "=r"(a), "+r"(at));
		break;
	case 4:
		__asm__ volatile("stp %0, %1, [%2]"
				 :
				 : "r"(a), "r"(b), "r"(at)
				 : "memory");
		break;
	default:
		give_up("no such way");
	}
	give_up("it was carried out");
}

void guest_main(void)
{
	const uint64_t way = cmdline_number("odd", 0);

	if (way)
		be_odd(way);
	show_features();
	print("time ");
	print_number(mmio_read32(CLOCK));
	print("\n");
	power_off();
}
