/* Guest memory that comes as files, over a socket, from a stranger. */
#include "vhost/vhost_memory.h"

#include <fcntl.h>
#include <inttypes.h>
#include <sys/mman.h>

#include "base/checked.h"
#include "base/fd.h"

static int check_file(int fd, const struct vhost_region *r)
{
	uint64_t end, file_size;
	int seals, rc;

	if (ckd_add(&end, r->offset, r->size))
		return fail(AVF_ERR_PROTOCOL, "vhost-user: region wraps");
	/* first the seal, then the size: it cannot shrink in between */
	seals = fcntl(fd, F_GET_SEALS);
	if (seals < 0 || !(seals & F_SEAL_SHRINK))
		return fail(AVF_ERR_PROTOCOL, "vhost-user: guest memory is not "
					      "sealed against shrinking");
	rc = fd_file_size(fd, "vhost-user: guest memory", &file_size);
	if (rc < 0)
		return rc;
	if (end > file_size)
		return fail(AVF_ERR_PROTOCOL,
			    "vhost-user: region up to 0x%" PRIx64
			    " of a file of 0x%" PRIx64,
			    end, file_size);
	return 0;
}

static int map_region(struct gmem *gm, int fd, const struct vhost_region *r)
{
	uint64_t last;
	void *host;
	int rc;

	if (r->size == 0 || ckd_add(&last, r->user, r->size - 1))
		return fail(AVF_ERR_PROTOCOL, "vhost-user: bad region size");
	rc = check_file(fd, r);
	if (rc < 0)
		return rc;
	host = mmap(NULL, r->size, PROT_READ | PROT_WRITE, MAP_SHARED, fd,
		    (off_t)r->offset);
	if (host == MAP_FAILED)
		return fail_errno("vhost-user: map guest memory");
	return gmem_add_mapped(gm, r->gpa, r->size, host, true);
}

int vhost_memory_set(struct vhost_memory *mem, const struct vhost_msg *msg)
{
	const struct vhost_mem_table *t = &msg->payload.table;
	struct gmem fresh;
	int rc = 0;

	if (t->n_regions > VHOST_MAX_REGIONS || t->n_regions != msg->n_fds ||
	    msg->header.size < offsetof(struct vhost_mem_table, regions) +
				       t->n_regions * sizeof(t->regions[0]))
		return fail(AVF_ERR_PROTOCOL, "vhost-user: %u regions, %u fds",
			    t->n_regions, msg->n_fds);
	/* all or nothing: what runs goes on with the old table */
	gmem_init(&fresh);
	for (unsigned int i = 0; rc == 0 && i < t->n_regions; i++)
		rc = map_region(&fresh, msg->fds[i], &t->regions[i]);
	if (rc < 0) {
		gmem_fini(&fresh);
		return rc;
	}
	gmem_fini(mem->gm);
	*mem->gm = fresh;
	mem->n_regions = t->n_regions;
	for (unsigned int i = 0; i < t->n_regions; i++)
		mem->regions[i] = t->regions[i];
	return 0;
}

int vhost_memory_gpa(const struct vhost_memory *mem, uint64_t user,
		     gpa_t *ret_gpa)
{
	for (unsigned int i = 0; i < mem->n_regions; i++) {
		const struct vhost_region *r = &mem->regions[i];

		if (user < r->user || user - r->user >= r->size)
			continue;
		*ret_gpa = r->gpa + (user - r->user);
		return 0;
	}
	return fail(AVF_ERR_PROTOCOL,
		    "vhost-user: 0x%" PRIx64 " is in no region", user);
}
