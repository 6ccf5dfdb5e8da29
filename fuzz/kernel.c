/*
 * The kernel loaders: ELF and bzImage with their notes and payloads, and an
 * initrd, into a small machine. A kernel that loads must enter below its end.
 *
 * After a minute: cov: 282.
 */
#include "fuzz.h"

#include "boot/boot.h"

#define RAM (32ULL << 20)

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct fuzz_input in = {data, size};
	uint8_t how = fuzz_u8(&in);
	struct boot_cpu_state state;
	struct gmem gm;
	struct boot_input input = {
		.gm = &gm,
		.initrd_fd = -1,
		.cmdline = "quiet",
		.n_vcpus = 1 + (how & 7),
		.low_ram_size = RAM,
		.ecam = {0xe0000000, 0x100000},
		.mmio32 = {0xc0000000, 0x20000000},
	};

	gmem_init(&gm);
	FUZZ_ASSERT(gmem_add_anonymous(&gm, 0, RAM) == 0);
	if (how & 8)
		input.initrd_fd = fuzz_file(data, size);
	input.kernel_fd = fuzz_file(in.data, in.size);
	if (boot_load(&input, &state) == 0)
		FUZZ_ASSERT(state.boot_info_gpa < RAM);
	fuzz_close(input.kernel_fd);
	fuzz_close(input.initrd_fd);
	gmem_fini(&gm);
	return 0;
}
