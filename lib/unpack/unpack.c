#include "unpack/unpack.h"

#include <string.h>
#include <sys/mman.h>

#include "base/checked.h"
#include "base/cleanup.h"
#include "unpack/unpack_internal.h"

struct decoder {
	const char *name;
	const char *magic;
	size_t magic_size;
	int (*decode)(struct unpack_run *run);
};

static const struct decoder decoders[] = {
	[UNPACK_NONE] = {"none", NULL, 0, NULL},
	/* RFC 1952 2.3.1, with CM = 8 (deflate) */
	[UNPACK_GZIP] = {"gzip", "\x1f\x8b\x08", 3, unpack_gzip},
	[UNPACK_XZ] = {"xz", "\xfd\x37zXZ", 6, unpack_xz},
	[UNPACK_LZ4_LEGACY] = {"lz4", "\x02\x21\x4c\x18", 4, unpack_lz4_legacy},
	/* RFC 8878 3.1.1 */
	[UNPACK_ZSTD] = {"zstd", "\x28\xb5\x2f\xfd", 4, unpack_zstd},
};

enum unpack_format unpack_detect(const void *data, size_t size)
{
	for (size_t i = UNPACK_NONE + 1; i < ARRAY_SIZE(decoders); i++) {
		const struct decoder *d = &decoders[i];

		if (size >= d->magic_size &&
		    memcmp(data, d->magic, d->magic_size) == 0)
			return (enum unpack_format)i;
	}
	return UNPACK_NONE;
}

const char *unpack_format_name(enum unpack_format format)
{
	return (size_t)format < ARRAY_SIZE(decoders) ? decoders[format].name
						     : "none";
}

int unpack_fail_damaged(const char *format, const char *why)
{
	return fail(AVF_ERR_FORMAT, "%s data is damaged: %s", format, why);
}

int unpack_fail_limit(const char *format, size_t limit)
{
	return fail(AVF_ERR_LIMIT, "%s data unpacks to more than %zu KiB",
		    format, limit >> 10);
}

void unpack_buffer_fini(struct unpack_buffer *buffer)
{
	if (buffer->data)
		(void)munmap(buffer->data, buffer->mapped);
	*buffer = (struct unpack_buffer){0};
}

static int buffer_init(struct unpack_buffer *buffer, size_t limit)
{
	size_t mapped = limit + UNPACK_LZ4_BLOCK;
	void *data;

	data = mmap(NULL, mapped, PROT_READ | PROT_WRITE,
		    MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
	if (data == MAP_FAILED)
		return fail_errno("room to unpack %zu MiB", limit >> 20);
	*buffer = (struct unpack_buffer){.data = data, .mapped = mapped};
	return 0;
}

int unpack(const void *data, size_t size, size_t limit,
	   struct unpack_buffer *ret_buffer)
{
	CLEANUP(unpack_buffer_fini) struct unpack_buffer buffer = {0};
	enum unpack_format format = unpack_detect(data, size);
	struct unpack_run run;
	int rc;

	if (format == UNPACK_NONE)
		return fail(AVF_ERR_FORMAT,
			    "not gzip, xz, lz4 (legacy) or zstd data");
	if (size > UNPACK_MAX_BYTES || limit > UNPACK_MAX_BYTES)
		return unpack_fail_limit(decoders[format].name,
					 UNPACK_MAX_BYTES);
	rc = buffer_init(&buffer, limit);
	if (rc < 0)
		return rc;
	run = (struct unpack_run){.in = data,
				  .in_size = size,
				  .out = (unsigned char *)buffer.data,
				  .limit = limit};
	rc = decoders[format].decode(&run);
	if (rc < 0)
		return rc;
	buffer.size = run.out_size;
	*ret_buffer = buffer;
	buffer.data = NULL; /* handed over */
	return 0;
}
