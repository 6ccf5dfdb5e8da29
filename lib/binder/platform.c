/*
 * What Android has around kernel binder, and we do not: the caller's identity,
 * the pool of threads, the service manager. The answers are those that code
 * for Android is ready for; the headers give them.
 */
#include <sys/types.h>
#include <unistd.h>

#include <android/binder_ibinder_platform.h>
#include <android/binder_manager.h>
#include <android/binder_process.h>

/* ---- who calls ---------------------------------------------------------- */

uid_t AIBinder_getCallingUid(void)
{
	return (uid_t)-1;
}

pid_t AIBinder_getCallingPid(void)
{
	return 0;
}

bool AIBinder_isHandlingTransaction(void)
{
	return false;
}

const char *AIBinder_getCallingSid(void)
{
	return NULL;
}

void AIBinder_setRequestingSid(AIBinder *binder, bool requestingSid)
{
	(void)binder;
	(void)requestingSid;
}

void AIBinder_setMinSchedulerPolicy(AIBinder *binder, int policy, int priority)
{
	(void)binder;
	(void)policy;
	(void)priority;
}

void AIBinder_setInheritRt(AIBinder *binder, bool inheritRt)
{
	(void)binder;
	(void)inheritRt;
}

/* ---- the pool of threads ------------------------------------------------ */

void ABinderProcess_startThreadPool(void)
{
}

bool ABinderProcess_setThreadPoolMaxThreadCount(uint32_t numThreads)
{
	(void)numThreads;
	return true;
}

bool ABinderProcess_isThreadPoolStarted(void)
{
	return false;
}

void ABinderProcess_joinThreadPool(void)
{
	/* a handled signal ends the call, not the waiting */
	for (;;)
		(void)pause();
}

binder_status_t ABinderProcess_setupPolling(int *fd)
{
	if (fd)
		*fd = -1;
	return STATUS_INVALID_OPERATION;
}

binder_status_t ABinderProcess_handlePolledCommands(void)
{
	return STATUS_INVALID_OPERATION;
}

/* ---- the service manager ------------------------------------------------ */

binder_exception_t AServiceManager_addService(AIBinder *binder,
					      const char *instance)
{
	return AServiceManager_addServiceWithFlags(binder, instance, 0);
}

binder_exception_t AServiceManager_addServiceWithFlags(AIBinder *binder,
						       const char *instance,
						       uint32_t flags)
{
	(void)binder;
	(void)instance;
	(void)flags;
	return EX_UNSUPPORTED_OPERATION;
}

binder_status_t AServiceManager_registerLazyService(AIBinder *binder,
						    const char *instance)
{
	(void)binder;
	(void)instance;
	return STATUS_INVALID_OPERATION;
}

AIBinder *AServiceManager_checkService(const char *instance)
{
	(void)instance;
	return NULL;
}

AIBinder *AServiceManager_getService(const char *instance)
{
	return AServiceManager_checkService(instance);
}

AIBinder *AServiceManager_waitForService(const char *instance)
{
	return AServiceManager_checkService(instance);
}

bool AServiceManager_isDeclared(const char *instance)
{
	(void)instance;
	return false;
}

void AServiceManager_forEachDeclaredInstance(
	const char *interface, void *context,
	void (*callback)(const char *instance, void *context))
{
	(void)interface;
	(void)context;
	(void)callback;
}

bool AServiceManager_isUpdatableViaApex(const char *instance)
{
	(void)instance;
	return false;
}
