/*
 * What depends on several fields, or may have changed since a field was set.
 * Each check adds its rows and goes on, so that one look shows everything.
 */
#include "config/config.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/sysinfo.h>

#include "base/arch.h"
#include "base/checked.h"
#include "base/cleanup.h"
#include "base/package_mark.h"
#include "base/protected_vm.h"

#define SECTOR_SIZE 512U

/* Returns an error only when the list cannot grow. */
typedef int check_fn(const avf_config *config, avf_problems *problems);

static uint64_t memory_bytes(const struct vm_config *vm)
{
	return (uint64_t)vm->memory_mib << 20;
}

/* Only emulation runs code of another architecture. */
static int check_architecture(const avf_config *config, avf_problems *problems)
{
	const struct arch *arch = arch_find(config->vm.architecture);

	if (arch == arch_host() ||
	    config->vm.acceleration != AVF_ACCELERATION_KVM)
		return 0;
	return problems_add(problems, "architecture",
			    "a guest for %s runs on this %s host under "
			    "emulation only, which the acceleration does not "
			    "allow",
			    arch->name, arch_host()->name);
}

/* Two rows where both are so: the host that cannot is not mended by the other
 * acceleration. */
static int check_protected(const avf_config *config, avf_problems *problems)
{
	char reason[256];
	int rc = 0;

	if (!config->vm.is_protected)
		return 0;
	if (arch_find(config->vm.architecture) != arch_host())
		return problems_add(problems, "protected",
				    "a guest of another architecture is "
				    "emulated, and cannot be protected");
	if (config->vm.acceleration == AVF_ACCELERATION_EMULATION)
		rc = problems_add(problems, "acceleration",
				  "an emulated guest's memory is the host's to "
				  "read; a protected VM needs KVM");
	if (rc < 0 || protected_vm_find("/dev/kvm", reason, sizeof(reason)) !=
			      PROTECTED_VM_NONE)
		return rc;
	return problems_add(problems, "protected",
			    "Protected VMs are not supported on this device. "
			    "%s",
			    reason);
}

/* More than all of the host's memory can never work. Less may still be too
 * much, but what others use now says nothing about later. */
static int check_memory(const avf_config *config, avf_problems *problems)
{
	const struct vm_config *vm = &config->vm;
	struct sysinfo info;
	uint64_t total;

	if (sysinfo(&info) < 0)
		return 0; /* not known, so not known to be wrong */
	if (ckd_mul(&total, (uint64_t)info.totalram, (uint64_t)info.mem_unit) ||
	    memory_bytes(vm) <= total)
		return 0;
	return problems_add(problems, "memory_mib",
			    "%u MiB is more than the %" PRIu64
			    " MiB of this host",
			    vm->memory_mib, total >> 20);
}

/* An ELF kernel may carry sections that are never loaded, so its size says
 * nothing about the memory that it needs. */
static bool is_elf(int fd)
{
	char magic[4];

	return fd_pread_all(fd, magic, sizeof(magic), 0) == sizeof(magic) &&
	       memcmp(magic, "\177ELF", sizeof(magic)) == 0;
}

/*
 * A file as large as the memory cannot be loaded; a compressed one needs more
 * than its size, which is found out when it boots.
 */
static int check_loaded(const struct vm_config *vm, avf_problems *problems,
			const char *field, int fd)
{
	uint64_t size;

	if (fd < 0)
		return 0;
	if (fd_file_size(fd, field, &size) < 0)
		return problems_add(problems, field, "cannot be read");
	if (size == 0)
		return problems_add(problems, field, "the file is empty");
	if (size < memory_bytes(vm) || is_elf(fd))
		return 0;
	return problems_add(problems, field,
			    "%" PRIu64 " bytes do not fit into %u MiB of "
			    "memory",
			    size, vm->memory_mib);
}

/* Open, or known by path until a run opens it. */
static bool has_file(const avf_config *config, int fd, enum config_file file)
{
	return fd >= 0 || (config->deferred && config->paths[file]);
}

static int check_boot(const avf_config *config, avf_problems *problems)
{
	const struct vm_config *vm = &config->vm;
	int rc;

	if (vm->kind == AVF_CONFIG_RAW &&
	    !has_file(config, vm->kernel_fd, CONFIG_KERNEL)) {
		rc = problems_add(problems, "kernel",
				  "a raw VM needs a kernel");
		if (rc < 0)
			return rc;
	}
	rc = check_loaded(vm, problems, "kernel", vm->kernel_fd);
	if (rc < 0)
		return rc;
	return check_loaded(vm, problems, "initrd", vm->initrd_fd);
}

