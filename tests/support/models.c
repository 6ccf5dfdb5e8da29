#include "support/models.h"

#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/fd.h"
#include "devices/disk.h"
#include "devices/virtio_blk.h"
#include "devices/virtio_console.h"
#include "devices/virtio_rng.h"
#include "devices/virtio_vsock.h"

static void must(int rc)
{
	if (rc >= 0)
		return;
	(void)fprintf(stderr, "models: %s\n", error_record()->text);
	abort();
}

struct virtio_dev *model_blk(const struct gmem *gm, struct loop *loop)
{
	int image = memfd_create("image", MFD_CLOEXEC);
	struct virtio_dev *dev = NULL;
	struct disk *disk = NULL;

	must(ftruncate(image, MODELS_SECTORS * DISK_SECTOR_SIZE));
	must(disk_new(image, true, loop, NULL, &disk));
	must(virtio_blk_new(gm, disk, "model", &dev));
	return dev;
}

struct virtio_dev *model_console(const struct gmem *gm, struct loop *loop,
				 int *ret_host)
{
	struct virtio_console_port_config port = {.name = "console",
						  .is_console = true};
	struct virtio_dev *dev = NULL;
	int pair[2] = {-1, -1};

	must(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair));
	must(fd_set_nonblock(pair[0], true));
	port.out_fd = pair[1];
	port.in_fd = dup(pair[1]);
	must(virtio_console_new(gm, loop, &port, 1, &dev));
	*ret_host = pair[0];
	return dev;
}

struct virtio_dev *model_rng(const struct gmem *gm)
{
	struct virtio_dev *dev = NULL;

	must(virtio_rng_new(gm, &dev));
	return dev;
}

struct virtio_dev *model_vsock(const struct gmem *gm, struct loop *loop)
{
	const struct virtio_vsock_config config = {
		.gm = gm, .loop = loop, .guest_cid = MODELS_CID};
	struct virtio_dev *dev = NULL;

	must(virtio_vsock_new(&config, &dev));
	return dev;
}
