/*
 * Guest memory: the only way to reach it. Every access takes a length, is
 * checked against one region, and fails rather than caps.
 *
 * The guest (and, under vhost-user, the machine) changes this memory at any
 * time: copy, then check, then use the copy. Single loads and stores are
 * atomic where a ring index needs it.
 *
 * Thread rule: immutable once the VM runs; any thread may read and write.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/byteorder.h"
#include "base/error.h"

typedef uint64_t gpa_t; /* a guest physical address */

#define GMEM_MAX_REGIONS 32

struct gmem_region {
	gpa_t base;
	uint64_t size; /* bytes, > 0 */
	char *host;    /* mapping of @size bytes */
	bool owned;    /* munmap() at gmem_fini() */
};

struct gmem {
	struct gmem_region regions[GMEM_MAX_REGIONS];
	unsigned int n_regions;
};

/* A checked view of guest memory; valid until the region is removed. */
struct gmem_slice {
	char *host;
	uint64_t size;
};

void gmem_init(struct gmem *gm);

/** Unmap what is owned. The object is empty afterwards. */
void gmem_fini(struct gmem *gm);

/**
 * Add @size bytes of private anonymous memory at @base.
 * Errors: AVF_ERR_INVALID (empty, wraps, overlaps), AVF_ERR_LIMIT (too many
 * regions), AVF_ERR_NO_MEMORY.
 */
int gmem_add_anonymous(struct gmem *gm, gpa_t base, uint64_t size) MUST_CHECK;

/**
 * Add @size bytes that are mapped at @host already. Takes the mapping when
 * @owned, also on failure. Errors: as gmem_add_anonymous().
 */
int gmem_add_mapped(struct gmem *gm, gpa_t base, uint64_t size, void *host,
		    bool owned) MUST_CHECK;

/** Advise transparent huge pages for all regions; a hint, never an error. */
void gmem_advise_huge(const struct gmem *gm);

/** Total bytes of all regions. */
uint64_t gmem_size(const struct gmem *gm);

/**
 * The host view of [@gpa, @gpa + @len). Lengths of 0 are refused.
 * Errors: AVF_ERR_PROTOCOL when it is not wholly inside one region.
 */
int gmem_map(const struct gmem *gm, gpa_t gpa, uint64_t len,
	     struct gmem_slice *ret_slice) MUST_CHECK;

/** Copy out of / into guest memory. Errors: as gmem_map(). */
int gmem_read(const struct gmem *gm, gpa_t gpa, void *data,
	      size_t len) MUST_CHECK;
int gmem_write(const struct gmem *gm, gpa_t gpa, const void *data,
	       size_t len) MUST_CHECK;

/**
 * Single atomic loads (acquire) and stores (release) of little-endian ring
 * fields. Errors: as gmem_map(), and AVF_ERR_PROTOCOL when misaligned.
 */
int gmem_load_le16(const struct gmem *gm, gpa_t gpa,
		   uint16_t *ret_value) MUST_CHECK;
int gmem_store_le16(const struct gmem *gm, gpa_t gpa,
		    uint16_t value) MUST_CHECK;
