/*
 * The VMM between two peers: control messages from the application's side,
 * and from the guest's side connections, among them that of its manager.
 *
 * After a minute: cov: 655.
 */
#include "fuzz.h"

#include <sys/socket.h>

#include "devices/virtio_vsock.h"
#include "devices/vsock_wire.h"
#include "support/virtio_fixture.h"
#include "vmm/vmm_internal.h"
#include "wire_input.h"

#define N_KEPT 4U
#define TX     1U

struct state {
	struct fuzz_input in;
	struct virtio_fixture f;
	struct vmm *vmm;
	int app; /* the application's end */
	int kept[N_KEPT];
	unsigned int next;
	struct backend backend;
};

static bool no_button(struct backend *backend)
{
	(void)backend;
	return false;
}

static void expired(void *userdata)
{
	vmm_stop(userdata, 0, "");
}

static const struct backend_ops backend_ops = {.ask_shutdown = no_button};

static void set_up(struct state *s)
{
	struct virtio_vsock_config vsock = {.guest_cid = 3};
	struct vmm *vmm = calloc(1, sizeof(*vmm));
	struct virtio_dev *dev;
	int pair[2];

	FUZZ_ASSERT(vmm && loop_init(&vmm->loop) == 0);
	fuzz_socketpair(SOCK_SEQPACKET, pair);
	s->app = pair[0];
	s->vmm = vmm;
	vmm->control = pair[1];
	vmm->guest_reason = -1;
	vm_config_init(&vmm->config);
	vmm->config.kind = AVF_CONFIG_PAYLOAD;
	vmm->config.payload_name = strdup("libx.so");
	manager_init(&vmm->manager, vmm);
	event_queue_init(&vmm->events, vmm->control, control_blocked, vmm);
	FUZZ_ASSERT(timer_init(&vmm->boot_timer, &vmm->loop, expired, vmm) ==
		    0);
	FUZZ_ASSERT(timer_init(&vmm->stop_timer, &vmm->loop, expired, vmm) ==
		    0);
	virtio_fixture_init(&s->f);
	vsock.gm = &s->f.gm;
	vsock.loop = &vmm->loop;
	FUZZ_ASSERT(virtio_vsock_new(&vsock, &dev) == 0);
	virtio_fixture_attach(&s->f, dev);
	virtio_fixture_start(&s->f, VIRTIO_F_VERSION_1);
	s->backend = (struct backend){&backend_ops, dev};
	vmm->backend = &s->backend;
	FUZZ_ASSERT(manager_listen(&vmm->manager) == 0);
	FUZZ_ASSERT(control_init(vmm) == 0);
}

static void tear_down(struct state *s)
{
	struct vmm *vmm = s->vmm;

	listener_close_all(vmm);
	manager_fini(&vmm->manager);
	control_fini(vmm);
	virtio_dev_reset(s->f.dev);
	timer_fini(&vmm->boot_timer);
	timer_fini(&vmm->stop_timer);
	vm_config_fini(&vmm->config);
	virtio_fixture_fini(&s->f);
	loop_fini(&vmm->loop);
	fuzz_close(vmm->control);
	fuzz_close(s->app);
	for (unsigned int i = 0; i < N_KEPT; i++)
		fuzz_close(s->kept[i]);
	free(vmm);
}

/* A packet of the guest, its data out of the input. */
static void guest_packet(struct state *s, uint16_t op, uint32_t host_port)
{
	uint8_t data[256];
	uint32_t n = (uint32_t)fuzz_bytes(
		&s->in, data, op == VSOCK_OP_RW ? fuzz_u8(&s->in) : 0);
	struct vsock_hdr h = {
		.src_cid = le64_make(3),
		.dst_cid = le64_make(VSOCK_CID_HOST),
		.src_port = le32_make(7),
		.dst_port = le32_make(host_port),
		.type = le16_make(VSOCK_TYPE_STREAM),
		.op = le16_make(op),
		.len = le32_make(n),
		.buf_alloc = le32_make(4096),
	};
	struct fake_desc d = {.len = (uint32_t)sizeof(h) + n};

	if (s->f.next > FIXTURE_MEMORY / 2)
		s->f.next = 0x40000; /* behind the rings */
	d.addr = virtio_fixture_alloc(&s->f, d.len);
	memcpy(virtio_fixture_host(&s->f, d.addr), &h, sizeof(h));
	memcpy(virtio_fixture_host(&s->f, d.addr) + sizeof(h), data, n);
	(void)virtio_fixture_send(&s->f, TX, &d, 1);
}

static void act(struct state *s)
{
	uint8_t action = fuzz_u8(&s->in);
	int *kept = &s->kept[s->next % N_KEPT];
	unsigned char buf[512];

	switch (action & 7) {
	case 0:
	case 1:
		fuzz_close(*kept);
		wire_input_send(s->app, &s->in, kept);
		s->next++;
		break;
	case 2:
		guest_packet(s, VSOCK_OP_REQUEST, action >> 3);
		break;
	case 3:
		guest_packet(s, VSOCK_OP_RW, action >> 3);
		break;
	case 4:
		guest_packet(s, action >> 5, (action >> 3) & 3);
		break;
	case 5:
		fuzz_close(s->kept[(action >> 3) % N_KEPT]);
		s->kept[(action >> 3) % N_KEPT] = -1;
		break;
	case 6:
		(void)!recv(s->app, buf, sizeof(buf), MSG_DONTWAIT);
		break;
	case 7:
		(void)fuzz_bytes(&s->in, buf, fuzz_u8(&s->in));
		vmm_failure_bytes(s->vmm, buf, action);
		break;
	}
	FUZZ_ASSERT(loop_run_once(&s->vmm->loop, 0) == 0);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	unsigned int fds = fuzz_count_fds();
	struct state s;

	memset(&s, 0, sizeof(s));
	for (unsigned int i = 0; i < N_KEPT; i++)
		s.kept[i] = -1;
	s.in = (struct fuzz_input){data, size};
	set_up(&s);
	while (!s.vmm->stopped && fuzz_more(&s.in))
		act(&s);
	vmm_guest_ended(s.vmm, 0, "ended");
	tear_down(&s);
	FUZZ_ASSERT(fuzz_count_fds() == fds);
	return 0;
}
