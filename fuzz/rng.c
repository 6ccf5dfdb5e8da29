/*
 * The entropy device's queue.
 *
 * After a minute: cov: 280.
 */
#include "virtio_actions.h"

#include "devices/virtio_rng.h"

static void host(void *userdata, uint8_t action, struct fuzz_input *in)
{
	(void)userdata;
	(void)action;
	(void)in;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct fuzz_input in = {data, size};
	struct virtio_fixture f;
	struct virtio_dev *dev;

	virtio_fixture_init(&f);
	FUZZ_ASSERT(virtio_rng_new(&f.gm, &dev) == 0);
	virtio_fixture_attach(&f, dev);
	virtio_actions(&f, &in, host, NULL);
	virtio_fixture_fini(&f);
	return 0;
}
