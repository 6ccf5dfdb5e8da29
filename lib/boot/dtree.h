/*
 * The flattened device tree of the arm64 machine: what stock kernels find by
 * the bindings in Documentation/devicetree of Linux. Called dtree because
 * libfdt has the names that begin with fdt.
 */
#pragma once

#include <stddef.h>

#include "boot/boot_arm64.h"

/* Where things have been put; size 0: there is none. */
struct dtree_places {
	struct boot_range kernel; /* without its BSS, for a firmware */
	struct boot_range initrd;
};

/**
 * Write the tree of @input into @data. Sets *@ret_size to the bytes used.
 * Errors: AVF_ERR_LIMIT when @capacity is too little.
 */
int dtree_build(const struct boot_arm64_input *input,
		const struct dtree_places *places, void *data, size_t capacity,
		size_t *ret_size) MUST_CHECK;

/**
 * Put @overlay, of @len bytes, over the tree in @data; *@ret_size becomes the
 * tree's new size. The overlay is used up.
 * Errors: AVF_ERR_FORMAT (it is none), AVF_ERR_INVALID (it does not apply),
 * AVF_ERR_LIMIT (no room, too many levels); the tree is then of no use.
 */
int dtree_overlay(void *data, size_t capacity, void *overlay, size_t len,
		  size_t *ret_size) MUST_CHECK;

/** Where the bounce pool is; size 0: there is none. */
struct boot_range dtree_bounce_pool(const struct boot_arm64_input *input);
