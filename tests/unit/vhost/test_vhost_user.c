/* A front-end that shares memory, sets up rings, and then misbehaves. */
#include "vhost/vhost_user.h"

#include <criterion/criterion.h>
#include <fcntl.h>
#include <poll.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/checked.h"
#include "base/fd.h"
#include "devices/virtio_vsock.h"
#include "devices/vsock_wire.h"
#include "support/fake_driver.h"
#include "vhost/vhost_msg.h"

#define GUEST_SIZE 0x100000ULL
#define USER       0x7f1200000000ULL /* where the front-end says it sees it */
#define RX_BUFFER  0x40000ULL
#define TX_BUFFER  0x50000ULL
#define PROTOCOL   BIT64(30)

static struct loop loop;
static struct gmem gm;     /* the backend's */
static struct gmem shared; /* ours, for the driver */
static struct virtio_dev *dev;
static struct vhost_user *vhost;
static int front, memory_fd, app_fd = -1;
static int kick[2], call[2];
static struct fake_driver ring[2];
static unsigned int n_gone;

static void gone(void *userdata)
{
	(void)userdata;
	n_gone++;
	vhost_user_free(vhost);
	vhost = NULL;
}

static int accept_one(void *userdata, uint32_t guest_port, int fd)
{
	(void)userdata;
	(void)guest_port;
	app_fd = fd;
	return 0;
}

static void share(void)
{
	void *host;

	memory_fd = memfd_create("guest", MFD_ALLOW_SEALING);
	cr_assert_eq(ftruncate(memory_fd, GUEST_SIZE), 0);
	cr_assert_eq(fcntl(memory_fd, F_ADD_SEALS, F_SEAL_SHRINK), 0);
	host = mmap(NULL, GUEST_SIZE, PROT_READ | PROT_WRITE, MAP_SHARED,
		    memory_fd, 0);
	cr_assert_neq(host, MAP_FAILED);
	gmem_init(&shared);
	cr_assert_eq(gmem_add_mapped(&shared, 0, GUEST_SIZE, host, true), 0);
}

static void setup(void)
{
	const struct virtio_vsock_config vsock = {&gm, &loop, 3};
	struct vhost_user_config config = {
		.gm = &gm, .loop = &loop, .gone = gone};
	int pair[2];

	gmem_init(&gm);
	share();
	cr_assert_eq(loop_init(&loop), 0);
	cr_assert_eq(virtio_vsock_new(&vsock, &dev), 0);
	cr_assert_eq(virtio_vsock_listen(dev, 7, accept_one, NULL), 0);
	config.dev = dev;
	cr_assert_eq(socketpair(AF_UNIX, SOCK_STREAM, 0, pair), 0);
	front = pair[0];
	cr_assert_eq(vhost_user_new(&config, pair[1], &vhost), 0);
	for (unsigned int q = 0; q < 2; q++) {
		kick[q] = eventfd(0, EFD_NONBLOCK);
		call[q] = eventfd(0, EFD_NONBLOCK);
	}
	(void)fake_driver_init(&ring[0], &shared, 0x1000, 16);
	(void)fake_driver_init(&ring[1], &shared, 0x3000, 16);
}

static void teardown(void)
{
	vhost_user_free(vhost);
	vhost_user_free(NULL);
	virtio_dev_free(dev);
	loop_fini(&loop);
	gmem_fini(&gm);
	gmem_fini(&shared);
	fd_close(front);
	fd_close(memory_fd);
	fd_close(app_fd);
	for (unsigned int q = 0; q < 2; q++) {
		fd_close(kick[q]);
		fd_close(call[q]);
	}
	vhost = NULL;
	app_fd = -1;
	n_gone = 0;
}

TestSuite(vhost_user, .init = setup, .fini = teardown, .timeout = 30);

static void turn(void)
{
	for (unsigned int i = 0; i < 8; i++)
		cr_assert_eq(loop_run_once(&loop, 0), 0);
}

