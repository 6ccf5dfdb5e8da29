/*
 * The guest's file system in memory: our programs from where this library was
 * installed, the C library that the host has for its own architecture, or to
 * compile for another one, and the kernel's modules. Directories come before
 * what is in them, since the kernel unpacks in order.
 */
#include "image/initramfs.h"

#include <dlfcn.h>
#include <fcntl.h>
#include <libgen.h>
#include <limits.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/checked.h"
#include "base/cleanup.h"
#include "image/cpio.h"
#include "image/elf_file.h"
#include "image/modules.h"
#include "image/scratch.h"

#define RELATIVE "../libexec/libvirtualization"

/* Libraries of the C library that payloads link to, beyond what our own
 * programs need. Missing ones are no fault: newer C libraries have them all
 * in libc.so.6. */
static const char *const extra_libraries[] = {
	"libm.so.6",
	"libdl.so.2",
	"libpthread.so.0",
	"librt.so.1",
};

static const char *const directories[] = {
	"bin", "data",    "dev",  "etc", "lib", "lib/modules",
	"mnt", "mnt/apk", "proc", "run", "sys", "tmp",
};

/* "@base/guest", or "@base/guest-arm64", when there is one. */
static bool guest_dir_in(const char *base, const struct arch *arch, char *buf,
			 size_t size)
{
	const bool own = arch == arch_host();
	int n = snprintf(buf, size, "%s/guest%s%s", base, own ? "" : "-",
			 own ? "" : arch->name);

	return n > 0 && (size_t)n < size && access(buf, X_OK) == 0;
}

int initramfs_guest_dir(const struct arch *arch, char *buf, size_t size)
{
	char base[PATH_MAX + sizeof(RELATIVE)];
	char file[PATH_MAX];
	Dl_info info;

	if (dladdr((void *)(uintptr_t)initramfs_guest_dir, &info) != 0 &&
	    info.dli_fname &&
	    realpath(strchr(info.dli_fname, '/') ? info.dli_fname
						 : "/proc/self/exe",
		     file)) {
		(void)snprintf(base, sizeof(base), "%s/" RELATIVE,
			       dirname(file));
		if (guest_dir_in(base, arch, buf, size))
			return 0;
	}
	if (guest_dir_in(AVF_INSTALLED_LIBEXEC, arch, buf, size))
		return 0;
	return fail(AVF_ERR_NOT_FOUND,
		    "the guest's programs for %s are neither beside the "
		    "library nor in " AVF_INSTALLED_LIBEXEC
		    ": install them or name their directory",
		    arch->name);
}

/* The host's file @path as @name in the guest. */
static int add_host_file(struct cpio *cpio, const char *path, const char *name,
			 uint32_t permissions)
{
	CLEANUP(mapped_file_fini) struct mapped_file file = {0};
	int rc;

	rc = mapped_file_init(&file, path);
	if (rc < 0)
		return rc;
	return cpio_file(cpio, name, permissions, file.data, file.size);
}

static int add_directories(struct cpio *cpio)
{
	int rc;

	for (size_t i = 0; i < ARRAY_SIZE(directories); i++) {
		rc = cpio_dir(cpio, directories[i]);
		if (rc < 0)
			return rc;
	}
	/* the kernel opens it for PID 1, before anything is mounted */
	return cpio_char_device(cpio, "dev/console", 5, 1);
}

static int add_programs(struct cpio *cpio, const char *dir)
{
	static const struct {
		const char *file;
		const char *name;
	} programs[] = {
		{"init", "init"},
		{"launcher", "bin/launcher"},
		{"libvm_payload.so", "lib/libvm_payload.so"},
		{"libvirtualization-binder.so.0",
		 "lib/libvirtualization-binder.so.0"},
	};
	char path[PATH_MAX];
	int rc;

	for (size_t i = 0; i < ARRAY_SIZE(programs); i++) {
		rc = path_join(path, dir, programs[i].file);
		if (rc < 0)
			return rc;
		rc = add_host_file(cpio, path, programs[i].name, 0755);
		if (rc < 0)
			return rc;
	}
	return 0;
}

