/*
 * The order of loading, which is also the order of who gets room: device tree
 * at the base of RAM, kernel behind it, initrd at the top of what the kernel
 * leaves, and nothing into the bounce pool at the end. The tree comes last in
 * time, as it names the initrd's place. Runs once, before any vCPU exists.
 */
#include "boot/boot_arm64.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "base/byteorder.h"
#include "base/checked.h"
#include "base/cleanup.h"
#include "boot/arm64_image.h"
#include "boot/bzimage.h"
#include "boot/dtree.h"
#include "boot/elf.h"
#include "boot/initrd.h"

#define ALIGNMENT   0x200000ULL
#define CMDLINE_MAX 2047U /* bytes; Linux's COMMAND_LINE_SIZE is 2048 */
/* A tree of 64 CPUs has 10 KiB; the rest is for overlays. */
#define DTREE_CAPACITY 0x40000U
#define OVERLAY_MAX    0x20000U

/*
 * Everything below subtracts sizes from in->ram.size; the checks here are what
 * keeps those subtractions from wrapping.
 */
static int check_input(const struct boot_arm64_input *in)
{
	const uint64_t least = BOOT_ARM64_DTREE_SIZE + ALIGNMENT;
	uint64_t end;

	if (in->n_vcpus == 0 || in->n_vcpus > BOOT_ARM64_MAX_VCPUS)
		return fail(AVF_ERR_INVALID, "vCPUs: %u, 1 to %u can be booted",
			    in->n_vcpus, BOOT_ARM64_MAX_VCPUS);
	if (in->ram.base % ALIGNMENT != 0 || in->ram.size < least ||
	    ckd_add(&end, in->ram.base, in->ram.size) ||
	    in->bounce_size > in->ram.size - least)
		return fail(AVF_ERR_INVALID, "layout: impossible RAM size");
	if (in->cmdline && strlen(in->cmdline) > CMDLINE_MAX)
		return fail(AVF_ERR_INVALID,
			    "command line: %zu bytes, Linux takes %u",
			    strlen(in->cmdline), CMDLINE_MAX);
	return 0;
}

/* Names what it is instead, for those who mix up their kernels. */
static int refuse(const unsigned char *head, size_t size)
{
	if (bzimage_detect(head, size))
		return fail(AVF_ERR_UNSUPPORTED,
			    "kernel: x86 bzImage; this VM is arm64 and boots "
			    "an Image (arch/arm64/boot/Image)");
	if (elf_detect(head, size))
		return fail(AVF_ERR_UNSUPPORTED,
			    "kernel: ELF%s; an arm64 VM boots an Image "
			    "(arch/arm64/boot/Image)",
			    elf_is_x86(head, size) ? " for x86-64" : "");
	return fail(AVF_ERR_FORMAT, "kernel: no arm64 Image");
}

/* Where in the file the compressed kernel is; false: it is not compressed. */
static bool find_packed(const unsigned char *head, size_t size,
			uint64_t file_size, uint64_t *ret_offset,
			uint64_t *ret_len)
{
	if (arm64_image_detect(head, size))
		return false;
	if (arm64_image_packed(head, size, ret_offset, ret_len))
		return true;
	*ret_offset = 0;
	*ret_len = file_size;
	return unpack_detect(head, size) != UNPACK_NONE;
}

/*
 * Find the Image in the file: the file itself, or unpacked into
 * *@ret_unpacked, which then backs *@ret_image.
 */
static int open_kernel(int fd, struct unpack_buffer *ret_unpacked,
		       struct kernel_image *ret_image)
{
	unsigned char head[BZIMAGE_HEAD_BYTES] = {0};
	struct kernel_image file;
	uint64_t offset, len;
	size_t size;
	int rc = kernel_image_from_fd(fd, &file);

