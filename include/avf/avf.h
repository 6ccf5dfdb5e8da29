/**
 * @file avf.h
 * libvirtualization: the Android Virtualization Framework on plain Linux.
 */
#pragma once

#include <avf/architecture.h>
#include <avf/config.h>
#include <avf/error.h>
#include <avf/image.h>
#include <avf/manager.h>
#include <avf/probe.h>
#include <avf/vm.h>

#ifdef __cplusplus
extern "C" {
#endif

/** Version of these headers. */
#define AVF_VERSION_MAJOR 0
#define AVF_VERSION_MINOR 1
#define AVF_VERSION_PATCH 0

/** Version of the library, "0.1.0". Static string. */
AVF_EXPORT const char *avf_version(void);

#ifdef __cplusplus
}
#endif
