/*
 * vsock packets of a guest without manners, and applications that connect,
 * listen, talk, stop reading and go.
 *
 * After a minute: cov: 614.
 */
#include "virtio_actions.h"

#include <sys/socket.h>
#include <unistd.h>

#include "devices/virtio_vsock.h"
#include "devices/vsock_wire.h"

#define GUEST_CID 42U
#define N_APPS    4U
#define RX        0U
#define TX        1U

struct apps {
	struct virtio_fixture f;
	struct virtio_dev *dev;
	int fds[N_APPS];
	unsigned int next;
	unsigned int waiting; /* connects without an answer */
};

static void keep(struct apps *apps, int fd)
{
	int *place = &apps->fds[apps->next++ % N_APPS];

	fuzz_close(*place);
	*place = fd;
}

static int on_accept(void *userdata, uint32_t guest_port, int fd)
{
	(void)guest_port;
	keep(userdata, fd);
	return 0;
}

static void on_connected(void *userdata, int rc)
{
	struct apps *apps = userdata;

	(void)rc;
	FUZZ_ASSERT(apps->waiting > 0);
	apps->waiting--;
}

static void connect_app(struct apps *apps, uint32_t port)
{
	int pair[2];

	fuzz_socketpair(SOCK_STREAM, pair);
	apps->waiting++;
	if (virtio_vsock_connect(apps->dev, port, pair[1], on_connected, apps) <
	    0) {
		apps->waiting--;
		fuzz_close(pair[0]);
		return;
	}
	keep(apps, pair[0]);
}

/* A header that is right but for what the input says. */
static void send_packet(struct apps *apps, struct fuzz_input *in)
{
	uint8_t what = fuzz_u8(in);
	uint8_t wrong = fuzz_u8(in);
	uint8_t ports = fuzz_u8(in);
	uint32_t len = wrong & 1 ? fuzz_u32(in) : fuzz_u8(in) * 64U;
	struct vsock_hdr h = {
		.src_cid = le64_make(wrong & 2 ? fuzz_u8(in) : GUEST_CID),
		.dst_cid = le64_make(wrong & 4 ? fuzz_u8(in) : VSOCK_CID_HOST),
		.src_port = le32_make(ports & 3),
		.dst_port = le32_make(ports & 4 ? VSOCK_EPHEMERAL_PORT +
							  (ports >> 5)
						: (ports >> 3) & 3),
		.type = le16_make(wrong & 8 ? fuzz_u8(in) : VSOCK_TYPE_STREAM),
		.op = le16_make(what & 7),
		.flags = le32_make(what >> 3),
		.len = le32_make((what & 7) == VSOCK_OP_RW ? len : 0),
		.buf_alloc = le32_make(wrong & 16 ? fuzz_u32(in) : 65536),
		.fwd_cnt = le32_make(wrong & 32 ? fuzz_u32(in) : 0),
	};
	uint32_t size = (uint32_t)sizeof(h) + MIN(len, 65536U);
	struct fake_desc d = {.len = size};

	if (apps->f.next > FIXTURE_MEMORY / 2)
		apps->f.next = 0x40000; /* behind the rings */
	d.addr = virtio_fixture_alloc(&apps->f, size);
	FUZZ_ASSERT(gmem_write(&apps->f.gm, d.addr, &h, sizeof(h)) == 0);
	(void)virtio_fixture_send(&apps->f, TX, &d, 1);
}

/* Buffers for packets to the guest. */
static void refill(struct apps *apps, uint8_t n)
{
	if (apps->f.next > FIXTURE_MEMORY / 2)
		apps->f.next = 0x40000; /* behind the rings */
	for (uint8_t i = 0; i < n % 16; i++) {
		struct fake_desc d = {.len = n & 16 ? 60 : 4096,
				      .flags = FAKE_WRITE};

		d.addr = virtio_fixture_alloc(&apps->f, d.len);
		(void)virtio_fixture_send(&apps->f, RX, &d, 1);
	}
}

static void use_socket(int *fd, struct fuzz_input *in)
{
	uint8_t how = fuzz_u8(in);
	char buf[8192];

	memset(buf, 'x', sizeof(buf));
	switch (how & 3) {
	case 0:
		(void)!send(*fd, buf, (how >> 2) * 128U + 1,
			    MSG_DONTWAIT | MSG_NOSIGNAL);
		break;
	case 1:
		(void)!recv(*fd, buf, sizeof(buf), MSG_DONTWAIT);
		break;
	case 2:
		(void)shutdown(*fd, (how >> 2) % 3);
		break;
	case 3:
		fuzz_close(*fd);
		*fd = -1;
		break;
	}
}

static void host(void *userdata, uint8_t action, struct fuzz_input *in)
{
	struct apps *apps = userdata;
	uint32_t at = action >> 4;

	switch (action & 15) {
	case 11:
		send_packet(apps, in);
		break;
	case 12:
		refill(apps, fuzz_u8(in));
		break;
	case 13:
		use_socket(&apps->fds[at % N_APPS], in);
		break;
	case 14:
		connect_app(apps, at & 3);
		break;
	case 15:
		if (at & 4)
			virtio_vsock_unlisten(apps->dev, at & 3);
		else
			(void)!virtio_vsock_listen(apps->dev, at & 3, on_accept,
						   apps);
		break;
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct fuzz_input in = {data, size};
	struct apps apps = {.next = 0};
	unsigned int fds = fuzz_count_fds();
	struct virtio_vsock_config config = {.guest_cid = GUEST_CID};

	virtio_fixture_init(&apps.f);
	for (unsigned int i = 0; i < N_APPS; i++)
		apps.fds[i] = -1;
	config.gm = &apps.f.gm;
	config.loop = &apps.f.loop;
	FUZZ_ASSERT(virtio_vsock_new(&config, &apps.dev) == 0);
	virtio_fixture_attach(&apps.f, apps.dev);
	FUZZ_ASSERT(virtio_vsock_listen(apps.dev, 0, on_accept, &apps) == 0);
	virtio_actions(&apps.f, &in, host, &apps);
	virtio_fixture_fini(&apps.f);
	for (unsigned int i = 0; i < N_APPS; i++)
		fuzz_close(apps.fds[i]);
	/* everybody who waited was told, and nothing was lost */
	FUZZ_ASSERT(apps.waiting == 0);
	FUZZ_ASSERT(fuzz_count_fds() == fds);
	return 0;
}
