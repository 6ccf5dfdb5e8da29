#include "client/run_config.h"

#include <stdio.h>

#include "base/arch.h"
#include "base/cleanup.h"
#include "client/disk_lock.h"
#include "image/image.h"
#include "wire/wire.h"

_Static_assert(VM_CONFIG_MAX_BYTES <= WIRE_MAX_BODY, "fits into a message");
_Static_assert(VM_CONFIG_MAX_FDS <= WIRE_MAX_FDS, "fits into a message");

static int lock_disks(struct vm_config *config)
{
	char what[32];
	int locked = -1;
	int rc;

	for (unsigned int i = 0; i < config->n_disks; i++) {
		struct vm_disk *disk = &config->disks[i];

		(void)snprintf(what, sizeof(what), "disks[%u]", i);
		rc = disk_lock_open(disk->fd, disk->writable, what, &locked);
		if (rc < 0)
			return rc;
		fd_close(disk->fd);
		disk->fd = locked;
	}
	return 0;
}

int run_config_make(const struct vm_config *config,
		    struct vm_config *ret_config)
{
	CLEANUP(vm_config_fini) struct vm_config made;
	struct image_files image;
	int rc;

	vm_config_init(&made);
	rc = vm_config_copy(config, &made);
	if (rc < 0)
		return rc;
	rc = lock_disks(&made);
	if (rc < 0)
		return rc;
	if (made.kind == AVF_CONFIG_PAYLOAD) {
		rc = image_find(arch_find(made.architecture), made.guest_image,
				&image);
		if (rc < 0)
			return rc;
		made.kernel_fd = image.kernel_fd;
		made.initrd_fd = image.initrd_fd;
	}
	*ret_config = made;
	vm_config_init(&made);
	return 0;
}

int run_config_send(const struct vm_config *config, int control)
{
	unsigned char body[VM_CONFIG_MAX_BYTES];
	int fds[VM_CONFIG_MAX_FDS];
	unsigned int n_fds;
	size_t used;
	int rc;

	rc = vm_config_encode(config, body, sizeof(body), &used, fds,
			      VM_CONFIG_MAX_FDS, &n_fds);
	if (rc < 0)
		return rc;
	return wire_send(control, WIRE_RUN, body, used, fds, n_fds);
}
