/* The common part of devices: who is called when, and who is silent when. */
#include <criterion/criterion.h>
#include <string.h>

#include "base/checked.h"
#include "support/fake_driver.h"
#include "virtio/device.h"

struct model {
	struct virtio_dev dev;
	int activate_rc, ready_rc;
	int n_activate, n_reset, n_ready, n_free;
	bool active_in_reset;
};

static struct gmem gm;
static struct fake_driver drv;
static struct model m;
static int n_queue_irq, n_config_irq, n_lines;

static struct model *to_model(struct virtio_dev *dev)
{
	return container_of(dev, struct model, dev);
}

static int model_activate(struct virtio_dev *dev)
{
	to_model(dev)->n_activate++;
	if (to_model(dev)->activate_rc < 0)
		return fail(AVF_ERR_IO, "cannot");
	return 0;
}

static void model_reset(struct virtio_dev *dev)
{
	struct model *mod = to_model(dev);

	mod->n_reset++;
	mod->active_in_reset = dev->active;
	/* a model that completes during its reset reaches nobody */
	virtio_dev_complete(dev, 0, 0, 99);
}

static int model_ready(struct virtio_dev *dev, unsigned int q)
{
	(void)q;
	to_model(dev)->n_ready++;
	if (to_model(dev)->ready_rc < 0)
		return fail(to_model(dev)->ready_rc, "bad request");
	return 0;
}

static void model_free(struct virtio_dev *dev)
{
	to_model(dev)->n_free++;
}

static const struct virtio_dev_ops ops = {
	.name = "virtio-model",
	.activate = model_activate,
	.reset = model_reset,
	.queue_ready = model_ready,
	.free = model_free,
};

static void queue_irq(void *transport, unsigned int q)
{
	(void)transport;
	(void)q;
	n_queue_irq++;
}

static void config_irq(void *transport)
{
	(void)transport;
	n_config_irq++;
}

static const struct virtio_transport_ops transport_ops = {
	.interrupt_queue = queue_irq,
	.interrupt_config = config_irq,
};

static void count_line(void *userdata, enum log_level level, const char *text)
{
	(void)userdata;
	(void)level;
	(void)text;
	n_lines++;
}

static const struct log counting = {.sink = count_line,
				    .max_level = LOG_LEVEL_WARN};

static void start_queue(void)
{
	(void)fake_driver_init(&drv, &gm, 0x1000, 16);
	fake_driver_place(&drv, &m.dev.queues[0]);
	cr_assert_eq(virtq_start(&m.dev.queues[0], 0), 0);
}

static void setup(void)
{
	gmem_init(&gm);
	cr_assert_eq(gmem_add_anonymous(&gm, 0, 0x100000), 0);
	virtio_dev_init(&m.dev, &ops, &gm, 2, 64, BIT64(5));
	virtio_dev_attach(&m.dev, &transport_ops, NULL, &counting);
	start_queue();
}

TestSuite(device, .init = setup);

static void request(void)
{
	const struct fake_desc buf = {0x8000, 16, FAKE_WRITE, 0};
	static struct virtq_chain chain;

	(void)fake_driver_add(&drv, &buf, 1);
	cr_assert_eq(virtq_pop(&m.dev.queues[0], &chain), 1);
}

Test(device, offers_the_ring_features)
{
	cr_expect_eq(m.dev.features_offered, BIT64(5) | VIRTIO_F_VERSION_1 |
						     VIRTIO_F_INDIRECT_DESC |
						     VIRTIO_F_EVENT_IDX);
	virtio_dev_activate(&m.dev, VIRTIO_F_VERSION_1 | VIRTIO_F_EVENT_IDX);
	cr_expect(m.dev.queues[0].event_idx);
	cr_expect_not(m.dev.queues[0].indirect);
}

Test(device, kicks_only_reach_an_active_device)
{
	virtio_dev_kick(&m.dev, 0);
	cr_expect_eq(m.n_ready, 0, "kick before DRIVER_OK");
	virtio_dev_activate(&m.dev, VIRTIO_F_VERSION_1);
	virtio_dev_activate(&m.dev, VIRTIO_F_VERSION_1);
	cr_expect_eq(m.n_activate, 1, "DRIVER_OK twice");
	virtio_dev_kick(&m.dev, 0);
	cr_expect_eq(m.n_ready, 1);
	virtio_dev_kick(&m.dev, 1);
	cr_expect_eq(m.n_ready, 1, "kick of a queue that was not set up");
	virtio_dev_kick(&m.dev, 2);
	virtio_dev_kick(&m.dev, UINT32_MAX);
	cr_expect_eq(m.n_ready, 1, "kick of a queue that does not exist");
	virtio_dev_reset(&m.dev);
	virtio_dev_kick(&m.dev, 0);
	cr_expect_eq(m.n_ready, 1, "kick after reset");
}

