/* Setters: what they take, and that a refused value changes nothing. */
#include <criterion/criterion.h>
#include <string.h>
#include <unistd.h>

#include "base/checked.h"
#include "config/config.h"

static avf_config *raw;
static avf_config *payload;

static void setup(void)
{
	cr_assert_eq(avf_config_new(AVF_CONFIG_RAW, &raw), 0);
	cr_assert_eq(avf_config_new(AVF_CONFIG_PAYLOAD, &payload), 0);
}

static void teardown(void)
{
	avf_config_free(raw);
	avf_config_free(payload);
}

TestSuite(config, .init = setup, .fini = teardown);

Test(config, defaults_are_avfs)
{
	cr_expect_eq(avf_config_get_kind(payload), AVF_CONFIG_PAYLOAD);
	cr_expect_eq(avf_config_get_memory_mib(raw), 256);
	cr_expect_eq(avf_config_get_vcpus(raw), 1);
	cr_expect_eq(avf_config_get_acceleration(raw), AVF_ACCELERATION_KVM);
	cr_expect_eq(avf_config_get_architecture(raw), AVF_ARCHITECTURE_HOST);
	cr_expect_null(avf_config_get_name(raw));
	cr_expect_eq(config_vm(raw)->debug_level, AVF_DEBUG_LEVEL_NONE);
	cr_expect_not(config_vm(raw)->is_protected);
}

Test(config, memory_has_limits)
{
	static const struct {
		const char *what;
		uint32_t mib;
		int rc;
		uint32_t stored;
	} rows[] = {
		{"the least", AVF_MIN_MEMORY_MIB, 0, AVF_MIN_MEMORY_MIB},
		{"the most", AVF_MAX_MEMORY_MIB, 0, AVF_MAX_MEMORY_MIB},
		{"0 is the default", 0, 0, AVF_DEFAULT_MEMORY_MIB},
		{"too much", AVF_MAX_MEMORY_MIB + 1, AVF_ERR_INVALID, 77},
		{"the most of 32 bits", UINT32_MAX, AVF_ERR_INVALID, 77},
	};

	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		cr_assert_eq(avf_config_set_memory_mib(raw, 77), 0);
		cr_expect_eq(avf_config_set_memory_mib(raw, rows[i].mib),
			     rows[i].rc, "%s", rows[i].what);
		cr_expect_eq(avf_config_get_memory_mib(raw), rows[i].stored,
			     "%s", rows[i].what);
	}
}

Test(config, an_explicit_count_of_vcpus_wins)
{
	long online = sysconf(_SC_NPROCESSORS_ONLN);

	cr_expect_eq(
		avf_config_set_cpu_topology(raw, AVF_CPU_TOPOLOGY_MATCH_HOST),
		0);
	cr_expect_eq(avf_config_get_vcpus(raw),
		     (uint32_t)MIN(online, (long)AVF_MAX_VCPUS));
	cr_expect_eq(avf_config_set_vcpus(raw, 7), 0);
	cr_expect_eq(avf_config_set_vcpus(raw, 0), AVF_ERR_INVALID);
	cr_expect_eq(avf_config_set_vcpus(raw, 33), AVF_ERR_INVALID);
	cr_expect_eq(avf_config_set_vcpus(raw, 1000), AVF_ERR_INVALID);
	cr_expect_eq(avf_config_set_cpu_topology(raw, AVF_CPU_TOPOLOGY_ONE_CPU),
		     0);
	cr_expect_eq(avf_config_get_vcpus(raw), 7);
}

Test(config, enumerations_are_closed)
{
	avf_config *none = NULL;

	cr_expect_eq(avf_config_new((enum avf_config_kind)2, &none),
		     AVF_ERR_INVALID);
	cr_expect_null(none);
	cr_expect_eq(avf_config_set_cpu_topology(raw, (enum avf_cpu_topology)2),
		     AVF_ERR_INVALID);
	cr_expect_eq(avf_config_set_jail(raw, (enum avf_jail)2),
		     AVF_ERR_INVALID);
	cr_expect_eq(avf_config_set_acceleration(raw, (enum avf_acceleration)3),
		     AVF_ERR_INVALID);
	cr_expect_eq(avf_config_set_debug_level(raw, (enum avf_debug_level)2),
		     AVF_ERR_INVALID);
	cr_expect_eq(avf_config_set_architecture(raw, (enum avf_architecture)3),
		     AVF_ERR_INVALID);
	cr_expect_eq(
		avf_config_set_architecture(raw, (enum avf_architecture) - 1),
		AVF_ERR_INVALID);
	cr_expect_eq(avf_config_get_architecture(raw), AVF_ARCHITECTURE_HOST);
	cr_expect_eq(avf_config_set_architecture(NULL, AVF_ARCHITECTURE_ARM64),
		     AVF_ERR_INVALID);
}

