/* JSON, read strictly. */
#include "config_dir.h"

#include <time.h>

#include "base/checked.h"
#include "config/config_json.h"

static void setup(void)
{
	make_dir();
	make_file("kernel", "x", 4096);
	make_file("disk", "x", 4096);
	make_file("package", NULL, 4096);
	mkdirat(dir_fd, "folder", 0700);
	mkfifoat(dir_fd, "fifo", 0600);
}

TestSuite(config_json, .init = setup, .fini = remove_dir, .timeout = 30);

struct row {
	const char *what;
	const char *json;
	int rc;
	const char *text; /* part of the error */
};

static const struct row rows[] = {
	{"an empty object", "{}", 0, NULL},
	{"AVF's example",
	 "{\"name\":\"vm\",\"kernel\":\"kernel\",\"initrd\":\"kernel\","
	 "\"params\":\"a b\",\"disks\":[{\"image\":\"disk\","
	 "\"writable\":true,\"partitions\":[]}],\"protected\":false,"
	 "\"memory_mib\":64,\"cpu_topology\":\"one_cpu\","
	 "\"platform_version\":\"~1.0\",\"devices\":[]}",
	 0, NULL},
	{"our own keys",
	 "{\"type\":\"payload\",\"vcpus\":2,\"hugepages\":true,"
	 "\"acceleration\":\"kvm-or-emulation\",\"debug_level\":\"full\","
	 "\"payload\":\"libx.so\",\"guest_image\":\"folder\","
	 "\"boot_timeout_ms\":5}",
	 0, NULL},
	{"the type after what depends on it",
	 "{\"payload\":\"libx.so\",\"type\":\"payload\"}", 0, NULL},
	{"memory 0 is the default", "{\"memory_mib\":0}", 0, NULL},
	{"nothing", "", AVF_ERR_FORMAT, "line 1"},
	{"no object", "[]", AVF_ERR_FORMAT, "not an object"},
	{"a lone word", "true", AVF_ERR_FORMAT, NULL},
	{"text behind it", "{} x", AVF_ERR_FORMAT, "line 1, column 4"},
	{"an error on line 3", "{\n\n\"name\":}", AVF_ERR_FORMAT, "line 3"},
	{"a key twice", "{\"vcpus\":1,\"vcpus\":2}", AVF_ERR_FORMAT,
	 "duplicate"},
	{"a comment", "{/**/}", AVF_ERR_FORMAT, NULL},
	{"a trailing comma", "{\"vcpus\":1,}", AVF_ERR_FORMAT, NULL},
	{"bytes that are no UTF-8", "{\"name\":\"\xff\"}", AVF_ERR_FORMAT,
	 NULL},
	{"NUL in a text", "{\"name\":\"a\\u0000b\"}", AVF_ERR_FORMAT, NULL},
	{"a misspelled key", "{\"memory_mb\":1}", AVF_ERR_INVALID,
	 "memory_mb: unknown key; did you mean \"memory_mib\"?"},
	{"a key of nobody's", "{\"flux_capacitor\":1}", AVF_ERR_INVALID,
	 "known: type name kernel"},
	{"an empty key", "{\"\":1}", AVF_ERR_INVALID, "unknown key"},
	{"a key in capitals", "{\"NAME\":\"x\"}", AVF_ERR_INVALID, NULL},
	{"a key with escapes", "{\"\\u001b[2J\":1}", AVF_ERR_INVALID,
	 "?[2J: unknown"},
	{"a very long key",
	 "{\"kkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkk"
	 "kkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkk\""
	 ":1}",
	 AVF_ERR_INVALID, "unknown key"},
	{"an unknown type", "{\"type\":\"app\"}", AVF_ERR_INVALID,
	 "none of raw, payload"},
	{"a type that is a number", "{\"type\":1}", AVF_ERR_INVALID,
	 "type: must be a string"},
	{"a name that is a number", "{\"name\":1}", AVF_ERR_INVALID,
	 "name: must be a string, not a whole number"},
	{"a name that is null", "{\"name\":null}", AVF_ERR_INVALID, "null"},
	{"a name that is a path", "{\"name\":\"a/b\"}", AVF_ERR_INVALID,
	 "name:"},
	{"memory in quotes", "{\"memory_mib\":\"64\"}", AVF_ERR_INVALID,
	 "memory_mib: must be a whole number"},
	{"memory with a fraction", "{\"memory_mib\":64.5}", AVF_ERR_INVALID,
	 "fraction"},
	{"memory below 0", "{\"memory_mib\":-1}", AVF_ERR_INVALID,
	 "outside of 0"},
	{"memory that is 2^32 + 64", "{\"memory_mib\":4294967360}",
	 AVF_ERR_INVALID, "outside of 0"},
	{"memory beyond 64 bits", "{\"memory_mib\":99999999999999999999}",
	 AVF_ERR_FORMAT, NULL},
	{"too much memory", "{\"memory_mib\":262145}", AVF_ERR_INVALID,
	 "memory_mib:"},
	{"no vCPU", "{\"vcpus\":0}", AVF_ERR_INVALID, "vcpus: 0"},
	{"1000 vCPUs", "{\"vcpus\":1000}", AVF_ERR_INVALID, "vcpus: 1000"},
	{"an unknown topology", "{\"cpu_topology\":\"two\"}", AVF_ERR_INVALID,
	 "none of one_cpu, match_host"},
	{"an unknown jail", "{\"jail\":\"none\"}", AVF_ERR_INVALID, "jail"},
	{"an unknown acceleration", "{\"acceleration\":\"tcg\"}",
	 AVF_ERR_INVALID, "kvm, kvm-or-emulation, emulation"},
	{"an unknown architecture", "{\"architecture\":\"aarch64\"}",
	 AVF_ERR_INVALID, "none of x86_64, arm64"},
	{"an empty architecture", "{\"architecture\":\"\"}", AVF_ERR_INVALID,
	 "none of x86_64, arm64"},
	{"an unknown level", "{\"debug_level\":\"app_only\"}", AVF_ERR_INVALID,
	 "none, full"},
	{"protected as a number", "{\"protected\":1}", AVF_ERR_INVALID,
	 "protected: must be true or false"},
	{"another platform", "{\"platform_version\":\"~2.0\"}",
	 AVF_ERR_UNSUPPORTED, "this is 1.0.0"},
	{"a bootloader", "{\"bootloader\":\"kernel\"}", AVF_ERR_UNSUPPORTED,
	 "bootloader: not supported"},
	{"devices", "{\"devices\":[\"/sys/x\"]}", AVF_ERR_UNSUPPORTED,
	 "devices"},
	{"a console that is not there", "{\"console_input_device\":\"hvc0\"}",
	 AVF_ERR_UNSUPPORTED, "ttyS0"},
	{"a payload for a raw VM", "{\"payload\":\"x\"}", AVF_ERR_INVALID,
	 "only for a payload VM"},
	{"a kernel for a payload VM",
	 "{\"type\":\"payload\",\"kernel\":\"kernel\"}", AVF_ERR_INVALID,
	 "only for a raw VM"},
	{"a kernel that is not there", "{\"kernel\":\"none\"}",
	 AVF_ERR_NOT_FOUND, "kernel: none"},
	{"a kernel without a path", "{\"kernel\":\"\"}", AVF_ERR_INVALID,
	 "kernel: empty"},
	{"a kernel that is a directory", "{\"kernel\":\"folder\"}",
	 AVF_ERR_INVALID, "kernel: folder: a directory"},
	{"a kernel that is a pipe", "{\"kernel\":\"fifo\"}", AVF_ERR_INVALID,
	 "kernel: fifo: a pipe"},
	{"a kernel that is a device", "{\"kernel\":\"/dev/zero\"}",
	 AVF_ERR_INVALID, "a character device"},
	{"a package that is not EROFS",
	 "{\"type\":\"payload\",\"package\":\"package\"}", AVF_ERR_FORMAT,
	 "package: not an EROFS image"},
	{"disks as an object", "{\"disks\":{}}", AVF_ERR_INVALID,
	 "disks: must be an array"},
	{"a disk as a text", "{\"disks\":[\"disk\"]}", AVF_ERR_INVALID,
	 "disks[0]: must be an object"},
	{"a disk without an image", "{\"disks\":[{}]}", AVF_ERR_INVALID,
	 "disks[0].image: missing"},
	{"a second disk with a number",
	 "{\"disks\":[{\"image\":\"disk\"},{\"image\":1}]}", AVF_ERR_INVALID,
	 "disks[1].image: must be a string"},
	{"a writable disk that is a directory",
	 "{\"disks\":[{\"image\":\"folder\",\"writable\":true}]}",
	 AVF_ERR_INVALID, "disks[0].image: folder: a directory"},
	{"a disk that is a pipe",
	 "{\"disks\":[{\"image\":\"fifo\",\"writable\":true}]}",
	 AVF_ERR_INVALID, "a pipe"},
	{"a misspelled key of a disk",
	 "{\"disks\":[{\"image\":\"disk\",\"writeable\":true}]}",
	 AVF_ERR_INVALID, "disks[0].writeable: unknown key; did you mean"},
	{"a disk's id of 21 bytes",
	 "{\"disks\":[{\"image\":\"disk\",\"id\":\"123456789012345678901\""
	 "}]}",
	 AVF_ERR_INVALID, "disks[0].id"},
	{"writable as a text",
	 "{\"disks\":[{\"image\":\"disk\",\"writable\":\"yes\"}]}",
	 AVF_ERR_INVALID, "disks[0].writable"},
	{"partitions",
	 "{\"disks\":[{\"partitions\":[{\"label\":\"a\",\"path\":\"disk\"}]"
	 "}]}",
	 AVF_ERR_UNSUPPORTED, "disks[0].partitions: not supported"},
	{"17 disks", "{\"disks\":[1,2,3,4,5,6,7,8,9,10,11,12,13,14,15,16,17]}",
	 AVF_ERR_LIMIT, "disks: more than 16"},
};

