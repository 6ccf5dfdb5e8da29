/*
 * The application's side of the control socket: a configuration as records of
 * tag, size and value (vm_config_tags.h), and the descriptors in an array
 * beside. The two programs are built together; a format number tells when they
 * are not. Descriptors are borrowed: sending duplicates them.
 */
#include "config/vm_config.h"

#include <string.h>

#include "base/byteorder.h"
#include "config/vm_config_tags.h"

/* Where the bytes and the fds go. Errors stick: checked once, at the end. */
struct encoder {
	unsigned char *buf;
	size_t size;
	size_t used;
	int *fds;
	unsigned int max_fds;
	unsigned int n_fds;
	bool overflow;
};

static void put_bytes(struct encoder *e, const void *data, size_t size)
{
	if (e->overflow || size > e->size - e->used) {
		e->overflow = true;
		return;
	}
	memcpy(e->buf + e->used, data, size);
	e->used += size;
}

/* Sizes have 16 bits, more than any field may have. */
static void put_header(struct encoder *e, enum vm_config_tag tag, size_t size)
{
	le16 header[2] = {le16_make((uint16_t)tag), le16_make((uint16_t)size)};

	_Static_assert(sizeof(header) == VM_CONFIG_RECORD_HEADER, "header");
	if (size > UINT16_MAX)
		e->overflow = true;
	put_bytes(e, header, sizeof(header));
}

static void put_u32(struct encoder *e, enum vm_config_tag tag, uint32_t value)
{
	le32 raw = le32_make(value);

	put_header(e, tag, sizeof(raw));
	put_bytes(e, &raw, sizeof(raw));
}

/* NULL has no record, so "not given" survives the way; "" has an empty one. */
static void put_text(struct encoder *e, enum vm_config_tag tag,
		     const char *text)
{
	if (!text)
		return;
	put_header(e, tag, strlen(text));
	put_bytes(e, text, strlen(text));
}

/* Index of @fd in the array that travels beside the bytes. */
static le16 put_in_array(struct encoder *e, int fd)
{
	if (e->n_fds == e->max_fds) {
		e->overflow = true;
		return le16_make(0);
	}
	e->fds[e->n_fds] = fd;
	return le16_make((uint16_t)e->n_fds++);
}

static void put_fd(struct encoder *e, enum vm_config_tag tag, int fd)
{
	le16 index;

	if (fd < 0)
		return;
	index = put_in_array(e, fd);
	put_header(e, tag, sizeof(index));
	put_bytes(e, &index, sizeof(index));
}

/* The id is the rest of the record, so its length needs no field. */
static void put_disk(struct encoder *e, const struct vm_disk *disk)
{
	size_t id_size = disk->id ? strlen(disk->id) : 0;
	uint8_t flags = disk->writable ? VM_CONFIG_DISK_WRITABLE : 0;
	le16 index = put_in_array(e, disk->fd);

	put_header(e, VM_CONFIG_TAG_DISK, VM_CONFIG_DISK_FIXED + id_size);
	put_bytes(e, &index, sizeof(index));
	put_bytes(e, &flags, sizeof(flags));
	if (id_size > 0)
		put_bytes(e, disk->id, id_size);
}

static void put_config(struct encoder *e, const struct vm_config *c)
{
	le32 format = le32_make(VM_CONFIG_FORMAT);

	put_bytes(e, &format, sizeof(format));
	put_u32(e, VM_CONFIG_TAG_KIND, (uint32_t)c->kind);
	put_u32(e, VM_CONFIG_TAG_MEMORY_MIB, c->memory_mib);
	/* Every number is written, also a default: the other side has none. */
	put_u32(e, VM_CONFIG_TAG_VCPUS, c->vcpus);
	put_u32(e, VM_CONFIG_TAG_ACCELERATION, (uint32_t)c->acceleration);
	put_u32(e, VM_CONFIG_TAG_ARCHITECTURE, (uint32_t)c->architecture);
	put_u32(e, VM_CONFIG_TAG_PROTECTED, c->is_protected);
	put_u32(e, VM_CONFIG_TAG_HUGEPAGES, c->hugepages);
	put_u32(e, VM_CONFIG_TAG_DEBUG_LEVEL, (uint32_t)c->debug_level);
	put_u32(e, VM_CONFIG_TAG_BOOT_TIMEOUT_MS, c->boot_timeout_ms);
	put_u32(e, VM_CONFIG_TAG_JAIL, (uint32_t)c->jail);
	put_text(e, VM_CONFIG_TAG_NAME, c->name);
	put_text(e, VM_CONFIG_TAG_CMDLINE, c->cmdline);
	put_text(e, VM_CONFIG_TAG_PAYLOAD_NAME, c->payload_name);
	put_text(e, VM_CONFIG_TAG_PAYLOAD_CONFIG_PATH, c->payload_config_path);
	put_text(e, VM_CONFIG_TAG_GUEST_IMAGE, c->guest_image);
	put_fd(e, VM_CONFIG_TAG_KERNEL, c->kernel_fd);
	put_fd(e, VM_CONFIG_TAG_INITRD, c->initrd_fd);
	put_fd(e, VM_CONFIG_TAG_OVERLAY, c->overlay_fd);
	put_fd(e, VM_CONFIG_TAG_PACKAGE, c->package_fd);
	put_fd(e, VM_CONFIG_TAG_CONSOLE_OUT, c->console_out_fd);
	put_fd(e, VM_CONFIG_TAG_CONSOLE_IN, c->console_in_fd);
	put_fd(e, VM_CONFIG_TAG_LOG, c->log_fd);
	for (unsigned int i = 0; i < c->n_disks; i++)
		put_disk(e, &c->disks[i]);
}

/* More than five parameters: two outputs of variable size. */
int vm_config_encode(const struct vm_config *config, void *buf, size_t size,
		     size_t *ret_used, int *fds, unsigned int max_fds,
		     unsigned int *ret_n_fds)
{
	struct encoder e = {.buf = buf, .size = size, .max_fds = max_fds};

	e.fds = fds;
	put_config(&e, config);
	if (e.overflow)
		return fail(AVF_ERR_LIMIT,
			    "configuration: more than %zu bytes or %u fds",
			    size, max_fds);
	*ret_used = e.used;
	*ret_n_fds = e.n_fds;
	return 0;
}
