#include "boot/dtree.h"

#include <criterion/criterion.h>

#include <libfdt.h>
#include <string.h>

#include "base/checked.h"

#define CAPACITY 0x4000U

/* One reference within an overlay, and what "__local_fixups__" says of it. */
struct reference {
	const char *what;
	/* a node in the node "__local_fixups__", or in one in that; NULL: none
	 */
	const char *outer, *inner;
	const char *property;
	const char *offsets; /* of @size bytes */
	int size;
	int rc;
};

#define HERE(property, offsets) \
	"fragment@0", "__overlay__", property, offsets, sizeof(offsets) - 1

static void put_mirror(void *to, const struct reference *r)
{
	int depth = 1;

	cr_assert_eq(fdt_begin_node(to, "__local_fixups__"), 0);
	/* that of the root, to be mirrored in its turn */
	cr_assert_eq(fdt_property(to, "own", "\0\0\0\0", 4), 0);
	if (r->outer)
		depth += fdt_begin_node(to, r->outer) == 0;
	if (r->inner)
		depth += fdt_begin_node(to, r->inner) == 0;
	cr_assert_eq(fdt_property(to, r->property, r->offsets, r->size), 0);
	while (depth-- > 0)
		cr_assert_eq(fdt_end_node(to), 0);
}

/* "user" has two references to the clock and a byte. */
static size_t make_overlay(void *to, const struct reference *r)
{
	static const char references[] = "\0\0\0\1\0\0\0\1";

	cr_assert_eq(fdt_create(to, CAPACITY), 0);
	cr_assert_eq(fdt_finish_reservemap(to), 0);
	cr_assert_eq(fdt_begin_node(to, ""), 0);
	cr_assert_eq(fdt_property(to, "own", references, 4), 0);
	cr_assert_eq(fdt_begin_node(to, "fragment@0"), 0);
	cr_assert_eq(fdt_property(to, "target-path", "/chosen", 8), 0);
	cr_assert_eq(fdt_begin_node(to, "__overlay__"), 0);
	cr_assert_eq(fdt_property(to, "user", references, 9), 0);
	cr_assert_eq(fdt_property(to, "little", references, 3), 0);
	cr_assert_eq(fdt_property_u32(to, "phandle", 2), 0);
	cr_assert_eq(fdt_begin_node(to, "clock"), 0);
	cr_assert_eq(fdt_property_u32(to, "phandle", 1), 0);
	for (int i = 0; i < 3; i++)
		cr_assert_eq(fdt_end_node(to), 0);
	put_mirror(to, r);
	cr_assert_eq(fdt_end_node(to), 0);
	cr_assert_eq(fdt_finish(to), 0);
	return fdt_totalsize(to);
}

static void make_tree(void *tree, size_t *ret_size)
{
	const struct boot_arm64_input input = {
		.n_vcpus = 1,
		.ram = {0x80000000, 64 << 20},
		.gic_dist = {0x3fff0000, 0x10000},
	};
	const struct dtree_places at = {{0x80200000, 0x100000}, {0, 0}};

	cr_assert_eq(dtree_build(&input, &at, tree, CAPACITY, ret_size), 0);
}

/* dtc's offsets are good; others reach beyond a property. */
Test(dtree_overlay, references_within_it)
{
	static const struct reference rows[] = {
		{"the first", HERE("user", "\0\0\0\0"), 0},
		{"both", HERE("user", "\0\0\0\0\0\0\0\4"), 0},
		{"none", HERE("user", ""), 0},
		{"one that is not aligned", HERE("user", "\0\0\0\5"), 0},
		{"one with a byte outside", HERE("user", "\0\0\0\6"),
		 AVF_ERR_FORMAT},
		{"one behind the property", HERE("user", "\0\0\0\x9"),
		 AVF_ERR_FORMAT},
		{"a second one outside", HERE("user", "\0\0\0\0\0\1\0\0"),
		 AVF_ERR_FORMAT},
		{"far outside", HERE("user", "\x7f\xff\xff\xff"),
		 AVF_ERR_FORMAT},
		{"as far as there is", HERE("user", "\xff\xff\xff\xff"),
		 AVF_ERR_FORMAT},
		{"one that wraps", HERE("user", "\xff\xff\xff\xfc"),
		 AVF_ERR_FORMAT},
		{"of three bytes", HERE("user", "\0\0\0"), AVF_ERR_FORMAT},
		{"in a property of three bytes", HERE("little", "\0\0\0\0"),
		 AVF_ERR_FORMAT},
		{"no such property", HERE("nothing", "\0\0\0\0"),
		 AVF_ERR_FORMAT},
		{"in a phandle", "fragment@0", "__overlay__", "phandle",
		 "\0\0\0\0", 4, AVF_ERR_FORMAT},
		{"in the root", NULL, NULL, "user", "\0\0\0\0", 4,
		 AVF_ERR_FORMAT},
		{"no such node", "fragment@1", NULL, "user", "\0\0\0\0", 4,
		 AVF_ERR_FORMAT},
		{"no such node below", "fragment@0", "overlay", "user",
		 "\0\0\0\0", 4, AVF_ERR_FORMAT},
		{"in itself", "__local_fixups__", NULL, "own", "\0\0\0\0", 4,
		 AVF_ERR_FORMAT},
	};
	unsigned char *overlay = malloc(CAPACITY), *tree = malloc(CAPACITY);
	size_t size;

	cr_assert(overlay && tree);
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		make_tree(tree, &size);
		cr_expect_eq(dtree_overlay(tree, CAPACITY, overlay,
					   make_overlay(overlay, &rows[i]),
					   &size),
			     rows[i].rc, "%s: %s", rows[i].what,
			     error_record()->text);
	}
	free(overlay);
	free(tree);
}

/* The clock gets a number that nothing else has, and its users learn it. */
Test(dtree_overlay, a_reference_follows_its_node)
{
	static const struct reference second = {"", HERE("user", "\0\0\0\4"),
						0};
	static unsigned char overlay[CAPACITY], tree[CAPACITY];
	const fdt32_t *user;
	size_t size;
	int len;

	make_tree(tree, &size);
	cr_assert_eq(dtree_overlay(tree, CAPACITY, overlay,
				   make_overlay(overlay, &second), &size),
		     0);
	user = fdt_getprop(tree, fdt_path_offset(tree, "/chosen"), "user",
			   &len);
	cr_assert(user && len == 9);
	cr_expect_eq(fdt32_to_cpu(user[0]), 1U, "not named as a reference");
	cr_expect_eq(fdt32_to_cpu(user[1]),
		     fdt_get_phandle(tree, fdt_path_offset(tree, "/chosen/"
								 "clock")));
	cr_expect_gt(fdt32_to_cpu(user[1]), 4U, "the tree's own are below");
}
