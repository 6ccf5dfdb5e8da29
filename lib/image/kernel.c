/*
 * A stock kernel of the distribution: its package is unpacked by dpkg-deb, and
 * the kernel taken out of its bzImage. The package is as trustworthy as apt's
 * signatures; what is in it is parsed as if it were hostile, all the same.
 */
#include "image/kernel.h"

#include <ctype.h>
#include <dirent.h>
#include <elf.h>
#include <glob.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/byteorder.h"
#include "base/cleanup.h"
#include "base/kernel_arch.h"
#include "image/scratch.h"
#include "image/tool.h"

#define KERNEL_MAX_BYTES ((size_t)256 << 20)

/* Offsets in the setup header (boot.rst, "The Real-Mode Kernel Header"). */
#define SETUP_SECTS    0x1f1
#define SETUP_MAGIC    0x202
#define SETUP_VERSION  0x206
#define PAYLOAD_OFFSET 0x248
#define PAYLOAD_LENGTH 0x24c
#define SETUP_END      0x250

/* Of an arm64 Image (booting.rst, section 4). */
#define IMAGE_MAGIC 0x38
#define IMAGE_END   0x40

static void globfree_p(glob_t *found)
{
	globfree(found);
}

/* The directory is a name, whatever is in it; only the rest is a pattern. */
static int make_pattern(char ret_whole[PATH_MAX], const char *dir,
			const char *pattern)
{
	char quoted[PATH_MAX];
	size_t n = 0;

	for (; *dir; dir++) {
		if (n + 2 >= sizeof(quoted))
			return fail(AVF_ERR_INVALID, "the path is too long");
		if (strchr("*?[\\", *dir))
			quoted[n++] = '\\';
		quoted[n++] = *dir;
	}
	quoted[n] = '\0';
	return path_join(ret_whole, quoted, pattern);
}

int kernel_find_file(const char *dir, const char *pattern,
		     char ret_path[PATH_MAX])
{
	CLEANUP(globfree_p) glob_t found = {0};
	char whole[PATH_MAX];
	int rc;

	rc = make_pattern(whole, dir, pattern);
	if (rc < 0)
		return rc;
	if (glob(whole, GLOB_NOSORT, NULL, &found) != 0 ||
	    found.gl_pathc != 1 || strlen(found.gl_pathv[0]) >= PATH_MAX)
		return fail(AVF_ERR_FORMAT,
			    "the kernel package has not exactly one %s",
			    pattern);
	memcpy(ret_path, found.gl_pathv[0], strlen(found.gl_pathv[0]) + 1);
	return 0;
}

/* /usr-merged packages have their modules in usr/lib. */
static int find_modules(const char *dir, char ret_path[PATH_MAX])
{
	if (kernel_find_file(dir, "lib/modules/*", ret_path) == 0)
		return 0;
	return kernel_find_file(dir, "usr/lib/modules/*", ret_path);
}

int kernel_extract(const char *package, const char *dir,
		   struct kernel_tree *ret_tree)
{
	const char *const argv[] = {"dpkg-deb", "-x", package, dir, NULL};
	const char *release;
	struct stat st;
	int rc;

	if (access(package, R_OK) < 0 || stat(package, &st) < 0)
		return fail_errno("kernel package %s", package);
	if (!S_ISREG(st.st_mode)) /* dpkg-deb would wait for a pipe */
		return fail(AVF_ERR_INVALID, "kernel package %s is not a file",
			    package);
	rc = scratch_blame_disk(dir, tool_run(argv, NULL, NULL, 0));
	if (rc < 0)
		return rc;
	rc = kernel_find_file(dir, "boot/vmlinuz-*", ret_tree->vmlinuz);
	if (rc < 0)
		return rc;
	rc = find_modules(dir, ret_tree->modules);
	if (rc < 0)
		return rc;
	release = strrchr(ret_tree->vmlinuz, '/') + strlen("/vmlinuz-");
	if (strlen(release) >= sizeof(ret_tree->release))
		return fail(AVF_ERR_FORMAT, "a kernel release of %zu bytes",
			    strlen(release));
	memcpy(ret_tree->release, release, strlen(release) + 1);
	return 0;
}

/* The caller has checked that the file reaches so far. */
static uint32_t load32(const struct mapped_file *file, size_t offset)
{
	le32 value;

	memcpy(&value, (const char *)file->data + offset, sizeof(value));
	return le32_get(value);
}

static bool has_magic(const void *data, size_t size, size_t at,
		      const char *magic)
{
	const size_t n = strlen(magic);

	return size >= at + n && memcmp((const char *)data + at, magic, n) == 0;
}

/* Behind what a loader of @arch has found to be no kernel. */
static int not_for(const struct arch *arch, const char *form, const void *data,
		   size_t size)
{
	const struct arch *found = kernel_arch(data, size);

	if (found && found != arch)
		return fail(AVF_ERR_FORMAT,
			    "the kernel is for %s, the image for %s",
			    found->name, arch->name);
	return fail(AVF_ERR_FORMAT, "the kernel is not %s", form);
}

