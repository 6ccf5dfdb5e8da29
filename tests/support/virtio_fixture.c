#include "support/virtio_fixture.h"

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/checked.h"

#define WAIT_ROUNDS   200 /* of WAIT_MS each */
#define WAIT_MS       10
#define SETTLE_ROUNDS 20

static void must(int rc)
{
	if (rc >= 0)
		return;
	(void)fprintf(stderr, "fixture: %s\n", error_record()->text);
	abort();
}

void virtio_fixture_init(struct virtio_fixture *f)
{
	memset(f, 0, sizeof(*f));
	(void)signal(SIGPIPE, SIG_IGN); /* as the process of the VM does */
	gmem_init(&f->gm);
	must(gmem_add_anonymous(&f->gm, 0, FIXTURE_MEMORY));
	must(loop_init(&f->loop));
}

static void interrupt_queue(void *transport, unsigned int q)
{
	struct virtio_fixture *f = transport;

	f->interrupts[q]++;
}

static void interrupt_config(void *transport)
{
	struct virtio_fixture *f = transport;

	f->config_interrupts++;
}

void virtio_fixture_attach(struct virtio_fixture *f, struct virtio_dev *dev)
{
	static const struct virtio_transport_ops ops = {
		.interrupt_queue = interrupt_queue,
		.interrupt_config = interrupt_config,
	};

	f->dev = dev;
	virtio_dev_attach(dev, &ops, f, NULL);
}

void virtio_fixture_start(struct virtio_fixture *f, uint64_t features)
{
	f->next = 0;
	for (unsigned int q = 0; q < f->dev->n_queues; q++) {
		f->next =
			fake_driver_init(&f->queues[q], &f->gm,
					 (f->next + 15) & ~15ULL, FIXTURE_RING);
		fake_driver_place(&f->queues[q], &f->dev->queues[q]);
		must(virtq_start(&f->dev->queues[q], 0));
	}
	virtio_dev_activate(f->dev, features);
}

void virtio_fixture_fini(struct virtio_fixture *f)
{
	virtio_dev_free(f->dev);
	loop_fini(&f->loop);
	gmem_fini(&f->gm);
}

char *virtio_fixture_host(struct virtio_fixture *f, gpa_t gpa)
{
	struct gmem_slice s = {0};

	must(gmem_map(&f->gm, gpa, 1, &s));
	return s.host;
}

gpa_t virtio_fixture_alloc(struct virtio_fixture *f, uint32_t size)
{
	gpa_t gpa = (f->next + 15) & ~15ULL;

	if (size > FIXTURE_MEMORY || gpa > FIXTURE_MEMORY - size)
		abort();
	f->next = gpa + size;
	memset(virtio_fixture_host(f, gpa), 0, size);
	return gpa;
}

gpa_t virtio_fixture_put(struct virtio_fixture *f, const void *data,
			 uint32_t size)
{
	gpa_t gpa = virtio_fixture_alloc(f, size);

	must(gmem_write(&f->gm, gpa, data, size));
	return gpa;
}

uint16_t virtio_fixture_send(struct virtio_fixture *f, unsigned int q,
			     const struct fake_desc *bufs, unsigned int n)
{
	uint16_t head = fake_driver_add(&f->queues[q], bufs, n);

	virtio_dev_kick(f->dev, q);
	return head;
}

bool virtio_fixture_wait(struct virtio_fixture *f, unsigned int q,
			 uint32_t *ret_written)
{
	uint32_t head;

	for (unsigned int i = 0; i < WAIT_ROUNDS; i++) {
		if (fake_driver_used(&f->queues[q], &head, ret_written))
			return true;
		if (f->dev->broken)
			return false;
		must(loop_run_once(&f->loop, WAIT_MS));
	}
	return false;
}

void virtio_fixture_settle(struct virtio_fixture *f)
{
	for (unsigned int i = 0; i < SETTLE_ROUNDS; i++)
		must(loop_run_once(&f->loop, 1));
}
