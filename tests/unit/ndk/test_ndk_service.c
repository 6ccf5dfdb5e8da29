/* Services, and the VMs that they make: every way to fail takes all that was
 * handed over. */
#include "ndk_files.h"

#include <stdlib.h>
#include <string.h>
#include <sys/utsname.h>

Test(ndk_service, create_and_destroy)
{
	AVirtualizationService *service = NULL;

	cr_expect_eq(AVirtualizationService_create(&service, true), -ENOTSUP);
	cr_expect_null(service, "untouched");
	cr_expect_eq(AVirtualizationService_create(NULL, false), -EINVAL);
	cr_assert_eq(setenv("AVF_ACCELERATION", "warp", 1), 0);
	cr_expect_eq(AVirtualizationService_create(&service, false), -EINVAL);
	cr_expect_null(service);
	cr_assert_eq(setenv("AVF_ACCELERATION", "emulation", 1), 0);
	cr_expect_eq(AVirtualizationService_create(&service, false), 0);
	cr_expect_eq(service->acceleration, AVF_ACCELERATION_EMULATION);
	AVirtualizationService_destroy(service);
	AVirtualizationService_destroy(NULL);
}

static AVirtualMachineRawConfig *with_bad_kernel(void)
{
	AVirtualMachineRawConfig *config = a_config("vm");

	AVirtualMachineRawConfig_setKernel(config, a_sink());
	return config;
}

static AVirtualMachineRawConfig *with_closed_kernel(void)
{
	AVirtualMachineRawConfig *config = a_config("vm");

	AVirtualMachineRawConfig_setKernel(config, 12345);
	return config;
}

static AVirtualMachineRawConfig *without_kernel(void)
{
	AVirtualMachineRawConfig *config = a_config("vm");

	AVirtualMachineRawConfig_setKernel(config, -1);
	return config;
}

static AVirtualMachineRawConfig *without_name(void)
{
	AVirtualMachineRawConfig *config = AVirtualMachineRawConfig_create();

	AVirtualMachineRawConfig_setKernel(config, a_file(512));
	return config;
}

static AVirtualMachineRawConfig *with_bad_initrd(void)
{
	AVirtualMachineRawConfig *config = a_config("vm");

	AVirtualMachineRawConfig_setInitRd(config, a_sink());
	return config;
}

static AVirtualMachineRawConfig *with_overlay(void)
{
	AVirtualMachineRawConfig *config = a_config("vm");

	AVirtualMachineRawConfig_setDeviceTreeOverlay(config, a_file(512));
	return config;
}

static AVirtualMachineRawConfig *with_half_a_sector(void)
{
	AVirtualMachineRawConfig *config = a_config("vm");

	cr_assert_eq(
		AVirtualMachineRawConfig_addDisk(config, a_file(511), false),
		0);
	return config;
}

static AVirtualMachineRawConfig *protected(void)
{
	AVirtualMachineRawConfig *config = a_config("vm");

	AVirtualMachineRawConfig_setProtectedVm(config, true);
	return config;
}

static AVirtualMachineRawConfig *with_memory(int32_t mib)
{
	AVirtualMachineRawConfig *config = a_config("vm");

	AVirtualMachineRawConfig_setMemoryMiB(config, mib);
	return config;
}

static AVirtualMachineRawConfig *too_large(void)
{
	return with_memory(INT32_MAX);
}

static AVirtualMachineRawConfig *with_vcpus(int32_t n)
{
	AVirtualMachineRawConfig *config = a_config("vm");

	AVirtualMachineRawConfig_setVCpuCount(config, n);
	return config;
}

static AVirtualMachineRawConfig *no_vcpus(void)
{
	return with_vcpus(0);
}

static AVirtualMachineRawConfig *negative_vcpus(void)
{
	return with_vcpus(-1);
}

static AVirtualMachineRawConfig *many_vcpus(void)
{
	return with_vcpus(33);
}

/* libavf's own refusal, as an x86-64 VM has no device tree; on arm64 it is
 * read when the VM starts. */
