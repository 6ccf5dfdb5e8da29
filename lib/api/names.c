/* Names of the public enumerations, for logs and tools. */
#include <avf/vm.h>

#include "base/checked.h"

static const char *const event_types[] = {
	[AVF_EVENT_STARTED] = "STARTED",
	[AVF_EVENT_PAYLOAD_STARTED] = "PAYLOAD_STARTED",
	[AVF_EVENT_PAYLOAD_READY] = "PAYLOAD_READY",
	[AVF_EVENT_PAYLOAD_FINISHED] = "PAYLOAD_FINISHED",
	[AVF_EVENT_ERROR] = "ERROR",
	[AVF_EVENT_STOPPED] = "STOPPED",
	[AVF_EVENT_LOG] = "LOG",
};

#define REASON(name) [AVF_STOP_REASON_##name + 1] = #name

static const char *const stop_reasons[] = {
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
	REASON(BOOTLOADER_PUBLIC_KEY_MISMATCH),
	REASON(BOOTLOADER_INSTANCE_IMAGE_CHANGED),
	REASON(MICRODROID_FAILED_TO_CONNECT_TO_VIRTUALIZATION_SERVICE),
	REASON(MICRODROID_PAYLOAD_HAS_CHANGED),
	REASON(MICRODROID_PAYLOAD_VERIFICATION_FAILED),
	REASON(MICRODROID_INVALID_PAYLOAD_CONFIG),
	REASON(MICRODROID_UNKNOWN_RUNTIME_ERROR),
	REASON(HANGUP),
};

static const char *const error_codes[] = {
	[AVF_ERROR_UNKNOWN] = "UNKNOWN",
	[AVF_ERROR_PAYLOAD_VERIFICATION_FAILED] = "PAYLOAD_VERIFICATION_FAILED",
	[AVF_ERROR_PAYLOAD_CHANGED] = "PAYLOAD_CHANGED",
	[AVF_ERROR_PAYLOAD_INVALID_CONFIG] = "PAYLOAD_INVALID_CONFIG",
};

static const char *const statuses[] = {
	[AVF_STATUS_STOPPED] = "STOPPED",
	[AVF_STATUS_RUNNING] = "RUNNING",
	[AVF_STATUS_DELETED] = "DELETED",
};

static const char *pick(const char *const *names, size_t n, long index)
{
	return index >= 0 && (size_t)index < n ? names[index] : "?";
}

const char *avf_event_type_name(int type)
{
	return pick(event_types, ARRAY_SIZE(event_types), type);
}

const char *avf_stop_reason_name(int reason)
{
	return pick(stop_reasons, ARRAY_SIZE(stop_reasons), (long)reason + 1);
}

const char *avf_error_code_name(int code)
{
	return pick(error_codes, ARRAY_SIZE(error_codes), code);
}

const char *avf_status_name(int status)
{
	return pick(statuses, ARRAY_SIZE(statuses), status);
}
