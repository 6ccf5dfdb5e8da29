/*
 * The arm64 kernel loader: an Image, plain or packed, with an initrd, into a
 * small machine that is protected or not. A kernel that loads begins behind the
 * device tree, and that is whole.
 *
 * After a minute: cov: 225.
 */
#include "fuzz.h"

#include <libfdt.h>

#include "boot/boot_arm64.h"

#define RAM_BASE 0x80000000ULL
#define RAM_SIZE (32ULL << 20)

static void check(const struct gmem *gm, const struct boot_arm64_state *state)
{
	struct gmem_slice tree;

	FUZZ_ASSERT(state->dtree == RAM_BASE);
	FUZZ_ASSERT(state->entry >= RAM_BASE + BOOT_ARM64_DTREE_SIZE &&
		    state->entry < RAM_BASE + RAM_SIZE);
	FUZZ_ASSERT(gmem_map(gm, state->dtree, BOOT_ARM64_DTREE_SIZE, &tree) ==
		    0);
	FUZZ_ASSERT(fdt_check_full(tree.host, BOOT_ARM64_DTREE_SIZE) == 0);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct fuzz_input in = {data, size};
	const uint8_t how = fuzz_u8(&in);
	struct boot_arm64_state state;
	struct gmem gm;
	struct boot_arm64_input input = {
		.gm = &gm,
		.initrd_fd = -1,
		.overlay_fd = -1,
		.cmdline = "quiet",
		.n_vcpus = 1 + (how & 7),
		.ram = {RAM_BASE, RAM_SIZE},
		.gic_dist = {0x3fff0000, 0x10000},
		.gic_redist = {0x3c000000, 0x20000},
		.gic_frame = {0x3ffd0000, 0x1000},
		.bounce_size = how & 16 ? 8ULL << 20 : 0,
	};

	gmem_init(&gm);
	FUZZ_ASSERT(gmem_add_anonymous(&gm, RAM_BASE, RAM_SIZE) == 0);
	if (how & 8)
		input.initrd_fd = fuzz_file(data, size);
	input.kernel_fd = fuzz_file(in.data, in.size);
	if (boot_arm64_load(&input, &state) == 0)
		check(&gm, &state);
	fuzz_close(input.kernel_fd);
	fuzz_close(input.initrd_fd);
	gmem_fini(&gm);
	return 0;
}
