/*
 * Device tree overlays, over the tree of a machine. An input is an overlay as
 * it is in a file, or a list of the nodes and properties of one: few files
 * that a fuzzer makes would be well-formed otherwise. Whatever it is, the tree
 * keeps to its room, and one that is accepted is well-formed and still has the
 * machine's nodes, as an overlay cannot delete.
 *
 * After a minute: cov: 152.
 */
#include "fuzz.h"

#include <libfdt.h>

#include "boot/dtree.h"

#define CAPACITY 0x8000U
#define BUILT    0x4000U

/* What libfdt looks for, and what is there to be found. */
static const char *const names[] = {
	"fragment@0",  "__overlay__", "__fixups__",    "__local_fixups__",
	"__symbols__", "chosen",      "intc@3fff0000", "added",
};
static const char *const properties[] = {
	"target-path", "target", "phandle", "linux,phandle",
	"bootargs",    "added",  "reg",     "compatible",
};
static const char *const paths[] = {
	"/",
	"/chosen",
	"/intc@3fff0000",
	"/nowhere",
	"/fragment@0/__overlay__:added:0",
	"/fragment@0:target:0",
	"",
	"intc",
};

static void put_text(void *to, const char *name, const char *text)
{
	(void)fdt_property(to, name, text, (int)strlen(text) + 1);
}

static void put_property(void *to, struct fuzz_input *in)
{
	const uint8_t how = fuzz_u8(in);
	const char *name = properties[how & 7];
	const char *path = paths[how >> 3 & 7];
	unsigned char value[64];
	size_t size;

	if (how & 0x40) {
		put_text(to, name, path);
	} else if (how & 0x80) {
		/* a reference to it, of the lists of fix-ups */
		put_text(to, path, "/fragment@0:target:0");
	} else {
		size = fuzz_bytes(in, value, fuzz_u8(in) % sizeof(value));
		(void)fdt_property(to, name, value, (int)size);
	}
}

/* Errors do not matter here: what is not finished is no tree. */
static size_t build_overlay(void *to, struct fuzz_input *in)
{
	int depth = 1;

	(void)fdt_create(to, BUILT);
	(void)fdt_finish_reservemap(to);
	(void)fdt_begin_node(to, "");
	while (fuzz_more(in)) {
		const uint8_t action = fuzz_u8(in);

		if (action & 0x80) {
			put_property(to, in);
		} else if (action & 0x40 && depth > 1) {
			depth -= (fdt_end_node(to) == 0);
		} else {
			depth += fdt_begin_node(to, names[action & 7]) == 0;
		}
	}
	while (depth-- > 0)
		(void)fdt_end_node(to);
	return fdt_finish(to) == 0 ? fdt_totalsize(to) : 0;
}

/* One of eight, made when it is asked for first. */
static const unsigned char *tree_of(uint8_t how, size_t *ret_size)
{
	static unsigned char trees[8][CAPACITY];
	static size_t sizes[8];
	const struct boot_arm64_input input = {
		.cmdline = "quiet",
		.n_vcpus = 1 + (how & 3),
		.ram = {0x80000000, 64 << 20},
		.gic_dist = {0x3fff0000, 0x10000},
		.gic_redist = {0x3c000000, 0x20000},
		.bounce_size = how & 4 ? 8ULL << 20 : 0,
	};
	const struct dtree_places at = {{0x80200000, 0x100000}, {0, 0}};

	how &= 7;
	if (sizes[how] == 0)
		FUZZ_ASSERT(dtree_build(&input, &at, trees[how], CAPACITY,
					&sizes[how]) == 0);
	*ret_size = sizes[how];
	return trees[how];
}

static void check(const void *tree, size_t size)
{
	static const char *const nodes[] = {"/chosen", "/psci", "/timer",
					    "/cpus/cpu@0", "/intc@3fff0000"};

	FUZZ_ASSERT(size <= CAPACITY && size == fdt_totalsize(tree));
	FUZZ_ASSERT(fdt_check_full(tree, size) == 0);
	for (size_t i = 0; i < sizeof(nodes) / sizeof(nodes[0]); i++)
		FUZZ_ASSERT(fdt_path_offset(tree, nodes[i]) > 0);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct fuzz_input in = {data, size};
	const uint8_t how = fuzz_u8(&in);
	size_t used;
	const unsigned char *built = tree_of(how, &used);
	/* there is little room, or enough; of exact sizes for ASan */
	const size_t capacity = how & 16 ? used + 64 : CAPACITY;
	unsigned char *tree = malloc(capacity);
	unsigned char *overlay = calloc(1, how & 8 ? BUILT : in.size + 1);
	size_t len;

	FUZZ_ASSERT(tree && overlay);
	memcpy(tree, built, used);
	if (how & 8)
		len = build_overlay(overlay, &in);
	else
		len = fuzz_bytes(&in, overlay, in.size);
	if (dtree_overlay(tree, capacity, overlay, len, &used) == 0)
		check(tree, used);
	free(overlay);
	free(tree);
	return 0;
}