Test(ndk_service, a_device_tree_overlay)
{
	AVirtualizationService *service = a_service();
	unsigned int before = count_fds();
	AVirtualMachine *vm = NULL;
	struct utsname host;
	bool is_arm64;
	int rc;

	cr_assert_eq(uname(&host), 0);
	is_arm64 = strcmp(host.machine, "aarch64") == 0;
	rc = AVirtualMachine_createRaw(service, with_overlay(), a_sink(),
				       a_sink(), a_sink(), &vm);
	cr_expect_eq(rc, is_arm64 ? 0 : -EIO);
	cr_expect_eq(vm != NULL, is_arm64);
	AVirtualMachine_destroy(vm);
	cr_expect_eq(count_fds(), before);
	AVirtualizationService_destroy(service);
}

static const struct {
	const char *what;
	AVirtualMachineRawConfig *(*make)(void);
	const char *word; /* of avf_last_error() */
} bad[] = {
	{"a kernel that is no file", with_bad_kernel, "kernel"},
	{"a kernel that is closed", with_closed_kernel, "12345"},
	{"no kernel", without_kernel, "kernel"},
	{"no name", without_name, "name"},
	{"an initramfs that is no file", with_bad_initrd, "initrd"},
	{"a disk of half a sector", with_half_a_sector, "disks[0]"},
	{"a protected VM", protected, "rotected"},
	{"too much memory", too_large, "memory"},
	{"no vCPU", no_vcpus, "vcpus"},
	{"fewer than none", negative_vcpus, "vcpus"},
	{"too many vCPUs", many_vcpus, "vcpus"},
};

Test(ndk_service, a_bad_configuration_is_eio_and_taken)
{
	AVirtualizationService *service = a_service();
	unsigned int before = count_fds();

	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		int out = a_sink(), in = a_sink(), log = a_sink();
		AVirtualMachine *vm = NULL;

		cr_expect_eq(AVirtualMachine_createRaw(service, bad[i].make(),
						       out, in, log, &vm),
			     -EIO, "%s", bad[i].what);
		cr_expect_null(vm, "%s", bad[i].what);
		cr_expect(strstr(avf_last_error()->text, bad[i].word), "%s: %s",
			  bad[i].what, avf_last_error()->text);
		cr_expect_eq(count_fds(), before, "%s", bad[i].what);
	}
	AVirtualizationService_destroy(service);
}

Test(ndk_service, null_is_einval_and_taken)
{
	AVirtualizationService *service = a_service();
	unsigned int before = count_fds();
	AVirtualMachine *vm = NULL;

	cr_expect_eq(AVirtualMachine_createRaw(NULL, a_config("vm"), a_sink(),
					       a_sink(), a_sink(), &vm),
		     -EINVAL);
	cr_expect_eq(AVirtualMachine_createRaw(service, NULL, a_sink(),
					       a_sink(), a_sink(), &vm),
		     -EINVAL);
	cr_expect_eq(AVirtualMachine_createRaw(service, a_config("vm"),
					       a_sink(), a_sink(), a_sink(),
					       NULL),
		     -EINVAL);
	cr_expect_null(vm);
	cr_expect_eq(count_fds(), before);
	AVirtualizationService_destroy(service);
}

/* 12345 is not open: whichever of the three it is, the others are closed. */
Test(ndk_service, bad_sinks_are_eio_and_the_others_taken)
{
	AVirtualizationService *service = a_service();
	unsigned int before = count_fds();
	AVirtualMachine *vm = NULL;

	for (int i = 0; i < 3; i++)
		cr_expect_eq(AVirtualMachine_createRaw(
				     service, a_config("vm"),
				     i == 0 ? 12345 : a_sink(),
				     i == 1 ? 12345 : a_sink(),
				     i == 2 ? 12345 : a_sink(), &vm),
			     -EIO);
	cr_expect_null(vm);
	cr_expect_eq(count_fds(), before);
	AVirtualizationService_destroy(service);
}

Test(ndk_service, a_good_one_holds_what_it_needs_and_no_more)
{
	AVirtualizationService *service = a_service();
	unsigned int before = count_fds();
	AVirtualMachine *vm = NULL;
	int out = a_sink();

	cr_assert_eq(AVirtualMachine_createRaw(service, a_config("vm"), out, -1,
					       -1, &vm),
		     0);
	cr_expect_not(is_open(out), "ours is closed at once");
	AVirtualizationService_destroy(service);
	cr_expect_not_null(vm, "and it outlives the service");
	AVirtualMachine_destroy(vm);
	cr_expect_eq(count_fds(), before);
}