static void send_msg(uint32_t request, const void *payload, uint32_t size,
		     int fd)
{
	struct vhost_header header = {request, VHOST_FLAG_VERSION, size};
	_Alignas(struct cmsghdr) char control[CMSG_SPACE(sizeof(int))] = {0};
	union vhost_payload copy;
	struct iovec iov[2] = {{&header, sizeof(header)}, {&copy, size}};
	struct msghdr mh = {.msg_iov = iov, .msg_iovlen = 2};
	struct cmsghdr *c;

	if (size > 0)
		memcpy(&copy, payload, size);
	if (fd >= 0) {
		mh.msg_control = control;
		mh.msg_controllen = sizeof(control);
		c = CMSG_FIRSTHDR(&mh);
		c->cmsg_level = SOL_SOCKET;
		c->cmsg_type = SCM_RIGHTS;
		c->cmsg_len = CMSG_LEN(sizeof(int));
		memcpy(CMSG_DATA(c), &fd, sizeof(fd));
	}
	cr_assert_eq(sendmsg(front, &mh, MSG_NOSIGNAL),
		     (ssize_t)(sizeof(header) + size));
	turn();
}

static void send_u64(uint32_t request, uint64_t value, int fd)
{
	send_msg(request, &value, sizeof(value), fd);
}

static void send_state(uint32_t request, uint32_t index, uint32_t num)
{
	const struct vhost_ring_state s = {index, num};

	send_msg(request, &s, sizeof(s), -1);
}

/* The payload of the answer to @request, which has @size bytes of it. */
static void answer(uint32_t request, void *payload, uint32_t size)
{
	struct vhost_header header;

	cr_assert_eq(recv(front, &header, sizeof(header), MSG_DONTWAIT),
		     sizeof(header), "no answer to %u", request);
	cr_assert_eq(header.request, request);
	cr_assert_eq(header.size, size);
	cr_assert_eq(read(front, payload, size), size);
}

static uint64_t answer_u64(uint32_t request)
{
	uint64_t value;

	answer(request, &value, sizeof(value));
	return value;
}

static void set_ring_addr(uint32_t q)
{
	const struct vhost_ring_addr a = {.index = q,
					  .desc = USER + ring[q].desc,
					  .avail = USER + ring[q].avail,
					  .used = USER + ring[q].used};

	send_msg(VHOST_SET_VRING_ADDR, &a, sizeof(a), -1);
}

static void start_ring(uint32_t q, uint32_t base)
{
	send_state(VHOST_SET_VRING_NUM, q, 16);
	send_state(VHOST_SET_VRING_BASE, q, base);
	set_ring_addr(q);
	send_u64(VHOST_SET_VRING_KICK, q, kick[q]);
	send_u64(VHOST_SET_VRING_CALL, q, call[q]);
	send_state(VHOST_SET_VRING_ENABLE, q, 1);
}

static void share_memory(void)
{
	const struct vhost_mem_table table = {
		.n_regions = 1, .regions = {{0, GUEST_SIZE, USER, 0}}};

	send_msg(VHOST_SET_MEM_TABLE, &table, 8 + 32, memory_fd);
}

/* As QEMU does it: rx and tx are ours, the event queue is not. */
static void handshake(void)
{
	send_msg(VHOST_GET_FEATURES, NULL, 0, -1);
	cr_assert(answer_u64(VHOST_GET_FEATURES) & PROTOCOL);
	send_msg(VHOST_GET_PROTOCOL_FEATURES, NULL, 0, -1);
	send_u64(VHOST_SET_PROTOCOL_FEATURES,
		 answer_u64(VHOST_GET_PROTOCOL_FEATURES), -1);
	send_msg(VHOST_SET_OWNER, NULL, 0, -1);
	send_u64(VHOST_SET_FEATURES, VIRTIO_F_VERSION_1 | PROTOCOL, -1);
	share_memory();
	start_ring(0, 0);
	start_ring(1, 0);
}

static uint64_t counted(int fd)
{
	uint64_t n = 0;

	return read(fd, &n, sizeof(n)) == sizeof(n) ? n : 0;
}