/* It goes over the tree of our own machine, which is one of the host's kind. */
static int check_overlay(const avf_config *config, avf_problems *problems)
{
	const struct vm_config *vm = &config->vm;
	const struct arch *arch = arch_find(vm->architecture);
	int rc = 0;

	if (!has_file(config, vm->overlay_fd, CONFIG_OVERLAY))
		return 0;
	if (arch->id == AVF_ARCHITECTURE_X86_64)
		rc = problems_add(problems, "device_tree_overlay",
				  "a machine of x86-64 has no device tree; run "
				  "it without");
	if (rc < 0 || (arch == arch_host() &&
		       vm->acceleration != AVF_ACCELERATION_EMULATION))
		return rc;
	return problems_add(problems, "device_tree_overlay",
			    "under emulation the machine is QEMU's; run it on "
			    "KVM, or without");
}

/* What the package says about itself, if it says anything (package_mark.h). A
 * package that lies is found out by the guest. */
static int check_package(const struct vm_config *vm, avf_problems *problems)
{
	const struct arch *arch = arch_find(vm->architecture);
	unsigned char mark[PACKAGE_MARK_SIZE];
	const char *others = "none";
	uint32_t mask;

	if (vm->package_fd < 0 ||
	    fd_pread_all(vm->package_fd, mark, sizeof(mark),
			 PACKAGE_MARK_OFFSET) != sizeof(mark))
		return 0;
	mask = package_mark_read(mark);
	if (mask == 0 || mask & BIT(arch->id))
		return 0;
	for (size_t i = 0; arch_at(i); i++) {
		if (mask & BIT(arch_at(i)->id))
			others = arch_at(i)->name;
	}
	return problems_add(problems, "package",
			    "has libraries for %s, but none for %s: make it "
			    "with one for each",
			    others, arch->name);
}

/* Both are needed, and both are reported when both are missing. */
static int check_payload(const avf_config *config, avf_problems *problems)
{
	const struct vm_config *vm = &config->vm;
	int rc;

	if (vm->kind != AVF_CONFIG_PAYLOAD)
		return 0;
	if (!has_file(config, vm->package_fd, CONFIG_PACKAGE)) {
		rc = problems_add(problems, "package",
				  "a payload VM needs a payload package");
		if (rc < 0)
			return rc;
	}
	rc = check_package(vm, problems);
	if (rc < 0)
		return rc;
	if (vm->payload_name && vm->payload_config_path)
		return problems_add(problems, "payload_config_path",
				    "payload_name is given, too; one of them "
				    "says what to run");
	if (vm->payload_name || vm->payload_config_path)
		return 0;
	return problems_add(problems, "payload_name",
			    "a payload VM needs the name of the payload's "
			    "library inside of the package");
}

/* AVF's rules and texts: VirtualMachineConfig.Builder.build(). A raw VM may
 * write to a console of the caller's at any level. */
static int check_debug(const avf_config *config, avf_problems *problems)
{
	const struct vm_config *vm = &config->vm;
	bool is_payload = vm->kind == AVF_CONFIG_PAYLOAD;
	int rc = 0;

	if (vm->debug_level == AVF_DEBUG_LEVEL_FULL)
		return 0;
	if (config->output_captured || (is_payload && vm->console_out_fd >= 0))
		rc = problems_add(problems,
				  config->output_captured ? "vm_output_captured"
							  : "console_output",
				  "debug level must be FULL to capture output");
	if (rc < 0)
		return rc;
	if (config->console_input || (is_payload && vm->console_in_fd >= 0))
		rc = problems_add(
			problems,
			config->console_input ? "vm_console_input_supported"
					      : "console_input",
			"debug level must be FULL to use console input");
	return rc;
}

/* By inode: two paths, links or descriptors may name one file. */
static bool is_same_file(int a, int b)
{
	struct stat st_a;
	struct stat st_b;

	if (fstat(a, &st_a) < 0 || fstat(b, &st_b) < 0)
		return false;
	/* two device nodes may name one block device */
	if (S_ISBLK(st_a.st_mode) && S_ISBLK(st_b.st_mode))
		return st_a.st_rdev == st_b.st_rdev;
	return st_a.st_dev == st_b.st_dev && st_a.st_ino == st_b.st_ino;
}

