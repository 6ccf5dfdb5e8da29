/* Named VMs: AVF's rules for create, get, delete and setConfig. */
#include "manager_dir.h"

#include <sys/wait.h>

TestSuite(manager, .init = make_dir, .fini = remove_dir, .timeout = 60);

Test(manager, a_vm_has_avfs_files)
{
	static const struct {
		const char *path;
		off_t size;
	} files[] = {
		{"vm/one/instance_id", 64},
		{"vm/one/instance.img", 10485760},
		{"vm/one/lock", 0},
	};
	avf_vm *vm = create("one");
	char magic[21];
	struct stat st;
	int fd;

	for (size_t i = 0; i < ARRAY_SIZE(files); i++) {
		cr_assert_eq(stat(path_of(files[i].path), &st), 0, "%s",
			     files[i].path);
		cr_expect_eq(st.st_size, files[i].size, "%s", files[i].path);
		cr_expect_eq(st.st_mode & 0777, 0600, "%s", files[i].path);
	}
	cr_assert_eq(stat(path_of("vm/one/instance.img"), &st), 0);
	cr_expect_lt(st.st_blocks, 64, "it is sparse");
	cr_expect_neq(access(path_of("vm/one/storage.img"), F_OK), 0);
	fd = open(path_of("vm/one/instance.img"), O_RDONLY | O_CLOEXEC);
	cr_assert_eq(read(fd, magic, sizeof(magic)), sizeof(magic));
	close(fd);
	cr_expect_eq(memcmp(magic, "Android-VM-instance\1\0", 21), 0);
	cr_expect_eq(avf_vm_get_status(vm), AVF_STATUS_STOPPED);
	cr_expect_str_eq(avf_vm_get_name(vm), "one");
	cr_expect_str_eq(avf_vm_get_dir(vm), path_of("vm/one"));
	cr_expect_eq(count_entries(path_of("vm-work")), 1, "only the lock");
	avf_vm_free(vm);
}

Test(manager, what_was_created_is_found_again)
{
	avf_vm *vm = create("one");
	avf_vm *again = NULL;
	avf_config *got = NULL;

	cr_assert_eq(avf_manager_get(manager, "one", &again), 0);
	cr_expect_eq(again, vm, "one handle per name");
	avf_vm_free(again);
	cr_expect_eq(avf_vm_get_status(vm), AVF_STATUS_STOPPED);
	avf_vm_free(vm);
	cr_assert_eq(avf_manager_get(manager, "one", &vm), 0, "%s",
		     avf_last_error()->text);
	cr_assert_eq(avf_vm_get_config(vm, &got), 0);
	cr_expect(avf_config_is_compatible(got, config));
	cr_expect_str_eq(avf_config_get_package(got), path_of("app.avfpkg"));
	cr_expect_str_eq(avf_config_get_payload_name(got), "libx.so");
	avf_config_free(got);
	avf_vm_free(vm);
}

Test(manager, every_field_survives_the_disk)
{
	avf_vm *vm = NULL;
	avf_config *got = NULL;

	cr_assert_eq(avf_config_set_name(config, "logs"), 0);
	cr_assert_eq(avf_config_set_memory_mib(config, 64), 0);
	cr_assert_eq(avf_config_set_cpu_topology(config,
						 AVF_CPU_TOPOLOGY_MATCH_HOST),
		     0);
	cr_assert_eq(
		avf_config_set_acceleration(config, AVF_ACCELERATION_EMULATION),
		0);
	cr_assert_eq(avf_config_set_debug_level(config, AVF_DEBUG_LEVEL_FULL),
		     0);
	cr_assert_eq(avf_config_set_hugepages(config, true), 0);
	cr_assert_eq(avf_config_set_guest_image(config, "/image"), 0);
	cr_assert_eq(avf_config_set_boot_timeout_ms(config, 77), 0);
	cr_assert_eq(avf_config_set_vm_output_captured(config, true), 0);
	cr_assert_eq(avf_config_set_vm_console_input_supported(config, true),
		     0);
	cr_assert_eq(avf_config_set_encrypted_storage_bytes(config, 5000), 0);
	avf_vm_free(create("one"));
	cr_assert_eq(avf_manager_get(manager, "one", &vm), 0, "%s",
		     avf_last_error()->text);
	cr_assert_eq(avf_vm_get_config(vm, &got), 0);
	cr_expect_eq(avf_config_get_kind(got), AVF_CONFIG_PAYLOAD);
	cr_expect_str_eq(avf_config_get_name(got), "logs");
	cr_expect_eq(avf_config_get_memory_mib(got), 64);
	cr_expect_eq(avf_config_get_cpu_topology(got),
		     AVF_CPU_TOPOLOGY_MATCH_HOST);
	cr_expect_eq(avf_config_get_acceleration(got),
		     AVF_ACCELERATION_EMULATION);
	cr_expect_eq(avf_config_get_debug_level(got), AVF_DEBUG_LEVEL_FULL);
	cr_expect(avf_config_get_hugepages(got));
	cr_expect_str_eq(avf_config_get_guest_image(got), "/image");
	cr_expect_eq(avf_config_get_boot_timeout_ms(got), 77);
	cr_expect(avf_config_get_vm_output_captured(got));
	cr_expect(avf_config_get_vm_console_input_supported(got));
	cr_expect_eq(avf_config_get_encrypted_storage_bytes(got), 5000);
	avf_config_free(got);
	avf_vm_free(vm);
}

