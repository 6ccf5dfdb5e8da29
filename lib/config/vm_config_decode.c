/*
 * The VMM's side of the control socket: from bytes and descriptors back to a
 * configuration (the format is in vm_config_tags.h). The sender is the
 * application's process, which owns the VM; still every value is checked
 * against the same limits as in the setters, since the rest of the VMM indexes
 * and allocates by them. Descriptors: all are taken, used or closed, whatever
 * happens.
 */
#include "config/vm_config.h"

#include <string.h>

#include "base/byteorder.h"
#include "base/cleanup.h"
#include "config/vm_config_tags.h"

/* One decoding. @fds holds -1 where an fd has found its place. */
struct decoder {
	int *fds;
	unsigned int n_fds;
	struct vm_config config;
	uint32_t seen; /* BIT(tag) */
};

_Static_assert(VM_CONFIG_TAG_END <= 32, "tags fit into struct decoder.seen");

struct record {
	unsigned int tag;
	const unsigned char *value; /* borrowed */
	size_t size;
};

/* What a number may be. */
struct number_rule {
	enum vm_config_tag tag;
	uint32_t min;
	uint32_t max;
};

static const struct number_rule number_rules[] = {
	{VM_CONFIG_TAG_KIND, AVF_CONFIG_RAW, AVF_CONFIG_PAYLOAD},
	{VM_CONFIG_TAG_MEMORY_MIB, AVF_MIN_MEMORY_MIB, AVF_MAX_MEMORY_MIB},
	{VM_CONFIG_TAG_VCPUS, 1, AVF_MAX_VCPUS},
	{VM_CONFIG_TAG_ACCELERATION, AVF_ACCELERATION_KVM,
	 AVF_ACCELERATION_EMULATION},
	{VM_CONFIG_TAG_ARCHITECTURE, AVF_ARCHITECTURE_HOST,
	 AVF_ARCHITECTURE_ARM64},
	{VM_CONFIG_TAG_PROTECTED, 0, 1},
	{VM_CONFIG_TAG_HUGEPAGES, 0, 1},
	{VM_CONFIG_TAG_DEBUG_LEVEL, AVF_DEBUG_LEVEL_NONE, AVF_DEBUG_LEVEL_FULL},
	{VM_CONFIG_TAG_BOOT_TIMEOUT_MS, 0, UINT32_MAX},
	{VM_CONFIG_TAG_JAIL, AVF_JAIL_DEFAULT, AVF_JAIL_STRICT},
};

/* Tags that take_record() does not know are numbers, all in the table. */
static const struct number_rule *find_rule(unsigned int tag)
{
	const struct number_rule *rule = number_rules;

	while (rule->tag != tag)
		rule++;
	return rule;
}

/* The tag is all that identifies a record; texts of it are not repeated. */
static int bad(const struct record *r, const char *what)
{
	return fail(AVF_ERR_PROTOCOL, "configuration record %u: %s", r->tag,
		    what);
}

static void store_number(struct vm_config *c, unsigned int tag, uint32_t value)
{
	switch (tag) {
	case VM_CONFIG_TAG_KIND:
		c->kind = (enum avf_config_kind)value;
		break;
	case VM_CONFIG_TAG_MEMORY_MIB:
		c->memory_mib = value;
		break;
	case VM_CONFIG_TAG_VCPUS:
		c->vcpus = value;
		break;
	case VM_CONFIG_TAG_ACCELERATION:
		c->acceleration = (enum avf_acceleration)value;
		break;
	case VM_CONFIG_TAG_ARCHITECTURE:
		c->architecture = (enum avf_architecture)value;
		break;
	case VM_CONFIG_TAG_PROTECTED:
		c->is_protected = value != 0;
		break;
	case VM_CONFIG_TAG_HUGEPAGES:
		c->hugepages = value != 0;
		break;
	case VM_CONFIG_TAG_DEBUG_LEVEL:
		c->debug_level = (enum avf_debug_level)value;
		break;
	case VM_CONFIG_TAG_JAIL:
		c->jail = (enum avf_jail)value;
		break;
	default:
		c->boot_timeout_ms = value;
		break;
	}
}

