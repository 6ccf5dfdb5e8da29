/*
 * struct vm_config: plain values, texts and descriptors that it owns.
 * Invariant: every descriptor slot holds -1 or an open one, also of disks
 * beyond n_disks, so that a half-made configuration can be freed.
 */
#include "config/vm_config.h"

#include <string.h>

#include "base/cleanup.h"
#include "base/protected_vm.h"

/* Of each disk, and of the four other devices. */
#define BOUNCE_PER_DEVICE (2ULL << 20)
#define BOUNCE_OTHERS     4U
/* Which kind of protected VM it becomes is not known yet, so that the firmware
 * of Android's always counts. */
#define LOCK_SLACK ((1ULL << 20) + PROTECTED_VM_FIRMWARE_MAX)

uint64_t vm_config_bounce_bytes(const struct vm_config *config)
{
	if (!config->is_protected)
		return 0;
	return BOUNCE_PER_DEVICE * (BOUNCE_OTHERS + config->n_disks);
}

uint64_t vm_config_locked_bytes(const struct vm_config *config)
{
	if (!config->is_protected)
		return 0;
	return ((uint64_t)config->memory_mib << 20) +
	       vm_config_bounce_bytes(config) + LOCK_SLACK;
}

void vm_config_init(struct vm_config *config)
{
	memset(config, 0, sizeof(*config));
	config->memory_mib = AVF_DEFAULT_MEMORY_MIB;
	config->vcpus = 1;
	config->kernel_fd = -1;
	config->initrd_fd = -1;
	config->overlay_fd = -1;
	config->package_fd = -1;
	config->console_out_fd = -1;
	config->console_in_fd = -1;
	config->log_fd = -1;
	for (unsigned int i = 0; i < AVF_MAX_DISKS; i++)
		config->disks[i].fd = -1;
}

/* Every slot, not only the first n_disks: a half-built disk counts too. */
void vm_config_fini(struct vm_config *config)
{
	for (unsigned int i = 0; i < AVF_MAX_DISKS; i++) {
		fd_close(config->disks[i].fd);
		free(config->disks[i].id);
	}
	fd_close(config->log_fd);
	fd_close(config->console_in_fd);
	fd_close(config->console_out_fd);
	fd_close(config->package_fd);
	fd_close(config->overlay_fd);
	fd_close(config->initrd_fd);
	fd_close(config->kernel_fd);
	free(config->guest_image);
	free(config->payload_config_path);
	free(config->payload_name);
	free(config->cmdline);
	free(config->name);
	vm_config_init(config);
}

/* NULL stays NULL: "not given" is a value. */
static int copy_text(const char *text, char **ret_text)
{
	char *copy;

	if (!text)
		return 0;
	copy = strdup(text);
	if (!copy)
		return fail(AVF_ERR_NO_MEMORY, "copy of a configuration");
	*ret_text = copy;
	return 0;
}

/* The copy shares the file description, and its offset and locks. */
static int copy_fd(int fd, int *ret_fd)
{
	int copy;

	if (fd < 0)
		return 0;
	copy = fd_dup(fd);
	if (copy < 0)
		return copy;
	*ret_fd = copy;
	return 0;
}

static int copy_texts(const struct vm_config *from, struct vm_config *to)
{
	int rc;

	rc = copy_text(from->name, &to->name);
	if (rc < 0)
		return rc;
	rc = copy_text(from->cmdline, &to->cmdline);
	if (rc < 0)
		return rc;
	rc = copy_text(from->payload_name, &to->payload_name);
	if (rc < 0)
		return rc;
	rc = copy_text(from->payload_config_path, &to->payload_config_path);
	if (rc < 0)
		return rc;
	return copy_text(from->guest_image, &to->guest_image);
}

/* The single fds; those of disks belong to copy_disks(). */
static int copy_fds(const struct vm_config *from, struct vm_config *to)
{
	const int sources[] = {from->kernel_fd,      from->initrd_fd,
			       from->overlay_fd,     from->package_fd,
			       from->console_out_fd, from->console_in_fd,
			       from->log_fd};
	int *const targets[] = {&to->kernel_fd,      &to->initrd_fd,
				&to->overlay_fd,     &to->package_fd,
				&to->console_out_fd, &to->console_in_fd,
				&to->log_fd};
	int rc;

	for (size_t i = 0; i < sizeof(sources) / sizeof(sources[0]); i++) {
		rc = copy_fd(sources[i], targets[i]);
		if (rc < 0)
			return rc;
	}
	return 0;
}

/* The count is set last: a disk that failed half-way is still freed, since
 * vm_config_fini() looks at every slot. */
static int copy_disks(const struct vm_config *from, struct vm_config *to)
{
	int rc;

	for (unsigned int i = 0; i < from->n_disks; i++) {
		to->disks[i].writable = from->disks[i].writable;
		rc = copy_text(from->disks[i].id, &to->disks[i].id);
		if (rc < 0)
			return rc;
		rc = copy_fd(from->disks[i].fd, &to->disks[i].fd);
		if (rc < 0)
			return rc;
	}
	to->n_disks = from->n_disks;
	return 0;
}

static void copy_scalars(const struct vm_config *from, struct vm_config *to)
{
	to->kind = from->kind;
	to->memory_mib = from->memory_mib;
	to->vcpus = from->vcpus;
	to->acceleration = from->acceleration;
	to->architecture = from->architecture;
	to->jail = from->jail;
	to->is_protected = from->is_protected;
	to->hugepages = from->hugepages;
	to->debug_level = from->debug_level;
	to->boot_timeout_ms = from->boot_timeout_ms;
}

int vm_config_copy(const struct vm_config *config, struct vm_config *ret_config)
{
	CLEANUP(vm_config_fini) struct vm_config copy;
	int rc;

	vm_config_init(&copy);
	copy_scalars(config, &copy);
	rc = copy_texts(config, &copy);
	if (rc < 0)
		return rc;
	rc = copy_fds(config, &copy);
	if (rc < 0)
		return rc;
	rc = copy_disks(config, &copy);
	if (rc < 0)
		return rc;
	*ret_config = copy;
	vm_config_init(&copy); /* moved: nothing left to free */
	return 0;
}