/*
 * Where the compressed kernel is (boot.rst: payload_offset, from 2.08 on).
 * boot/bzimage.c does the same for a VM's kernel.
 */
static int payload_of(const struct mapped_file *file, const void **ret_data,
		      size_t *ret_size)
{
	const unsigned char *bytes = file->data;
	uint64_t start;
	uint64_t size;

	if (file->size < SETUP_END ||
	    !has_magic(bytes, file->size, SETUP_MAGIC, "HdrS") ||
	    (load32(file, SETUP_VERSION) & 0xffff) < 0x0208)
		return error_negative(
			not_for(arch_find(AVF_ARCHITECTURE_X86_64), "a bzImage",
				file->data, file->size));
	/* zero means four, for the oldest kernels */
	start = (bytes[SETUP_SECTS] ? bytes[SETUP_SECTS] : 4U) + 1U;
	start = start * 512 + load32(file, PAYLOAD_OFFSET);
	size = load32(file, PAYLOAD_LENGTH);
	if (start > file->size || size > file->size - start)
		return fail(AVF_ERR_FORMAT, "the kernel image is truncated");
	*ret_data = bytes + start;
	*ret_size = size;
	return 0;
}

static int unpack_x86_64(const struct mapped_file *file,
			 struct unpack_buffer *ret_kernel)
{
	CLEANUP(unpack_buffer_fini) struct unpack_buffer elf = {0};
	const void *data;
	size_t size;
	int rc;

	rc = payload_of(file, &data, &size);
	if (rc < 0)
		return rc;
	rc = unpack(data, size, KERNEL_MAX_BYTES, &elf);
	if (rc < 0)
		return rc;
	if (elf.size < sizeof(Elf64_Ehdr) ||
	    memcmp(elf.data, ELFMAG, SELFMAG) != 0)
		return fail(AVF_ERR_FORMAT, "the kernel inside is not ELF");
	*ret_kernel = elf;
	elf = (struct unpack_buffer){0};
	return 0;
}

/* A plain Image is taken as it is: the mapping becomes the buffer. */
static void take_mapping(struct mapped_file *file,
			 struct unpack_buffer *ret_kernel)
{
	memcpy(&ret_kernel->data, &file->data, sizeof(ret_kernel->data));
	ret_kernel->size = file->size;
	ret_kernel->mapped = file->size;
	*file = (struct mapped_file){NULL, 0};
}

/* Debian's is plain; others compress the whole file. */
static int unpack_arm64(struct mapped_file *file,
			struct unpack_buffer *ret_kernel)
{
	CLEANUP(unpack_buffer_fini) struct unpack_buffer image = {0};
	int rc;

	if (unpack_detect(file->data, file->size) == UNPACK_NONE) {
		take_mapping(file, &image);
	} else {
		rc = unpack(file->data, file->size, KERNEL_MAX_BYTES, &image);
		if (rc < 0)
			return rc;
	}
	if (image.size < IMAGE_END ||
	    !has_magic(image.data, image.size, IMAGE_MAGIC, "ARM\x64"))
		return error_negative(not_for(arch_find(AVF_ARCHITECTURE_ARM64),
					      "an arm64 Image", image.data,
					      image.size));
	*ret_kernel = image;
	image = (struct unpack_buffer){0};
	return 0;
}

int kernel_unpack(const struct arch *arch, const char *path,
		  struct unpack_buffer *ret_kernel)
{
	CLEANUP(mapped_file_fini) struct mapped_file file = {0};
	int rc = mapped_file_init(&file, path);

	if (rc < 0)
		return rc;
	if (arch->id == AVF_ARCHITECTURE_ARM64)
		return unpack_arm64(&file, ret_kernel);
	return unpack_x86_64(&file, ret_kernel);
}

/* The banner that the kernel prints first (init/version.c of Linux). */
void kernel_find_release(const struct unpack_buffer *kernel,
			 char ret_release[KERNEL_RELEASE_SIZE])
{
	static const char banner[] = "Linux version ";
	const char *end = (const char *)kernel->data + kernel->size;
	const char *p = kernel->data;
	size_t n = 0;

	/* a format string has these words, too: "Linux version %s" */
	do {
		p = memmem(p, (size_t)(end - p), banner, strlen(banner));
		if (p)
			p += strlen(banner);
	} while (p && p < end && !isdigit((unsigned char)*p));
	while (p && p + n < end && n < KERNEL_RELEASE_SIZE - 1 &&
	       isgraph((unsigned char)p[n]))
		n++;
	if (n > 0)
		memcpy(ret_release, p, n);
	ret_release[n] = '\0';
	if (n == 0)
		memcpy(ret_release, "unknown", sizeof("unknown"));
}
