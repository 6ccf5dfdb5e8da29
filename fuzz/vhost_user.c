/*
 * vhost-user messages of a peer that has shared its memory and means harm: of
 * any kind, size and number of fds, in any order, with rings that it goes on
 * writing to. The device behind is vsock's, as with QEMU.
 *
 * After a minute: cov: 365.
 */
#include "fuzz.h"

#include <fcntl.h>
#include <sys/eventfd.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <unistd.h>

#include "devices/virtio_vsock.h"
#include "support/fake_driver.h"
#include "vhost/vhost_msg.h"
#include "vhost/vhost_user.h"

#define GUEST_SIZE 0x20000U
#define USER       0x7f1200000000ULL /* where the peer says it sees it */
#define MAX_FDS    10U

struct state {
	struct fuzz_input in;
	struct loop loop;
	struct gmem gm;     /* the backend's */
	struct gmem shared; /* ours */
	struct virtio_dev *dev;
	struct vhost_user *vhost;
	struct fake_driver ring[2];
	int front, memory, event;
};

static void gone(void *userdata)
{
	struct state *s = userdata;

	vhost_user_free(s->vhost);
	s->vhost = NULL;
}

static void turn(struct state *s)
{
	for (int i = 0; i < 3; i++)
		FUZZ_ASSERT(loop_run_once(&s->loop, 0) == 0);
}

static void send_bytes(struct state *s, const void *data, size_t size,
		       const int *fds, unsigned int n_fds)
{
	_Alignas(
		struct cmsghdr) char control[CMSG_SPACE(MAX_FDS * sizeof(int))];
	struct iovec iov = {(void *)(uintptr_t)data, size};
	struct msghdr mh = {.msg_iov = &iov, .msg_iovlen = 1};
	struct cmsghdr *c;

	memset(control, 0, sizeof(control));
	if (n_fds > 0) {
		mh.msg_control = control;
		mh.msg_controllen = CMSG_SPACE(n_fds * sizeof(int));
		c = CMSG_FIRSTHDR(&mh);
		c->cmsg_level = SOL_SOCKET;
		c->cmsg_type = SCM_RIGHTS;
		c->cmsg_len = CMSG_LEN(n_fds * sizeof(int));
		memcpy(CMSG_DATA(c), fds, n_fds * sizeof(int));
	}
	(void)!sendmsg(s->front, &mh, MSG_NOSIGNAL | MSG_DONTWAIT);
	turn(s);
}

struct message {
	struct vhost_header header;
	union vhost_payload payload;
};

/* A payload that makes sense for the request. */
static uint32_t fill(struct state *s, struct message *m, uint32_t request)
{
	uint8_t v = fuzz_u8(&s->in);
	uint32_t q = v & 3;

	switch (request) {
	case VHOST_SET_MEM_TABLE:
		m->payload.table = (struct vhost_mem_table){
			.n_regions = 1, .regions = {{0, GUEST_SIZE, USER, 0}}};
		return 8 + 32;
	case VHOST_SET_VRING_ADDR:
		m->payload.addr = (struct vhost_ring_addr){
			.index = q,
			.desc = USER + s->ring[q & 1].desc,
			.avail = USER + s->ring[q & 1].avail,
			.used = USER + s->ring[q & 1].used,
		};
		return sizeof(m->payload.addr);
	case VHOST_SET_VRING_NUM:
		m->payload.state = (struct vhost_ring_state){q, 16};
		return sizeof(m->payload.state);
	case VHOST_SET_VRING_BASE:
	case VHOST_GET_VRING_BASE:
		m->payload.state = (struct vhost_ring_state){q, v >> 4};
		return sizeof(m->payload.state);
	case VHOST_SET_VRING_ENABLE:
		m->payload.state = (struct vhost_ring_state){q, !(v & 4)};
		return sizeof(m->payload.state);
	case VHOST_SET_VRING_KICK:
	case VHOST_SET_VRING_CALL:
	case VHOST_SET_VRING_ERR:
		m->payload.u64 = q | (v & 4 ? VHOST_FD_NONE : 0);
		return 8;
	case VHOST_SET_FEATURES:
		m->payload.u64 = BIT64(32) | (v & 1 ? BIT64(30) : 0) |
				 (v & 2 ? BIT64(28) | BIT64(29) : 0);
		return 8;
	case VHOST_SET_PROTOCOL_FEATURES:
		m->payload.u64 = BIT64(3) | BIT64(9);
		return 8;
	case VHOST_GET_CONFIG:
	case VHOST_SET_CONFIG:
		m->payload.config.offset = v & 15;
		m->payload.config.size = v >> 4;
		return 12U + (v >> 4);
	default:
		return 0;
	}
}

