/* The error vocabulary inside the library: born once, passed up as it is. */
#pragma once

#include <errno.h>

#include <avf/error.h>

#define MUST_CHECK        __attribute__((warn_unused_result))
#define PRINTF_LIKE(f, a) __attribute__((format(printf, f, a)))

/*
 * Where a failure is first seen:
 *
 *	return fail(AVF_ERR_INVALID, "memory: %u MiB is too little", mib);
 *	return fail_errno("open %s", path);        (the code follows errno)
 *
 * Above it, `if (rc < 0) return rc;` keeps the first text. A layer for which
 * the same failure means something else says `return fail_as(code)`.
 */
#define fail(code, ...) \
	error_negative( \
		error_fail_at(__FILE__, __LINE__, (code), 0, __VA_ARGS__))
#define fail_errno(...)                                              \
	error_negative(error_fail_at(__FILE__, __LINE__,             \
				     error_from_errno(errno), errno, \
				     __VA_ARGS__))
#define fail_as(code) error_negative(error_fail_as(code))

/** Record a failure. Use the macros above. Returns @code, which is < 0. */
int error_fail_at(const char *file, int line, int code, int sys_errno,
		  const char *format, ...) PRINTF_LIKE(5, 6);

/** Change the code of the recorded failure, keep its text. Returns @code. */
int error_fail_as(int code);

/** Put @text in front of the recorded text, as "text: old". Returns code. */
int error_prefix(const char *format, ...) PRINTF_LIKE(1, 2);

/** The code that an errno value stands for. */
int error_from_errno(int sys_errno);

/** Forget the calling thread's record. Called at the edge of the API. */
void error_clear(void);

/** The calling thread's record, to be filled from a message. Never NULL. */
struct avf_error *error_record(void);

/* gcc 12 cannot see that a failure is negative and would warn about outputs
 * that are "maybe uninitialised" after a checked call. */
static inline int error_negative(int rc)
{
	if (rc >= 0)
		__builtin_unreachable();
	return rc;
}
