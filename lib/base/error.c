/*
 * The error record: one for each thread, written where an error is born, read
 * by the public functions. Texts are cut, never allocated, so reporting cannot
 * fail.
 */
#include "base/error.h"

#include <assert.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

/* The library's only mutable object with static storage. */
static _Thread_local struct avf_error last;

int error_fail_at(const char *file, int line, int code, int sys_errno,
		  const char *format, ...)
{
	size_t used;
	va_list ap;

	assert(code < 0);
	last.code = code;
	last.sys_errno = sys_errno;
	last.line = line;
	last.file = file;
	va_start(ap, format);
	(void)vsnprintf(last.text, sizeof(last.text), format, ap);
	va_end(ap);
	if (sys_errno != 0) {
		used = strlen(last.text);
		/* a text that is cut at the end of the record is still a text
		 */
		(void)snprintf(last.text + used, sizeof(last.text) - used,
			       ": %s", strerrordesc_np(sys_errno));
	}
	return code;
}

/*
 * For an error whose text is right and whose code is not, as seen from a
 * caller.
 */
int error_fail_as(int code)
{
	assert(code < 0);
	last.code = code;
	return code;
}

int error_prefix(const char *format, ...)
{
	char old[AVF_ERROR_TEXT_SIZE];
	size_t used;
	va_list ap;

	memcpy(old, last.text, sizeof(old));
	va_start(ap, format);
	(void)vsnprintf(last.text, sizeof(last.text), format, ap);
	va_end(ap);
	used = strlen(last.text);
	(void)snprintf(last.text + used, sizeof(last.text) - used, ": %s", old);
	return last.code;
}

/*
 * Several values mean one thing to callers; what no caller tells apart is
 * AVF_ERR_IO.
 */
int error_from_errno(int sys_errno)
{
	switch (sys_errno) {
	case ENOMEM:
		return AVF_ERR_NO_MEMORY;
	case ENOENT:
	case ENODEV:
	case ENXIO:
		return AVF_ERR_NOT_FOUND;
	case EEXIST:
		return AVF_ERR_EXISTS;
	case EACCES:
	case EPERM:
	case EROFS:
		return AVF_ERR_PERMISSION;
	case ENOSPC:
	case EDQUOT:
		return AVF_ERR_NO_SPACE;
	case EBUSY:
	case EWOULDBLOCK:
		return AVF_ERR_BUSY;
	case ETIMEDOUT:
		return AVF_ERR_TIMEOUT;
	case EPIPE:
	case ECONNRESET:
		return AVF_ERR_CLOSED;
	case EMFILE:
	case ENFILE:
		return AVF_ERR_LIMIT;
	default:
		return AVF_ERR_IO;
	}
}

void error_clear(void)
{
	last.code = AVF_OK;
	last.sys_errno = 0;
	last.line = 0;
	last.file = NULL;
	last.text[0] = '\0';
}

struct avf_error *error_record(void)
{
	return &last;
}