Test(config_json, rows)
{
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		const struct row *row = &rows[i];
		avf_config *config = NULL;
		int rc;

		rc = avf_config_parse_json(row->json, strlen(row->json), dir_fd,
					   &config);
		cr_expect_eq(rc, row->rc, "%s: %d: %s", row->what, rc,
			     error_record()->text);
		if (rc < 0)
			cr_expect_null(config, "%s", row->what);
		if (row->text)
			cr_expect_not_null(
				strstr(error_record()->text, row->text),
				"%s: %s", row->what, error_record()->text);
		avf_config_free(config);
	}
}

Test(config_json, values_arrive)
{
	avf_config *config;
	const struct vm_config *vm;
	static const char json[] =
		"{\"name\":\"vm\",\"kernel\":\"kernel\",\"params\":\"quiet\","
		"\"disks\":[{\"image\":\"disk\",\"writable\":true,"
		"\"id\":\"root\"},{\"image\":\"kernel\"}],"
		"\"memory_mib\":64,\"vcpus\":3,\"acceleration\":\"emulation\","
		"\"architecture\":\"arm64\","
		"\"hugepages\":true,\"protected\":true,"
		"\"debug_level\":\"full\",\"boot_timeout_ms\":9}";

	cr_assert_eq(
		avf_config_parse_json(json, sizeof(json) - 1, dir_fd, &config),
		0);
	vm = config_vm(config);
	cr_expect_str_eq(vm->name, "vm");
	cr_expect_str_eq(vm->cmdline, "quiet");
	cr_expect_geq(vm->kernel_fd, 0);
	cr_expect_eq(vm->initrd_fd, -1);
	cr_expect_eq(vm->n_disks, 2);
	cr_expect(vm->disks[0].writable);
	cr_expect_str_eq(vm->disks[0].id, "root");
	cr_expect_not(vm->disks[1].writable);
	cr_expect_null(vm->disks[1].id);
	cr_expect_eq(vm->memory_mib, 64);
	cr_expect_eq(vm->vcpus, 3);
	cr_expect_eq(vm->acceleration, AVF_ACCELERATION_EMULATION);
	cr_expect_eq(vm->architecture, AVF_ARCHITECTURE_ARM64);
	cr_expect(vm->hugepages);
	cr_expect(vm->is_protected);
	cr_expect_eq(vm->debug_level, AVF_DEBUG_LEVEL_FULL);
	cr_expect_eq(vm->boot_timeout_ms, 9);
	cr_expect_eq(fcntl(vm->kernel_fd, F_GETFD), FD_CLOEXEC);
	avf_config_free(config);
}

