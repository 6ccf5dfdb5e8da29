/*
 * The words on a guest's failure port, as AVF's guests write them: NAME or NAME
 *
 * detail. Names that speak of the host's side are not in the table, or a guest
 * could blame the host.
 */
#include "vmm/reason.h"

#include <string.h>

#include <avf/vm.h>

#include "base/checked.h"

#define ROW(name)                             \
	{                                     \
#name, AVF_STOP_REASON_##name \
	}

/* Only what a guest can know of itself. */
static const struct {
	const char *name;
	int reason;
} rows[] = {
	ROW(PVM_FIRMWARE_PUBLIC_KEY_MISMATCH),
	ROW(PVM_FIRMWARE_INSTANCE_IMAGE_CHANGED),
	ROW(MICRODROID_FAILED_TO_CONNECT_TO_VIRTUALIZATION_SERVICE),
	ROW(MICRODROID_PAYLOAD_HAS_CHANGED),
	ROW(MICRODROID_PAYLOAD_VERIFICATION_FAILED),
	ROW(MICRODROID_INVALID_PAYLOAD_CONFIG),
	ROW(MICRODROID_UNKNOWN_RUNTIME_ERROR),
};

int reason_parse(const char *text, const char **ret_detail)
{
	size_t n = strcspn(text, "|\n");

	*ret_detail = text[n] == '|' ? text + n + 1 : text;
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		if (strlen(rows[i].name) == n &&
		    strncmp(rows[i].name, text, n) == 0)
			return rows[i].reason;
	}
	return -1;
}