Test(manager, a_raw_vm_keeps_its_disks)
{
	struct avf_disk_options options = AVF_DISK_OPTIONS_INIT;
	avf_config *raw = NULL;
	avf_config *got = NULL;
	avf_vm *vm = NULL;

	options.writable = true;
	options.id = "root";
	cr_assert_eq(avf_config_new(AVF_CONFIG_RAW, &raw), 0);
	cr_assert_eq(avf_config_set_kernel(raw, path_of("app.avfpkg")), 0);
	cr_assert_eq(avf_config_set_cmdline(raw, "quiet"), 0);
	cr_assert_eq(avf_config_add_disk(raw, path_of("app.avfpkg"), &options),
		     0);
	cr_assert_eq(avf_manager_create(manager, "raw", raw, &vm), 0, "%s",
		     avf_last_error()->text);
	avf_vm_free(vm);
	cr_assert_eq(avf_manager_get(manager, "raw", &vm), 0);
	cr_assert_eq(avf_vm_get_config(vm, &got), 0);
	cr_expect_str_eq(avf_config_get_kernel(got), path_of("app.avfpkg"));
	cr_expect_str_eq(avf_config_get_cmdline(got), "quiet");
	cr_assert_eq(avf_config_get_disk_count(got), 1);
	cr_expect_str_eq(avf_config_get_disk(got, 0), path_of("app.avfpkg"));
	cr_expect(avf_config_get_disk_writable(got, 0));
	cr_expect_str_eq(avf_config_get_disk_id(got, 0), "root");
	cr_expect_null(avf_config_get_disk(got, 1));
	cr_expect_eq(avf_config_validate(got, NULL), 0, "%s",
		     avf_last_error()->text);
	avf_config_free(got);
	avf_config_free(raw);
	avf_vm_free(vm);
}

Test(manager, relative_paths_become_absolute)
{
	avf_config *got = NULL;
	avf_vm *vm;

	cr_assert_eq(chdir(dir), 0);
	cr_assert_eq(avf_config_set_package(config, "app.avfpkg"), 0);
	vm = create("one");
	cr_assert_eq(chdir("/"), 0);
	cr_assert_eq(avf_vm_get_config(vm, &got), 0);
	cr_expect_str_eq(avf_config_get_package(got), path_of("app.avfpkg"));
	avf_config_free(got);
	avf_vm_free(vm);
}

