#include "virtio_actions.h"

#define MAX_PARTS 8U

/* Sizes around which devices decide something. */
static const uint32_t sizes[] = {
	1,  2,   4,   8,   15,   16,    17,    20,
	44, 512, 511, 513, 4096, 65536, 65537, 262144,
};

/* Guest memory for one buffer; old ones are reused in the end. */
static gpa_t place(struct virtio_fixture *f, uint32_t size)
{
	if (f->next > FIXTURE_MEMORY / 2)
		f->next = 0x40000; /* behind the rings */
	return virtio_fixture_alloc(f, size);
}

/* One buffer: a byte for kind and size, content for a readable one. */
static struct fake_desc read_part(struct virtio_fixture *f,
				  struct fuzz_input *in)
{
	uint8_t kind = fuzz_u8(in);
	struct fake_desc d = {.len = sizes[kind & 15]};
	uint8_t content[256];
	size_t n;

	if (kind & 0x40)
		d.len = fuzz_u8(in);
	d.addr = place(f, MAX(d.len, 256U));
	if (kind & 0x80) {
		d.flags = FAKE_WRITE;
		return d;
	}
	n = fuzz_bytes(in, content, kind & 0x20 ? fuzz_u8(in) : 0);
	memcpy(virtio_fixture_host(f, d.addr), content, n);
	return d;
}

static void send_chain(struct virtio_fixture *f, unsigned int q,
		       struct fuzz_input *in)
{
	struct fake_desc parts[MAX_PARTS];
	unsigned int n = 1 + fuzz_u8(in) % MAX_PARTS;

	for (unsigned int i = 0; i < n; i++)
		parts[i] = read_part(f, in);
	(void)virtio_fixture_send(f, q, parts, n);
}

/* The same, in a table of its own. */
static void send_indirect(struct virtio_fixture *f, unsigned int q,
			  struct fuzz_input *in)
{
	unsigned int n = 1 + fuzz_u8(in) % MAX_PARTS;
	struct fake_desc d = {.flags = FAKE_INDIRECT, .len = 16 * n};

	d.addr = place(f, d.len);
	for (uint16_t i = 0; i < n; i++) {
		struct fake_desc part = read_part(f, in);

		part.flags |= i + 1U < n ? FAKE_NEXT : 0;
		part.next = (uint16_t)(i + 1);
		fake_driver_indirect(&f->queues[q], d.addr, i, part);
	}
	(void)virtio_fixture_send(f, q, &d, 1);
}

static void set_desc(struct virtio_fixture *f, unsigned int q,
		     struct fuzz_input *in)
{
	struct fake_desc d;
	uint16_t i = fuzz_u8(in) % FIXTURE_RING;

	d.addr = (gpa_t)fuzz_u16(in) << 8;
	d.len = fuzz_u16(in);
	d.flags = fuzz_u8(in);
	d.next = fuzz_u8(in);
	fake_driver_desc(&f->queues[q], i, d);
}

static void start(struct virtio_fixture *f, uint64_t features)
{
	features &= f->dev->features_offered;
	for (unsigned int q = 0; q < f->dev->n_queues; q++) {
		f->dev->queues[q].event_idx = features & VIRTIO_F_EVENT_IDX;
		f->dev->queues[q].indirect = features & VIRTIO_F_INDIRECT_DESC;
	}
	virtio_fixture_start(f, features);
}

static void restart(struct virtio_fixture *f, struct fuzz_input *in)
{
	uint64_t without = 0;
	uint8_t bits = fuzz_u8(in);

	for (unsigned int i = 0; i < 8; i++)
		without |= bits & BIT(i) ? BIT64(i * 4 + 1) : 0;
	virtio_dev_reset(f->dev);
	start(f, ~without);
}

static void access_config(struct virtio_fixture *f, struct fuzz_input *in)
{
	const struct virtio_dev_ops *ops = f->dev->ops;
	uint8_t how = fuzz_u8(in);
	uint32_t len = 1U << (how & 3);
	uint64_t value = fuzz_u8(in);
	uint32_t offset;

	if (ops->config_size < len)
		return;
	offset = (how >> 3) % (ops->config_size - len + 1);
	if (how & 4 && ops->config_write)
		ops->config_write(f->dev, offset, &value, len);
	else
		ops->config_read(f->dev, offset, &value, len);
}

static void turn(struct virtio_fixture *f, int timeout_ms)
{
	FUZZ_ASSERT(loop_run_once(&f->loop, timeout_ms) == 0);
}

void virtio_actions(struct virtio_fixture *f, struct fuzz_input *in,
		    void (*host)(void *userdata, uint8_t action,
				 struct fuzz_input *in),
		    void *userdata)
{
	start(f, ~0ULL);
	while (fuzz_more(in)) {
		uint8_t action = fuzz_u8(in);
		unsigned int q = (action >> 4) % f->dev->n_queues;
		struct fake_driver *drv = &f->queues[q];

		switch (action & 15) {
		case 0:
			send_chain(f, q, in);
			break;
		case 1:
			send_indirect(f, q, in);
			break;
		case 2:
			set_desc(f, q, in);
			break;
		case 3:
			fake_driver_publish(drv, fuzz_u8(in));
			break;
		case 4:
			fake_driver_set_avail_idx(drv, fuzz_u16(in));
			break;
		case 5:
			virtio_dev_kick(f->dev, q);
			break;
		case 6:
			turn(f, 0);
			break;
		case 7:
			turn(f, 1);
			break;
		case 8:
			restart(f, in);
			break;
		case 9:
			access_config(f, in);
			break;
		case 10:
			fake_driver_set_used_event(drv, fuzz_u16(in));
			break;
		default:
			host(userdata, action, in);
			break;
		}
	}
	turn(f, 0);
}
