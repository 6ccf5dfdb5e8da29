/*
 * The application's side while memory runs out: VMs with the fake VMM,
 * channels, named VMs and their descriptors, packages, the probe. After a
 * failure the same call works.
 */
#include <dirent.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include <avf/avf.h>

#include "base/byteorder.h"
#include "base/checked.h"
#include "support/oom.h"

#define PATIENCE_MS 30000
#define PORT        5000

static char dir[] = "/tmp/avf-oom-XXXXXX";

static const char *path_of(const char *name)
{
	static char path[128];

	(void)snprintf(path, sizeof(path), "%s/%s", dir, name);
	return path;
}

static void shell(const char *format, ...)
	__attribute__((format(printf, 1, 2)));

static void shell(const char *format, ...)
{
	char command[256];
	va_list args;

	va_start(args, format);
	(void)vsnprintf(command, sizeof(command), format, args);
	va_end(args);
	OOM_MUST(system(command) == 0);
}

/* --- a VM, without memory ever running out ---------------------------- */

static avf_config *make_config(const char *scenario)
{
	avf_config *config = NULL;

	OOM_MUST(avf_config_new(AVF_CONFIG_RAW, &config) == 0);
	OOM_MUST(avf_config_set_kernel(config, path_of("kernel")) == 0);
	OOM_MUST(avf_config_set_name(config, scenario) == 0);
	OOM_MUST(avf_config_set_debug_level(config, AVF_DEBUG_LEVEL_FULL) == 0);
	OOM_MUST(avf_config_set_vm_output_captured(config, true) == 0);
	return config;
}

static avf_vm *make_vm(const char *scenario)
{
	avf_config *config = make_config(scenario);
	avf_vm *vm = NULL;

	OOM_MUST(avf_vm_new(config, &vm) == 0);
	avf_config_free(config);
	return vm;
}

/* To the event of @type; what is in between is of no interest. */
static int wait_for(avf_vm *vm, int type)
{
	struct avf_event event = AVF_EVENT_INIT;
	int rc;

	do {
		rc = avf_vm_wait_event(vm, PATIENCE_MS, &event);
		if (rc < 0)
			return rc;
		OOM_EXPECT(rc == 1);
	} while (event.type != type);
	return 0;
}

static int run_and_stop(avf_vm *vm)
{
	int rc = avf_vm_run(vm);

	return rc < 0 ? rc : wait_for(vm, AVF_EVENT_STOPPED);
}

static int handle(avf_vm *vm, avf_config **ret_got)
{
	int rc = avf_vm_get_config(vm, ret_got);
	int fd;

	if (rc < 0)
		return rc;
	rc = avf_vm_get_console_output(vm, &fd);
	if (rc < 0)
		return rc;
	(void)close(fd);
	return avf_vm_set_config(vm, *ret_got);
}

static int make_handle(void)
{
	avf_config *config, *got = NULL;
	avf_vm *vm = NULL;
	int rc;

	oom_pause();
	config = make_config("good");
	oom_resume();
	rc = avf_vm_new(config, &vm);
	if (rc == 0)
		rc = handle(vm, &got);
	avf_config_free(got);
	avf_vm_free(vm);
	avf_config_free(config);
	return rc;
}

/* A run that fails leaves a VM that is stopped and can be run. */
static int again(avf_vm *vm)
{
	OOM_EXPECT(avf_vm_get_status(vm) == AVF_STATUS_STOPPED);
	OOM_EXPECT(avf_vm_get_pid(vm) == 0);
	OOM_EXPECT(run_and_stop(vm) == 0);
	return 0;
}

static int run(void)
{
	avf_vm *vm;
	int rc;

	oom_pause();
	vm = make_vm("payload");
	oom_resume();
	rc = run_and_stop(vm);
	if (rc < 0 && again(vm) < 0)
		rc = OOM_BROKEN;
	avf_vm_free(vm);
	return rc;
}

/* --- channels --------------------------------------------------------- */

static int talk(avf_vm *vm, avf_listener **ret_listener)
{
	int fd;
	int rc = avf_vm_connect(vm, PORT, PATIENCE_MS, &fd);

	if (rc < 0)
		return rc;
	/* the fake VMM serves nobody else until it has echoed once */
	OOM_EXPECT(send(fd, "a", 1, MSG_NOSIGNAL) == 1);
	(void)close(fd);
	rc = avf_vm_listen(vm, PORT, ret_listener);
	if (rc < 0)
		return rc;
	rc = avf_listener_accept(*ret_listener, PATIENCE_MS, &fd);
	if (rc < 0)
		return rc;
	(void)close(fd);
	return 0;
}

