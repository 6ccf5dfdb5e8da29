#include "virtio/queue.h"

#include <inttypes.h>
#include <string.h>

#include "base/byteorder.h"
#include "base/checked.h"

/*
 * Ring layout, virtio 1.2, 2.7.5 (descriptors), 2.7.6 (available ring) and
 * 2.7.8 (used ring). The event words close the rings: used_event the
 * available ring, avail_event the used ring.
 */
struct desc {
	le64 addr;
	le32 len; /* bytes */
	le16 flags;
	le16 next;
};

struct used_elem {
	le32 id;
	le32 len; /* bytes written */
};

_Static_assert(sizeof(struct desc) == 16, "descriptor layout");
_Static_assert(sizeof(struct used_elem) == 8, "used element layout");

#define DESC_F_NEXT     1
#define DESC_F_WRITE    2
#define DESC_F_INDIRECT 4

#define RING_FLAGS         0 /* the same in both rings */
#define RING_IDX           2
#define RING_ENTRIES       4
#define AVAIL_NO_INTERRUPT 1
#define USED_NO_NOTIFY     1

/* 2.7.5.2: no chain is longer than this, in bytes */
#define CHAIN_MAX_BYTES BIT64(32)

/* A descriptor table: the queue's own, or an indirect one. */
struct table {
	gpa_t base;
	uint32_t n;    /* entries */
	uint32_t left; /* entries that may still be visited: ends loops */
	bool indirect;
};

void virtq_init(struct virtq *vq, const struct gmem *gm, uint16_t max_size)
{
	memset(vq, 0, sizeof(*vq));
	vq->gm = gm;
	vq->max_size = max_size;
	vq->size = max_size; /* the power-on value, 4.1.4.3 */
}

void virtq_reset(struct virtq *vq)
{
	const enum virtq_reach reach = vq->reach;

	virtq_init(vq, vq->gm, vq->max_size);
	vq->reach = reach;
}

/*
 * Only meaningful with VIRTIO_F_EVENT_IDX; virtq_start() has mapped the two
 * bytes behind each ring in any case.
 */
static gpa_t used_event_gpa(const struct virtq *vq)
{
	return vq->avail + RING_ENTRIES + 2 * (uint64_t)vq->size;
}

static gpa_t avail_event_gpa(const struct virtq *vq)
{
	return vq->used + RING_ENTRIES +
	       sizeof(struct used_elem) * (uint64_t)vq->size;
}

/* The whole ring, once: addresses in it need no sum that could wrap later. */
static int check_ring(const struct virtq *vq, const char *what, gpa_t gpa,
		      uint64_t len, uint64_t align)
{
	struct gmem_slice s;

	if (gpa & (align - 1))
		return fail(AVF_ERR_PROTOCOL, "%s at misaligned 0x%" PRIx64,
			    what, gpa);
	if (gmem_map(vq->gm, gpa, len, &s) < 0)
		return fail(AVF_ERR_PROTOCOL,
			    "%s at 0x%" PRIx64 " is outside guest memory", what,
			    gpa);
	return 0;
}

int virtq_start(struct virtq *vq, uint16_t base)
{
	uint64_t n = vq->size;
	int rc;

	if (n == 0 || n > vq->max_size || (n & (n - 1)) != 0)
		return fail(AVF_ERR_PROTOCOL, "queue size %u", vq->size);
	/* sizes and alignments: the table of 2.7 */
	rc = check_ring(vq, "descriptor table", vq->desc,
			sizeof(struct desc) * n, 16);
	if (rc < 0)
		return rc;
	rc = check_ring(vq, "available ring", vq->avail, 6 + 2 * n, 2);
	if (rc < 0)
		return rc;
	rc = check_ring(vq, "used ring", vq->used,
			6 + sizeof(struct used_elem) * n, 4);
	if (rc < 0)
		return rc;
	vq->next_avail = base;
	vq->next_used = base;
	vq->signalled_used = base;
	/* a ring taken over in its middle: nobody knows what was signalled */
	vq->signalled_valid = base == 0;
	vq->in_flight = 0;
	vq->started = true;
	return 0;
}

/*
 * @i is the guest's. The copy is what all checks look at: the guest may rewrite
 * the descriptor while they run.
 */
static int read_desc(const struct virtq *vq, struct table *t, uint32_t i,
		     struct desc *ret_desc)
{
	if (i >= t->n)
		return fail(AVF_ERR_PROTOCOL, "descriptor %u of %u", i, t->n);
	if (t->left == 0)
		return fail(AVF_ERR_PROTOCOL, "descriptor chain has a loop");
	t->left--;
	return gmem_read(vq->gm, t->base + sizeof(struct desc) * (uint64_t)i,
			 ret_desc, sizeof(*ret_desc));
}

