/* A configuration, while memory runs out: setters, JSON both ways, copies,
 * the list of problems, its way to the VMM. */
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "base/checked.h"
#include "base/cleanup.h"
#include "config/config.h"
#include "config/vm_config.h"
#include "support/oom.h"

#define STEP(call)                       \
	do {                             \
		int step_rc_ = (call);   \
		if (step_rc_ < 0)        \
			return step_rc_; \
	} while (0)

/* A kernel and a disk, made once. */
static char dir[] = "/tmp/avf-oom-XXXXXX";
static char kernel[64];
static char disk[64];

static void make_file(char *path, size_t size, const char *name)
{
	int fd;

	(void)snprintf(path, size, "%s/%s", dir, name);
	fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
	OOM_MUST(fd >= 0 && ftruncate(fd, 4096) == 0);
	(void)close(fd);
}

static void remove_files(void)
{
	(void)unlink(kernel);
	(void)unlink(disk);
	(void)rmdir(dir);
}

/* Two disks of the same file, one of them writable: a problem to find. */
static int fill(avf_config *config)
{
	const struct avf_disk_options options = {sizeof(options), true, "id"};

	STEP(avf_config_set_name(config, "name"));
	STEP(avf_config_set_kernel(config, kernel));
	STEP(avf_config_set_initrd(config, kernel));
	STEP(avf_config_set_cmdline(config, "one two"));
	STEP(avf_config_add_disk(config, disk, &options));
	STEP(avf_config_add_disk(config, disk, NULL));
	STEP(avf_config_set_console_output(config, STDOUT_FILENO));
	/* again: the old values go only when the new ones are there */
	STEP(avf_config_set_cmdline(config, "three"));
	return avf_config_set_kernel(config, disk);
}

static int setters(void)
{
	CLEANUP(config_free_p) avf_config *config = NULL;
	CLEANUP(config_free_p) avf_config *copy = NULL;

	STEP(avf_config_new(AVF_CONFIG_RAW, &config));
	STEP(fill(config));
	return avf_config_copy(config, &copy);
}

/* A setter that fails leaves what was there. */
static int setter_keeps(void)
{
	CLEANUP(config_free_p) avf_config *config = NULL;
	int rc;

	oom_pause();
	OOM_MUST(avf_config_new(AVF_CONFIG_RAW, &config) == 0);
	OOM_MUST(avf_config_set_cmdline(config, "old") == 0);
	OOM_MUST(avf_config_set_kernel(config, kernel) == 0);
	oom_resume();
	rc = avf_config_set_cmdline(config, "new");
	OOM_EXPECT(strcmp(avf_config_get_cmdline(config),
			  rc < 0 ? "old" : "new") == 0);
	STEP(rc);
	rc = avf_config_set_kernel(config, disk);
	OOM_EXPECT(strcmp(avf_config_get_kernel(config),
			  rc < 0 ? kernel : disk) == 0);
	return rc;
}

static int problems(void)
{
	CLEANUP(config_free_p) avf_config *config = NULL;
	CLEANUP(problems_free_p) avf_problems *found = NULL;
	int rc;

	oom_pause();
	OOM_MUST(avf_config_new(AVF_CONFIG_PAYLOAD, &config) == 0);
	OOM_MUST(avf_config_set_protected(config, true) == 0);
	oom_resume();
	rc = avf_config_validate(config, &found);
	OOM_EXPECT(rc != 0 && (rc < 0) == !found);
	return MIN(rc, 0);
}

static int read_text(void)
{
	CLEANUP(config_free_p) avf_config *config = NULL;
	char text[512];

	(void)snprintf(text, sizeof(text),
		       "{\"name\": \"n\", \"kernel\": \"%s\", \"params\": "
		       "\"a\\u00e4 b\", \"disks\": [{\"image\": \"%s\", "
		       "\"writable\": true, \"id\": \"x\"}], "
		       "\"memory_mib\": 64}",
		       kernel, disk);
	return avf_config_parse_json(text, strlen(text), -1, &config);
}

static int load(void)
{
	CLEANUP(config_free_p) avf_config *config = NULL;
	char path[80];
	FILE *file;
	int rc;

	oom_pause();
	(void)snprintf(path, sizeof(path), "%s/config.json", dir);
	file = fopen(path, "we");
	OOM_MUST(file);
	OOM_MUST(fprintf(file, "{\"kernel\": \"kernel\"}") > 0);
	OOM_MUST(fclose(file) == 0);
	oom_resume();
	rc = avf_config_load(path, &config);
	(void)unlink(path);
	return rc;
}

/* To text, back, and with its files open, as a named VM does it. */
static int keep(void)
{
	CLEANUP(config_free_p) avf_config *config = NULL;
	CLEANUP(config_free_p) avf_config *read = NULL;
	CLEANUP(config_free_p) avf_config *open = NULL;
	CLEANUP(free_p) char *text = NULL;

	oom_pause();
	OOM_MUST(avf_config_new(AVF_CONFIG_RAW, &config) == 0);
	OOM_MUST(fill(config) == 0);
	oom_resume();
	STEP(config_write_json(config, &text));
	STEP(config_parse_written(text, strlen(text), &read));
	STEP(config_defer(config));
	return config_resolve(read, &open);
}

/* The library's side encodes, the VMM's decodes; it takes the files. */
static int to_the_vmm(void)
{
	CLEANUP(vm_config_fini) struct vm_config got;
	CLEANUP(config_free_p) avf_config *config = NULL;
	unsigned char body[VM_CONFIG_MAX_BYTES];
	int fds[VM_CONFIG_MAX_FDS], own[VM_CONFIG_MAX_FDS];
	unsigned int n_fds;
	size_t used;

	vm_config_init(&got);
	oom_pause();
	OOM_MUST(avf_config_new(AVF_CONFIG_RAW, &config) == 0);
	OOM_MUST(fill(config) == 0);
	oom_resume();
	STEP(vm_config_encode(config_vm(config), body, sizeof(body), &used, fds,
			      VM_CONFIG_MAX_FDS, &n_fds));
	for (unsigned int i = 0; i < n_fds; i++)
		own[i] = dup(fds[i]);
	return vm_config_decode(body, used, own, n_fds, &got);
}

static const struct oom_scenario scenarios[] = {
	{"setters", setters, false},
	{"setter_keeps", setter_keeps, false},
	{"problems", problems, false},
	{"read_text", read_text, false},
	{"load", load, false},
	{"keep", keep, false},
	{"to_the_vmm", to_the_vmm, false},
};

int main(int argc, char **argv)
{
	int rc;

	OOM_MUST(mkdtemp(dir));
	make_file(kernel, sizeof(kernel), "kernel");
	make_file(disk, sizeof(disk), "disk");
	rc = oom_main(argc, argv, scenarios, ARRAY_SIZE(scenarios));
	remove_files();
	return rc;
}