	if (rc < 0)
		return rc;
	size = (size_t)MIN(file.size, sizeof(head));
	/* the head is looked at in a copy: the file may change under us */
	rc = kernel_image_read(&file, 0, head, size, "its beginning");
	if (rc < 0)
		return rc;
	if (find_packed(head, size, file.size, &offset, &len)) {
		rc = bzimage_unpack_at(&file, offset, len, ret_unpacked);
		if (rc < 0)
			return rc;
		file = kernel_image_from_bytes(ret_unpacked->data,
					       ret_unpacked->size);
		size = (size_t)MIN(file.size, sizeof(head));
		memcpy(head, ret_unpacked->data, size);
	}
	if (!arm64_image_detect(head, size))
		return refuse(head, size);
	*ret_image = file;
	return 0;
}

/*
 * The unpacked kernel lives until it has been copied into the guest.
 * *@ret_range becomes what it occupies, *@ret_size how much of that it has
 * brought along.
 */
static int load_kernel(const struct boot_arm64_input *in,
		       struct boot_range room, struct boot_range *ret_range,
		       uint64_t *ret_size)
{
	CLEANUP(unpack_buffer_fini) struct unpack_buffer unpacked = {0};
	struct kernel_image image;
	int rc = open_kernel(in->kernel_fd, &unpacked, &image);

	if (rc < 0)
		return rc;
	rc = arm64_image_load(&image, in->gm, room, ret_range);
	if (rc < 0)
		return rc;
	*ret_size = image.size;
	return 0;
}

/* Read once, into memory that nobody changes any more: libfdt checks it and
 * then trusts it. */
static int put_overlay(int fd, void *tree, size_t *size)
{
	CLEANUP(free_p) void *overlay = NULL;
	uint64_t len;
	ssize_t n;
	int rc = fd_file_size(fd, "device_tree_overlay", &len);

	if (rc < 0)
		return rc;
	if (len == 0 || len > OVERLAY_MAX)
		return fail(AVF_ERR_LIMIT,
			    "device_tree_overlay: %" PRIu64 " bytes, 1 to %u "
			    "can be used",
			    len, OVERLAY_MAX);
	overlay = malloc((size_t)len);
	if (!overlay)
		return fail(AVF_ERR_NO_MEMORY, "device tree overlay");
	n = fd_pread_all(fd, overlay, (size_t)len, 0);
	if (n < 0)
		return (int)n;
	return dtree_overlay(tree, DTREE_CAPACITY, overlay, (size_t)n, size);
}

/*
 * The tree is made in the host's memory and copied: libfdt must not read back
 * what something else can write.
 */
static int write_dtree(const struct boot_arm64_input *in,
		       const struct dtree_places *places)
{
	CLEANUP(free_p) void *tree = calloc(1, DTREE_CAPACITY);
	size_t size;
	int rc;

	if (!tree)
		return fail(AVF_ERR_NO_MEMORY, "device tree");
	rc = dtree_build(in, places, tree, DTREE_CAPACITY, &size);
	if (rc == 0 && in->overlay_fd >= 0)
		rc = put_overlay(in->overlay_fd, tree, &size);
	if (rc < 0)
		return rc;
	return gmem_write(in->gm, in->ram.base, tree, size);
}

int boot_arm64_load(const struct boot_arm64_input *in,
		    struct boot_arm64_state *ret_state)
{
	struct dtree_places at = {0};
	struct boot_range room, kernel;
	int rc = check_input(in);

	if (rc < 0)
		return rc;
	room.base = in->ram.base + BOOT_ARM64_DTREE_SIZE;
	room.size = in->ram.size - BOOT_ARM64_DTREE_SIZE - in->bounce_size;
	rc = load_kernel(in, room, &kernel, &at.kernel.size);
	if (rc < 0)
		return rc;
	at.kernel.base = kernel.base;
	/*
	 * arm64_image_load() has checked that the kernel, with its BSS, ends in
	 * room
	 */
	room.size -= kernel.base + kernel.size - room.base;
	room.base = kernel.base + kernel.size;
	if (in->initrd_fd >= 0)
		rc = initrd_load(in->initrd_fd, in->gm, room, &at.initrd);
	if (rc < 0)
		return rc;
	rc = write_dtree(in, &at);
	if (rc < 0)
		return rc;
	ret_state->entry = at.kernel.base;
	ret_state->kernel_size = at.kernel.size;
	ret_state->dtree = in->ram.base;
	return 0;
}
