/*
 * The devices of a machine, in the order of their PCI slots. A new device is
 * one row here, its file in lib/devices, its field in the configuration.
 */
#include <stdio.h>

#include "base/cleanup.h"
#include "devices/disk.h"
#include "devices/virtio_blk.h"
#include "devices/virtio_console.h"
#include "devices/virtio_rng.h"
#include "devices/virtio_vsock.h"
#include "machine/machine_internal.h"

/* Put a model on the PCI bus. Takes @dev, also on failure. */
static int attach(struct machine *m, struct virtio_dev *dev)
{
	struct virtio_pci *transport;
	int rc;

	if (m->n_devices == MACHINE_MAX_DEVICES) {
		virtio_dev_free(dev);
		return fail(AVF_ERR_LIMIT, "more than %u devices",
			    MACHINE_MAX_DEVICES);
	}
	/* of a protected VM's memory we may reach what it shares, and its
	 * driver must know that (virtio 1.2, section 6) */
	if (m->params.config->is_protected)
		dev->features_offered |= VIRTIO_F_ACCESS_PLATFORM;
	rc = virtio_pci_new(dev, &m->pci, m->params.loop, m->hv, m->params.log,
			    &transport);
	if (rc < 0)
		return rc;
	m->devices[m->n_devices++] = transport;
	return 0;
}

/* Takes @fd, also on failure. */
static int add_disk(struct machine *m, int fd, bool writable, const char *id)
{
	struct virtio_dev *dev;
	struct disk *disk;
	int rc = disk_new(fd, writable, m->params.loop, m->params.disk_thread,
			  &disk);

	if (rc < 0)
		return rc;
	rc = virtio_blk_new(&m->gm, disk, id ? id : "", &dev);
	if (rc < 0)
		return rc;
	return attach(m, dev);
}

/* The payload package first, so that it is /dev/vda; then the user's. */
static int add_disks(struct machine *m)
{
	struct vm_config *config = m->params.config;
	int rc;

	if (config->package_fd >= 0) {
		rc = add_disk(m, take_fd(&config->package_fd), false,
			      "avf-package");
		if (rc < 0)
			return error_prefix("package");
	}
	for (unsigned int i = 0; i < config->n_disks; i++) {
		struct vm_disk *disk = &config->disks[i];

		rc = add_disk(m, take_fd(&disk->fd), disk->writable, disk->id);
		if (rc < 0)
			return error_prefix("disks[%u]", i);
	}
	return 0;
}

/* hvc0 for the console, named ports for the payload's log and for the word
 * that explains why a guest gave up (AVF's ttyS1). */
static int add_console(struct machine *m)
{
	struct vm_config *config = m->params.config;
	CLEANUP(close_p) int out = -1, in = -1;
	struct virtio_dev *dev;
	int rc;

	if (config->console_out_fd >= 0) {
		out = fd_dup(config->console_out_fd);
		if (out < 0)
			return out;
	}
	if (config->console_in_fd >= 0) {
		in = fd_dup(config->console_in_fd);
		if (in < 0)
			return in;
	}
	struct virtio_console_port_config ports[] = {
		{.name = "console",
		 .is_console = true,
		 .out_fd = take_fd(&out),
		 .in_fd = take_fd(&in)},
		{.name = "log",
		 .out_fd = take_fd(&config->log_fd),
		 .in_fd = -1},
		{.name = "failure",
		 .out_fd = -1,
		 .in_fd = -1,
		 .received = m->params.failure,
		 .userdata = m->params.userdata},
	};

	rc = virtio_console_new(&m->gm, m->params.loop, ports,
				ARRAY_SIZE(ports), &dev);
	if (rc < 0)
		return rc;
	return attach(m, dev);
}

static int add_rng(struct machine *m)
{
	struct virtio_dev *dev;
	int rc = virtio_rng_new(&m->gm, &dev);

	if (rc < 0)
		return rc;
	return attach(m, dev);
}

static int add_vsock(struct machine *m)
{
	const struct virtio_vsock_config config = {
		.gm = &m->gm,
		.loop = m->params.loop,
		.guest_cid = m->params.guest_cid,
	};
	struct virtio_dev *dev;
	int rc = virtio_vsock_new(&config, &dev);

	if (rc < 0)
		return rc;
	rc = attach(m, dev);
	if (rc == 0)
		m->vsock = dev;
	return rc;
}

static const struct {
	const char *name;
	int (*add)(struct machine *m);
} device_table[] = {
	{"disks", add_disks},
	{"console", add_console},
	{"rng", add_rng},
	{"vsock", add_vsock},
};

int machine_add_devices(struct machine *m)
{
	for (size_t i = 0; i < ARRAY_SIZE(device_table); i++) {
		int rc = device_table[i].add(m);

		if (rc < 0)
			return rc;
	}
	return 0;
}
