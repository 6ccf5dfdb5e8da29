/* Configurations that outlive their fds; AVF's rule of compatibility. */
#include "config_dir.h"

#include "base/byteorder.h"
#include "base/checked.h"
#include "config/config.h"

static avf_config *raw;
static avf_config *payload;

static void setup(void)
{
	le32 magic = le32_make(0xe0f5e1e2U);
	int fd;

	make_dir();
	make_file("kernel", "x", 4096);
	make_file("disk", "x", 4096);
	make_file("package", NULL, 4096);
	fd = openat(dir_fd, "package", O_WRONLY | O_CLOEXEC);
	cr_assert_eq(pwrite(fd, &magic, sizeof(magic), 1024), 4);
	close(fd);
	cr_assert_eq(avf_config_new(AVF_CONFIG_RAW, &raw), 0);
	cr_assert_eq(avf_config_new(AVF_CONFIG_PAYLOAD, &payload), 0);
	cr_assert_eq(avf_config_set_package(payload, path_of("package")), 0);
	cr_assert_eq(avf_config_set_payload_name(payload, "libx.so"), 0);
}

static void teardown(void)
{
	avf_config_free(raw);
	avf_config_free(payload);
	remove_dir();
}

TestSuite(config_path, .init = setup, .fini = teardown, .timeout = 30);

Test(config_path, absolute)
{
	static const struct {
		const char *what;
		const char *path;
		bool in_dir;
		int rc;
	} rows[] = {
		{"an absolute path", "/x/y", true, 0},
		{"a name", "y", true, 0},
		{"a way up, left as it is", "../y", true, 0},
		{"nothing", "", true, AVF_ERR_INVALID},
		{"NULL", NULL, true, AVF_ERR_INVALID},
		{"a relative path without a directory", "y", false,
		 AVF_ERR_INVALID},
	};
	char *path;
	int rc;

	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		path = NULL;
		rc = config_absolute(rows[i].in_dir ? dir_fd : -1, rows[i].path,
				     "field", &path);
		cr_expect_eq(rc, rows[i].rc, "%s", rows[i].what);
		if (rc == 0 && rows[i].path[0] == '/')
			cr_expect_str_eq(path, rows[i].path);
		else if (rc == 0)
			cr_expect_str_eq(path, path_of(rows[i].path));
		free(path);
	}
}

Test(config_path, defer_and_resolve)
{
	struct avf_disk_options options = AVF_DISK_OPTIONS_INIT;
	avf_config *open = NULL;

	options.writable = true;
	options.id = "d";
	cr_assert_eq(avf_config_set_kernel(raw, path_of("kernel")), 0);
	cr_assert_eq(avf_config_add_disk(raw, path_of("disk"), &options), 0);
	cr_assert_eq(config_defer(raw), 0);
	cr_expect_eq(config_vm(raw)->kernel_fd, -1);
	cr_expect_eq(config_vm(raw)->disks[0].fd, -1);
	cr_expect_eq(avf_config_validate(raw, NULL), 0, "it looks by path");
	cr_assert_eq(config_resolve(raw, &open), 0);
	cr_expect_geq(config_vm(open)->kernel_fd, 0);
	cr_expect_eq(fcntl(config_vm(open)->disks[0].fd, F_GETFL) & O_ACCMODE,
		     O_RDWR);
	cr_expect_str_eq(config_vm(open)->disks[0].id, "d");
	cr_expect_eq(config_vm(raw)->kernel_fd, -1, "a copy was opened");
	avf_config_free(open);
	make_file("disk", NULL, 100);
	cr_expect_eq(avf_config_validate(raw, NULL), 1, "not whole sectors");
	cr_assert_eq(unlinkat(dir_fd, "kernel", 0), 0);
	cr_expect_eq(avf_config_validate(raw, NULL), 1);
	cr_expect_eq(config_resolve(raw, &open), AVF_ERR_NOT_FOUND);
}