/* @depth arrays around nothing, as the value of a known key. */
static int parse_nested(unsigned int depth, const char *open, size_t step)
{
	static char json[1 << 20];
	avf_config *config = NULL;
	size_t used = 0;

	memcpy(json, "{\"disks\":", 9);
	used = 9;
	for (unsigned int i = 1; i < depth; i++, used += step)
		memcpy(json + used, open, step);
	return avf_config_parse_json(json, used, dir_fd, &config);
}

Test(config_json, depth_is_limited_before_parsing)
{
	avf_config *config = NULL;
	static const char quoted[] =
		"{\"name\":\"[[[[[[[[[[\\\"[[[[[[[[[[[[[[[[[[[[[[[[\"}";

	cr_expect_eq(parse_nested(16, "[", 1), AVF_ERR_FORMAT);
	cr_expect_eq(parse_nested(17, "[", 1), AVF_ERR_LIMIT);
	cr_expect_eq(parse_nested(100000, "[", 1), AVF_ERR_LIMIT);
	cr_expect_eq(parse_nested(100000, "{\"a\":", 5), AVF_ERR_LIMIT);
	cr_expect_eq(avf_config_parse_json(quoted, sizeof(quoted) - 1, dir_fd,
					   &config),
		     0, "brackets in a text do not count");
	avf_config_free(config);
}

