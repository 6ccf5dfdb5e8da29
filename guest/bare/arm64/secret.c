/*
 * Keeps a secret that begins with "seed=", in pages of its own, and says at
 * each step where to look, by a write to a place where nothing is: the test is
 * its VMM (tests/pkvm/secret_vm.h). Steps: the secret is written; another page
 * is shared with the host; taken back; written anew; then whether everything
 * that is nobody else's is as it was.
 */
#include "runtime.h"

#define STEP    0x0a000000ULL
#define PAGE    4096U
#define N_PAGES 16U
/* What the page beside it holds is another secret. */
#define SHARED 0x10000000U
#define AGAIN  0x20000000U

static unsigned char hidden[N_PAGES * PAGE] __attribute__((aligned(4096)));
static unsigned char shared[PAGE] __attribute__((aligned(4096)));
extern const unsigned char image_start[], shared_begin[]; /* bare.ld */

/* As in tests/pkvm/secret_vm.c. */
static unsigned char secret_byte(uint64_t seed, unsigned int i)
{
	return (unsigned char)((seed + i) * 2654435761U >> 13);
}

static void fill(unsigned char *to, unsigned int size, uint64_t seed)
{
	for (unsigned int i = 0; i < size; i++)
		to[i] = secret_byte(seed, i);
}

static bool is_whole(const unsigned char *p, unsigned int size, uint64_t seed)
{
	for (unsigned int i = 0; i < size; i++) {
		if (p[i] != secret_byte(seed, i))
			return false;
	}
	return true;
}

/* Of the code and of what is constant: everything that does not change. */
static uint64_t sum_of_image(void)
{
	const unsigned char *p;
	uint64_t sum = 0;

	for (p = image_start; p < shared_begin; p++)
		sum = sum * 31 + *p;
	return sum;
}

static void step(uint64_t value)
{
	mmio_write32(STEP, (uint32_t)value);
}

void guest_main(void)
{
	const uint64_t seed = cmdline_number("seed", 0);
	const uint64_t sum = sum_of_image();

	fill(hidden, sizeof(hidden), seed);
	step((uintptr_t)hidden);
	fill(shared, PAGE, seed + SHARED);
	/* without pKVM there is no such call, and no need for it */
	(void)hypercall(PKVM_MEM_SHARE, (uintptr_t)shared, 0, 0);
	step((uintptr_t)shared);
	(void)hypercall(PKVM_MEM_UNSHARE, (uintptr_t)shared, 0, 0);
	step((uintptr_t)shared);
	fill(shared, PAGE, seed + AGAIN);
	step((uintptr_t)shared);
	step(is_whole(hidden, sizeof(hidden), seed) &&
	     is_whole(shared, PAGE, seed + AGAIN) && sum_of_image() == sum);
	power_off();
}