Test(config_path, what_was_an_fd_has_no_path)
{
	int fd = openat(dir_fd, "kernel", O_RDONLY | O_CLOEXEC);

	cr_assert_eq(avf_config_set_kernel(raw, path_of("kernel")), 0);
	cr_expect_str_eq(avf_config_get_kernel(raw), path_of("kernel"));
	cr_assert_eq(avf_config_set_kernel_fd(raw, fd), 0);
	cr_expect_null(avf_config_get_kernel(raw), "the fd is another file");
	cr_expect_eq(config_defer(raw), AVF_ERR_INVALID);
	cr_expect_geq(config_vm(raw)->kernel_fd, 0, "nothing has changed");
	cr_assert_eq(avf_config_set_kernel(raw, path_of("kernel")), 0);
	cr_assert_eq(avf_config_add_disk_fd(raw, fd, NULL), 0);
	cr_expect_eq(config_defer(raw), AVF_ERR_INVALID);
	close(fd);
}

Test(config_path, an_fd_can_be_added_to_a_deferred_one)
{
	int fd = openat(dir_fd, "disk", O_RDONLY | O_CLOEXEC);
	avf_config *open = NULL;

	cr_assert_eq(avf_config_set_kernel(raw, path_of("kernel")), 0);
	cr_assert_eq(config_defer(raw), 0);
	cr_assert_eq(avf_config_add_disk_fd(raw, fd, NULL), 0);
	cr_expect_eq(avf_config_add_disk_fd(raw, dir_fd, NULL), AVF_ERR_INVALID,
		     "it is looked at");
	cr_assert_eq(config_resolve(raw, &open), 0);
	cr_expect_geq(config_vm(open)->disks[0].fd, 0);
	avf_config_free(open);
	close(fd);
}

/* AVF's builder takes any path; the run that opens it says what is wrong. */
Test(config_path, files_can_be_opened_late)
{
	avf_config *open = NULL;
	avf_config *late = NULL;

	cr_assert_eq(avf_config_new(AVF_CONFIG_PAYLOAD, &late), 0);
	cr_assert_eq(avf_config_set_payload_name(late, "libx.so"), 0);
	cr_assert_eq(avf_config_defer_files(late), 0);
	cr_expect_eq(config_check(late), AVF_ERR_INVALID, "no package");
	cr_assert_eq(avf_config_set_package(late, "/no/such/file"), 0);
	cr_expect_eq(config_check(late), 0);
	cr_expect_eq(avf_config_defer_files(late), 0, "it is so already");
	cr_expect_eq(avf_config_validate(late, NULL), 1, "it looks");
	cr_expect_eq(config_resolve(late, &open), AVF_ERR_NOT_FOUND);
	cr_expect_not_null(strstr(error_record()->text,
				  "Failed to open APK: package: "
				  "/no/such/file"));
	cr_expect_eq(avf_config_set_package(late, ""), AVF_ERR_INVALID);
	avf_config_free(late);
}

Test(config_path, open_files_cannot_be_opened_late)
{
	cr_assert_eq(avf_config_set_kernel(raw, path_of("kernel")), 0);
	cr_expect_eq(avf_config_defer_files(raw), AVF_ERR_STATE);
	cr_expect_geq(config_vm(raw)->kernel_fd, 0);
	cr_expect_eq(avf_config_defer_files(NULL), AVF_ERR_INVALID);
}

Test(config_path, late_files_are_checked_by_what_is_known)
{
	avf_config *open = NULL;

	cr_assert_eq(avf_config_defer_files(raw), 0);
	cr_expect_eq(config_check(raw), AVF_ERR_INVALID, "no kernel");
	cr_assert_eq(avf_config_set_kernel(raw, path_of("kernel")), 0);
	cr_assert_eq(avf_config_add_disk(raw, "/no/such/disk", NULL), 0);
	cr_expect_eq(config_check(raw), 0);
	cr_expect_eq(config_resolve(raw, &open), AVF_ERR_NOT_FOUND);
}

static void set_nothing(avf_config *c)
{
	(void)c;
}

#define SETTER(name, call)                       \
	static void name(avf_config *c)          \
	{                                        \
		cr_assert_eq(call, 0, "setter"); \
	}