/* Exactly four bytes, and within the rule of its tag. */
static int take_number(struct decoder *d, const struct record *r)
{
	const struct number_rule *rule = find_rule(r->tag);
	uint32_t value;
	le32 raw;

	if (r->size != sizeof(raw))
		return bad(r, "not a number of four bytes");
	memcpy(&raw, r->value, sizeof(raw));
	value = le32_get(raw);
	if (value < rule->min || value > rule->max)
		return bad(r, "out of range");
	store_number(&d->config, r->tag, value);
	return 0;
}

/* The terminating NUL is ours; one inside would hide what follows it. */
static int take_text(const struct record *r, size_t max, char **target)
{
	if (r->size > max)
		return bad(r, "text too long");
	if (r->size > 0 && memchr(r->value, '\0', r->size))
		return bad(r, "NUL inside a text");
	*target = strndup((const char *)r->value, r->size);
	if (!*target)
		return fail(AVF_ERR_NO_MEMORY, "configuration record %u",
			    r->tag);
	return 0;
}

/* Moves the fd out of the array: a second user of its index finds -1. */
static int take_indexed_fd(struct decoder *d, const struct record *r,
			   int *target)
{
	unsigned int index;
	le16 raw;

	memcpy(&raw, r->value, sizeof(raw));
	index = le16_get(raw);
	if (index >= d->n_fds)
		return bad(r, "no such fd");
	if (d->fds[index] < 0)
		return bad(r, "fd used twice");
	*target = take_fd(&d->fds[index]);
	return 0;
}

/* A record that is nothing but an index into the descriptors. */
static int take_fd_record(struct decoder *d, const struct record *r,
			  int *target)
{
	if (r->size != sizeof(le16))
		return bad(r, "not an fd index of two bytes");
	return take_indexed_fd(d, r, target);
}

/*
 * Index, flags, and the rest of the record is the id; no id when it is empty.
 */
static int take_disk(struct decoder *d, const struct record *r)
{
	struct vm_disk *disk = &d->config.disks[d->config.n_disks];
	struct record id = *r;
	int rc;

	if (d->config.n_disks == AVF_MAX_DISKS)
		return bad(r, "too many disks");
	if (r->size < VM_CONFIG_DISK_FIXED)
		return bad(r, "disk cut short");
	if (r->value[2] & ~VM_CONFIG_DISK_WRITABLE)
		return bad(r, "unknown disk flags");
	rc = take_indexed_fd(d, r, &disk->fd);
	if (rc < 0)
		return rc;
	d->config.n_disks++;
	disk->writable = r->value[2] != 0;
	id.value += VM_CONFIG_DISK_FIXED;
	id.size -= VM_CONFIG_DISK_FIXED;
	if (id.size == 0)
		return 0;
	return take_text(&id, VM_CONFIG_MAX_DISK_ID, &disk->id);
}

static int take_record(struct decoder *d, const struct record *r)
{
	struct vm_config *c = &d->config;

	switch (r->tag) {
	case VM_CONFIG_TAG_NAME:
		return take_text(r, AVF_MAX_NAME, &c->name);
	case VM_CONFIG_TAG_CMDLINE:
		return take_text(r, AVF_MAX_CMDLINE, &c->cmdline);
	case VM_CONFIG_TAG_PAYLOAD_NAME:
		return take_text(r, VM_CONFIG_MAX_PAYLOAD_NAME,
				 &c->payload_name);
	case VM_CONFIG_TAG_PAYLOAD_CONFIG_PATH:
		return take_text(r, VM_CONFIG_MAX_CONFIG_PATH,
				 &c->payload_config_path);
	case VM_CONFIG_TAG_GUEST_IMAGE:
		return take_text(r, VM_CONFIG_MAX_PATH, &c->guest_image);
	case VM_CONFIG_TAG_KERNEL:
		return take_fd_record(d, r, &c->kernel_fd);
	case VM_CONFIG_TAG_INITRD:
		return take_fd_record(d, r, &c->initrd_fd);
	case VM_CONFIG_TAG_OVERLAY:
		return take_fd_record(d, r, &c->overlay_fd);
	case VM_CONFIG_TAG_PACKAGE:
		return take_fd_record(d, r, &c->package_fd);
	case VM_CONFIG_TAG_CONSOLE_OUT:
		return take_fd_record(d, r, &c->console_out_fd);
	case VM_CONFIG_TAG_CONSOLE_IN:
		return take_fd_record(d, r, &c->console_in_fd);
	case VM_CONFIG_TAG_LOG:
		return take_fd_record(d, r, &c->log_fd);
	case VM_CONFIG_TAG_DISK:
		return take_disk(d, r);
	default:
		return take_number(d, r);
	}
}