/* A message; @wrong says what is the input's own in it. */
static void send_message(struct state *s)
{
	uint8_t request = fuzz_u8(&s->in) & 31;
	uint8_t wrong = fuzz_u8(&s->in);
	struct message m;
	int fds[MAX_FDS];
	unsigned int n_fds = 0;
	uint32_t size;

	memset(&m, 0, sizeof(m));
	size = fill(s, &m, request);
	m.header = (struct vhost_header){request, VHOST_FLAG_VERSION, size};
	if (wrong & 1)
		m.header.flags = fuzz_u8(&s->in);
	if (wrong & 2)
		m.header.size = fuzz_u16(&s->in);
	if (wrong & 4) /* a field of the payload */
		(void)fuzz_bytes(&s->in,
				 (char *)&m.payload + fuzz_u8(&s->in) % 64, 8);
	if (request == VHOST_SET_MEM_TABLE ||
	    (request >= VHOST_SET_VRING_KICK && request <= VHOST_SET_VRING_ERR))
		n_fds = 1;
	if (wrong & 8)
		n_fds = fuzz_u8(&s->in) % (MAX_FDS + 1);
	for (unsigned int i = 0; i < n_fds; i++)
		fds[i] = (request == VHOST_SET_MEM_TABLE) != (wrong & 16)
				 ? s->memory
				 : s->event;
	if (wrong & 32)
		size = fuzz_u8(&s->in);
	send_bytes(s, &m, sizeof(m.header) + MIN(size, sizeof(m.payload)), fds,
		   n_fds);
}

/* All that a good peer says before it kicks. */
static void handshake(struct state *s)
{
	static const uint8_t script[] = {
		VHOST_SET_FEATURES,     0, 3, VHOST_SET_MEM_TABLE,    0, 0,
		VHOST_SET_VRING_NUM,    0, 0, VHOST_SET_VRING_BASE,   0, 0,
		VHOST_SET_VRING_ADDR,   0, 0, VHOST_SET_VRING_KICK,   0, 0,
		VHOST_SET_VRING_CALL,   0, 0, VHOST_SET_VRING_NUM,    0, 1,
		VHOST_SET_VRING_ADDR,   0, 1, VHOST_SET_VRING_KICK,   0, 1,
		VHOST_SET_VRING_ENABLE, 0, 0, VHOST_SET_VRING_ENABLE, 0, 1,
	};
	struct fuzz_input rest = s->in;

	s->in = (struct fuzz_input){script, sizeof(script)};
	while (fuzz_more(&s->in))
		send_message(s);
	s->in = rest;
}

static void drive(struct state *s, uint8_t action)
{
	struct fake_driver *drv = &s->ring[action & 1];
	struct fake_desc d = {.addr = 0x8000, .len = fuzz_u8(&s->in)};
	const uint64_t one = 1;
	char content[64];

	(void)fuzz_bytes(&s->in, content, action & 2 ? 44 : 0);
	(void)!gmem_write(&s->shared, d.addr, content, 44);
	d.flags = action & 1 ? 0 : FAKE_WRITE;
	if (action & 4)
		d.addr = fuzz_u16(&s->in) * 16ULL;
	(void)fake_driver_add(drv, &d, 1);
	if (action & 8)
		fake_driver_set_avail_idx(drv, fuzz_u16(&s->in));
	(void)!write(s->event, &one, sizeof(one));
	turn(s);
}

static void set_up(struct state *s)
{
	struct virtio_vsock_config vsock = {.guest_cid = 3};
	struct vhost_user_config config = {.gone = gone, .userdata = s};
	int pair[2];
	void *host;

	FUZZ_ASSERT(loop_init(&s->loop) == 0);
	gmem_init(&s->gm);
	gmem_init(&s->shared);
	s->memory = fuzz_file(NULL, 0);
	FUZZ_ASSERT(ftruncate(s->memory, GUEST_SIZE) == 0);
	FUZZ_ASSERT(fcntl(s->memory, F_ADD_SEALS, F_SEAL_SHRINK) == 0);
	host = mmap(NULL, GUEST_SIZE, PROT_READ | PROT_WRITE, MAP_SHARED,
		    s->memory, 0);
	FUZZ_ASSERT(host != MAP_FAILED);
	FUZZ_ASSERT(gmem_add_mapped(&s->shared, 0, GUEST_SIZE, host, true) ==
		    0);
	s->event = eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC);
	vsock.gm = config.gm = &s->gm;
	vsock.loop = config.loop = &s->loop;
	FUZZ_ASSERT(virtio_vsock_new(&vsock, &s->dev) == 0);
	config.dev = s->dev;
	fuzz_socketpair(SOCK_STREAM, pair);
	s->front = pair[0];
	FUZZ_ASSERT(vhost_user_new(&config, pair[1], &s->vhost) == 0);
	(void)fake_driver_init(&s->ring[0], &s->shared, 0x1000, 16);
	(void)fake_driver_init(&s->ring[1], &s->shared, 0x3000, 16);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	unsigned int fds = fuzz_count_fds();
	struct state s;
	char buf[512];

	memset(&s, 0, sizeof(s));
	s.in = (struct fuzz_input){data, size};
	set_up(&s);
	while (s.vhost && fuzz_more(&s.in)) {
		uint8_t action = fuzz_u8(&s.in);

		if (action & 0x80)
			drive(&s, action);
		else if (action & 0x40)
			handshake(&s);
		else
			send_message(&s);
		(void)!recv(s.front, buf, sizeof(buf), MSG_DONTWAIT);
	}
	vhost_user_free(s.vhost);
	virtio_dev_free(s.dev);
	loop_fini(&s.loop);
	gmem_fini(&s.gm);
	gmem_fini(&s.shared);
	fuzz_close(s.front);
	fuzz_close(s.memory);
	fuzz_close(s.event);
	FUZZ_ASSERT(fuzz_count_fds() == fds);
	return 0;
}