Test(manager, names)
{
	static const struct {
		const char *what;
		const char *name;
		int rc;
	} rows[] = {
		{"a letter", "a", 0},
		{"a hidden name", ".hidden", 0},
		{"spaces and umlauts", "m\xc3\xa4 h", 0},
		{"nothing", "", AVF_ERR_INVALID},
		{"this directory", ".", AVF_ERR_INVALID},
		{"the one above", "..", AVF_ERR_INVALID},
		{"a path", "a/b", AVF_ERR_INVALID},
		{"a way out", "../x", AVF_ERR_INVALID},
		{"an absolute path", "/tmp/x", AVF_ERR_INVALID},
		{"a newline", "a\nb", AVF_ERR_INVALID},
		{"not UTF-8", "\xff", AVF_ERR_INVALID},
	};
	char text[300];
	avf_vm *vm;
	int rc;

	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		vm = NULL;
		rc = avf_manager_create(manager, rows[i].name, config, &vm);
		cr_expect_eq(rc, rows[i].rc, "%s: %s", rows[i].what,
			     avf_last_error()->text);
		if (rc < 0)
			expect_error(rc, AVF_ERR_INVALID, "Invalid VM name: ");
		avf_vm_free(vm);
		cr_expect_eq(avf_manager_delete(manager, rows[i].name),
			     rows[i].rc, "%s", rows[i].what);
	}
	memset(text, 'x', sizeof(text));
	text[256] = '\0';
	cr_expect_eq(avf_manager_get(manager, text, &vm), AVF_ERR_INVALID);
	text[255] = '\0';
	avf_vm_free(create(text));
}

Test(manager, avfs_errors)
{
	avf_vm *vm = create("one");
	avf_vm *other = NULL;
	int fd;

	expect_error(avf_manager_create(manager, "one", config, &other),
		     AVF_ERR_EXISTS, "virtual machine already exists");
	expect_error(avf_manager_get(manager, "two", &other), AVF_ERR_NOT_FOUND,
		     NULL);
	expect_error(avf_manager_delete(manager, "two"), AVF_ERR_NOT_FOUND,
		     NULL);
	expect_error(avf_vm_stop(vm), AVF_ERR_STATE, "VM is not running");
	expect_error(avf_vm_connect(vm, 5678, 0, &fd), AVF_ERR_STATE,
		     "VM is not in running state");
	expect_error(avf_vm_get_console_output(vm, &fd), AVF_ERR_STATE,
		     "Capturing vm outputs is turned off");
	expect_error(avf_vm_get_console_input(vm, &fd), AVF_ERR_STATE,
		     "VM console input is not supported");
	cr_assert_eq(avf_manager_delete(manager, "one"), 0);
	cr_expect_eq(avf_vm_get_status(vm), AVF_STATUS_DELETED);
	expect_error(avf_vm_run(vm), AVF_ERR_STATE, "VM has been deleted");
	expect_error(avf_vm_connect(vm, 5678, 0, &fd), AVF_ERR_STATE,
		     "VM has been deleted");
	expect_error(avf_vm_set_config(vm, config), AVF_ERR_STATE,
		     "VM has been deleted");
	expect_error(avf_manager_delete(manager, "one"), AVF_ERR_NOT_FOUND,
		     NULL);
	cr_expect_null(other);
	avf_vm_free(vm);
}

Test(manager, a_new_vm_is_not_the_deleted_one)
{
	avf_vm *old = create("one");
	avf_vm *new;
	avf_vm *got = NULL;

	cr_assert_eq(avf_manager_delete(manager, "one"), 0);
	new = create("one");
	cr_expect_neq(old, new);
	cr_expect_eq(avf_vm_get_status(old), AVF_STATUS_DELETED);
	cr_expect_eq(avf_vm_get_status(new), AVF_STATUS_STOPPED);
	cr_assert_eq(avf_manager_get(manager, "one", &got), 0);
	cr_expect_eq(got, new);
	avf_vm_free(got);
	avf_vm_free(new);
	avf_vm_free(old);
}

Test(manager, vanished_files_are_a_deleted_vm)
{
	avf_vm *vm = create("one");

	cr_assert_eq(unlink(path_of("vm/one/config")), 0);
	cr_expect_eq(avf_vm_get_status(vm), AVF_STATUS_DELETED);
	avf_vm_free(vm);
}

Test(manager, get_or_create_ignores_the_configuration_of_what_exists)
{
	avf_config *got = NULL;
	avf_vm *vm = NULL;
	avf_vm *again = NULL;

	cr_assert_eq(avf_manager_get_or_create(manager, "one", config, &vm), 0,
		     "%s", avf_last_error()->text);
	cr_assert_eq(avf_config_set_memory_mib(config, 99), 0);
	cr_assert_eq(avf_manager_get_or_create(manager, "one", config, &again),
		     0);
	cr_expect_eq(vm, again);
	cr_assert_eq(avf_vm_get_config(vm, &got), 0);
	cr_expect_eq(avf_config_get_memory_mib(got), 256);
	avf_config_free(got);
	avf_vm_free(vm);
	avf_vm_free(again);
}