Test(device, completes_and_signals)
{
	uint32_t head;
	uint32_t written;

	virtio_dev_activate(&m.dev, VIRTIO_F_VERSION_1);
	request();
	virtio_dev_complete(&m.dev, 0, 0, 16);
	cr_expect(fake_driver_used(&drv, &head, &written));
	cr_expect_eq(written, 16U);
	cr_expect_eq(n_queue_irq, 1);
	fake_driver_set_avail_flags(&drv, 1);
	request();
	virtio_dev_complete(&m.dev, 0, 1, 16);
	cr_expect_eq(n_queue_irq, 1, "the driver asked for silence");
}

Test(device, a_broken_device_is_quiet_until_reset)
{
	uint32_t head;
	uint32_t written;

	virtio_dev_activate(&m.dev, VIRTIO_F_VERSION_1);
	request();
	m.ready_rc = AVF_ERR_PROTOCOL;
	virtio_dev_kick(&m.dev, 0);
	cr_expect(m.dev.broken);
	cr_expect_eq(n_config_irq, 1);
	cr_expect_eq(n_lines, 1);
	virtio_dev_kick(&m.dev, 0);
	virtio_dev_complete(&m.dev, 0, 0, 16);
	virtio_dev_config_changed(&m.dev);
	virtio_dev_activate(&m.dev, VIRTIO_F_VERSION_1);
	cr_expect_eq(m.n_ready, 1);
	cr_expect_eq(n_config_irq, 1);
	cr_expect_not(fake_driver_used(&drv, &head, &written));
	virtio_dev_reset(&m.dev);
	cr_expect_not(m.dev.broken);
	start_queue();
	m.ready_rc = 0;
	virtio_dev_activate(&m.dev, VIRTIO_F_VERSION_1);
	cr_expect(m.dev.active);
}

Test(device, breaking_it_in_a_loop_does_not_fill_the_log)
{
	m.ready_rc = AVF_ERR_PROTOCOL;
	for (int i = 0; i < 1000; i++) {
		virtio_dev_reset(&m.dev);
		start_queue();
		virtio_dev_activate(&m.dev, VIRTIO_F_VERSION_1);
		virtio_dev_kick(&m.dev, 0);
	}
	cr_expect_leq(n_lines, (int)LOG_BUDGET_LINES);
	cr_expect_geq(n_lines, 1);
}

Test(device, breaking_before_driver_ok)
{
	for (int i = 0; i < 3; i++) {
		(void)!fail(AVF_ERR_PROTOCOL, "bad ring");
		virtio_dev_break(&m.dev);
	}
	cr_expect(m.dev.broken);
	cr_expect_eq(n_config_irq, 0, "no interrupt before DRIVER_OK");
	cr_expect_eq(n_lines, 1, "one line is enough");
}

Test(device, a_failing_activation_breaks_it)
{
	m.activate_rc = -1;
	virtio_dev_activate(&m.dev, VIRTIO_F_VERSION_1);
	cr_expect(m.dev.broken);
	cr_expect_not(m.dev.active);
	cr_expect_eq(n_config_irq, 1);
}

Test(device, reset_with_a_request_in_flight)
{
	uint32_t head;
	uint32_t written;

	virtio_dev_activate(&m.dev, VIRTIO_F_VERSION_1);
	request();
	virtio_dev_reset(&m.dev);
	cr_expect_not(m.active_in_reset);
	virtio_dev_complete(&m.dev, 0, 0, 16);
	cr_expect_not(fake_driver_used(&drv, &head, &written));
	cr_expect_eq(n_queue_irq, 0);
	/* new rings elsewhere: the old ones stay as they are */
	cr_expect_not(m.dev.queues[0].started);
	cr_expect_eq(m.dev.queues[0].size, 64);
}

Test(device, free_resets_first)
{
	virtio_dev_free(NULL);
	virtio_dev_free(&m.dev);
	cr_expect_eq(m.n_reset, 1);
	cr_expect_eq(m.n_free, 1);
}
