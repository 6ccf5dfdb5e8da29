/*
 * An overlay over the machine's tree. libfdt applies it, and trusts it in two
 * respects: that its nodes do not nest without an end, and that what
 * "__local_fixups__" names lies within the properties. Both are checked here,
 * in memory that nobody else writes to.
 *
 * "__local_fixups__" (Documentation/devicetree/dynamic-resolution-notes.rst of
 * Linux) mirrors the overlay: for each property with references to nodes of the
 * overlay itself, one of the same name in a node of the same path, with the
 * offsets of the references.
 */
#include "boot/dtree.h"

#include <libfdt.h>
#include <string.h>

#include "base/byteorder.h"

#define MAX_DEPTH 64 /* levels of nodes; Linux reads no more */

/* libfdt applies a level of nodes in a level of calls. */
static bool is_too_deep(const void *overlay)
{
	int depth = 0, node = 0;

	/* the root is level 0; its end makes the depth negative */
	while (node >= 0 && depth >= 0 && depth < MAX_DEPTH)
		node = fdt_next_node(overlay, node, &depth);
	return depth >= MAX_DEPTH;
}

/* Whether all offsets in @offsets, @len bytes of them, have a reference behind
 * them in a property of @size bytes. */
static bool offsets_fit(const be32 *offsets, int len, int size)
{
	if (len % (int)sizeof(be32) != 0)
		return false;
	for (int i = 0; i < len / (int)sizeof(be32); i++) {
		if (size < (int)sizeof(be32) ||
		    be32_get(offsets[i]) > (uint32_t)size - sizeof(be32))
			return false;
	}
	return true;
}

/* libfdt renumbers these everywhere before it looks at the offsets. */
static bool is_phandle(const char *name)
{
	return strcmp(name, "phandle") == 0 ||
	       strcmp(name, "linux,phandle") == 0;
}

/* The properties of @node, of those that mirror, against those of @mirrored. */
static bool properties_fit(const void *overlay, int node, int mirrored)
{
	int at, len, size;

	fdt_for_each_property_offset(at, overlay, node)
	{
		const char *name;
		const void *offsets =
			fdt_getprop_by_offset(overlay, at, &name, &len);

		if (!offsets || is_phandle(name) ||
		    !fdt_getprop(overlay, mirrored, name, &size) ||
		    !offsets_fit(offsets, len, size))
			return false;
	}
	return true;
}

/*
 * Every node of "__local_fixups__" with the one that it mirrors, of which
 * @mirrored has the path. That must not be "__local_fixups__" itself, whose
 * offsets would change after they were checked. The overlay is not too deep.
 */
static bool local_fixups_fit(const void *overlay)
{
	const int first = fdt_path_offset(overlay, "/__local_fixups__");
	int node = first;
	int mirrored[MAX_DEPTH + 1] = {0}; /* the root */
	int depth = 0;

	while (node >= 0 && depth >= 0) {
		if (!properties_fit(overlay, node, mirrored[depth]))
			return false;
		node = fdt_next_node(overlay, node, &depth);
		if (node < 0 || depth <= 0)
			break; /* left the last one */
		mirrored[depth] =
			fdt_subnode_offset(overlay, mirrored[depth - 1],
					   fdt_get_name(overlay, node, NULL));
		if (mirrored[depth] < 0 || mirrored[depth] == first)
			return false;
	}
	return true;
}

int dtree_overlay(void *data, size_t capacity, void *overlay, size_t len,
		  size_t *ret_size)
{
	int error = fdt_check_full(overlay, len);

	if (error != 0)
		return fail(AVF_ERR_FORMAT,
			    "device_tree_overlay: no compiled device tree "
			    "(%s); make it with `dtc -@`",
			    fdt_strerror(error));
	if (is_too_deep(overlay))
		return fail(AVF_ERR_LIMIT,
			    "device_tree_overlay: more than %d levels of nodes",
			    MAX_DEPTH);
	if (!local_fixups_fit(overlay))
		return fail(AVF_ERR_FORMAT,
			    "device_tree_overlay: its __local_fixups__ name "
			    "what it does not have; make it with `dtc -@`");
	error = fdt_open_into(data, data, (int)capacity);
	if (error == 0)
		error = fdt_overlay_apply(data, overlay);
	if (error == 0)
		error = fdt_pack(data);
	if (error == -FDT_ERR_NOSPACE)
		return fail(AVF_ERR_LIMIT,
			    "device_tree_overlay: the tree becomes larger than "
			    "%zu KiB",
			    capacity >> 10);
	if (error != 0)
		return fail(AVF_ERR_INVALID,
			    "device_tree_overlay: does not apply (%s); its "
			    "targets must be paths of the machine's tree "
			    "(target-path)",
			    fdt_strerror(error));
	*ret_size = fdt_totalsize(data);
	return 0;
}
