/* Configurations written for a file of our own, and read again. */
#include "config_dir.h"

#include "base/checked.h"
#include "base/cleanup.h"
#include "config/config.h"

TestSuite(config_write, .init = make_dir, .fini = remove_dir, .timeout = 30);

static int parse(const char *text, avf_config **ret_config)
{
	return config_parse_written(text, strlen(text), ret_config);
}

Test(config_write, what_is_written_is_read_and_written_the_same)
{
	static const char *const texts[] = {
		"{\"version\":1}",
		"{\"version\":1,\"type\":\"payload\",\"payload\":\"libx.so\","
		"\"package\":\"/no/such\",\"guest_image\":\"/i\","
		"\"encrypted_storage_bytes\":1099511627776}",
		"{\"version\":1,\"kernel\":\"/k\",\"initrd\":\"/i\","
		"\"device_tree_overlay\":\"/o\","
		"\"params\":\"a=\\\"b\\\" c\",\"name\":\"m\xc3\xa4h\","
		"\"vcpus\":3,\"cpu_topology\":\"match_host\","
		"\"disks\":[{\"image\":\"/a\",\"writable\":true,\"id\":\"x\"},"
		"{\"image\":\"/b\"}]}",
	};

	for (size_t i = 0; i < ARRAY_SIZE(texts); i++) {
		CLEANUP(config_free_p) avf_config *first = NULL;
		CLEANUP(config_free_p) avf_config *second = NULL;
		CLEANUP(free_p) char *one = NULL;
		CLEANUP(free_p) char *two = NULL;

		cr_assert_eq(parse(texts[i], &first), 0, "%s: %s", texts[i],
			     error_record()->text);
		cr_assert_eq(config_write_json(first, &one), 0);
		cr_assert_eq(parse(one, &second), 0, "%s: %s", one,
			     error_record()->text);
		cr_assert_eq(config_write_json(second, &two), 0);
		cr_expect_str_eq(one, two);
		cr_expect(config_is_compatible(first, second));
	}
}

Test(config_write, what_is_not_read)
{
	static const struct {
		const char *what;
		const char *text;
		int rc;
	} rows[] = {
		{"no version", "{}", AVF_ERR_FORMAT},
		{"a later version, whatever its keys",
		 "{\"version\":2,\"x\":1}", AVF_ERR_UNSUPPORTED},
		{"version 0", "{\"version\":0}", AVF_ERR_UNSUPPORTED},
		{"a version as text", "{\"version\":\"1\"}", AVF_ERR_INVALID},
		{"a negative size",
		 "{\"version\":1,\"type\":\"payload\","
		 "\"encrypted_storage_bytes\":-1}",
		 AVF_ERR_INVALID},
		{"too large a storage",
		 "{\"version\":1,\"type\":\"payload\","
		 "\"encrypted_storage_bytes\":1099511627777}",
		 AVF_ERR_INVALID},
		{"a relative kernel", "{\"version\":1,\"kernel\":\"k\"}",
		 AVF_ERR_INVALID},
		{"a relative disk",
		 "{\"version\":1,\"disks\":[{\"image\":\"k\"}]}",
		 AVF_ERR_INVALID},
		{"a relative guest image",
		 "{\"version\":1,\"type\":\"payload\",\"guest_image\":\"k\"}",
		 AVF_ERR_INVALID},
		{"a package for a raw VM", "{\"version\":1,\"package\":\"/k\"}",
		 AVF_ERR_INVALID},
		{"no JSON", "version", AVF_ERR_FORMAT},
	};
	avf_config *config = NULL;

	for (size_t i = 0; i < ARRAY_SIZE(rows); i++)
		cr_expect_eq(parse(rows[i].text, &config), rows[i].rc, "%s: %s",
			     rows[i].what, error_record()->text);
	cr_expect_null(config);
}

Test(config_write, a_path_that_is_not_utf8_cannot_be_kept)
{
	CLEANUP(config_free_p) avf_config *config = NULL;
	char *text = NULL;

	make_file("k\xff", "x", 4096);
	cr_assert_eq(avf_config_new(AVF_CONFIG_RAW, &config), 0);
	cr_assert_eq(avf_config_set_kernel(config, path_of("k\xff")), 0);
	cr_expect_eq(config_write_json(config, &text), AVF_ERR_INVALID);
	cr_expect_null(text);
}
