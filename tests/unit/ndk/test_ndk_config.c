/* AVirtualMachineRawConfig: what its setters refuse, and whose the descriptors
 * are. */
#include "ndk_files.h"

#include <string.h>

static AVirtualMachineRawConfig *config;

static void make(void)
{
	config = AVirtualMachineRawConfig_create();
	cr_assert_not_null(config);
}

static void destroy(void)
{
	AVirtualMachineRawConfig_destroy(config);
}

TestSuite(ndk_config, .init = make, .fini = destroy);

Test(ndk_config, names)
{
	static const char *const bad[] = {"",      "a/b",      ".",     "..",
					  "a\xff", "\xc0\x80", "line\n"};
	char longest[66];

	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		cr_expect_eq(AVirtualMachineRawConfig_setName(config, bad[i]),
			     -EINVAL, "row %zu", i);
	memset(longest, 'n', sizeof(longest));
	longest[65] = '\0';
	cr_expect_eq(AVirtualMachineRawConfig_setName(config, longest),
		     -EINVAL);
	cr_expect_eq(AVirtualMachineRawConfig_setName(config, NULL), -EINVAL);
	cr_expect_eq(AVirtualMachineRawConfig_setName(NULL, "vm"), -EINVAL);
	cr_expect_eq(
		AVirtualMachineRawConfig_setName(config, "virtual \xc3\xa4"),
		0);
}

Test(ndk_config, instance_ids_have_64_bytes)
{
	static const size_t bad[] = {0, 1, 63, 65, 128, SIZE_MAX};
	uint8_t id[128] = {1};

	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		cr_expect_eq(AVirtualMachineRawConfig_setInstanceId(config, id,
								    bad[i]),
			     -EINVAL, "%zu", bad[i]);
	cr_expect_eq(AVirtualMachineRawConfig_setInstanceId(config, NULL, 64),
		     -EINVAL);
	cr_expect_eq(AVirtualMachineRawConfig_setInstanceId(NULL, id, 64),
		     -EINVAL);
	cr_expect_eq(AVirtualMachineRawConfig_setInstanceId(config, id, 64), 0);
}

Test(ndk_config, a_file_is_kept_until_another_or_the_end)
{
	void (*const setters[])(AVirtualMachineRawConfig *, int) = {
		AVirtualMachineRawConfig_setKernel,
		AVirtualMachineRawConfig_setInitRd,
		AVirtualMachineRawConfig_setDeviceTreeOverlay,
	};
	int last[3];

	for (size_t i = 0; i < 3; i++) {
		int first = a_file(0);
		int second = a_file(0);

		setters[i](config, -1);
		setters[i](config, first);
		cr_expect(is_open(first));
		setters[i](config, first);
		cr_expect(is_open(first), "the same again");
		setters[i](config, second);
		cr_expect_not(is_open(first), "setter %zu", i);
		cr_expect(is_open(second));
		setters[i](config, -1);
		cr_expect_not(is_open(second));
		last[i] = a_file(0);
		setters[i](config, last[i]);
	}
	AVirtualMachineRawConfig_destroy(config);
	config = NULL;
	for (size_t i = 0; i < 3; i++) {
		int fd = a_file(0);

		setters[i](NULL, fd);
		cr_expect_not(is_open(fd), "taken also without one");
	}
	for (size_t i = 0; i < 3; i++)
		cr_expect_not(is_open(last[i]));
}

Test(ndk_config, disks_are_taken_whatever_happens)
{
	int fds[] = {a_file(512), 12345, a_sink(), a_file(0)};
	int full;

	cr_expect_eq(AVirtualMachineRawConfig_addDisk(config, fds[0], true), 0);
	cr_expect_eq(AVirtualMachineRawConfig_addDisk(config, fds[1], false),
		     -EINVAL, "closed");
	cr_expect_eq(AVirtualMachineRawConfig_addDisk(config, fds[2], false),
		     -EINVAL, "no file");
	cr_expect_eq(AVirtualMachineRawConfig_addDisk(NULL, fds[3], false),
		     -EINVAL);
	for (size_t i = 0; i < 4; i++)
		cr_expect_not(is_open(fds[i]), "row %zu", i);
	cr_expect_eq(AVirtualMachineRawConfig_addDisk(config, -1, false),
		     -EINVAL);
	for (unsigned int i = 1; i < AVF_MAX_DISKS; i++)
		cr_expect_eq(AVirtualMachineRawConfig_addDisk(
				     config, a_file(512), false),
			     0);
	full = a_file(512);
	cr_expect_eq(AVirtualMachineRawConfig_addDisk(config, full, false),
		     -EINVAL, "too many");
	cr_expect_not(is_open(full));
}

Test(ndk_config, what_nobody_can_do_here)
{
	int fd = a_file(4096);

	cr_expect_eq(AVirtualMachineRawConfig_addCustomMemoryBackingFile(
			     config, fd, 0, 4096),
		     -ENOTSUP);
	cr_expect_not(is_open(fd));
	fd = a_file(4096);
	cr_expect_eq(AVirtualMachineRawConfig_addCustomMemoryBackingFile(
			     NULL, fd, 0, 4096),
		     -EINVAL);
	cr_expect_not(is_open(fd));
	cr_expect_eq(AVirtualMachineRawConfig_setHypervisorSpecificAuthMethod(
			     config, true),
		     -ENOTSUP);
	cr_expect_eq(AVirtualMachineRawConfig_setHypervisorSpecificAuthMethod(
			     config, false),
		     0);
	cr_expect_eq(AVirtualMachineRawConfig_setHypervisorSpecificAuthMethod(
			     NULL, false),
		     -EINVAL);
}

Test(ndk_config, null_is_a_no_op)
{
	AVirtualMachineRawConfig_destroy(NULL);
	AVirtualMachineRawConfig_setMemoryMiB(NULL, 1);
	AVirtualMachineRawConfig_setSwiotlbMiB(NULL, 1);
	AVirtualMachineRawConfig_setVCpuCount(NULL, 1);
	AVirtualMachineRawConfig_setProtectedVm(NULL, true);
}
