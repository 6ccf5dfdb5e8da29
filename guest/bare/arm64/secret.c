/*
 * Keeps a secret that begins with "seed=", in a page of its own, and says at
 * each step where to look, by a write to a place where nothing is: the test is
 * its VMM. Steps: the secret is written; another page is shared with the
 * host; and taken back; then whether the secret is still whole.
 */
#include "runtime.h"

#define STEP 0x0a000000ULL
#define PAGE 4096U

static unsigned char hidden[PAGE] __attribute__((aligned(4096)));
static unsigned char shared[PAGE] __attribute__((aligned(4096)));

/* As in tests/pkvm/test_isolation.c. */
static unsigned char secret_byte(uint64_t seed, unsigned int i)
{
	return (unsigned char)((seed + i) * 2654435761U >> 13);
}

static void fill(unsigned char *page, uint64_t seed)
{
	for (unsigned int i = 0; i < PAGE; i++)
		page[i] = secret_byte(seed, i);
}

static bool is_whole(const unsigned char *page, uint64_t seed)
{
	for (unsigned int i = 0; i < PAGE; i++) {
		if (page[i] != secret_byte(seed, i))
			return false;
	}
	return true;
}

static void step(uint64_t value)
{
	mmio_write32(STEP, (uint32_t)value);
}

void guest_main(void)
{
	const uint64_t seed = cmdline_number("seed", 0);

	fill(hidden, seed);
	step((uintptr_t)hidden);
	fill(shared, seed + 1);
	/* without pKVM there is no such call, and no need for it */
	(void)hypercall(PKVM_MEM_SHARE, (uintptr_t)shared, 0, 0);
	step((uintptr_t)shared);
	(void)hypercall(PKVM_MEM_UNSHARE, (uintptr_t)shared, 0, 0);
	fill(shared, seed + 2);
	step((uintptr_t)shared);
	step(is_whole(hidden, seed) ? 1 : 0);
	power_off();
}