SETTER(set_debug, avf_config_set_debug_level(c, AVF_DEBUG_LEVEL_FULL))
SETTER(set_protected, avf_config_set_protected(c, true))
SETTER(set_storage, avf_config_set_encrypted_storage_bytes(c, 4096))
SETTER(set_captured, avf_config_set_vm_output_captured(c, true))
SETTER(set_input, avf_config_set_vm_console_input_supported(c, true))
SETTER(set_payload, avf_config_set_payload_name(c, "liby.so"))
SETTER(set_config_path, avf_config_set_payload_config_path(c, "assets/c"))
SETTER(set_image, avf_config_set_guest_image(c, "/image"))
SETTER(set_memory, avf_config_set_memory_mib(c, 99))
SETTER(set_vcpus, avf_config_set_vcpus(c, 2))
SETTER(set_topology,
       avf_config_set_cpu_topology(c, AVF_CPU_TOPOLOGY_MATCH_HOST))
SETTER(set_hugepages, avf_config_set_hugepages(c, true))
SETTER(set_timeout, avf_config_set_boot_timeout_ms(c, 9))
SETTER(set_acceleration,
       avf_config_set_acceleration(c, AVF_ACCELERATION_EMULATION))
SETTER(set_foreign, avf_config_set_architecture(c, foreign()->id))
SETTER(set_own, avf_config_set_architecture(c, arch_host()->id))
SETTER(set_disk, avf_config_add_disk(c, path_of("disk"), NULL))

Test(config_path, compatibility)
{
	static const struct {
		const char *what;
		void (*change)(avf_config *config);
		bool compatible;
	} rows[] = {
		{"nothing", set_nothing, true},
		{"debug level", set_debug, false},
		{"protection", set_protected, false},
		{"encrypted storage", set_storage, false},
		{"capturing", set_captured, false},
		{"console input", set_input, false},
		{"payload", set_payload, false},
		{"config path", set_config_path, false},
		{"guest image", set_image, false},
		{"memory", set_memory, true},
		{"vCPUs", set_vcpus, true},
		{"topology", set_topology, true},
		{"huge pages", set_hugepages, true},
		{"time-out", set_timeout, true},
		{"acceleration", set_acceleration, true},
		{"another architecture", set_foreign, false},
		{"the host's, by its name", set_own, true},
		{"disks", set_disk, true},
	};
	avf_config *other = NULL;

	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		cr_assert_eq(avf_config_copy(payload, &other), 0);
		rows[i].change(other);
		cr_expect_eq(avf_config_is_compatible(payload, other),
			     rows[i].compatible, "%s", rows[i].what);
		cr_expect_eq(avf_config_is_compatible(other, payload),
			     rows[i].compatible, "%s, turned", rows[i].what);
		avf_config_free(other);
	}
	cr_expect_not(avf_config_is_compatible(raw, payload));
	cr_expect_not(avf_config_is_compatible(NULL, payload));
}

Test(config_path, getters_of_null)
{
	cr_expect_null(avf_config_get_kernel(NULL));
	cr_expect_null(avf_config_get_initrd(NULL));
	cr_expect_null(avf_config_get_package(NULL));
	cr_expect_null(avf_config_get_payload_name(NULL));
	cr_expect_null(avf_config_get_payload_config_path(NULL));
	cr_expect_null(avf_config_get_guest_image(NULL));
	cr_expect_null(avf_config_get_cmdline(NULL));
	cr_expect_null(avf_config_get_disk(NULL, 0));
	cr_expect_null(avf_config_get_disk_id(NULL, 0));
	cr_expect_not(avf_config_get_disk_writable(NULL, 0));
	cr_expect_eq(avf_config_get_disk_count(NULL), 0);
	cr_expect_eq(avf_config_get_encrypted_storage_bytes(NULL), 0);
	cr_expect_eq(avf_config_get_debug_level(NULL), AVF_DEBUG_LEVEL_NONE);
	cr_expect_eq(avf_config_copy(NULL, &raw), AVF_ERR_INVALID);
	cr_expect_eq(avf_config_copy(raw, NULL), AVF_ERR_INVALID);
	cr_expect_eq(avf_config_set_encrypted_storage_bytes(raw, 1),
		     AVF_ERR_STATE, "not for a raw VM");
}