/* The guest sends a packet of @op, and kicks. */
static void guest_sends(uint16_t op)
{
	const struct vsock_hdr hdr = {
		.src_cid = le64_make(3),
		.dst_cid = le64_make(2),
		.src_port = le32_make(1000),
		.dst_port = le32_make(7),
		.type = le16_make(VSOCK_TYPE_STREAM),
		.op = le16_make(op),
		.buf_alloc = le32_make(4096),
	};
	const struct fake_desc tx = {.addr = TX_BUFFER, .len = sizeof(hdr)};
	const struct fake_desc rx = {
		.addr = RX_BUFFER, .len = 4096, .flags = FAKE_WRITE};
	const uint64_t one = 1;

	cr_assert_eq(gmem_write(&shared, TX_BUFFER, &hdr, sizeof(hdr)), 0);
	(void)fake_driver_add(&ring[0], &rx, 1);
	(void)fake_driver_add(&ring[1], &tx, 1);
	cr_assert_eq(write(kick[0], &one, sizeof(one)), sizeof(one));
	cr_assert_eq(write(kick[1], &one, sizeof(one)), sizeof(one));
	turn();
}

/* The operation of the next packet for the guest, 0 for none. */
static uint16_t guest_gets(void)
{
	uint32_t head, written;
	struct vsock_hdr hdr;

	if (!fake_driver_used(&ring[0], &head, &written))
		return 0;
	cr_assert_eq(gmem_read(&shared, RX_BUFFER, &hdr, sizeof(hdr)), 0);
	return le16_get(hdr.op);
}

Test(vhost_user, a_guest_connects_through_it)
{
	handshake();
	guest_sends(VSOCK_OP_REQUEST);
	cr_assert_eq(guest_gets(), VSOCK_OP_RESPONSE);
	cr_assert_geq(app_fd, 0);
	cr_assert_eq(counted(call[0]), 1, "one interrupt for what it got");
	while (counted(call[1]) == 0) /* comes a little later, or never */
		cr_assert_eq(loop_run_once(&loop, 1000), 0);
}

Test(vhost_user, rings_wait_until_nothing_is_missing)
{
	send_u64(VHOST_SET_FEATURES, VIRTIO_F_VERSION_1 | PROTOCOL, -1);
	share_memory();
	for (unsigned int q = 0; q < 2; q++) {
		send_state(VHOST_SET_VRING_NUM, q, 16);
		send_state(VHOST_SET_VRING_BASE, q, 0);
		set_ring_addr(q);
		send_u64(VHOST_SET_VRING_KICK, q, kick[q]);
	}
	guest_sends(VSOCK_OP_REQUEST);
	cr_assert_eq(guest_gets(), 0, "not enabled");
	send_state(VHOST_SET_VRING_ENABLE, 1, 1);
	cr_assert_eq(guest_gets(), 0, "only one of them is");
	send_state(VHOST_SET_VRING_ENABLE, 0, 1);
	cr_assert_eq(guest_gets(), VSOCK_OP_RESPONSE, "earlier kicks count");
}

Test(vhost_user, without_the_extension_rings_are_enabled)
{
	share_memory();
	send_u64(VHOST_SET_FEATURES, VIRTIO_F_VERSION_1, -1);
	for (unsigned int q = 0; q < 2; q++) {
		send_state(VHOST_SET_VRING_NUM, q, 16);
		set_ring_addr(q);
		send_u64(VHOST_SET_VRING_KICK, q, kick[q]);
	}
	guest_sends(VSOCK_OP_REQUEST);
	cr_assert_eq(guest_gets(), VSOCK_OP_RESPONSE);
}

static uint32_t stop_ring(uint32_t q)
{
	struct vhost_ring_state s = {q, 0};

	send_msg(VHOST_GET_VRING_BASE, &s, sizeof(s), -1);
	answer(VHOST_GET_VRING_BASE, &s, sizeof(s));
	cr_assert_eq(s.index, q);
	return s.num;
}

Test(vhost_user, a_pause_keeps_connections)
{
	uint32_t base[2];
	char byte;

	handshake();
	guest_sends(VSOCK_OP_REQUEST);
	cr_assert_eq(guest_gets(), VSOCK_OP_RESPONSE);
	for (uint32_t q = 0; q < 2; q++)
		base[q] = stop_ring(q);
	cr_assert_eq(base[0], 1);
	guest_sends(VSOCK_OP_CREDIT_REQUEST);
	cr_assert_eq(guest_gets(), 0, "paused");
	for (uint32_t q = 0; q < 2; q++)
		start_ring(q, base[q]);
	cr_assert_eq(guest_gets(), VSOCK_OP_CREDIT_UPDATE);
	cr_assert_eq(recv(app_fd, &byte, 1, MSG_DONTWAIT), -1, "still open");
}

