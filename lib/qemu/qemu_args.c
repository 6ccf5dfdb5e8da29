/*
 * QEMU's command line from a configuration. What a user has given (name, disk
 * ids, command line) is escaped, passed as JSON or as an argument of its own,
 * so that none of it can add an option. Files are given by descriptor.
 */
#include "qemu/qemu_args.h"

#include <jansson.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "base/arch.h"
#include "base/cleanup.h"
#include "base/utf8.h"
#include "json/json_text.h"

#define ROOM_STEP 32U

static const char sandbox[] = "on,obsolete=deny,elevateprivileges=deny,"
			      "spawn=deny,resourcecontrol=deny";

/* What differs by the guest's architecture. */
struct platform {
	enum avf_architecture arch;
	const char *machine;
	const char *cpu;
	/* How ttyS0 gets the chardev "serial". */
	const char *serial_option;
	const char *serial_value;
};

static const struct platform platforms[] = {
	{
		.arch = AVF_ARCHITECTURE_X86_64,
		.machine = "q35,sata=off,smbus=off,smm=off,vmport=off,"
			   "i8042=off,memory-backend=ram",
		.cpu = "max",
		.serial_option = "-serial",
		.serial_value = "chardev:serial",
	},
	{
		.arch = AVF_ARCHITECTURE_ARM64,
		.machine = "virt,gic-version=3,memory-backend=ram",
		/* the architected algorithm costs half of the speed */
		.cpu = "max,pauth-impdef=on",
		.serial_option = "-device",
		.serial_value = "pci-serial,chardev=serial",
	},
};

static const struct platform *find_platform(const struct vm_config *config)
{
	const struct arch *arch = arch_find(config->architecture);
	const struct platform *platform = platforms;

	/* the table has them all */
	while (platform->arch != arch->id)
		platform++;
	return platform;
}

/* Takes @text; NULL is its maker's lack of memory. */
static int push_taken(struct qemu_args *args, char *text)
{
	char **larger;

	if (!text)
		return fail(AVF_ERR_NO_MEMORY, "QEMU's command line");
	/* one more than used: argv ends in NULL */
	if (args->count + 1 >= args->room) {
		larger = realloc(args->argv,
				 (args->room + ROOM_STEP) * sizeof(*larger));
		if (!larger) {
			free(text);
			return fail(AVF_ERR_NO_MEMORY, "QEMU's command line");
		}
		args->argv = larger;
		args->room += ROOM_STEP;
	}
	args->argv[args->count++] = text;
	args->argv[args->count] = NULL;
	return 0;
}

static int push(struct qemu_args *args, const char *format, ...)
	PRINTF_LIKE(2, 3);

static int push(struct qemu_args *args, const char *format, ...)
{
	char *text = NULL;
	va_list ap;
	int n;

	va_start(ap, format);
	n = vasprintf(&text, format, ap);
	va_end(ap);
	return push_taken(args, n < 0 ? NULL : text);
}

static int push_all(struct qemu_args *args, const char *const *texts)
{
	int rc;

	for (; *texts; texts++) {
		rc = push(args, "%s", *texts);
		if (rc < 0)
			return rc;
	}
	return 0;
}

/* In QEMU's options a comma ends a value and two commas are a comma. */
static char *double_commas(const char *text)
{
	char *escaped = malloc(2 * strlen(text) + 1);
	char *p = escaped;

	if (!escaped)
		return NULL;
	for (; *text; text++) {
		*p++ = *text;
		if (*text == ',')
			*p++ = ',';
	}
	*p = '\0';
	return escaped;
}

static int push_name(struct qemu_args *args, const char *name)
{
	CLEANUP(free_p) char *escaped = NULL;
	int rc;

	if (!name)
		return 0;
	escaped = double_commas(name);
	if (!escaped)
		return fail(AVF_ERR_NO_MEMORY, "QEMU's command line");
	rc = push(args, "-name");
	return rc < 0 ? rc : push(args, "guest=%s", escaped);
}

static int push_machine(struct qemu_args *args, const struct vm_config *config)
{
	/* Nothing of the user's or the system's QEMU set-up has a say, and
	 * no sub-process, no new privilege, no change of priorities. */
	const struct platform *platform = find_platform(config);
	const char *const fixed[] = {
		"-nodefaults", "-no-user-config",  "-display",
		"none",        "-no-reboot",       "-sandbox",
		sandbox,       "-machine",         platform->machine,
		"-accel",      "tcg,thread=multi", "-cpu",
		platform->cpu, "-object",          NULL};
	int rc = push_all(args, fixed);

	if (rc < 0)
		return rc;
	/* shared: the vsock device reads its rings in our process */
	rc = push(args, "memory-backend-memfd,id=ram,size=%uM,share=on",
		  config->memory_mib);
	if (rc < 0 || (rc = push(args, "-m")) < 0 ||
	    (rc = push(args, "%uM", config->memory_mib)) < 0 ||
	    (rc = push(args, "-smp")) < 0)
		return rc;
	return push(args, "%u", config->vcpus);
}

/* QEMU reads both before the guest starts. */
static int push_kernel(struct qemu_args *args, const struct qemu_fds *fds,
		       const char *cmdline)
{
	int rc = push(args, "-kernel");

	if (rc < 0 || (rc = push(args, "/proc/self/fd/%d", fds->kernel)) < 0)
		return rc;
	if (fds->initrd >= 0) {
		rc = push(args, "-initrd");
		if (rc < 0)
			return rc;
		rc = push(args, "/proc/self/fd/%d", fds->initrd);
		if (rc < 0)
			return rc;
	}
	rc = push(args, "-append");
	return rc < 0 ? rc : push(args, "%s", cmdline);
}