Test(manager, set_config)
{
	avf_config *got = NULL;
	avf_vm *vm = create("one");

	cr_assert_eq(avf_config_set_memory_mib(config, 99), 0);
	cr_expect_eq(avf_vm_set_config(vm, config), 0, "%s",
		     avf_last_error()->text);
	avf_vm_free(vm);
	cr_assert_eq(avf_manager_get(manager, "one", &vm), 0);
	cr_assert_eq(avf_vm_get_config(vm, &got), 0);
	cr_expect_eq(avf_config_get_memory_mib(got), 99, "it is on disk");
	cr_assert_eq(avf_config_set_debug_level(got, AVF_DEBUG_LEVEL_FULL), 0);
	expect_error(avf_vm_set_config(vm, got), AVF_ERR_INVALID,
		     "incompatible config");
	avf_config_free(got);
	avf_vm_free(vm);
}

Test(manager, what_a_named_vm_cannot_have)
{
	int fd = open(path_of("app.avfpkg"), O_RDONLY | O_CLOEXEC);
	avf_vm *vm = NULL;

	cr_assert_eq(avf_config_set_package_fd(config, fd), 0);
	expect_error(avf_manager_create(manager, "one", config, &vm),
		     AVF_ERR_INVALID, "a named VM keeps paths");
	cr_assert_eq(avf_config_set_package(config, path_of("app.avfpkg")), 0);
	cr_assert_eq(avf_config_set_vm_output_captured(config, true), 0);
	expect_error(avf_manager_create(manager, "one", config, &vm),
		     AVF_ERR_INVALID,
		     "debug level must be FULL to capture output");
	cr_assert_eq(avf_config_set_vm_output_captured(config, false), 0);
	cr_assert_eq(avf_config_set_vm_console_input_supported(config, true),
		     0);
	expect_error(avf_manager_create(manager, "one", config, &vm),
		     AVF_ERR_INVALID,
		     "debug level must be FULL to use console input");
	cr_expect_eq(count_entries(path_of("vm")), 0);
	close(fd);
}

Test(manager, encrypted_storage_is_made_and_not_yet_run)
{
	avf_vm *vm;
	struct stat st;

	cr_expect_eq(avf_config_set_encrypted_storage_bytes(
			     config, AVF_MAX_STORAGE_BYTES + 1),
		     AVF_ERR_INVALID);
	cr_assert_eq(avf_config_set_encrypted_storage_bytes(config, 4000001),
		     0);
	vm = create("one");
	cr_assert_eq(stat(path_of("vm/one/storage.img"), &st), 0);
	cr_expect_eq(st.st_size, 4001792, "whole blocks");
	expect_error(avf_vm_run(vm), AVF_ERR_UNSUPPORTED, "encrypted storage");
	avf_vm_free(vm);
}

Test(manager, files_are_opened_at_the_run)
{
	avf_vm *vm = create("one");

	cr_assert_eq(unlink(path_of("app.avfpkg")), 0);
	cr_expect_eq(avf_vm_get_status(vm), AVF_STATUS_STOPPED);
	expect_error(avf_vm_run(vm), AVF_ERR_NOT_FOUND, "app.avfpkg");
	avf_vm_free(vm);
	cr_expect_eq(avf_manager_get(manager, "one", &vm), 0,
		     "it is there all the same");
	avf_vm_free(vm);
}

Test(manager, another_manager_sees_the_lock)
{
	avf_manager *second = NULL;
	avf_vm *vm = create("one");
	avf_vm *other = NULL;

	cr_assert_eq(avf_manager_new(dir, &second), 0);
	expect_error(avf_manager_get(second, "one", &other), AVF_ERR_BUSY,
		     "in use");
	expect_error(avf_manager_delete(second, "one"), AVF_ERR_BUSY, "in use");
	avf_vm_free(vm);
	cr_expect_eq(avf_manager_get(second, "one", &other), 0);
	expect_error(avf_manager_delete(manager, "one"), AVF_ERR_BUSY, NULL);
	avf_manager_free(second);
	cr_expect_eq(avf_vm_get_status(other), AVF_STATUS_STOPPED,
		     "a handle outlives its manager");
	avf_vm_free(other);
	cr_expect_eq(avf_manager_delete(manager, "one"), 0);
}

