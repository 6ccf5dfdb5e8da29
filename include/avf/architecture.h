/**
 * @file architecture.h
 * The architectures that a guest can have.
 */
#pragma once

#include <avf/error.h>

#ifdef __cplusplus
extern "C" {
#endif

/** What a guest's programs are compiled for. */
enum avf_architecture {
	/** The one of this library. The default everywhere. */
	AVF_ARCHITECTURE_HOST = 0,
	AVF_ARCHITECTURE_X86_64 = 1,
	AVF_ARCHITECTURE_ARM64 = 2,
};

/** "x86_64" or "arm64"; the host's own for AVF_ARCHITECTURE_HOST, "?" for
 * a value that is none. Static string. */
AVF_EXPORT const char *avf_architecture_name(
	enum avf_architecture architecture);

#ifdef __cplusplus
}
#endif