Test(vhost_user, a_new_driver_resets_the_device)
{
	char byte;

	handshake();
	guest_sends(VSOCK_OP_REQUEST);
	cr_assert_eq(guest_gets(), VSOCK_OP_RESPONSE);
	for (uint32_t q = 0; q < 2; q++) {
		(void)stop_ring(q);
		(void)fake_driver_init(&ring[q], &shared, 0x1000 + q * 0x2000,
				       16);
	}
	start_ring(0, 0);
	start_ring(1, 0);
	cr_assert_eq(read(app_fd, &byte, 1), 0, "closed");
	guest_sends(VSOCK_OP_REQUEST);
	cr_assert_eq(guest_gets(), VSOCK_OP_RESPONSE, "the ports are free");
}

Test(vhost_user, the_end_closes_connections)
{
	char byte;

	handshake();
	guest_sends(VSOCK_OP_REQUEST);
	(void)close(front);
	front = -1;
	turn();
	cr_assert_eq(n_gone, 1);
	cr_assert_null(vhost);
	cr_assert_eq(read(app_fd, &byte, 1), 0);
}

Test(vhost_user, configuration_is_read_within_bounds)
{
	static const struct {
		const char *what;
		uint32_t offset, size, answered;
	} rows[] = {
		{"all of it", 0, 8, 8},          {"the upper half", 4, 4, 4},
		{"one byte too many", 0, 9, 0},  {"past the end", 8, 1, 0},
		{"far away", UINT32_MAX, 8, 0},  {"4 GiB", 0, UINT32_MAX, 0},
		{"wraps", 8, UINT32_MAX - 4, 0},
	};
	struct vhost_config_space c;
	const uint32_t head = offsetof(struct vhost_config_space, data);

	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		memset(&c, 0, sizeof(c));
		c.offset = rows[i].offset;
		c.size = rows[i].size;
		send_msg(VHOST_GET_CONFIG, &c, sizeof(c), -1);
		answer(VHOST_GET_CONFIG, &c, head + rows[i].answered);
		cr_expect_eq(c.size, rows[i].answered, "%s", rows[i].what);
		if (rows[i].answered == 8)
			cr_expect_eq(c.data[0], 3, "the guest's CID");
	}
	send_msg(VHOST_GET_QUEUE_NUM, NULL, 0, -1);
	cr_assert_eq(answer_u64(VHOST_GET_QUEUE_NUM), 3);
}

Test(vhost_user, acknowledgements_are_given_when_asked_for)
{
	const struct vhost_header header = {
		VHOST_SET_OWNER, VHOST_FLAG_VERSION | VHOST_FLAG_NEED_REPLY, 0};
	char byte;

	cr_assert_eq(write(front, &header, sizeof(header)), sizeof(header));
	turn();
	cr_assert_eq(recv(front, &byte, 1, MSG_DONTWAIT), -1, "not agreed");
	send_u64(VHOST_SET_PROTOCOL_FEATURES, BIT64(3), -1);
	cr_assert_eq(write(front, &header, sizeof(header)), sizeof(header));
	turn();
	cr_assert_eq(answer_u64(VHOST_SET_OWNER), 0);
}

enum fd_kind { NONE, EVENT, PIPE, SOCKET, REGULAR };

static int make_fd(enum fd_kind kind)
{
	int fds[2] = {-1, -1};

	switch (kind) {
	case NONE:
		return -1;
	case EVENT:
		return eventfd(0, 0);
	case PIPE:
		cr_assert_eq(pipe(fds), 0);
		break;
	case SOCKET:
		cr_assert_eq(socketpair(AF_UNIX, SOCK_STREAM, 0, fds), 0);
		break;
	case REGULAR:
		return memfd_create("x", 0);
	}
	(void)close(fds[0]);
	return fds[1];
}