Test(config, texts)
{
	char cmdline[AVF_MAX_CMDLINE + 2];

	memset(cmdline, 'x', sizeof(cmdline));
	cmdline[AVF_MAX_CMDLINE + 1] = '\0';
	cr_expect_eq(avf_config_set_cmdline(raw, cmdline), AVF_ERR_INVALID);
	cmdline[AVF_MAX_CMDLINE] = '\0';
	cr_expect_eq(avf_config_set_cmdline(raw, cmdline), 0);
	cr_expect_eq(avf_config_set_cmdline(raw, "a\nb"), AVF_ERR_INVALID);
	cr_expect_eq(avf_config_set_cmdline(raw, NULL), AVF_ERR_INVALID);
	cr_expect_eq(strlen(config_vm(raw)->cmdline), AVF_MAX_CMDLINE);
	cr_expect_eq(avf_config_set_name(raw, "first"), 0);
	cr_expect_eq(avf_config_set_name(raw, "../etc"), AVF_ERR_INVALID);
	cr_expect_str_eq(avf_config_get_name(raw), "first");
	cr_expect_eq(avf_config_set_payload_name(payload, "lib/x.so"),
		     AVF_ERR_INVALID);
	cr_expect_eq(avf_config_set_payload_name(payload, ""), AVF_ERR_INVALID);
	cr_expect_eq(avf_config_set_payload_name(payload, "libx.so"), 0);
	cr_expect_eq(avf_config_set_payload_config_path(payload, "../x"),
		     AVF_ERR_INVALID);
	cr_expect_eq(avf_config_set_payload_config_path(payload, NULL),
		     AVF_ERR_INVALID);
	cmdline[256] = '\0';
	cr_expect_eq(avf_config_set_payload_config_path(payload, cmdline),
		     AVF_ERR_INVALID);
	cmdline[255] = '\0';
	cr_expect_eq(avf_config_set_payload_config_path(payload, cmdline), 0);
	cr_expect_str_eq(avf_config_get_payload_config_path(payload), cmdline);
	cr_expect_eq(avf_config_set_guest_image(payload, ""), AVF_ERR_INVALID);
	cr_expect_eq(avf_config_set_guest_image(payload, "/x"), 0);
	cr_expect_eq(avf_config_set_guest_image(payload, NULL), 0);
	cr_expect_null(config_vm(payload)->guest_image);
}

Test(config, each_kind_has_its_own_fields)
{
	cr_expect_eq(avf_config_set_cmdline(payload, "x"), AVF_ERR_STATE);
	cr_expect_eq(avf_config_set_kernel(payload, "/dev/null"), AVF_ERR_STATE,
		     "the kind is looked at first");
	cr_expect_eq(avf_config_set_payload_name(raw, "x"), AVF_ERR_STATE);
	cr_expect_eq(avf_config_set_payload_config_path(raw, "x"),
		     AVF_ERR_STATE);
	cr_expect_eq(avf_config_set_guest_image(raw, "/x"), AVF_ERR_STATE);
}

Test(config, null_is_an_error_or_a_no_op)
{
	avf_config_free(NULL);
	cr_expect_eq(avf_config_new(AVF_CONFIG_RAW, NULL), AVF_ERR_INVALID);
	cr_expect_eq(avf_config_set_name(NULL, "x"), AVF_ERR_INVALID);
	cr_expect_eq(avf_config_set_kernel_fd(NULL, 0), AVF_ERR_INVALID);
	cr_expect_eq(avf_config_add_disk_fd(NULL, 0, NULL), AVF_ERR_INVALID);
	cr_expect_eq(avf_config_set_protected(NULL, true), AVF_ERR_INVALID);
	cr_expect_eq(avf_config_validate(NULL, NULL), AVF_ERR_INVALID);
	cr_expect_eq(avf_config_get_memory_mib(NULL), 0);
	cr_expect_null(avf_config_get_name(NULL));
}