/* The loader stands where the launcher's ELF header says; on this host, one of
 * another architecture is beside its C library. */
static int add_loader(struct cpio *cpio, const struct arch *arch,
		      const char *dir)
{
	char launcher[PATH_MAX];
	char found[PATH_MAX];
	char loader[CPIO_MAX_NAME + 1];
	char parent[CPIO_MAX_NAME + 1];
	int rc;

	rc = path_join(launcher, dir, "launcher");
	if (rc < 0)
		return rc;
	rc = elf_file_interpreter(launcher, loader, sizeof(loader));
	if (rc < 0)
		return rc;
	memcpy(parent, loader, sizeof(parent));
	if (strcmp(dirname(parent), "/lib") != 0) {
		rc = cpio_dir(cpio, parent + 1);
		if (rc < 0)
			return rc;
	}
	if (arch == arch_host())
		return add_host_file(cpio, loader, loader + 1, 0755);
	rc = elf_file_find_library(arch, strrchr(loader, '/') + 1, found);
	if (rc < 0)
		return rc;
	return add_host_file(cpio, found, loader + 1, 0755);
}

/* Links are followed: the guest gets the file under its soname. */
static int add_library(struct cpio *cpio, const struct arch *arch,
		       const char *soname)
{
	char path[PATH_MAX];
	char name[CPIO_MAX_NAME + 1];
	int rc;

	rc = elf_file_find_library(arch, soname, path);
	if (rc < 0)
		return rc;
	(void)snprintf(name, sizeof(name), "lib/%s", soname);
	return add_host_file(cpio, path, name, 0755);
}

static int add_libraries(struct cpio *cpio, const struct arch *arch)
{
	int rc;

	rc = add_library(cpio, arch, "libc.so.6");
	if (rc < 0)
		return rc;
	for (size_t i = 0; i < ARRAY_SIZE(extra_libraries); i++) {
		rc = add_library(cpio, arch, extra_libraries[i]);
		if (rc < 0 && rc != AVF_ERR_NOT_FOUND)
			return rc;
	}
	return 0;
}

/* Where our programs are, and that they are for the guest. */
static int find_programs(const struct initramfs_parts *parts,
			 char ret_dir[PATH_MAX])
{
	const char *given = parts->guest_dir;
	char init[PATH_MAX];
	int rc = 0;

	if (given && strlen(given) >= PATH_MAX)
		return fail(AVF_ERR_LIMIT, "guest_dir: the path is too long");
	if (given)
		memcpy(ret_dir, given, strlen(given) + 1);
	else
		rc = initramfs_guest_dir(parts->arch, ret_dir, PATH_MAX);
	if (rc < 0)
		return rc;
	rc = path_join(init, ret_dir, "init");
	if (rc < 0)
		return rc;
	return elf_file_check_arch(init, parts->arch);
}

/* cpio_end() last: what follows the trailer is not read. */
static int add_all(struct cpio *cpio, const struct initramfs_parts *parts)
{
	char dir[PATH_MAX];
	int rc;

	rc = find_programs(parts, dir);
	if (rc < 0)
		return rc;
	rc = add_directories(cpio);
	if (rc < 0)
		return rc;
	rc = add_programs(cpio, dir);
	if (rc < 0)
		return rc;
	rc = add_loader(cpio, parts->arch, dir);
	if (rc < 0)
		return rc;
	rc = add_libraries(cpio, parts->arch);
	if (rc < 0)
		return rc;
	if (parts->modules_dir)
		rc = modules_add(cpio, parts->modules_dir);
	else /* init reads the list in any case */
		rc = cpio_file(cpio, "etc/modules", 0644, "", 0);
	if (rc < 0)
		return rc;
	return cpio_end(cpio);
}

int initramfs_write(const char *path, const struct initramfs_parts *parts)
{
	CLEANUP(close_p)
	int fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0644);
	struct cpio cpio = {.fd = fd};
	int rc;

	if (fd < 0)
		return fail_errno("create %s", path);
	rc = add_all(&cpio, parts);
	if (rc < 0)
		return rc;
	if (fsync(fd) < 0)
		return fail_errno("sync %s", path);
	return 0;
}
