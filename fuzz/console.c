/*
 * The console's queues and control messages, with hosts that talk, listen,
 * or have gone.
 *
 * After a minute: cov: 458.
 */
#include "virtio_actions.h"

#include <sys/socket.h>
#include <unistd.h>

#include "devices/virtio_console.h"

struct hosts {
	int ports[3];
	uint64_t received;
};

static void received(void *userdata, const void *data, size_t size)
{
	struct hosts *hosts = userdata;

	for (size_t i = 0; i < size; i++)
		hosts->received += ((const uint8_t *)data)[i];
}

static void host(void *userdata, uint8_t action, struct fuzz_input *in)
{
	struct hosts *hosts = userdata;
	int *fd = &hosts->ports[(action >> 4) % 3];
	char buf[4096];

	memset(buf, 'x', sizeof(buf));
	switch (action & 15) {
	case 11:
		(void)!send(*fd, buf, 1 + fuzz_u8(in) * 16U,
			    MSG_DONTWAIT | MSG_NOSIGNAL);
		break;
	case 12:
		(void)!recv(*fd, buf, sizeof(buf), MSG_DONTWAIT);
		break;
	case 13:
		(void)shutdown(*fd, fuzz_u8(in) % 3);
		break;
	case 14:
		fuzz_close(*fd);
		*fd = -1;
		break;
	}
}

/* A pair whose other end stays here. */
static int new_port(int *ret_host)
{
	int pair[2];

	fuzz_socketpair(SOCK_STREAM, pair);
	*ret_host = pair[0];
	return pair[1];
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct fuzz_input in = {data, size};
	struct virtio_console_port_config ports[4];
	struct virtio_fixture f;
	struct virtio_dev *dev;
	struct hosts hosts = {.received = 0};

	virtio_fixture_init(&f);
	memset(ports, 0, sizeof(ports));
	for (unsigned int i = 0; i < 3; i++) {
		ports[i].name = "port";
		ports[i].is_console = i == 0;
		ports[i].out_fd = new_port(&hosts.ports[i]);
		ports[i].in_fd = dup(ports[i].out_fd);
	}
	ports[3] = (struct virtio_console_port_config){.name = "failure",
						       .out_fd = -1,
						       .in_fd = -1,
						       .received = received,
						       .userdata = &hosts};
	FUZZ_ASSERT(virtio_console_new(&f.gm, &f.loop, ports, 4, &dev) == 0);
	virtio_fixture_attach(&f, dev);
	virtio_actions(&f, &in, host, &hosts);
	virtio_fixture_fini(&f);
	for (unsigned int i = 0; i < 3; i++)
		fuzz_close(hosts.ports[i]);
	return 0;
}
