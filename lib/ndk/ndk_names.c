/* Our numbers and words in libavf's. */
#include <errno.h>
#include <string.h>
#include <unistd.h>

#include "ndk/ndk.h"

#define REASON(name) [AVF_STOP_REASON_##name + 1] = AVIRTUAL_MACHINE_##name

/* From the Java API's numbers, the first of which is -1. The microguest's and
 * a boot loader's reasons have none here: 0, which is UNRECOGNISED. */
static const uint8_t reasons[] = {
	REASON(VIRTUALIZATION_SERVICE_DIED),
	REASON(INFRASTRUCTURE_ERROR),
	REASON(KILLED),
	REASON(UNKNOWN),
	REASON(SHUTDOWN),
	REASON(START_FAILED),
	REASON(REBOOT),
	REASON(CRASH),
	REASON(PVM_FIRMWARE_PUBLIC_KEY_MISMATCH),
	REASON(PVM_FIRMWARE_INSTANCE_IMAGE_CHANGED),
	REASON(HANGUP),
};

enum AVirtualMachineStopReason ndk_stop_reason(int reason)
{
	/* reasons that are less than -1 are too large then */
	const size_t index = (size_t)reason + 1;

	if (index >= sizeof(reasons) / sizeof(reasons[0]))
		return AVIRTUAL_MACHINE_UNRECOGNISED;
	return (enum AVirtualMachineStopReason)reasons[index];
}

int ndk_result(int rc)
{
	switch (rc) {
	case AVF_OK:
		return 0;
	case AVF_ERR_INVALID:
		return -EINVAL; /* house: libavf's contract */
	case AVF_ERR_UNSUPPORTED:
		return -ENOTSUP; /* house: the same */
	case AVF_ERR_NO_MEMORY:
		return -ENOMEM; /* house: the same */
	default:
		return -EIO; /* house: the same */
	}
}

int ndk_acceleration(const char *text, enum avf_acceleration *ret_acceleration)
{
	static const char *const words[] = {
		[AVF_ACCELERATION_KVM] = "kvm",
		[AVF_ACCELERATION_KVM_OR_EMULATION] = "kvm-or-emulation",
		[AVF_ACCELERATION_EMULATION] = "emulation",
	};

	if (!text)
		text = words[AVF_ACCELERATION_KVM];
	for (size_t i = 0; i < sizeof(words) / sizeof(words[0]); i++) {
		if (strcmp(words[i], text) == 0) {
			*ret_acceleration = (enum avf_acceleration)i;
			return 0;
		}
	}
	return AVF_ERR_INVALID;
}

void ndk_close(int fd)
{
	int saved = errno;

	if (fd >= 0)
		(void)close(fd);
	errno = saved;
}
