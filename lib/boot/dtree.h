/*
 * The flattened device tree of the arm64 machine: what stock kernels find by
 * the bindings in Documentation/devicetree of Linux. Called dtree because
 * libfdt has the names that begin with fdt.
 */
#pragma once

#include <stddef.h>

#include "boot/boot_arm64.h"

/**
 * Write the tree of @input into @data. @initrd of size 0: none. Sets
 * *@ret_size to the bytes used.
 * Errors: AVF_ERR_LIMIT when @capacity is too little.
 */
int dtree_build(const struct boot_arm64_input *input, struct boot_range initrd,
		void *data, size_t capacity, size_t *ret_size) MUST_CHECK;

/** Where the bounce pool is; size 0: there is none. */
struct boot_range dtree_bounce_pool(const struct boot_arm64_input *input);
