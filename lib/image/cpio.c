/*
 * The "newc" format of an initramfs (Linux, early-userspace/buffer-format.rst):
 * header in hexadecimal, name, contents, each padded to four bytes. No times
 * and no owners, so the same input makes the same archive.
 */
#include "image/cpio.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#include "base/checked.h"
#include "base/fd.h"

#define HEADER_SIZE 110U /* 6 of magic, 13 fields of 8 hex digits */
#define TRAILER     "TRAILER!!!"

struct entry {
	const char *name;
	uint32_t mode;
	uint32_t n_links;
	uint32_t major;
	uint32_t minor;
	const void *data;
	uint32_t size;
};

/* Counts what was written: padding depends on the place in the archive. */
static int put(struct cpio *cpio, const void *data, size_t size)
{
	int rc = fd_write_all(cpio->fd, data, size);

	if (rc < 0)
		return rc;
	cpio->size += size;
	return 0;
}

/* Names and contents end on multiples of four. */
static int pad(struct cpio *cpio)
{
	static const char zeros[3];

	return put(cpio, zeros, (4 - cpio->size % 4) % 4);
}

/*
 * Fields in the order of the format. Owner, times and the device of the file
 * system are 0.
 */
static int put_header(struct cpio *cpio, const struct entry *entry,
		      size_t name_size)
{
	char header[HEADER_SIZE + 1];
	const uint32_t fields[] = {
		cpio->n_entries++, /* inode: unique, for no hard links */
		entry->mode,
		0, /* uid */
		0,
		/* gid */ entry->n_links,
		0,
		/* mtime */ entry->size,
		0, /* major of the file system's device */
		0,
		/* and minor */ entry->major,
		entry->minor,
		(uint32_t)name_size,
		0, /* checksum: none in this format */
	};
	size_t used = 6;

	memcpy(header, "070701", used);
	for (size_t i = 0; i < ARRAY_SIZE(fields); i++, used += 8)
		(void)snprintf(header + used, sizeof(header) - used,
			       "%08" PRIx32, fields[i]);
	return put(cpio, header, HEADER_SIZE);
}

static int put_entry(struct cpio *cpio, const struct entry *entry)
{
	const size_t name_size = strlen(entry->name) + 1;
	int rc;

	if (name_size == 1 || name_size > CPIO_MAX_NAME + 1 ||
	    entry->name[0] == '/')
		return fail(AVF_ERR_INVALID, "no name for an archive: \"%s\"",
			    entry->name);
	rc = put_header(cpio, entry, name_size);
	if (rc < 0)
		return rc;
	rc = put(cpio, entry->name, name_size);
	if (rc < 0)
		return rc;
	rc = pad(cpio);
	if (rc < 0)
		return rc;
	rc = put(cpio, entry->data, entry->size);
	if (rc < 0)
		return rc;
	return pad(cpio);
}

int cpio_dir(struct cpio *cpio, const char *name)
{
	const struct entry entry = {
		.name = name, .mode = S_IFDIR | 0755, .n_links = 2};

	return put_entry(cpio, &entry);
}

int cpio_file(struct cpio *cpio, const char *name, uint32_t permissions,
	      const void *data, size_t size)
{
	const struct entry entry = {.name = name,
				    .mode = S_IFREG | permissions,
				    .n_links = 1,
				    .data = data,
				    .size = (uint32_t)size};

	if (size > UINT32_MAX)
		return fail(AVF_ERR_LIMIT, "%s: too large for an archive",
			    name);
	return put_entry(cpio, &entry);
}

int cpio_char_device(struct cpio *cpio, const char *name, uint32_t major,
		     uint32_t minor)
{
	const struct entry entry = {.name = name,
				    .mode = S_IFCHR | 0600,
				    .n_links = 1,
				    .major = major,
				    .minor = minor};

	return put_entry(cpio, &entry);
}

int cpio_end(struct cpio *cpio)
{
	const struct entry entry = {.name = TRAILER, .n_links = 1};

	return put_entry(cpio, &entry);
}
