#include <avf/error.h>

#include "base/error.h"
#include "base/error_name.h"

const struct avf_error *avf_last_error(void)
{
	return error_record();
}

const char *avf_error_name(int code)
{
	return error_name(code);
}
