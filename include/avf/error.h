/**
 * @file error.h
 * The closed list of errors, and the record that explains the last one.
 *
 * Every function that can fail returns 0 (or a count) on success and one of
 * the negative codes below on failure. The text that goes with it is kept
 * per thread: read it with avf_last_error() before the next call.
 */
#pragma once

#ifdef __cplusplus
extern "C" {
#endif

#if defined(__GNUC__)
#define AVF_EXPORT __attribute__((visibility("default")))
#define AVF_CHECK  __attribute__((warn_unused_result))
#else
#define AVF_EXPORT
#define AVF_CHECK
#endif

/** What went wrong. Values never change; new ones are added at the end. */
enum avf_err {
	AVF_OK = 0,
	/** An argument or a configuration field has a value that is not
	   allowed. */
	AVF_ERR_INVALID = -1,
	/** The call is not allowed in the object's present state. */
	AVF_ERR_STATE = -2,
	/** The host has no memory left. */
	AVF_ERR_NO_MEMORY = -3,
	/** A file, program or object does not exist. */
	AVF_ERR_NOT_FOUND = -4,
	/** Something of that name exists already. */
	AVF_ERR_EXISTS = -5,
	/** The host refuses access. */
	AVF_ERR_PERMISSION = -6,
	/** This host or this build cannot do what was asked. */
	AVF_ERR_UNSUPPORTED = -7,
	/** A system call failed; the record holds errno. */
	AVF_ERR_IO = -8,
	/** The file system is full, or a quota is used up. */
	AVF_ERR_NO_SPACE = -9,
	/** Somebody else is using it, for instance a writable disk. */
	AVF_ERR_BUSY = -10,
	/** The time given has passed. */
	AVF_ERR_TIMEOUT = -11,
	/** The other side is gone: the VM has stopped, the peer has closed. */
	AVF_ERR_CLOSED = -12,
	/** The guest refused the connection. */
	AVF_ERR_REFUSED = -13,
	/** The guest or a peer broke the protocol. */
	AVF_ERR_PROTOCOL = -14,
	/** A file's content is not what it should be: kernel, package, JSON. */
	AVF_ERR_FORMAT = -15,
	/** A named limit is reached. */
	AVF_ERR_LIMIT = -16,
	/** A defect of the library itself. */
	AVF_ERR_INTERNAL = -17,
};

/** Room for the text of an error, terminating NUL included, in bytes. */
#define AVF_ERROR_TEXT_SIZE 256

/** The explanation of one failure. Plain data; copy it freely. */
struct avf_error {
	/** One of enum avf_err; AVF_OK when nothing has failed. */
	int code;
	/** errno of the system call that failed, or 0. */
	int sys_errno;
	/** Source line where the failure was first seen. */
	int line;
	/** Source file where the failure was first seen; static string. */
	const char *file;
	/** What failed, why, and what to do next. Never NULL. */
	char text[AVF_ERROR_TEXT_SIZE];
};

/**
 * The record of the calling thread's last failed call.
 * Every function of this library clears it on entry, but those that free: they
 * may be called between a failure and the look at it.
 * Returns a pointer valid until the thread's next call; never NULL.
 * Any thread; does not block; cannot fail.
 */
AVF_EXPORT const struct avf_error *avf_last_error(void);

/**
 * The name of an error code, for instance "AVF_ERR_STATE".
 * Returns a static string; "AVF_ERR_?" for a number that is not a code.
 * Any thread; does not block; cannot fail.
 */
AVF_EXPORT const char *avf_error_name(int code);

#ifdef __cplusplus
}
#endif
