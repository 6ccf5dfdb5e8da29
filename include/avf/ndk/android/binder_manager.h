/**
 * @file binder_manager.h
 * The NDK's service manager, which there is none of, as in Android's
 * microdroid: objects are found through sessions of binder_rpc_unstable.h. The
 * functions are here so that code written for Android links; each says that
 * there is no such service.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>

#include <android/binder_ibinder.h>
#include <android/binder_status.h>

#ifdef __cplusplus
extern "C" {
#endif
#if defined(__GNUC__)
#pragma GCC visibility push(default)
#endif

enum {
	ADD_SERVICE_ALLOW_ISOLATED = 1,
	ADD_SERVICE_DUMP_FLAG_PRIORITY_CRITICAL = 1 << 1,
	ADD_SERVICE_DUMP_FLAG_PRIORITY_HIGH = 1 << 2,
	ADD_SERVICE_DUMP_FLAG_PRIORITY_NORMAL = 1 << 3,
	ADD_SERVICE_DUMP_FLAG_PRIORITY_DEFAULT = 1 << 4,
};

/** EX_UNSUPPORTED_OPERATION. */
binder_exception_t AServiceManager_addService(AIBinder *binder,
					      const char *instance);
/** EX_UNSUPPORTED_OPERATION. */
binder_exception_t AServiceManager_addServiceWithFlags(AIBinder *binder,
						       const char *instance,
						       uint32_t flags);
/** STATUS_INVALID_OPERATION. */
binder_status_t AServiceManager_registerLazyService(AIBinder *binder,
						    const char *instance);

/** NULL: there is none. Does not wait. */
AIBinder *AServiceManager_checkService(const char *instance);
/** NULL: there is none. Does not wait. */
AIBinder *AServiceManager_getService(const char *instance);
/** NULL at once, since none will ever come. */
AIBinder *AServiceManager_waitForService(const char *instance);

/** False. */
bool AServiceManager_isDeclared(const char *instance);
/** Calls nothing. */
void AServiceManager_forEachDeclaredInstance(
	const char *interface, void *context,
	void (*callback)(const char *instance, void *context));
/** False. */
bool AServiceManager_isUpdatableViaApex(const char *instance);

#if defined(__GNUC__)
#pragma GCC visibility pop
#endif
#ifdef __cplusplus
}
#endif
