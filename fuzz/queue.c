/*
 * The ring walk: rings and descriptors of any content, and the promises that
 * virtio/queue.h makes to devices about what comes out.
 *
 * After a minute: cov: 202.
 */
#include "fuzz.h"

#include "support/fake_driver.h"

#define MEMORY 0x20000ULL
#define HIGH   0x100000000ULL /* a second region, apart */
#define TABLE  0x8000ULL      /* where indirect tables go */
#define ADDR   0x100U         /* addresses come in this unit */

struct state {
	struct fuzz_input in;
	struct gmem gm;
	struct virtq vq;
	struct fake_driver drv;
	struct virtq_chain chain;
	uint16_t heads[VIRTQ_MAX_SIZE]; /* popped, not pushed */
	unsigned int n_heads;
};

static bool is_guest_memory(const struct gmem *gm, const struct iovec *part)
{
	for (unsigned int i = 0; i < gm->n_regions; i++) {
		const struct gmem_region *r = &gm->regions[i];
		const char *base = part->iov_base;

		if (base >= r->host && base < r->host + r->size)
			return part->iov_len <=
			       (size_t)(r->host + r->size - base);
	}
	return false;
}

static void check_chain(struct state *s)
{
	const struct virtq_chain *c = &s->chain;
	unsigned int n = c->n_readable + c->n_writable;
	uint64_t sums[2] = {0, 0};

	FUZZ_ASSERT(n > 0 && n <= VIRTQ_MAX_PARTS);
	for (unsigned int i = 0; i < n; i++) {
		FUZZ_ASSERT(c->parts[i].iov_len > 0);
		FUZZ_ASSERT(is_guest_memory(&s->gm, &c->parts[i]));
		sums[i >= c->n_readable] += c->parts[i].iov_len;
	}
	FUZZ_ASSERT(sums[0] == c->readable_bytes);
	FUZZ_ASSERT(sums[1] == c->writable_bytes);
	FUZZ_ASSERT(c->head < s->vq.size);
}

static void pop(struct state *s)
{
	if (virtq_pop(&s->vq, &s->chain) <= 0)
		return;
	check_chain(s);
	FUZZ_ASSERT(s->n_heads < s->vq.size);
	s->heads[s->n_heads++] = s->chain.head;
}

static void push(struct state *s)
{
	if (s->n_heads == 0)
		return;
	FUZZ_ASSERT(virtq_push(&s->vq, s->heads[--s->n_heads],
			       fuzz_u8(&s->in)) == 0);
	(void)virtq_wants_interrupt(&s->vq);
}

static void unpop(struct state *s)
{
	if (s->n_heads == 0)
		return;
	s->n_heads--;
	virtq_unpop(&s->vq);
}

static struct fake_desc read_desc(struct fuzz_input *in)
{
	struct fake_desc d;
	uint8_t kind = fuzz_u8(in);

	d.flags = kind & 7;
	d.addr = (gpa_t)fuzz_u16(in) * ADDR + (kind & 8 ? HIGH : 0);
	d.len = fuzz_u8(in) * 16U;
	d.next = fuzz_u8(in);
	if (kind & 16)
		d.addr += fuzz_u64(in);
	if (kind & 32)
		d.len = fuzz_u32(in);
	return d;
}

static void set_up(struct state *s)
{
	uint8_t how = fuzz_u8(&s->in);
	uint16_t size = (uint16_t)(1U << (how & 7));

	gmem_init(&s->gm);
	FUZZ_ASSERT(gmem_add_anonymous(&s->gm, 0, MEMORY) == 0);
	FUZZ_ASSERT(gmem_add_anonymous(&s->gm, HIGH, MEMORY) == 0);
	virtq_init(&s->vq, &s->gm, VIRTQ_MAX_SIZE);
	(void)fake_driver_init(&s->drv, &s->gm, 0x1000, size);
	fake_driver_place(&s->drv, &s->vq);
	s->vq.event_idx = how & 8;
	s->vq.indirect = how & 16;
	if (how & 32) { /* rings of the input's choice */
		s->vq.size = fuzz_u16(&s->in);
		s->vq.desc = fuzz_u64(&s->in);
		s->vq.avail = fuzz_u64(&s->in);
		s->vq.used = fuzz_u64(&s->in);
	}
	(void)!virtq_start(&s->vq, how & 64 ? fuzz_u16(&s->in) : 0);
}

static void act(struct state *s)
{
	uint8_t action = fuzz_u8(&s->in);
	uint16_t at = action >> 4;

	switch (action & 15) {
	case 0:
		fake_driver_desc(&s->drv, at % s->drv.size, read_desc(&s->in));
		break;
	case 1:
		fake_driver_indirect(&s->drv, TABLE, at, read_desc(&s->in));
		break;
	case 2:
		fake_driver_publish(&s->drv, at);
		break;
	case 3:
		fake_driver_publish(&s->drv, fuzz_u16(&s->in));
		break;
	case 4:
		fake_driver_set_avail_idx(&s->drv, fuzz_u16(&s->in));
		break;
	case 5:
		pop(s);
		break;
	case 6:
		push(s);
		break;
	case 7:
		unpop(s);
		break;
	case 8:
		(void)virtq_enable_kicks(&s->vq);
		break;
	case 9:
		virtq_disable_kicks(&s->vq);
		break;
	case 10:
		fake_driver_set_used_event(&s->drv, fuzz_u16(&s->in));
		break;
	case 11:
		fake_driver_set_avail_flags(&s->drv, at);
		break;
	case 12: /* a chain as long as the ring, through all of it */
		for (uint16_t i = 0; i < s->drv.size; i++)
			fake_driver_desc(
				&s->drv, i,
				(struct fake_desc){.addr = 0x100,
						   .len = 1,
						   .flags = FAKE_NEXT,
						   .next = (uint16_t)(i + 1)});
		break;
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static struct state s;

	memset(&s, 0, offsetof(struct state, chain));
	s.n_heads = 0;
	s.in = (struct fuzz_input){data, size};
	set_up(&s);
	while (fuzz_more(&s.in))
		act(&s);
	gmem_fini(&s.gm);
	return 0;
}