static int channels(void)
{
	avf_listener *listener = NULL;
	avf_vm *vm;
	int rc;

	oom_pause();
	vm = make_vm("serve_echo");
	OOM_MUST(avf_vm_run(vm) == 0);
	OOM_MUST(wait_for(vm, AVF_EVENT_STARTED) == 0);
	oom_resume();
	rc = talk(vm, &listener);
	avf_listener_free(listener);
	/* the VM lives; the next one gets what this one did not */
	if (rc < 0) {
		listener = NULL;
		OOM_EXPECT(avf_vm_get_status(vm) == AVF_STATUS_RUNNING);
		OOM_EXPECT(avf_vm_listen(vm, PORT, &listener) == 0);
		avf_listener_free(listener);
	}
	avf_vm_free(vm);
	return rc;
}

/* --- named VMs -------------------------------------------------------- */

static void make_package(void)
{
	const le32 magic = le32_make(0xe0f5e1e2U); /* EROFS, at 1024 */
	int fd =
		open(path_of("app.avfpkg"), O_RDWR | O_CREAT | O_CLOEXEC, 0600);

	OOM_MUST(fd >= 0);
	OOM_MUST(pwrite(fd, &magic, sizeof(magic), 1024) == sizeof(magic));
	OOM_MUST(ftruncate(fd, 4096) == 0);
	(void)close(fd);
}

static avf_config *payload_config(void)
{
	avf_config *config = NULL;

	OOM_MUST(avf_config_new(AVF_CONFIG_PAYLOAD, &config) == 0);
	OOM_MUST(avf_config_set_package(config, path_of("app.avfpkg")) == 0);
	OOM_MUST(avf_config_set_payload_name(config, "libx.so") == 0);
	return config;
}

/* A manager in an empty directory. */
static avf_manager *fresh_manager(void)
{
	avf_manager *manager = NULL;

	shell("rm -rf %s", path_of("data"));
	OOM_MUST(avf_manager_new(path_of("data"), &manager) == 0);
	return manager;
}

static int new_manager(void)
{
	avf_manager *manager = NULL;
	int rc;

	oom_pause();
	shell("rm -rf %s", path_of("data"));
	oom_resume();
	rc = avf_manager_new(path_of("data"), &manager);
	avf_manager_free(manager);
	return rc;
}

static unsigned int count_entries(const char *path)
{
	DIR *d = opendir(path);
	unsigned int n = 0;

	OOM_MUST(d);
	while (readdir(d))
		n++;
	(void)closedir(d);
	return n;
}

/* What was not made is not there, no part of it is, and it can be made. */
static int made_later(avf_manager *manager, const avf_config *config)
{
	avf_vm *vm = NULL;

	/* ".", ".." and the lock */
	OOM_EXPECT(count_entries(path_of("data/vm-work")) <= 3);
	OOM_EXPECT(avf_manager_get(manager, "one", &vm) == AVF_ERR_NOT_FOUND);
	OOM_EXPECT(avf_manager_create(manager, "one", config, &vm) == 0);
	avf_vm_free(vm);
	return 0;
}

static int create(void)
{
	avf_manager *manager;
	avf_config *config;
	avf_vm *vm = NULL;
	int rc;

	oom_pause();
	manager = fresh_manager();
	config = payload_config();
	oom_resume();
	rc = avf_manager_create(manager, "one", config, &vm);
	avf_vm_free(vm);
	if (rc < 0 && made_later(manager, config) < 0)
		rc = OOM_BROKEN;
	avf_manager_free(manager);
	avf_config_free(config);
	return rc;
}

/* With the VM "one", that no handle holds. */
static avf_manager *manager_of_one(void)
{
	avf_manager *manager = fresh_manager();
	avf_config *config = payload_config();
	avf_vm *vm = NULL;

	OOM_MUST(avf_manager_create(manager, "one", config, &vm) == 0);
	avf_vm_free(vm);
	avf_config_free(config);
	return manager;
}

static int use(avf_vm *vm, avf_config **ret_config)
{
	int rc = avf_vm_get_config(vm, ret_config);

	if (rc < 0)
		return rc;
	return avf_vm_set_config(vm, *ret_config);
}

/* A file that memory does not suffice to read is not called broken, and one
 * that it does not suffice to write stays as it was. */
static int get(void)
{
	avf_config *config = NULL;
	avf_manager *manager;
	avf_vm *vm = NULL;
	int rc;

	oom_pause();
	manager = manager_of_one();
	oom_resume();
	rc = avf_manager_get(manager, "one", &vm);
	if (rc == 0)
		rc = use(vm, &config);
	avf_config_free(config);
	avf_vm_free(vm);
	vm = NULL;
	oom_pause();
	if (avf_manager_get(manager, "one", &vm) < 0)
		rc = oom_broken(__FILE__, __LINE__, "it is lost");
	oom_resume();
	avf_vm_free(vm);
	avf_manager_free(manager);
	return rc;
}

