/* Broken VM directories, full and read-only disks. */
#include "manager_dir.h"

#include <sched.h>
#include <sys/mount.h>

TestSuite(manager_faults, .init = make_dir, .fini = remove_dir, .timeout = 60);

static void shell(const char *command)
{
	char line[1024];

	(void)snprintf(line, sizeof(line), "cd %s && %s", dir, command);
	cr_assert_eq(system(line), 0, "%s", command);
}

static const struct {
	const char *what;
	const char *damage; /* in the data directory */
	int rc;
	const char *text;
} rows[] = {
	{"no configuration", "rm vm/one/config", AVF_ERR_FORMAT,
	 "Persisted VM config is invalid"},
	{"an empty one", ": >vm/one/config", AVF_ERR_FORMAT,
	 "Persisted VM config is invalid"},
	{"a truncated one", "truncate -s 20 vm/one/config", AVF_ERR_FORMAT,
	 "Persisted VM config is invalid"},
	{"1 GiB of noise", "truncate -s 1G vm/one/config", AVF_ERR_FORMAT,
	 "Persisted VM config is invalid"},
	{"an unknown key", "sed -i 's/memory_mib/memory_mub/' vm/one/config",
	 AVF_ERR_FORMAT, "Persisted VM config is invalid: memory_mub"},
	{"a value out of range",
	 "sed -i 's/\"memory_mib\": 256/\"memory_mib\": 262145/' vm/one/config",
	 AVF_ERR_FORMAT, "Persisted VM config is invalid: memory_mib"},
	{"a relative path", "sed -i 's,\"/tmp,\"tmp,' vm/one/config",
	 AVF_ERR_FORMAT, "absolute"},
	{"no version", "sed -i '/version/d' vm/one/config", AVF_ERR_FORMAT,
	 "version: missing"},
	{"a newer version, with keys of its own",
	 "sed -i 's/\"version\": 1/\"version\": 2, \"new\": 1/' vm/one/config",
	 AVF_ERR_UNSUPPORTED, "version: 2 is newer"},
	{"version 0", "sed -i 's/\"version\": 1/\"version\": 0/' vm/one/config",
	 AVF_ERR_UNSUPPORTED, "version: 0"},
	{"a directory for configuration",
	 "rm vm/one/config && mkdir -p vm/one/config/x", AVF_ERR_FORMAT, NULL},
	{"a link for configuration", "ln -sf /etc/passwd vm/one/config",
	 AVF_ERR_FORMAT, "symbolic link"},
	{"a pipe for configuration", "rm vm/one/config && mkfifo vm/one/config",
	 AVF_ERR_FORMAT, "not a regular file"},
	{"no instance id", "rm vm/one/instance_id", AVF_ERR_FORMAT,
	 "instance_id file missing"},
	{"half an instance id", "truncate -s 32 vm/one/instance_id",
	 AVF_ERR_FORMAT, "instance_id: 32 bytes"},
	{"no instance image", "rm vm/one/instance.img", AVF_ERR_FORMAT,
	 "instance image missing"},
	{"half an instance image", "truncate -s 5M vm/one/instance.img",
	 AVF_ERR_FORMAT, "instance.img: 5242880 bytes"},
	{"another image",
	 "dd if=/dev/zero of=vm/one/instance.img bs=512 count=1 conv=notrunc "
	 "2>/dev/null",
	 AVF_ERR_FORMAT, "not an instance image"},
	{"one wrong byte of the magic",
	 "printf a | dd of=vm/one/instance.img conv=notrunc 2>/dev/null",
	 AVF_ERR_FORMAT, "not an instance image"},
	{"no storage", "rm vm/one/storage.img", AVF_ERR_FORMAT,
	 "Storage image missing"},
	{"a storage of other size", "truncate -s 1 vm/one/storage.img",
	 AVF_ERR_FORMAT, "storage.img: 1 bytes"},
	{"nothing in it", "rm vm/one/*", AVF_ERR_FORMAT, NULL},
	{"a file in its place", "rm -r vm/one && : >vm/one", AVF_ERR_FORMAT,
	 "not a directory"},
	{"a link in its place", "rm -r vm/one && ln -s /etc vm/one",
	 AVF_ERR_FORMAT, "not a directory"},
	{"a pipe for a lock", "rm vm/one/lock && mkfifo vm/one/lock",
	 AVF_ERR_FORMAT, NULL},
};

Test(manager_faults, a_broken_vm_is_an_error_and_can_be_deleted)
{
	avf_vm *vm = NULL;
	unsigned int before;

	cr_assert_eq(avf_config_set_encrypted_storage_bytes(config, 4096), 0);
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		avf_vm_free(create("one"));
		shell(rows[i].damage);
		before = count_fds();
		cr_expect_eq(avf_manager_get(manager, "one", &vm), rows[i].rc,
			     "%s: %s", rows[i].what, avf_last_error()->text);
		if (rows[i].text)
			cr_expect_not_null(
				strstr(avf_last_error()->text, rows[i].text),
				"%s: %s", rows[i].what, avf_last_error()->text);
		cr_expect_eq(avf_manager_create(manager, "one", config, &vm),
			     AVF_ERR_EXISTS, "%s", rows[i].what);
		cr_expect_eq(avf_manager_delete(manager, "one"), 0, "%s: %s",
			     rows[i].what, avf_last_error()->text);
		cr_expect_eq(count_entries(path_of("vm")), 0, "%s",
			     rows[i].what);
		cr_expect_eq(count_entries(path_of("vm-work")), 1, "%s",
			     rows[i].what);
		cr_expect_eq(count_fds(), before, "%s", rows[i].what);
	}
	cr_expect_eq(access("/etc/passwd", F_OK), 0, "links are not followed");
}

