/*
 * Guest memory as a handful of regions. gmem_map() is the one place where a
 * guest's address becomes a pointer of ours; an access must lie in one region
 * as a whole, as neighbours in the guest's address space are not neighbours
 * here. Regions are only added, and that before the guest runs, so readers need
 * no lock. Contents may change at any time: callers copy, then check.
 */
#include "gmem/gmem.h"

#include <inttypes.h>
#include <string.h>
#include <sys/mman.h>

#include "base/checked.h"
#include "gmem/guest_access.h"

void gmem_init(struct gmem *gm)
{
	memset(gm, 0, sizeof(*gm));
}

void gmem_fini(struct gmem *gm)
{
	for (unsigned int i = 0; i < gm->n_regions; i++) {
		if (gm->regions[i].owned)
			(void)munmap(gm->regions[i].host,
				     (size_t)gm->regions[i].size);
	}
	gmem_init(gm);
}

/* The last address is compared, not the end: a region may reach up to 2^64. */
static int check_new(const struct gmem *gm, gpa_t base, uint64_t size)
{
	gpa_t last;

	if (size == 0 || ckd_add(&last, base, size - 1))
		return fail(AVF_ERR_INVALID,
			    "memory region 0x%" PRIx64 " + 0x%" PRIx64
			    " is empty or wraps",
			    base, size);
	if (gm->n_regions == GMEM_MAX_REGIONS)
		return fail(AVF_ERR_LIMIT, "more than %d memory regions",
			    GMEM_MAX_REGIONS);
	for (unsigned int i = 0; i < gm->n_regions; i++) {
		const struct gmem_region *r = &gm->regions[i];

		if (base <= r->base + (r->size - 1) && r->base <= last)
			return fail(AVF_ERR_INVALID,
				    "memory regions overlap at 0x%" PRIx64,
				    base);
	}
	return 0;
}

int gmem_add_mapped(struct gmem *gm, gpa_t base, uint64_t size, void *host,
		    bool owned)
{
	int rc = check_new(gm, base, size);

	if (rc < 0) {
		if (owned)
			(void)munmap(host, (size_t)size);
		return rc;
	}
	gm->regions[gm->n_regions++] = (struct gmem_region){
		.base = base, .size = size, .host = host, .owned = owned};
	return 0;
}

int gmem_add_anonymous(struct gmem *gm, gpa_t base, uint64_t size)
{
	int rc = check_new(gm, base, size);
	void *host;

	if (rc < 0)
		return rc;
	host = mmap(NULL, (size_t)size, PROT_READ | PROT_WRITE,
		    MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
	if (host == MAP_FAILED)
		return fail_errno("guest memory of %" PRIu64 " MiB",
				  size >> 20);
	return gmem_add_mapped(gm, base, size, host, true);
}

void gmem_advise_huge(const struct gmem *gm)
{
	for (unsigned int i = 0; i < gm->n_regions; i++)
		/* a kernel without THP says EINVAL: then there are none */
		(void)madvise(gm->regions[i].host, (size_t)gm->regions[i].size,
			      MADV_HUGEPAGE);
}

uint64_t gmem_size(const struct gmem *gm)
{
	uint64_t total = 0;

	for (unsigned int i = 0; i < gm->n_regions; i++)
		total += gm->regions[i].size;
	return total;
}

int gmem_map(const struct gmem *gm, gpa_t gpa, uint64_t len,
	     struct gmem_slice *ret_slice)
{
	/* a length of 0 is refused, too: no address would belong to it */
	for (unsigned int i = 0; len > 0 && i < gm->n_regions; i++) {
		const struct gmem_region *r = &gm->regions[i];

		if (gpa < r->base || gpa - r->base >= r->size)
			continue;
		if (len > r->size - (gpa - r->base))
			break;
		ret_slice->host = r->host + (gpa - r->base);
		ret_slice->size = len;
		return 0;
	}
	return fail(AVF_ERR_PROTOCOL,
		    "0x%" PRIx64 " + 0x%" PRIx64 " is not guest memory", gpa,
		    len);
}

/* One copy. What a caller checks must be @data, not the guest's bytes. */
int gmem_read(const struct gmem *gm, gpa_t gpa, void *data, size_t len)
{
	struct gmem_slice s;
	int rc = gmem_map(gm, gpa, len, &s);

	if (rc < 0)
		return rc;
	return guest_copy(data, s.host, len);
}

/* Not atomic: what a driver polls is stored by gmem_store_le16(). */
int gmem_write(const struct gmem *gm, gpa_t gpa, const void *data, size_t len)
{
	struct gmem_slice s;
	int rc = gmem_map(gm, gpa, len, &s);

	if (rc < 0)
		return rc;
	return guest_copy(s.host, data, len);
}

/*
 * A 16-bit field that both sides access at once must be aligned here as well as
 * there, or the load could be torn.
 */
static int map_le16(const struct gmem *gm, gpa_t gpa, uint16_t **ret_host)
{
	struct gmem_slice s;
	int rc;

	if (gpa & 1)
		return fail(AVF_ERR_PROTOCOL, "ring field at odd 0x%" PRIx64,
			    gpa);
	rc = gmem_map(gm, gpa, 2, &s);
	if (rc < 0)
		return rc;
	if ((uintptr_t)s.host & 1)
		return fail(AVF_ERR_PROTOCOL,
			    "region of 0x%" PRIx64
			    " is mapped at an odd address",
			    gpa);
	*ret_host = (uint16_t *)(void *)s.host;
	return 0;
}

int gmem_load_le16(const struct gmem *gm, gpa_t gpa, uint16_t *ret_value)
{
	uint16_t *host, raw;
	int rc = map_le16(gm, gpa, &host);

	if (rc < 0)
		return rc;
	/* pairs with the driver's release of the index it published */
	rc = guest_load16(host, &raw);
	if (rc < 0)
		return rc;
	*ret_value = le16toh(raw);
	return 0;
}

int gmem_store_le16(const struct gmem *gm, gpa_t gpa, uint16_t value)
{
	uint16_t *host;
	int rc = map_le16(gm, gpa, &host);

	if (rc < 0)
		return rc;
	/* pairs with the driver's acquire: the ring entry is visible first */
	return guest_store16(host, htole16(value));
}