/*
 * Appends the buffer of @d to the chain, as readable or writable (2.7.4.2:
 * readable ones first). Its address is checked here and nowhere later.
 */
static int add_part(const struct virtq *vq, const struct desc *d,
		    struct virtq_chain *c)
{
	unsigned int n = c->n_readable + c->n_writable;
	bool writable = le16_get(d->flags) & DESC_F_WRITE;
	struct gmem_slice s;
	int rc;

	if (n == VIRTQ_MAX_PARTS)
		return fail(AVF_ERR_PROTOCOL, "chain of more than %u buffers",
			    VIRTQ_MAX_PARTS);
	if (!writable && c->n_writable > 0)
		return fail(AVF_ERR_PROTOCOL, "readable after writable buffer");
	/* refuses a length of 0, which 2.7.5 gives no meaning */
	rc = gmem_map(vq->gm, le64_get(d->addr), le32_get(d->len), &s);
	if (rc < 0)
		return rc;
	c->parts[n] = (struct iovec){.iov_base = s.host, .iov_len = s.size};
	*(writable ? &c->n_writable : &c->n_readable) += 1;
	*(writable ? &c->writable_bytes : &c->readable_bytes) += s.size;
	if (c->readable_bytes + c->writable_bytes > CHAIN_MAX_BYTES)
		return fail(AVF_ERR_PROTOCOL, "chain of more than 4 GiB");
	return 0;
}

/*
 * 2.7.5.3: the last descriptor of a chain may name a table that holds the
 * rest of it. The write flag of that descriptor means nothing.
 */
static int enter_indirect(const struct virtq *vq, const struct desc *d,
			  struct table *t)
{
	uint32_t len = le32_get(d->len);
	struct gmem_slice s;

	if (!vq->indirect)
		return fail(AVF_ERR_PROTOCOL, "indirect table not negotiated");
	if (t->indirect)
		return fail(AVF_ERR_PROTOCOL, "indirect table in another one");
	if (le16_get(d->flags) & DESC_F_NEXT)
		return fail(AVF_ERR_PROTOCOL, "indirect table with a next");
	if (len == 0 || len % sizeof(struct desc) != 0)
		return fail(AVF_ERR_PROTOCOL, "indirect table of %u bytes",
			    len);
	if (gmem_map(vq->gm, le64_get(d->addr), len, &s) < 0)
		return fail_as(AVF_ERR_PROTOCOL);
	t->base = le64_get(d->addr);
	t->n = len / (uint32_t)sizeof(struct desc);
	t->left = t->n;
	t->indirect = true;
	return 0;
}

/* Every turn visits one descriptor of a table with a bounded budget, and a
 * table is left at most once: the walk ends. */
static int walk(const struct virtq *vq, uint16_t head, struct virtq_chain *c)
{
	struct table t = {.base = vq->desc, .n = vq->size, .left = vq->size};
	struct desc d; /* a copy: the guest may rewrite its own at any time */
	uint16_t flags;
	uint32_t i = head;
	int rc;

	do {
		rc = read_desc(vq, &t, i, &d);
		if (rc < 0)
			return rc;
		flags = le16_get(d.flags);
		if (flags & DESC_F_INDIRECT) {
			rc = enter_indirect(vq, &d, &t);
			i = 0; /* 2.7.5.3.2: its first entry begins the rest */
		} else {
			rc = add_part(vq, &d, c);
			i = le16_get(d.next);
		}
		if (rc < 0)
			return rc;
	} while (flags & (DESC_F_NEXT | DESC_F_INDIRECT));
	return 0;
}

/*
 * How many requests wait; more than the ring holds is a broken index. That the
 * ring is in guest memory virtq_start() has seen, so one that cannot be read
 * is private to the guest.
 */
static int pending(struct virtq *vq, uint16_t *ret_n)
{
	uint16_t idx;
	uint16_t n;

	/* acquire: pairs with the driver's barrier between entry and index */
	if (gmem_load_le16(vq->gm, vq->avail + RING_IDX, &idx) < 0) {
		vq->reach = MAX(vq->reach, VIRTQ_REACH_REFUSED);
		return fail_as(AVF_ERR_PROTOCOL);
	}
	vq->reach = VIRTQ_REACH_GOOD;
	n = (uint16_t)(idx - vq->next_avail);
	if (n > vq->size)
		return fail(AVF_ERR_PROTOCOL, "available index %u after %u",
			    idx, vq->next_avail);
	*ret_n = n;
	return 0;
}

/*
 * The slot is ours to compute; the head in it is the guest's and is checked by
 * read_desc().
 */
