/*
 * The disk's queue, over a file that the host may shrink.
 *
 * After a minute: cov: 385.
 */
#include "virtio_actions.h"

#include <unistd.h>

#include "devices/disk.h"
#include "devices/virtio_blk.h"

#define SECTORS 64U

struct backing {
	int fd;
	bool shrunk;
};

static void host(void *userdata, uint8_t action, struct fuzz_input *in)
{
	struct backing *b = userdata;

	(void)action;
	b->shrunk = true;
	FUZZ_ASSERT(ftruncate(b->fd, fuzz_u8(in) % SECTORS * 500) == 0);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct fuzz_input in = {data, size};
	bool writable = !(fuzz_u8(&in) & 1);
	struct virtio_fixture f;
	struct virtio_dev *dev;
	struct backing b = {.fd = fuzz_file(NULL, 0)};
	struct disk *disk;
	off_t end;

	FUZZ_ASSERT(ftruncate(b.fd, SECTORS * DISK_SECTOR_SIZE) == 0);
	virtio_fixture_init(&f);
	FUZZ_ASSERT(disk_new(dup(b.fd), writable, &f.loop, NULL, &disk) == 0);
	FUZZ_ASSERT(virtio_blk_new(&f.gm, disk, "fuzz", &dev) == 0);
	virtio_fixture_attach(&f, dev);
	virtio_actions(&f, &in, host, &b);
	virtio_fixture_fini(&f);
	/* a guest never makes its disk larger */
	end = lseek(b.fd, 0, SEEK_END);
	FUZZ_ASSERT(end >= 0 && end <= SECTORS * (off_t)DISK_SECTOR_SIZE);
	FUZZ_ASSERT(b.shrunk || end == SECTORS * (off_t)DISK_SECTOR_SIZE);
	fuzz_close(b.fd);
	return 0;
}