Test(vhost_user, malformed_messages_end_the_connection)
{
	static const struct {
		const char *what;
		uint32_t request;
		uint64_t payload[5];
		uint32_t size;
		enum fd_kind fd;
	} rows[] = {
		{"a feature that was not offered", 2, {BIT64(26)}, 8, 0},
		{"an extension that was not offered", 16, {1}, 8, 0},
		{"size of ring 3", 8, {3 | 16ULL << 32}, 8, 0},
		{"size of ring 4 billion", 8, {UINT32_MAX}, 8, 0},
		{"size of a ring that runs", 8, {16ULL << 32}, 8, 0},
		{"base of a ring that runs", 10, {0}, 8, 0},
		{"base of 65536", 10, {2 | 65536ULL << 32}, 8, 0},
		{"addresses of a ring that runs", 9, {0, USER}, 40, 0},
		{"guest addresses", 9, {2, 0x1000, 0x2000, 0x3000}, 40, 0},
		{"addresses of ring 9", 9, {9, USER, USER, USER}, 40, 0},
		{"base of ring 3", 11, {3}, 8, 0},
		{"enable ring 3", 18, {3 | 1ULL << 32}, 8, 0},
		{"kick without an fd", 12, {0}, 8, NONE},
		{"kick by polling", 12, {0x100}, 8, NONE},
		{"kick of ring 255", 12, {255}, 8, EVENT},
		{"an fd that is not announced", 13, {0x100}, 8, EVENT},
		{"call by a pipe", 13, {0}, 8, PIPE},
		{"call by a socket", 13, {0}, 8, SOCKET},
		{"kick by a file", 12, {0}, 8, REGULAR},
		{"errors by a pipe", 14, {0}, 8, PIPE},
		{"memory without seals",
		 5,
		 {1, 0, 0x1000, USER, 0},
		 40,
		 REGULAR},
		{"memory without a file", 5, {1, 0, 0x1000, USER}, 40, 0},
		{"configuration past the end", 25, {8ULL | 4ULL << 32}, 16, 0},
		{"unknown request", 23, {0}, 0, 0},
	};
	int fd;

	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		handshake();
		cr_expect_eq(n_gone, 0, "%s", rows[i].what);
		fd = make_fd(rows[i].fd);
		send_msg(rows[i].request, rows[i].payload, rows[i].size, fd);
		fd_close(fd);
		cr_expect_eq(n_gone, 1, "%s", rows[i].what);
		teardown();
		setup();
	}
}

Test(vhost_user, rings_that_cannot_be)
{
	static const struct {
		const char *what;
		uint32_t num;
		uint64_t desc;
	} rows[] = {
		{"no entries", 0, USER + 0x1000},
		{"not a power of two", 12, USER + 0x1000},
		{"more than the device has", 512, USER + 0x1000},
		{"65536 more than 16", 0x10010, USER + 0x1000},
		{"misaligned", 16, USER + 0x1008},
		{"ends outside of memory", 16, USER + GUEST_SIZE - 16},
	};

	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		const struct vhost_ring_addr a = {.index = 0,
						  .desc = rows[i].desc,
						  .avail = USER + 0x2000,
						  .used = USER + 0x3000};

		send_u64(VHOST_SET_FEATURES, VIRTIO_F_VERSION_1, -1);
		share_memory();
		send_state(VHOST_SET_VRING_NUM, 0, rows[i].num);
		send_msg(VHOST_SET_VRING_ADDR, &a, sizeof(a), -1);
		cr_expect_eq(n_gone, 0, "%s", rows[i].what);
		send_u64(VHOST_SET_VRING_KICK, 0, kick[0]);
		cr_expect_eq(n_gone, 1, "%s", rows[i].what);
		teardown();
		setup();
	}
}

Test(vhost_user, memory_that_goes_away_breaks_the_rings_only)
{
	const struct vhost_mem_table none = {.n_regions = 0};

	handshake();
	send_msg(VHOST_SET_MEM_TABLE, &none, 8, -1);
	guest_sends(VSOCK_OP_REQUEST);
	cr_assert_eq(guest_gets(), 0);
	cr_assert_eq(n_gone, 0);
	cr_assert(dev->broken);
}
