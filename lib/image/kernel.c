/*
 * A stock kernel of the distribution: found and downloaded by apt, unpacked by
 * dpkg-deb, taken out of its bzImage. The package is as trustworthy as apt's
 * signatures; what is in it is parsed as if it were hostile, all the same.
 */
#include "image/kernel.h"

#include <dirent.h>
#include <elf.h>
#include <glob.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/byteorder.h"
#include "base/cleanup.h"
#include "image/scratch.h"
#include "image/tool.h"

#define APT_OUTPUT_SIZE  65536
#define PACKAGE_MAX_NAME 127 /* bytes */
#define KERNEL_MAX_BYTES ((size_t)256 << 20)

/* Offsets in the setup header (boot.rst, "The Real-Mode Kernel Header"). */
#define SETUP_SECTS    0x1f1
#define SETUP_MAGIC    0x202
#define SETUP_VERSION  0x206
#define PAYLOAD_OFFSET 0x248
#define PAYLOAD_LENGTH 0x24c
#define SETUP_END      0x250

/* The series that the guest is made for is preferred; then the newest. */
static int rank(const char *name)
{
	return strncmp(name, "linux-image-6.12.", 17) == 0 ? 1 : 0;
}

/* "" is worse than everything. */
static bool is_better(const char *name, const char *than)
{
	if (!*than || rank(name) != rank(than))
		return !*than || rank(name) > rank(than);
	return strverscmp(name, than) > 0;
}

/* Cuts up @list, the output of apt-cache search. */
static void choose(char *list, char best[PACKAGE_MAX_NAME + 1])
{
	char *rest = NULL;

	for (char *line = strtok_r(list, "\n", &rest); line;
	     line = strtok_r(NULL, "\n", &rest)) {
		line[strcspn(line, " ")] = '\0';
		if (strlen(line) > PACKAGE_MAX_NAME || !is_better(line, best))
			continue;
		memcpy(best, line, strlen(line) + 1);
	}
}

/* Signed kernels first: their names have no suffix. Where a mirror has only
 * the unsigned ones, these are the same kernels. */
static int find_package(char best[PACKAGE_MAX_NAME + 1])
{
	static const char *const patterns[] = {
		"^linux-image-[0-9][^ ]*-cloud-[a-z0-9]+$",
		"^linux-image-[0-9][^ ]*-cloud-[a-z0-9]+-unsigned$",
	};
	CLEANUP(free_p) char *list = malloc(APT_OUTPUT_SIZE);
	const char *argv[] = {"apt-cache", "--names-only", "search", NULL,
			      NULL};
	int rc;

	if (!list)
		return fail(AVF_ERR_NO_MEMORY, "list of packages");
	best[0] = '\0';
	for (size_t i = 0; i < 2 && !rank(best); i++) {
		argv[3] = patterns[i];
		rc = tool_run(argv, NULL, list, APT_OUTPUT_SIZE);
		if (rc < 0)
			return rc;
		choose(list, best);
	}
	if (!*best)
		return fail(AVF_ERR_NOT_FOUND,
			    "apt knows no cloud kernel: run apt-get update, or "
			    "give a kernel package");
	return 0;
}

static void globfree_p(glob_t *found)
{
	globfree(found);
}

/* The one path that matches @pattern below @dir. */
static int find_one(const char *dir, const char *pattern,
		    char ret_path[PATH_MAX])
{
	CLEANUP(globfree_p) glob_t found = {0};
	char whole[PATH_MAX];
	int rc;

	rc = path_join(whole, dir, pattern);
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

int kernel_download(const char *dir, char ret_package[PATH_MAX])
{
	char name[PACKAGE_MAX_NAME + 1];
	const char *const argv[] = {"apt-get", "-q", "download", name, NULL};
	int rc;

	rc = find_package(name);
	if (rc < 0)
		return rc;
	rc = scratch_blame_disk(dir, tool_run(argv, dir, NULL, 0));
	if (rc < 0)
		return rc;
	return find_one(dir, "*.deb", ret_package);
}

/* /usr-merged packages have their modules in usr/lib. */
static int find_modules(const char *dir, char ret_path[PATH_MAX])
{
	if (find_one(dir, "lib/modules/*", ret_path) == 0)
		return 0;
	return find_one(dir, "usr/lib/modules/*", ret_path);
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
	rc = find_one(dir, "boot/vmlinuz-*", ret_tree->vmlinuz);
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
	    memcmp(bytes + SETUP_MAGIC, "HdrS", 4) != 0 ||
	    (load32(file, SETUP_VERSION) & 0xffff) < 0x0208)
		return fail(AVF_ERR_FORMAT, "the kernel is not a bzImage");
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

int kernel_unpack(const char *path, struct unpack_buffer *ret_elf)
{
	CLEANUP(mapped_file_fini) struct mapped_file file = {0};
	CLEANUP(unpack_buffer_fini) struct unpack_buffer elf = {0};
	const void *data;
	size_t size;
	int rc;

	rc = mapped_file_init(&file, path);
	if (rc < 0)
		return rc;
	rc = payload_of(&file, &data, &size);
	if (rc < 0)
		return rc;
	rc = unpack(data, size, KERNEL_MAX_BYTES, &elf);
	if (rc < 0)
		return rc;
	if (elf.size < sizeof(Elf64_Ehdr) ||
	    memcmp(elf.data, ELFMAG, SELFMAG) != 0)
		return fail(AVF_ERR_FORMAT, "the kernel inside is not ELF");
	*ret_elf = elf;
	elf = (struct unpack_buffer){0};
	return 0;
}