static int next_head(const struct virtq *vq, uint16_t *ret_head)
{
	uint16_t slot = vq->next_avail & (uint16_t)(vq->size - 1);

	if (gmem_load_le16(vq->gm,
			   vq->avail + RING_ENTRIES + 2 * (uint64_t)slot,
			   ret_head) < 0)
		return fail_as(AVF_ERR_PROTOCOL);
	return 0;
}

int virtq_pop(struct virtq *vq, struct virtq_chain *ret_chain)
{
	uint16_t n;
	int rc;

	if (!vq->started)
		return 0;
	rc = pending(vq, &n);
	if (rc < 0 || n == 0)
		return rc;
	/* each request owns a descriptor, so there are never more than that:
	 * bounds what a device must remember when heads come twice */
	if (vq->in_flight >= vq->size)
		return fail(AVF_ERR_PROTOCOL, "%u requests in flight",
			    vq->in_flight + 1);
	ret_chain->n_readable = 0;
	ret_chain->n_writable = 0;
	ret_chain->readable_bytes = 0;
	ret_chain->writable_bytes = 0;
	rc = next_head(vq, &ret_chain->head);
	if (rc < 0)
		return rc;
	rc = walk(vq, ret_chain->head, ret_chain);
	if (rc < 0)
		return rc;
	/*
	 * only now: a chain that was refused stays at the head of a broken
	 * queue
	 */
	vq->next_avail++;
	vq->in_flight++;
	return 1;
}

void virtq_unpop(struct virtq *vq)
{
	if (!vq->started || vq->in_flight == 0)
		return;
	vq->next_avail--;
	vq->in_flight--;
}

int virtq_push(struct virtq *vq, uint16_t head, uint32_t written)
{
	const struct used_elem e = {le32_make(head), le32_make(written)};
	uint64_t slot;

	/* reset came first: the ring is not ours any more */
	if (!vq->started)
		return 0;
	if (vq->in_flight == 0 || head >= vq->size)
		return fail(AVF_ERR_INTERNAL, "push of %u, never popped", head);
	slot = vq->next_used & (vq->size - 1U);
	if (gmem_write(vq->gm, vq->used + RING_ENTRIES + slot * sizeof(e), &e,
		       sizeof(e)) < 0)
		return fail_as(AVF_ERR_PROTOCOL);
	/* release: the element and the data before the index (2.7.8) */
	if (gmem_store_le16(vq->gm, vq->used + RING_IDX,
			    (uint16_t)(vq->next_used + 1)) < 0)
		return fail_as(AVF_ERR_PROTOCOL);
	vq->next_used++;
	vq->in_flight--;
	return 0;
}

/*
 * Both sides publish an index, then look at the other side's wish; without a
 * full barrier between the two both could miss each other (2.7.7, 2.7.10).
 * Pairs with the driver's barrier in the same place.
 */
static void publish_then_look(void)
{
	__atomic_thread_fence(__ATOMIC_SEQ_CST);
}

bool virtq_wants_interrupt(struct virtq *vq)
{
	uint16_t old = vq->signalled_used;
	uint16_t new = vq->next_used;
	bool known = vq->signalled_valid;
	uint16_t word;

	if (!vq->started || (known && new == old))
		return false;
	publish_then_look();
	if (gmem_load_le16(vq->gm,
			   vq->event_idx ? used_event_gpa(vq)
					 : vq->avail + RING_FLAGS,
			   &word) < 0)
		return false;
	vq->signalled_used = new;
	vq->signalled_valid = true;
	if (!vq->event_idx)
		return !(word & AVAIL_NO_INTERRUPT);
	/* 2.7.7.2: yes when used_event is among the entries old..new-1 */
	return !known || (uint16_t)(new - word - 1) < (uint16_t)(new - old);
}

bool virtq_enable_kicks(struct virtq *vq)
{
	if (!vq->started)
		return false;
	/* fails only for rings that virtq_start() would have refused */
	if (vq->event_idx)
		(void)!gmem_store_le16(vq->gm, avail_event_gpa(vq),
				       vq->next_avail);
	else
		(void)!gmem_store_le16(vq->gm, vq->used + RING_FLAGS, 0);
	publish_then_look();
	return virtq_has_work(vq);
}

void virtq_disable_kicks(struct virtq *vq)
{
	/* with event_idx the old avail_event lies behind: silence already */
	if (!vq->started || vq->event_idx)
		return;
	(void)!gmem_store_le16(vq->gm, vq->used + RING_FLAGS, USED_NO_NOTIFY);
}

bool virtq_has_work(const struct virtq *vq)
{
	uint16_t idx;

	if (!vq->started ||
	    gmem_load_le16(vq->gm, vq->avail + RING_IDX, &idx) < 0)
		return false;
	return idx != vq->next_avail;
}