static int list(void)
{
	avf_names *names = NULL;
	avf_manager *manager;
	int rc;

	oom_pause();
	manager = manager_of_one();
	oom_resume();
	rc = avf_manager_list(manager, &names);
	OOM_EXPECT(rc < 0 || avf_names_count(names) == 1);
	avf_names_free(names);
	avf_manager_free(manager);
	return rc;
}

/* What stays of its files is removed by the next one, so that it goes on. */
static int delete (void)
{
	avf_manager *manager;
	avf_vm *vm = NULL;
	int rc;

	oom_pause();
	manager = manager_of_one();
	oom_resume();
	rc = avf_manager_delete(manager, "one");
	oom_pause();
	OOM_MUST(avf_manager_get(manager, "one", &vm) ==
		 (rc < 0 ? 0 : AVF_ERR_NOT_FOUND));
	oom_resume();
	avf_vm_free(vm);
	avf_manager_free(manager);
	return rc;
}

static int copy(avf_manager *manager, avf_vm *vm, int sock[2], avf_vm **ret_vm)
{
	avf_descriptor *sent = NULL, *got = NULL;
	int rc = avf_vm_to_descriptor(vm, &sent);

	if (rc == 0)
		rc = avf_descriptor_send(sent, sock[0]);
	if (rc == 0)
		rc = avf_descriptor_receive(sock[1], &got);
	if (rc == 0) /* takes @got */
		rc = avf_manager_import(manager, "two", got, ret_vm);
	avf_descriptor_free(sent);
	return rc;
}

static int import(void)
{
	avf_vm *one = NULL, *two = NULL;
	avf_manager *manager;
	int sock[2];
	int rc;

	oom_pause();
	manager = manager_of_one();
	OOM_MUST(avf_manager_get(manager, "one", &one) == 0);
	OOM_MUST(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, sock) == 0);
	oom_resume();
	rc = copy(manager, one, sock, &two);
	avf_vm_free(two);
	two = NULL;
	oom_pause();
	if (avf_manager_get(manager, "two", &two) !=
	    (rc < 0 ? AVF_ERR_NOT_FOUND : 0))
		rc = oom_broken(__FILE__, __LINE__, "half an import");
	oom_resume();
	avf_vm_free(two);
	avf_vm_free(one);
	(void)close(sock[0]);
	(void)close(sock[1]);
	avf_manager_free(manager);
	return rc;
}

/* --- others ----------------------------------------------------------- */

static int package(void)
{
	struct avf_package_options options = AVF_PACKAGE_OPTIONS_INIT;
	char output[128], assets[128], library[128];
	const char *const list[] = {library, NULL};
	int rc;

	(void)snprintf(library, sizeof(library), "%s", path_of("libx.so"));
	(void)snprintf(output, sizeof(output), "%s", path_of("out/p.avfpkg"));
	(void)snprintf(assets, sizeof(assets), "%s", path_of("assets"));
	options.output = output;
	options.name = "package";
	options.libraries = list;
	options.assets = assets;
	rc = avf_package_create(&options);
	/* all of it or nothing */
	OOM_EXPECT((access(output, F_OK) == 0) == (rc == 0));
	(void)unlink(output);
	return rc;
}

/* What cannot be found out is a row that says so. */
static int probe(void)
{
	avf_probe *got = NULL;
	int rc = avf_probe_new_jail(&got);

	OOM_EXPECT(rc < 0 || avf_probe_count(got) > 0);
	avf_probe_free(got);
	return rc;
}

static const struct oom_scenario scenarios[] = {
	{"make_handle", make_handle, false},
	{"run", run, false},
	{"channels", channels, false},
	{"new_manager", new_manager, false},
	{"create", create, true},
	{"get", get, true},
	{"list", list, false},
	{"delete", delete, true},
	{"import", import, true},
	{"package", package, true},
	{"probe", probe, true},
};

int main(int argc, char **argv)
{
	int rc;

	OOM_MUST(mkdtemp(dir));
	OOM_MUST(setenv("AVF_VMM", FAKE_VMM, 1) == 0);
	shell("head -c 4096 /dev/zero >%s", path_of("kernel"));
	shell("mkdir -p %s", path_of("assets/sub"));
	shell("echo hi >%s", path_of("assets/sub/file"));
	shell("cp " FIXTURE " %s", path_of("libx.so"));
	make_package();
	rc = oom_main(argc, argv, scenarios, ARRAY_SIZE(scenarios));
	shell("rm -rf %s", dir);
	return rc;
}
