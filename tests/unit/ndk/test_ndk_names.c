/* Numbers and words in libavf's. */
#include "ndk_files.h"

static const struct {
	int ours;
	int theirs;
} rows[] = {
	{AVF_STOP_REASON_VIRTUALIZATION_SERVICE_DIED, 1},
	{AVF_STOP_REASON_INFRASTRUCTURE_ERROR, 2},
	{AVF_STOP_REASON_KILLED, 3},
	{AVF_STOP_REASON_UNKNOWN, 4},
	{AVF_STOP_REASON_SHUTDOWN, 5},
	{AVF_STOP_REASON_START_FAILED, 6},
	{AVF_STOP_REASON_REBOOT, 7},
	{AVF_STOP_REASON_CRASH, 8},
	{AVF_STOP_REASON_PVM_FIRMWARE_PUBLIC_KEY_MISMATCH, 9},
	{AVF_STOP_REASON_PVM_FIRMWARE_INSTANCE_IMAGE_CHANGED, 10},
	{AVF_STOP_REASON_BOOTLOADER_PUBLIC_KEY_MISMATCH, 0},
	{AVF_STOP_REASON_BOOTLOADER_INSTANCE_IMAGE_CHANGED, 0},
	{AVF_STOP_REASON_MICRODROID_FAILED_TO_CONNECT_TO_VIRTUALIZATION_SERVICE,
	 0},
	{AVF_STOP_REASON_MICRODROID_PAYLOAD_HAS_CHANGED, 0},
	{AVF_STOP_REASON_MICRODROID_PAYLOAD_VERIFICATION_FAILED, 0},
	{AVF_STOP_REASON_MICRODROID_INVALID_PAYLOAD_CONFIG, 0},
	{AVF_STOP_REASON_MICRODROID_UNKNOWN_RUNTIME_ERROR, 0},
	{AVF_STOP_REASON_HANGUP, 11},
	{17, 0},
	{1000, 0},
	{-2, 0},
	{INT32_MAX, 0},
	{INT32_MIN, 0},
};

Test(ndk_names, every_stop_reason_has_libavfs_number)
{
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
		cr_expect_eq((int)ndk_stop_reason(rows[i].ours), rows[i].theirs,
			     "%s", avf_stop_reason_name(rows[i].ours));
}

Test(ndk_names, codes_become_errno)
{
	cr_expect_eq(ndk_result(AVF_OK), 0);
	cr_expect_eq(ndk_result(AVF_ERR_INVALID), -EINVAL);
	cr_expect_eq(ndk_result(AVF_ERR_UNSUPPORTED), -ENOTSUP);
	cr_expect_eq(ndk_result(AVF_ERR_NO_MEMORY), -ENOMEM);
	for (int code = AVF_ERR_NOT_FOUND; code >= AVF_ERR_INTERNAL; code--)
		if (code != AVF_ERR_UNSUPPORTED)
			cr_expect_eq(ndk_result(code), -EIO, "%s",
				     avf_error_name(code));
}

Test(ndk_names, accelerations)
{
	static const char *const bad[] = {
		"", "KVM", "kvm ", "emulate", "tcg", "1", "kvm-or-emulation,"};
	enum avf_acceleration a = AVF_ACCELERATION_EMULATION;

	cr_expect_eq(ndk_acceleration(NULL, &a), 0);
	cr_expect_eq(a, AVF_ACCELERATION_KVM);
	cr_expect_eq(ndk_acceleration("emulation", &a), 0);
	cr_expect_eq(a, AVF_ACCELERATION_EMULATION);
	cr_expect_eq(ndk_acceleration("kvm-or-emulation", &a), 0);
	cr_expect_eq(a, AVF_ACCELERATION_KVM_OR_EMULATION);
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		cr_expect_eq(ndk_acceleration(bad[i], &a), AVF_ERR_INVALID,
			     "%s", bad[i]);
	cr_expect_eq(a, AVF_ACCELERATION_KVM_OR_EMULATION, "untouched");
}

Test(ndk_names, closing_keeps_errno)
{
	int fd = a_sink();

	errno = ENOENT;
	ndk_close(fd);
	ndk_close(-1);
	cr_expect_eq(errno, ENOENT);
	cr_expect_not(is_open(fd));
}