Test(manager, the_list_is_sorted)
{
	avf_names *names = NULL;

	avf_vm_free(create("b"));
	avf_vm_free(create("c"));
	avf_vm_free(create("a"));
	cr_assert_eq(avf_manager_list(manager, &names), 0);
	cr_assert_eq(avf_names_count(names), 3);
	cr_expect_str_eq(avf_names_get(names, 0), "a");
	cr_expect_str_eq(avf_names_get(names, 2), "c");
	cr_expect_null(avf_names_get(names, 3));
	avf_names_free(names);
}

Test(manager, a_thousand_rounds_leak_nothing)
{
	unsigned int before = count_fds();

	for (int i = 0; i < 1000; i++) {
		avf_vm *vm = create("round");

		cr_assert_eq(avf_manager_delete(manager, "round"), 0);
		avf_vm_free(vm);
	}
	cr_expect_eq(count_fds(), before);
	cr_expect_eq(count_entries(path_of("vm")), 0);
	cr_expect_eq(count_entries(path_of("vm-work")), 1);
}

/* Each process tries to create the same names; every name has one winner. */
#define RACERS 4
#define RACES  25

static int race(void)
{
	avf_manager *mine = NULL;
	char name[16];
	int wins = 0;

	if (avf_manager_new(dir, &mine) < 0)
		return 255;
	for (int i = 0; i < RACES; i++) {
		avf_vm *vm = NULL;
		int rc;

		(void)snprintf(name, sizeof(name), "vm%d", i);
		rc = avf_manager_create(mine, name, config, &vm);
		if (rc < 0 && rc != AVF_ERR_EXISTS)
			return 255;
		wins += rc == 0;
		avf_vm_free(vm);
	}
	avf_manager_free(mine);
	return wins;
}

Test(manager, one_of_several_processes_wins_a_name)
{
	pid_t racers[RACERS];
	int status;
	int wins = 0;

	for (int i = 0; i < RACERS; i++) {
		racers[i] = fork();
		if (racers[i] == 0)
			_exit(race());
	}
	for (int i = 0; i < RACERS; i++) {
		cr_assert_eq(waitpid(racers[i], &status, 0), racers[i]);
		cr_assert(WIFEXITED(status));
		cr_assert_neq(WEXITSTATUS(status), 255);
		wins += WEXITSTATUS(status);
	}
	cr_expect_eq(wins, RACES);
	cr_expect_eq(count_entries(path_of("vm")), RACES);
	cr_expect_eq(count_entries(path_of("vm-work")), 1);
}

Test(manager, null_is_an_error_or_a_no_op)
{
	avf_vm *vm = NULL;

	cr_expect_eq(avf_manager_new(dir, NULL), AVF_ERR_INVALID);
	cr_expect_eq(avf_manager_new("", &manager), AVF_ERR_INVALID);
	cr_expect_eq(avf_manager_create(NULL, "a", config, &vm),
		     AVF_ERR_INVALID);
	cr_expect_eq(avf_manager_create(manager, NULL, config, &vm),
		     AVF_ERR_INVALID);
	cr_expect_eq(avf_manager_create(manager, "a", NULL, &vm),
		     AVF_ERR_INVALID);
	cr_expect_eq(avf_manager_get(manager, "a", NULL), AVF_ERR_INVALID);
	cr_expect_eq(avf_manager_delete(manager, NULL), AVF_ERR_INVALID);
	cr_expect_eq(avf_manager_import(manager, "a", NULL, &vm),
		     AVF_ERR_INVALID);
	cr_expect_null(avf_vm_get_name(NULL));
	cr_expect_null(avf_vm_get_dir(NULL));
	avf_manager_free(NULL);
	avf_names_free(NULL);
	avf_descriptor_free(NULL);
}
