/* What there is none of says so, in the words that Android's code expects. */
#include <criterion/criterion.h>

#include <pthread.h>
#include <signal.h>
#include <unistd.h>

#include <android/binder_ibinder_platform.h>
#include <android/binder_manager.h>
#include <android/binder_parcel.h>
#include <android/binder_process.h>
#include <android/binder_stability.h>

#include "binder/object.h"
#include "support/echo_object.h"

static struct echo_object state;
static AIBinder *binder;

static void set_up(void)
{
	binder = AIBinder_new(echo_class_new("echo"), &state);
}

static void tear_down(void)
{
	cr_expect_eq(AIBinder_debugGetRefCount(binder), 1);
	AIBinder_decStrong(binder);
}

TestSuite(platform, .init = set_up, .fini = tear_down, .timeout = 60);

Test(platform, nobody_calls)
{
	cr_expect_eq(AIBinder_getCallingUid(), (uid_t)-1);
	cr_expect_eq(AIBinder_getCallingPid(), 0);
	cr_expect_null(AIBinder_getCallingSid());
	cr_expect_not(AIBinder_isHandlingTransaction());
	AIBinder_setRequestingSid(binder, true);
	AIBinder_setMinSchedulerPolicy(binder, 1, 1);
	AIBinder_setInheritRt(binder, true);
}

static void count(const char *instance, void *context)
{
	(void)instance;
	++*(int *)context;
}

Test(platform, no_service_manager)
{
	int calls = 0;

	cr_expect_eq(AServiceManager_addService(binder, "x/y"),
		     EX_UNSUPPORTED_OPERATION);
	cr_expect_eq(AServiceManager_addServiceWithFlags(binder, "x/y", 1),
		     EX_UNSUPPORTED_OPERATION);
	cr_expect_eq(AServiceManager_registerLazyService(binder, "x/y"),
		     STATUS_INVALID_OPERATION);
	cr_expect_null(AServiceManager_checkService("x/y"));
	cr_expect_null(AServiceManager_getService("x/y"));
	cr_expect_null(AServiceManager_waitForService("x/y"), "at once");
	cr_expect_not(AServiceManager_isDeclared("x/y"));
	cr_expect_not(AServiceManager_isUpdatableViaApex("x/y"));
	AServiceManager_forEachDeclaredInstance("x", &calls, count);
	cr_expect_eq(calls, 0);
}

static void *join(void *unused)
{
	ABinderProcess_joinThreadPool();
	return unused;
}

static void on_signal(int number)
{
	(void)number;
}

Test(platform, no_pool_of_threads)
{
	pthread_t thread;
	void *result = NULL;
	int fd = 7;

	ABinderProcess_startThreadPool();
	cr_expect(ABinderProcess_setThreadPoolMaxThreadCount(4));
	cr_expect_not(ABinderProcess_isThreadPoolStarted());
	cr_expect_eq(ABinderProcess_setupPolling(&fd),
		     STATUS_INVALID_OPERATION);
	cr_expect_eq(fd, -1);
	cr_expect_eq(ABinderProcess_setupPolling(NULL),
		     STATUS_INVALID_OPERATION);
	cr_expect_eq(ABinderProcess_handlePolledCommands(),
		     STATUS_INVALID_OPERATION);
	/* who joins it never comes back, whatever signals do */
	(void)signal(SIGUSR1, on_signal);
	cr_assert_eq(pthread_create(&thread, NULL, join, &fd), 0);
	(void)pthread_kill(thread, SIGUSR1);
	(void)pthread_cancel(thread);
	pthread_join(thread, &result);
	cr_expect_eq(result, PTHREAD_CANCELED);
}

Test(platform, stability_goes_down)
{
	AIBinder_markVintfStability(binder);
	AIBinder_markSystemStability(binder);
	cr_expect_eq(binder->stability, STABILITY_VINTF, "the first counts");
	AIBinder_forceDowngradeToSystemStability(binder);
	cr_expect_eq(binder->stability, STABILITY_SYSTEM);
	AIBinder_forceDowngradeToVendorStability(binder);
	cr_expect_eq(binder->stability, STABILITY_VENDOR);
	AIBinder_forceDowngradeToVendorStability(NULL);
}
