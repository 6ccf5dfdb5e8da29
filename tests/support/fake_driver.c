#include "support/fake_driver.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/byteorder.h"

struct raw_desc {
	le64 addr;
	le32 len;
	le16 flags;
	le16 next;
};

static void must(int rc)
{
	if (rc >= 0)
		return;
	(void)fprintf(stderr, "fake driver: %s\n", error_record()->text);
	abort();
}

static void put16(const struct fake_driver *drv, gpa_t gpa, uint16_t value)
{
	must(gmem_store_le16(drv->gm, gpa, value));
}

static uint16_t get16(const struct fake_driver *drv, gpa_t gpa)
{
	uint16_t value = 0;

	must(gmem_load_le16(drv->gm, gpa, &value));
	return value;
}

gpa_t fake_driver_init(struct fake_driver *drv, const struct gmem *gm,
		       gpa_t base, uint16_t size)
{
	struct gmem_slice s = {0};
	gpa_t end;

	memset(drv, 0, sizeof(*drv));
	drv->gm = gm;
	drv->size = size;
	drv->desc = base;
	drv->avail = base + 16 * (uint64_t)size;
	drv->used = (drv->avail + 6 + 2 * (uint64_t)size + 3) & ~3ULL;
	end = drv->used + 6 + 8 * (uint64_t)size;
	must(gmem_map(gm, base, end - base, &s));
	memset(s.host, 0, s.size);
	return end;
}

void fake_driver_place(const struct fake_driver *drv, struct virtq *vq)
{
	vq->size = drv->size;
	vq->desc = drv->desc;
	vq->avail = drv->avail;
	vq->used = drv->used;
}

void fake_driver_indirect(const struct fake_driver *drv, gpa_t table,
			  uint16_t i, struct fake_desc d)
{
	const struct raw_desc raw = {
		.addr = le64_make(d.addr),
		.len = le32_make(d.len),
		.flags = le16_make(d.flags),
		.next = le16_make(d.next),
	};

	must(gmem_write(drv->gm, table + sizeof(raw) * i, &raw, sizeof(raw)));
}

void fake_driver_desc(const struct fake_driver *drv, uint16_t i,
		      struct fake_desc d)
{
	fake_driver_indirect(drv, drv->desc, i, d);
}

void fake_driver_publish(struct fake_driver *drv, uint16_t head)
{
	put16(drv, drv->avail + 4 + 2 * (uint64_t)(drv->avail_idx % drv->size),
	      head);
	fake_driver_set_avail_idx(drv, (uint16_t)(drv->avail_idx + 1));
}

uint16_t fake_driver_add(struct fake_driver *drv, const struct fake_desc *bufs,
			 unsigned int n)
{
	uint16_t head = drv->next_desc;

	for (unsigned int i = 0; i < n; i++) {
		struct fake_desc d = bufs[i];
		uint16_t at = drv->next_desc;

		drv->next_desc = (uint16_t)((at + 1) % drv->size);
		if (i + 1 < n) {
			d.flags |= FAKE_NEXT;
			d.next = drv->next_desc;
		}
		fake_driver_desc(drv, at, d);
	}
	fake_driver_publish(drv, head);
	return head;
}

bool fake_driver_used(struct fake_driver *drv, uint32_t *ret_head,
		      uint32_t *ret_written)
{
	le32 elem[2];

	if (get16(drv, drv->used + 2) == drv->used_seen)
		return false;
	must(gmem_read(drv->gm,
		       drv->used + 4 +
			       8 * (uint64_t)(drv->used_seen % drv->size),
		       elem, sizeof(elem)));
	drv->used_seen++;
	*ret_head = le32_get(elem[0]);
	*ret_written = le32_get(elem[1]);
	return true;
}

void fake_driver_set_avail_idx(struct fake_driver *drv, uint16_t idx)
{
	drv->avail_idx = idx;
	put16(drv, drv->avail + 2, idx);
}

void fake_driver_set_avail_flags(const struct fake_driver *drv, uint16_t f)
{
	put16(drv, drv->avail, f);
}

void fake_driver_set_used_event(const struct fake_driver *drv, uint16_t idx)
{
	put16(drv, drv->avail + 4 + 2 * (uint64_t)drv->size, idx);
}

uint16_t fake_driver_used_flags(const struct fake_driver *drv)
{
	return get16(drv, drv->used);
}

uint16_t fake_driver_avail_event(const struct fake_driver *drv)
{
	return get16(drv, drv->used + 4 + 8 * (uint64_t)drv->size);
}