/* Two writers, or a reader beside a writer, see each other's half-done work:
 * no file system survives that. */
static int check_shared(const struct vm_config *vm, avf_problems *problems,
			unsigned int index, const char *field)
{
	const struct vm_disk *disk = &vm->disks[index];

	for (unsigned int i = 0; i < index; i++) {
		if (vm->disks[i].fd < 0 ||
		    (!disk->writable && !vm->disks[i].writable))
			continue;
		if (is_same_file(disk->fd, vm->disks[i].fd))
			return problems_add(problems, field,
					    "the same file as disks[%u], and "
					    "one of them is writable",
					    i);
	}
	return 0;
}

/* Sizes are read here and not when the disk was added: files change. */
static int check_disk(const struct vm_config *vm, avf_problems *problems,
		      unsigned int index)
{
	char field[32];
	uint64_t size;
	int rc = 0;

	(void)snprintf(field, sizeof(field), "disks[%u].image", index);
	if (fd_file_size(vm->disks[index].fd, field, &size) < 0)
		return problems_add(problems, field, "cannot be read");
	if (size == 0)
		rc = problems_add(problems, field, "the image is empty");
	else if (size % SECTOR_SIZE != 0)
		rc = problems_add(problems, field,
				  "size of %" PRIu64 " bytes is not a "
				  "multiple of %u",
				  size, SECTOR_SIZE);
	if (rc < 0)
		return rc;
	return check_shared(vm, problems, index, field);
}

static int check_disks(const avf_config *config, avf_problems *problems)
{
	const struct vm_config *vm = &config->vm;
	int rc;

	for (unsigned int i = 0; i < vm->n_disks; i++) {
		if (vm->disks[i].fd < 0)
			continue; /* the run that opens it will see */
		rc = check_disk(vm, problems, i);
		if (rc < 0)
			return rc;
	}
	return 0;
}

static check_fn *const checks[] = {
	check_architecture, check_protected, check_memory, check_boot,
	check_overlay,      check_payload,   check_debug,  check_disks,
};

static int run_checks(const avf_config *config, avf_problems *problems)
{
	int rc;

	for (size_t i = 0; i < ARRAY_SIZE(checks); i++) {
		rc = checks[i](config, problems);
		if (rc < 0)
			return rc;
	}
	return 0;
}

/* Files that are known by path are opened to be looked at. */
static int check_deferred(const avf_config *config, avf_problems *problems)
{
	CLEANUP(config_free_p) avf_config *open = NULL;
	int rc = config_resolve(config, &open);

	if (rc == AVF_ERR_NO_MEMORY)
		return rc;
	if (rc < 0)
		return problems_add(problems, "files", "%s",
				    error_record()->text);
	return run_checks(open, problems);
}

int config_validate(const avf_config *config, avf_problems **ret_problems)
{
	CLEANUP(problems_free_p) avf_problems *problems = NULL;
	int count;
	int rc;

	problems = calloc(1, sizeof(*problems));
	if (!problems)
		return fail(AVF_ERR_NO_MEMORY, "list of problems");
	rc = config->deferred ? check_deferred(config, problems)
			      : run_checks(config, problems);
	if (rc < 0)
		return rc;
	error_clear(); /* what a check met on its way is a row now */
	count = (int)problems->n_rows;
	if (ret_problems)
		*ret_problems = TAKE_PTR(problems);
	return count;
}

/* For avf_vm_new(), which has one text for all of it. Files that each run
 * opens anew are looked at by the run. */
int config_check(const avf_config *config)
{
	CLEANUP(problems_free_p) avf_problems *problems = NULL;
	int rc;

	problems = calloc(1, sizeof(*problems));
	if (!problems)
		return fail(AVF_ERR_NO_MEMORY, "list of problems");
	rc = run_checks(config, problems);
	if (rc < 0)
		return rc;
	error_clear(); /* what a check met on its way is a row now */
	if (problems->n_rows == 0)
		return 0;
	return fail(AVF_ERR_INVALID, "%s: %s", problems->rows[0].field,
		    problems->rows[0].text);
}

int avf_config_validate(const avf_config *config, avf_problems **ret_problems)
{
	error_clear();
	if (!config)
		return fail(AVF_ERR_INVALID, "configuration: NULL");
	return config_validate(config, ret_problems);
}
