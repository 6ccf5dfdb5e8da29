/*
 * bench_device COUNT: our device models without a hypervisor, between the
 * fakes of the unit tests. What is left of a request when nobody else takes
 * part: from the kick to the used entry, on this computer.
 *
 * Disks twice: an image that can be read without waiting, in the current
 * directory, and one that cannot (a memfd), where the disk's thread reads.
 */
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <unistd.h>

#include "bench.h"
#include "base/byteorder.h"
#include "devices/virtio_blk.h"
#include "devices/virtio_vsock.h"
#include "support/cached_file.h"
#include "support/virtio_fixture.h"
#include "support/vsock_guest.h"

#define TYPE_IN    0U /* VIRTIO_BLK_T_IN */
#define BLOCK      4096U
#define IMAGE_SIZE (1U << 20)
#define PORT       7
#define MESSAGE    64

static struct virtio_fixture fixture;
static struct vsock_guest guest;
static int app_fd = -1;

static void must(int ok, const char *what)
{
	if (ok)
		return;
	(void)fprintf(stderr, "%s: %s\n", what, error_record()->text);
	exit(EXIT_FAILURE);
}

static void sample_us(const char *name, uint64_t since)
{
	sample(name, "us", (double)(now_ns() - since) / 1e3);
}

static void read_block(const char *name, unsigned int i)
{
	const struct {
		le32 type, reserved;
		le64 sector;
	} header = {le32_make(TYPE_IN), le32_make(0),
		    le64_make(i * 8ULL % (IMAGE_SIZE / 512))};
	const gpa_t request =
		virtio_fixture_put(&fixture, &header, sizeof(header));
	const struct fake_desc parts[] = {
		{.addr = request, .len = sizeof(header)},
		{.addr = virtio_fixture_alloc(&fixture, BLOCK),
		 .len = BLOCK,
		 .flags = FAKE_WRITE},
		{.addr = virtio_fixture_alloc(&fixture, 1),
		 .len = 1,
		 .flags = FAKE_WRITE},
	};
	uint32_t head, written;
	uint64_t start;

	(void)fake_driver_add(&fixture.queues[0], parts, 3);
	start = now_ns();
	virtio_dev_kick(fixture.dev, 0);
	while (!fake_driver_used(&fixture.queues[0], &head, &written))
		must(loop_run_once(&fixture.loop, -1) == 0, "loop");
	sample_us(name, start);
	must(written == BLOCK + 1, "read");
}

static void measure_disk(const char *name, int image, unsigned int count)
{
	struct virtio_dev *dev = NULL;
	struct disk *disk = NULL;
	gpa_t first;

	virtio_fixture_init(&fixture);
	must(disk_new(image, false, &fixture.loop, NULL, &disk) == 0, "disk");
	must(virtio_blk_new(&fixture.gm, disk, "bench", &dev) == 0, "blk");
	virtio_fixture_attach(&fixture, dev);
	virtio_fixture_start(&fixture, 0);
	first = fixture.next;
	for (unsigned int i = 0; i < count; i++) {
		fixture.next = first;
		read_block(name, i);
	}
	virtio_fixture_fini(&fixture);
}

static int accept_one(void *userdata, uint32_t guest_port, int fd)
{
	(void)userdata;
	(void)guest_port;
	app_fd = fd;
	return 0;
}

/* From the guest's packet to the application's answer in its buffer. */
static void round_trip(unsigned int i)
{
	struct vsock_packet p = vsock_guest_packet(VSOCK_OP_RW, 1000, PORT);
	uint64_t start = now_ns();
	char text[MESSAGE] = "";

	p.len = MESSAGE;
	p.fwd_cnt = i * MESSAGE; /* else the credit would end */
	vsock_guest_send(&guest, &p, text, MESSAGE);
	must(read(app_fd, text, MESSAGE) == MESSAGE, "read");
	must(write(app_fd, text, MESSAGE) == MESSAGE, "write");
	while (!vsock_guest_receive(&guest, &p, NULL))
		must(loop_run_once(&guest.loop, -1) == 0, "loop");
	sample_us("device.vsock.round_trip", start);
}

static void measure_vsock(unsigned int count)
{
	struct vsock_packet p =
		vsock_guest_packet(VSOCK_OP_REQUEST, 1000, PORT);

	vsock_guest_init(&guest, VSOCK_GUEST_BUFFERS);
	must(virtio_vsock_listen(guest.dev, PORT, accept_one, NULL) == 0,
	     "listen");
	vsock_guest_send(&guest, &p, NULL, 0);
	vsock_guest_settle(&guest);
	must(vsock_guest_receive(&guest, &p, NULL), "connect");
	for (unsigned int i = 0; i < count; i++)
		round_trip(i);
	vsock_guest_fini(&guest);
	(void)close(app_fd);
}

int main(int argc, char **argv)
{
	unsigned int count = argc == 2 ? (unsigned int)atoi(argv[1]) : 0;
	int image = memfd_create("image", MFD_CLOEXEC);

	if (count == 0) {
		(void)fprintf(stderr, "usage: %s COUNT\n", argv[0]);
		return EXIT_FAILURE;
	}
	if (image < 0 || ftruncate(image, IMAGE_SIZE) < 0)
		die("image");
	measure_disk("device.blk.thread", image, count);
	image = cached_file(IMAGE_SIZE);
	if (image >= 0) /* else it is a directory in memory */
		measure_disk("device.blk.at_once", image, count);
	measure_vsock(count);
	return EXIT_SUCCESS;
}