Test(config_json, paths_are_relative_to_the_file)
{
	avf_config *config = NULL;
	char expected[128];

	make_file("vm.json", "{\"kernel\":\"kernel\"}", -1);
	cr_expect_eq(avf_config_load(path_of("vm.json"), &config), 0, "%s",
		     error_record()->text);
	avf_config_free(config);
	make_file("p.json", "{\"type\":\"payload\",\"guest_image\":\"g\"}", -1);
	cr_assert_eq(avf_config_load(path_of("p.json"), &config), 0);
	(void)snprintf(expected, sizeof(expected), "%s/g", dir);
	cr_expect_str_eq(config_vm(config)->guest_image, expected);
	avf_config_free(config);
}

Test(config_json, a_huge_file_is_refused_by_its_size)
{
	avf_config *config = NULL;
	struct timespec begin;
	struct timespec end;

	make_file("huge.json", "{", (off_t)1 << 30);
	clock_gettime(CLOCK_MONOTONIC, &begin);
	cr_expect_eq(avf_config_load(path_of("huge.json"), &config),
		     AVF_ERR_LIMIT);
	clock_gettime(CLOCK_MONOTONIC, &end);
	cr_expect_leq(end.tv_sec - begin.tv_sec, 1);
	make_file("full.json", "{}", CONFIG_JSON_MAX_BYTES + 1);
	cr_expect_eq(avf_config_load(path_of("full.json"), &config),
		     AVF_ERR_LIMIT);
}

Test(config_json, files_that_are_none)
{
	avf_config *config = NULL;

	cr_expect_eq(avf_config_load(path_of("fifo"), &config),
		     AVF_ERR_INVALID);
	cr_expect_eq(avf_config_load(path_of("folder"), &config),
		     AVF_ERR_INVALID);
	cr_expect_eq(avf_config_load(path_of("none"), &config),
		     AVF_ERR_NOT_FOUND);
	cr_expect_eq(avf_config_load("", &config), AVF_ERR_INVALID);
	cr_expect_eq(avf_config_load(NULL, &config), AVF_ERR_INVALID);
	cr_expect_eq(avf_config_load(path_of("kernel"), NULL), AVF_ERR_INVALID);
	cr_expect_eq(avf_config_load(path_of("kernel"), &config),
		     AVF_ERR_FORMAT);
	cr_expect_null(config);
}
