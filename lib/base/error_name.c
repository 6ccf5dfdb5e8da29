#include "base/error_name.h"

#include <stddef.h>

#include "base/checked.h"
#include "base/error.h"

static const char *const names[] = {
	[-AVF_OK] = "AVF_OK",
	[-AVF_ERR_INVALID] = "AVF_ERR_INVALID",
	[-AVF_ERR_STATE] = "AVF_ERR_STATE",
	[-AVF_ERR_NO_MEMORY] = "AVF_ERR_NO_MEMORY",
	[-AVF_ERR_NOT_FOUND] = "AVF_ERR_NOT_FOUND",
	[-AVF_ERR_EXISTS] = "AVF_ERR_EXISTS",
	[-AVF_ERR_PERMISSION] = "AVF_ERR_PERMISSION",
	[-AVF_ERR_UNSUPPORTED] = "AVF_ERR_UNSUPPORTED",
	[-AVF_ERR_IO] = "AVF_ERR_IO",
	[-AVF_ERR_NO_SPACE] = "AVF_ERR_NO_SPACE",
	[-AVF_ERR_BUSY] = "AVF_ERR_BUSY",
	[-AVF_ERR_TIMEOUT] = "AVF_ERR_TIMEOUT",
	[-AVF_ERR_CLOSED] = "AVF_ERR_CLOSED",
	[-AVF_ERR_REFUSED] = "AVF_ERR_REFUSED",
	[-AVF_ERR_PROTOCOL] = "AVF_ERR_PROTOCOL",
	[-AVF_ERR_FORMAT] = "AVF_ERR_FORMAT",
	[-AVF_ERR_LIMIT] = "AVF_ERR_LIMIT",
	[-AVF_ERR_INTERNAL] = "AVF_ERR_INTERNAL",
};

const char *error_name(int code)
{
	if (code > 0 || code <= -(int)ARRAY_SIZE(names))
		return "AVF_ERR_?";
	return names[-code];
}
