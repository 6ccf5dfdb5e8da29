#include "support/manager_fixture.h"

#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#include "base/fd.h"
#include "devices/virtio_vsock.h"

/* What manager_listen() has told the device, which is not there. */
static vsock_accept_fn *accept_fn;
static void *accept_userdata;

int __wrap_virtio_vsock_listen(struct virtio_dev *dev, uint32_t port,
			       vsock_accept_fn *accept, void *userdata);

int __wrap_virtio_vsock_listen(struct virtio_dev *dev, uint32_t port,
			       vsock_accept_fn *accept, void *userdata)
{
	(void)dev;
	if (port != VM_SERVICE_PORT)
		abort();
	accept_fn = accept;
	accept_userdata = userdata;
	return 0;
}

static void expired(void *userdata)
{
	(void)userdata;
}

static void must(bool condition)
{
	if (!condition)
		abort();
}

void manager_fixture_init(struct manager_fixture *fixture)
{
	struct vmm *vmm = calloc(1, sizeof(*vmm));
	int pair[2];

	memset(fixture, 0, sizeof(*fixture));
	must(vmm && loop_init(&vmm->loop) == 0);
	must(wire_socketpair(pair) == 0);
	fixture->vmm = vmm;
	fixture->app = pair[0];
	vmm->control = pair[1];
	vmm->guest_reason = -1;
	vm_config_init(&vmm->config);
	vmm->config.kind = AVF_CONFIG_PAYLOAD;
	vmm->config.payload_name = strdup("libx.so");
	manager_init(&vmm->manager, vmm);
	event_queue_init(&vmm->events, vmm->control, control_blocked, vmm);
	must(timer_init(&vmm->boot_timer, &vmm->loop, expired, vmm) == 0);
	vmm->backend = &fixture->backend;
}

void manager_fixture_fini(struct manager_fixture *fixture)
{
	struct vmm *vmm = fixture->vmm;

	manager_fini(&vmm->manager);
	timer_fini(&vmm->boot_timer);
	vm_config_fini(&vmm->config);
	loop_fini(&vmm->loop);
	fd_close(vmm->control);
	fd_close(fixture->app);
	free(vmm);
}

int manager_fixture_dial(void)
{
	int pair[2];
	int rc;

	must(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair) == 0);
	rc = accept_fn(accept_userdata, 1024, pair[1]);
	if (rc == 0)
		return pair[0];
	fd_close(pair[0]);
	return rc;
}
