/* Named VMs that really run: status, capture, locks, the end of a handle. */
#include "support/vm_harness.h"

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

static char dir[] = "/tmp/avf-vm-manager-XXXXXX";
static avf_manager *manager;

static void shell(const char *command)
{
	char line[256];

	(void)snprintf(line, sizeof(line), "cd %s && %s", dir, command);
	CHECK(system(line) == 0);
}

/* A VM of the bare-metal guest @guest, named "one". */
static avf_vm *create(avf_config *config)
{
	avf_vm *vm = NULL;

	CHECK_OK(avf_manager_new(dir, &manager));
	CHECK_OK(avf_manager_create(manager, "one", config, &vm));
	avf_config_free(config);
	return vm;
}

static void destroy(avf_vm *vm)
{
	avf_vm_free(vm);
	CHECK_OK(avf_manager_delete(manager, "one"));
	avf_manager_free(manager);
}

static int wait_for(avf_vm *vm, int type)
{
	struct avf_event event = AVF_EVENT_INIT;

	while (avf_vm_wait_event(vm, VMT_PATIENCE_MS, &event) > 0)
		if (event.type == type)
			return event.code;
	vmt_fail(__FILE__, __LINE__, "no %s", avf_event_type_name(type));
	return -100;
}

/* All that comes until the end of the stream. */
static void expect_output(int fd, const char *want)
{
	char text[4096];
	size_t used = 0;
	ssize_t n;

	while (used < sizeof(text) - 1 &&
	       (n = read(fd, text + used, sizeof(text) - 1 - used)) > 0)
		used += (size_t)n;
	text[used] = '\0';
	CHECK(vmt_contains(text, want));
	close(fd);
}

static void captured_output_of_each_run(void)
{
	avf_config *config = vmt_bare_config("hello");
	avf_vm *vm;
	int fd = -1;

	CHECK_OK(avf_config_set_debug_level(config, AVF_DEBUG_LEVEL_FULL));
	CHECK_OK(avf_config_set_vm_output_captured(config, true));
	CHECK_OK(avf_config_set_cmdline(config, "one two=three last"));
	vm = create(config);
	CHECK_OK(avf_vm_get_console_output(vm, &fd)); /* before the run */
	CHECK_OK(avf_vm_run(vm));
	CHECK(avf_vm_get_status(vm) == AVF_STATUS_RUNNING);
	CHECK(wait_for(vm, AVF_EVENT_STOPPED) == AVF_STOP_REASON_SHUTDOWN);
	CHECK(avf_vm_get_status(vm) == AVF_STATUS_STOPPED);
	expect_output(fd, "two=three");
	CHECK_OK(avf_vm_run(vm));
	CHECK(wait_for(vm, AVF_EVENT_STOPPED) == AVF_STOP_REASON_SHUTDOWN);
	CHECK_OK(avf_vm_get_console_output(vm, &fd)); /* behind the run */
	expect_output(fd, "two=three");
	destroy(vm);
}

static void what_a_running_vm_refuses(void)
{
	avf_config *config = vmt_bare_config("spin");
	avf_descriptor *descriptor = NULL;
	avf_vm *vm = create(config);

	CHECK_OK(avf_vm_run(vm));
	(void)wait_for(vm, AVF_EVENT_STARTED);
	CHECK_FAILS(avf_vm_run(vm), AVF_ERR_STATE,
		    "VM is not in stopped state");
	CHECK_FAILS(avf_manager_delete(manager, "one"), AVF_ERR_STATE,
		    "VM is not in stopped state");
	CHECK_FAILS(avf_vm_to_descriptor(vm, &descriptor), AVF_ERR_STATE,
		    "VM is not in stopped state");
	CHECK_OK(avf_vm_get_config(vm, &config));
	CHECK_FAILS(avf_vm_set_config(vm, config), AVF_ERR_STATE,
		    "VM is not in stopped state");
	avf_config_free(config);
	CHECK_OK(avf_vm_kill(vm));
	CHECK(wait_for(vm, AVF_EVENT_STOPPED) == AVF_STOP_REASON_KILLED);
	destroy(vm);
}

static void a_running_vm_survives_the_loss_of_its_files(void)
{
	avf_vm *vm = create(vmt_bare_config("spin"));
	avf_vm *other = NULL;

	CHECK_OK(avf_vm_run(vm));
	(void)wait_for(vm, AVF_EVENT_STARTED);
	shell("rm -r vm/one");
	CHECK(avf_vm_get_status(vm) == AVF_STATUS_RUNNING);
	CHECK_FAILS(avf_manager_get(manager, "one", &other), AVF_ERR_NOT_FOUND,
		    "one");
	CHECK_OK(avf_vm_kill(vm));
	CHECK(wait_for(vm, AVF_EVENT_STOPPED) == AVF_STOP_REASON_KILLED);
	CHECK(avf_vm_get_status(vm) == AVF_STATUS_DELETED);
	CHECK_FAILS(avf_vm_run(vm), AVF_ERR_STATE, "VM has been deleted");
	avf_vm_free(vm);
	avf_manager_free(manager);
}

static void the_last_handle_stops_it(void)
{
	avf_vm *vm = create(vmt_bare_config("spin"));
	avf_vm *second = NULL;
	pid_t pid;

	CHECK_OK(avf_manager_get(manager, "one", &second));
	CHECK_OK(avf_vm_run(vm));
	(void)wait_for(vm, AVF_EVENT_STARTED);
	pid = avf_vm_get_pid(vm);
	avf_vm_free(second);
	CHECK(avf_vm_get_status(vm) == AVF_STATUS_RUNNING);
	avf_vm_free(vm);
	CHECK(kill(pid, 0) < 0);
	CHECK_OK(avf_manager_get(manager, "one", &vm));
	CHECK(avf_vm_get_status(vm) == AVF_STATUS_STOPPED);
	destroy(vm);
}

static void another_process_waits_for_its_turn(void)
{
	avf_vm *vm = create(vmt_bare_config("spin"));
	avf_manager *mine = NULL;
	avf_vm *other = NULL;
	int status;
	pid_t pid;

	CHECK_OK(avf_vm_run(vm));
	(void)wait_for(vm, AVF_EVENT_STARTED);
	pid = fork();
	if (pid == 0) /* its own manager, since handles do not cross a fork */
		_exit(avf_manager_new(dir, &mine) < 0 ||
		      avf_manager_get(mine, "one", &other) != AVF_ERR_BUSY ||
		      avf_manager_delete(mine, "one") != AVF_ERR_BUSY);
	CHECK(waitpid(pid, &status, 0) == pid && status == 0);
	destroy(vm);
}

static const struct vmt_test tests[] = {
	{"captured_output_of_each_run", captured_output_of_each_run},
	{"what_a_running_vm_refuses", what_a_running_vm_refuses},
	{"a_running_vm_survives_the_loss_of_its_files",
	 a_running_vm_survives_the_loss_of_its_files},
	{"the_last_handle_stops_it", the_last_handle_stops_it},
	{"another_process_waits_for_its_turn",
	 another_process_waits_for_its_turn},
};

int main(int argc, char **argv)
{
	char command[64];
	int rc;

	if (access("/dev/kvm", R_OK | W_OK) < 0)
		vmt_skip_all("no /dev/kvm that this user may use");
	if (!mkdtemp(dir))
		return 1;
	rc = vmt_main(argc, argv, tests, sizeof(tests) / sizeof(tests[0]));
	(void)snprintf(command, sizeof(command), "rm -rf %s", dir);
	return system(command) == 0 ? rc : 1;
}
