/**
 * @file binder_ibinder_platform.h
 * What Android's own services use of kernel binder, for code that has to link.
 */
#pragma once

#include <stdbool.h>

#include <android/binder_ibinder.h>

#ifdef __cplusplus
extern "C" {
#endif
#if defined(__GNUC__)
#pragma GCC visibility push(default)
#endif

/** NULL: a session does not carry SELinux contexts. */
const char *AIBinder_getCallingSid(void);
/** Does nothing: there are none to be had. */
void AIBinder_setRequestingSid(AIBinder *binder, bool requestingSid);
/** Does nothing: threads keep the priority that they have. */
void AIBinder_setMinSchedulerPolicy(AIBinder *binder, int policy, int priority);
/** Does nothing. */
void AIBinder_setInheritRt(AIBinder *binder, bool inheritRt);

#if defined(__GNUC__)
#pragma GCC visibility pop
#endif
#ifdef __cplusplus
}
#endif