Test(manager_faults, what_a_crash_left_is_removed)
{
	avf_vm *vm;

	shell("mkdir -p vm-work/new-1/a/b vm-work/old-2 && "
	      ": >vm-work/old-2/x && ln -s /etc vm-work/link");
	vm = create("one");
	cr_expect_eq(count_entries(path_of("vm-work")), 1);
	avf_vm_free(vm);
}

/* A small disk of our own under the data directory; skips without root. */
static void mount_disk(const char *options)
{
	avf_manager_free(manager);
	manager = NULL;
	if (unshare(CLONE_NEWNS) < 0 ||
	    mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL) < 0)
		cr_skip_test("mounting needs root");
	cr_assert_eq(mkdir(path_of("disk"), 0700), 0);
	cr_assert_eq(mount("none", path_of("disk"), "tmpfs", 0, options), 0);
}

Test(manager_faults, a_full_disk)
{
	char junk[4096] = {1};
	avf_vm *vm = NULL;
	int created = 0;
	int rc = 0;
	int fd;

	mount_disk("size=256k");
	cr_assert_eq(avf_manager_new(path_of("disk"), &manager), 0);
	fd = open(path_of("disk/junk"), O_WRONLY | O_CREAT | O_CLOEXEC, 0600);
	cr_assert_geq(fd, 0);
	while (write(fd, junk, sizeof(junk)) > 0)
		;
	for (off_t size = 252 << 10; size > 0 && !created; size -= 4096) {
		rc = avf_manager_create(manager, "one", config, &vm);
		created = rc == 0;
		cr_expect(created || rc == AVF_ERR_NO_SPACE, "%s",
			  avf_last_error()->text);
		cr_expect_eq(count_entries(path_of("disk/vm")),
			     (unsigned int)created);
		cr_assert_eq(ftruncate(fd, size), 0);
	}
	cr_expect(created, "with room it works");
	/* full again: it can still be deleted */
	cr_assert_eq(lseek(fd, 0, SEEK_END) >= 0, 1);
	while (write(fd, junk, sizeof(junk)) > 0)
		;
	expect_error(avf_vm_set_config(vm, config), AVF_ERR_NO_SPACE, NULL);
	cr_expect_eq(avf_manager_delete(manager, "one"), 0, "%s",
		     avf_last_error()->text);
	avf_vm_free(vm);
	close(fd);
	avf_manager_free(manager);
	manager = NULL;
	cr_expect_eq(umount(path_of("disk")), 0);
}

Test(manager_faults, a_read_only_disk)
{
	avf_vm *vm = NULL;

	mount_disk("size=1m");
	cr_assert_eq(avf_manager_new(path_of("disk"), &manager), 0);
	avf_vm_free(create("one"));
	cr_assert_eq(mount("none", path_of("disk"), NULL,
			   MS_REMOUNT | MS_RDONLY, NULL),
		     0);
	expect_error(avf_manager_create(manager, "two", config, &vm),
		     AVF_ERR_PERMISSION, NULL);
	expect_error(avf_manager_get(manager, "one", &vm), AVF_ERR_PERMISSION,
		     NULL);
	expect_error(avf_manager_delete(manager, "one"), AVF_ERR_PERMISSION,
		     NULL);
	cr_expect_eq(count_entries(path_of("disk/vm")), 1);
	avf_manager_free(manager);
	cr_expect_eq(avf_manager_new(path_of("disk"), &manager), 0,
		     "what is there can be listed");
	avf_manager_free(manager);
	manager = NULL;
	expect_error(avf_manager_new(path_of("disk/new"), &manager),
		     AVF_ERR_PERMISSION, NULL);
	cr_expect_eq(umount(path_of("disk")), 0);
}

Test(manager_faults, a_data_directory_that_cannot_be)
{
	avf_manager *m = NULL;

	expect_error(avf_manager_new("/dev/null/x", &m), AVF_ERR_IO, NULL);
	expect_error(avf_manager_new("/proc/x", &m), AVF_ERR_NOT_FOUND, NULL);
	cr_assert_eq(setenv("XDG_DATA_HOME", path_of("xdg"), 1), 0);
	cr_expect_eq(avf_manager_new(NULL, &m), 0);
	cr_expect_eq(access(path_of("xdg/libvirtualization/vm"), F_OK), 0);
	avf_manager_free(m);
	cr_assert_eq(setenv("XDG_DATA_HOME", "relative", 1), 0);
	cr_assert_eq(setenv("HOME", path_of("home"), 1), 0);
	cr_expect_eq(avf_manager_new(NULL, &m), 0);
	cr_expect_eq(
		access(path_of("home/.local/share/libvirtualization/vm"), F_OK),
		0);
	avf_manager_free(m);
	cr_assert_eq(unsetenv("HOME"), 0);
	expect_error(avf_manager_new(NULL, &m), AVF_ERR_NOT_FOUND, NULL);
}
