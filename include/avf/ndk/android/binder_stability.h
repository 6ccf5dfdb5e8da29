/**
 * @file binder_stability.h
 * How stable an object's interface is promised to be. The promise travels with
 * the object; this library sends it and does not restrict calls by it.
 *
 * Source compatible with the NDK's header of this name. Call these on a local
 * object, before it is sent anywhere. Without one an object is sent with
 * system stability.
 */
#pragma once

#include <android/binder_ibinder.h>

#ifdef __cplusplus
extern "C" {
#endif
#if defined(__GNUC__)
#pragma GCC visibility push(default)
#endif

enum {
	/** Accepted with a call, and not sent. */
	FLAG_PRIVATE_VENDOR = 0x10000000,
	FLAG_PRIVATE_LOCAL = 0,
};

/** The interface may change with the system image. */
void AIBinder_markSystemStability(AIBinder *binder);
/** The interface may change with the vendor image. */
void AIBinder_markVendorStability(AIBinder *binder);
/** The interface is frozen. */
void AIBinder_markVintfStability(AIBinder *binder);

/** Have a local object travel with a lower stability than it was marked with,
 * for one peer's sake. Before it is sent. Ignored for remote objects. */
void AIBinder_forceDowngradeToSystemStability(AIBinder *binder);
void AIBinder_forceDowngradeToVendorStability(AIBinder *binder);

static inline void AIBinder_markCompilationUnitStability(AIBinder *binder)
{
	AIBinder_markSystemStability(binder);
}

#if defined(__GNUC__)
#pragma GCC visibility pop
#endif
#ifdef __cplusplus
}
#endif