/* A socket @fd as the other end of what @option and @value describe. */
static int push_socket(struct qemu_args *args, const char *id, int fd,
		       const char *option, const char *value)
{
	int rc;

	if (fd < 0)
		return 0;
	rc = push(args, "-chardev");
	if (rc < 0)
		return rc;
	rc = push(args, "socket,id=%s,fd=%d", id, fd);
	if (rc < 0)
		return rc;
	rc = push(args, "%s", option);
	return rc < 0 ? rc : push(args, "%s", value);
}

/*
 * The same devices that our machine has, as far as QEMU has them. All that is
 * virtio is modern only.
 */
static int push_devices(struct qemu_args *args, const struct vm_config *config,
			const struct qemu_fds *fds)
{
	const struct platform *platform = find_platform(config);
	static const char *const serial_bus[] = {
		"-device", "virtio-serial-pci,disable-legacy=on,max_ports=4",
		"-device", "virtio-rng-pci,disable-legacy=on", NULL};
	const struct {
		const char *id;
		int fd;
		const char *option, *value;
	} sockets[] = {
		{"qmp", fds->qmp, "-mon", "chardev=qmp,mode=control"},
		{"serial", fds->serial, platform->serial_option,
		 platform->serial_value},
		{"console", fds->console, "-device",
		 "virtconsole,chardev=console,nr=0"},
		{"log", fds->log, "-device",
		 "virtserialport,chardev=log,nr=1,name=log"},
		{"failure", fds->failure, "-device",
		 "virtserialport,chardev=failure,nr=2,name=failure"},
		{"vsock", fds->vsock, "-device",
		 "vhost-user-vsock-pci,chardev=vsock"},
		{NULL, -1, NULL, NULL},
	};
	int rc = push_all(args, serial_bus);

	if (rc < 0)
		return rc;
	for (int i = 0; sockets[i].id; i++) {
		rc = push_socket(args, sockets[i].id, sockets[i].fd,
				 sockets[i].option, sockets[i].value);
		if (rc < 0)
			return rc;
	}
	return 0;
}

/* Push @option with @object (taken) as JSON. */
static int push_json(struct qemu_args *args, const char *option, json_t *object)
{
	char *text;
	int rc;

	if (!object)
		return fail(AVF_ERR_NO_MEMORY, "QEMU option %s", option);
	text = jtext_write(object, JSON_COMPACT | JSON_ENSURE_ASCII);
	json_decref(object);
	rc = push(args, "%s", option);
	if (rc < 0) {
		free(text);
		return rc;
	}
	return push_taken(args, text);
}

/* Not with "s*": that leaves the serial out when memory runs out, too. */
static json_t *disk_device(const char *node, const char *id)
{
	json_t *device = json_pack("{s:s,s:s,s:s}", "driver", "virtio-blk-pci",
				   "disable-legacy", "on", "drive", node);

	if (!device || !id)
		return device;
	if (json_object_set_new(device, "serial", json_string(id)) == 0)
		return device;
	json_decref(device);
	return NULL;
}

static int push_disk(struct qemu_args *args, const struct vm_disk *disk,
		     const struct qemu_fds *fds, unsigned int i)
{
	char path[40], node[16];
	int rc;

	/* jansson would not say why it makes nothing of it */
	if (disk->id && !utf8_is_valid(disk->id))
		return fail(AVF_ERR_INVALID, "disks[%u].id: not UTF-8", i);
	(void)snprintf(path, sizeof(path), "/proc/self/fd/%d", fds->disks[i]);
	(void)snprintf(node, sizeof(node), "disk%u", i);
	if (fds->disk_dup[i]) {
		(void)snprintf(path, sizeof(path), "/dev/fdset/%u", i);
		rc = push(args, "-add-fd");
		if (rc < 0)
			return rc;
		rc = push(args, "fd=%d,set=%u", fds->disks[i], i);
		if (rc < 0)
			return rc;
	}
	/* Raw is said, never guessed: a guest could write another format's
	 * header to its disk. The library has locked the file already. */
	rc = push_json(args, "-blockdev",
		       json_pack("{s:s,s:s,s:b,s:{s:s,s:s,s:b,s:s}}", "driver",
				 "raw", "node-name", node, "read-only",
				 !disk->writable, "file", "driver", "file",
				 "filename", path, "read-only", !disk->writable,
				 "locking", "off"));
	if (rc < 0)
		return rc;
	return push_json(args, "-device", disk_device(node, disk->id));
}

static int make(const char *program, const struct vm_config *config,
		const struct qemu_fds *fds, const char *cmdline,
		struct qemu_args *args)
{
	int rc = push(args, "%s", program);

	if (rc < 0 || (rc = push_name(args, config->name)) < 0 ||
	    (rc = push_machine(args, config)) < 0 ||
	    (rc = push_kernel(args, fds, cmdline)) < 0 ||
	    (rc = push_devices(args, config, fds)) < 0)
		return rc;
	for (unsigned int i = 0; i < config->n_disks; i++) {
		rc = push_disk(args, &config->disks[i], fds, i);
		if (rc < 0)
			return rc;
	}
	return 0;
}

int qemu_args_make(const char *program, const struct vm_config *config,
		   const struct qemu_fds *fds, const char *cmdline,
		   struct qemu_args *ret_args)
{
	CLEANUP(qemu_args_fini) struct qemu_args args = {NULL, 0, 0};
	int rc = make(program, config, fds, cmdline, &args);

	if (rc < 0)
		return rc;
	*ret_args = args;
	args = (struct qemu_args){NULL, 0, 0};
	return 0;
}

void qemu_args_fini(struct qemu_args *args)
{
	for (size_t i = 0; i < args->count; i++)
		free(args->argv[i]);
	free(args->argv);
	*args = (struct qemu_args){NULL, 0, 0};
}