/* Tags are checked here, so that take_record() sees known ones only. */
static int check_tag(struct decoder *d, const struct record *r)
{
	if (r->tag == 0 || r->tag >= VM_CONFIG_TAG_END)
		return bad(r, "unknown");
	if (r->tag != VM_CONFIG_TAG_DISK && (d->seen & BIT(r->tag)) != 0)
		return bad(r, "given twice");
	d->seen |= BIT(r->tag);
	return 0;
}

/* Sizes are compared with what is left before anything moves, so nothing can
 * wrap. */
static int take_records(struct decoder *d, const unsigned char *bytes,
			size_t left)
{
	struct record r;
	le16 header[2];
	int rc;

	while (left > 0) {
		if (left < sizeof(header))
			return fail(AVF_ERR_PROTOCOL,
				    "configuration: record cut short");
		memcpy(header, bytes, sizeof(header));
		r.tag = le16_get(header[0]);
		r.size = le16_get(header[1]);
		r.value = bytes + sizeof(header);
		left -= sizeof(header);
		if (r.size > left)
			return bad(&r, "cut short");
		rc = check_tag(d, &r);
		if (rc < 0)
			return rc;
		rc = take_record(d, &r);
		if (rc < 0)
			return rc;
		bytes = r.value + r.size;
		left -= r.size;
	}
	return 0;
}

/* Numbers have no default here: the application's side has settled them. An
 * fd that nobody claimed is a sign of two sides that disagree. */
static int check_complete(const struct decoder *d)
{
	for (size_t i = 0; i < ARRAY_SIZE(number_rules); i++)
		if ((d->seen & BIT(number_rules[i].tag)) == 0)
			return fail(AVF_ERR_PROTOCOL,
				    "configuration record %u: missing",
				    (unsigned int)number_rules[i].tag);
	for (unsigned int i = 0; i < d->n_fds; i++)
		if (d->fds[i] >= 0)
			return fail(AVF_ERR_PROTOCOL,
				    "configuration: fd %u is not used", i);
	return 0;
}

static int decode(struct decoder *d, const unsigned char *bytes, size_t size)
{
	le32 format;
	int rc;

	if (d->n_fds > VM_CONFIG_MAX_FDS || size > VM_CONFIG_MAX_BYTES ||
	    size < sizeof(format))
		return fail(AVF_ERR_PROTOCOL,
			    "configuration of %zu bytes and %u fds", size,
			    d->n_fds);
	memcpy(&format, bytes, sizeof(format));
	if (le32_get(format) != VM_CONFIG_FORMAT)
		return fail(AVF_ERR_PROTOCOL,
			    "configuration format %u, not %u: library and "
			    "avf-vmm do not belong together",
			    le32_get(format), VM_CONFIG_FORMAT);
	rc = take_records(d, bytes + sizeof(format), size - sizeof(format));
	if (rc < 0)
		return rc;
	return check_complete(d);
}

int vm_config_decode(const void *buf, size_t size, int *fds, unsigned int n_fds,
		     struct vm_config *ret_config)
{
	struct decoder d = {.fds = fds, .n_fds = n_fds};
	int rc;

	vm_config_init(&d.config);
	rc = decode(&d, buf, size);
	/* those that have moved into the configuration are -1 here */
	for (unsigned int i = 0; i < n_fds; i++)
		close_p(&fds[i]);
	if (rc < 0) {
		vm_config_fini(&d.config);
		return rc;
	}
	*ret_config = d.config;
	return 0;
}
