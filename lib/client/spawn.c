/*
 * What posix_spawn() does, with namespaces. The child shares our memory and
 * we wait until it has become the program, so nothing is copied however large
 * the application is. As it shares it, the child makes nothing but raw system
 * calls: a wrapper of the C library, or a sanitizer's, would leave its traces
 * in the application.
 */
#include "client/spawn.h"

#include <fcntl.h>
#include <linux/capability.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/checked.h"
#include "base/fd.h"

extern char **environ;

/* clone() by its other name. ThreadSanitizer has a clone() of its own, in any
 * application that is built with it, which takes the child for one that was
 * forked, and writes so into the memory that is the application's, too. */
int plain_clone(int (*body)(void *), void *stack, int flags, void *userdata,
		...) __asm__("__clone");

#define STACK_SIZE (64U * 1024U)
/* The kernel's signals and the size of its signal sets, in bytes. */
#define N_SIGNALS    64
#define SIGNALS_SIZE 8U

/* Of a user namespace without users nothing would remain after execve() but
 * for the ambient set. unshare(), mount and pivot_root; chroot; the bounding
 * set: lib/sandbox spends and drops them. */
#define JAIL_CAPS \
	((1U << CAP_SYS_ADMIN) | (1U << CAP_SYS_CHROOT) | (1U << CAP_SETPCAP))

/* Of the child's functions: what a sanitizer puts in would be done in the
 * name of the application's thread, and be half done. */
#define IN_CHILD __attribute__((no_sanitize("address", "thread", "undefined")))

/* Between the two of us; the child writes @error. */
struct launch {
	const struct spawn_params *params;
	unsigned long flags; /* CLONE_NEW* */
	int error;           /* errno; 0: it has become the program */
};

/* All that a handler or an inherited "ignore" was. Zeros are SIG_DFL on every
 * architecture. The C library's two signals are in it, and harmless. */
IN_CHILD static void reset_signals(void)
{
	static const unsigned long zeros[4] = {(unsigned long)SIG_DFL};

	for (int i = 1; i <= N_SIGNALS; i++)
		(void)syscall(SYS_rt_sigaction, i, zeros, NULL, SIGNALS_SIZE);
	(void)syscall(SYS_rt_sigprocmask, SIG_SETMASK, zeros, NULL,
		      SIGNALS_SIZE);
}

IN_CHILD static long put_null(int number)
{
	long fd = syscall(SYS_openat, AT_FDCWD, "/dev/null", O_RDWR, 0);

	if (fd < 0 || fd == number)
		return fd;
	return syscall(SYS_dup3, fd, number, 0);
}

/* The one fd first: whatever number it has may be overwritten after that. */
IN_CHILD static long place_fds(const struct spawn_params *p)
{
	const int first =
		p->number > STDERR_FILENO ? p->number + 1 : STDERR_FILENO + 1;
	long rc;

	rc = p->fd == p->number ? syscall(SYS_fcntl, p->fd, F_SETFD, 0)
				: syscall(SYS_dup3, p->fd, p->number, 0);
	for (int i = 0; rc >= 0 && i <= STDERR_FILENO; i++) {
		if (i != p->number && !(i == STDERR_FILENO && p->keep_stderr))
			rc = put_null(i);
	}
	if (rc < 0)
		return rc;
	return syscall(SYS_close_range, first, ~0U, 0);
}

IN_CHILD static long keep_caps(void)
{
	static const struct __user_cap_header_struct header = {
		.version = _LINUX_CAPABILITY_VERSION_3};
	static const struct __user_cap_data_struct
		caps[_LINUX_CAPABILITY_U32S_3] = {
			{JAIL_CAPS, JAIL_CAPS, JAIL_CAPS}};
	long rc = syscall(SYS_capset, &header, caps);

	for (int cap = 0; rc == 0 && cap < 32; cap++) {
		if (JAIL_CAPS & (1U << cap))
			rc = syscall(SYS_prctl, PR_CAP_AMBIENT,
				     PR_CAP_AMBIENT_RAISE, cap, 0, 0);
	}
	return rc;
}

/* The child. No local variable has its address taken, so that a sanitizer
 * marks no part of this stack, which it leaves without returning. */
IN_CHILD static int become(void *userdata)
{
	struct launch *l = userdata;
	long rc;

	reset_signals();
	/* Ctrl-C in a terminal is the application's to handle */
	rc = syscall(SYS_setpgid, 0, 0);
	if (rc == 0)
		rc = place_fds(l->params);
	if (rc == 0 && (l->flags & CLONE_NEWUSER))
		rc = keep_caps();
	if (rc == 0)
		(void)syscall(SYS_execve, l->params->argv[0], l->params->argv,
			      environ);
	l->error = errno;
	(void)syscall(SYS_exit_group, 127);
	return 127;
}

/* Returns 0, or the errno of the step that failed. */
static int start(struct launch *l, char *stack, struct spawn_child *ret_child)
{
	const unsigned long flags =
		CLONE_VM | CLONE_VFORK | CLONE_PIDFD | SIGCHLD | l->flags;
	struct spawn_child child = {.pidfd = -1};

	l->error = 0;
	child.pid = plain_clone(become, stack + STACK_SIZE, (int)flags, l,
				&child.pidfd);
	if (child.pid < 0)
		return errno;
	if (l->error != 0) {
		(void)waitpid(child.pid, NULL, 0);
		fd_close(child.pidfd);
		return l->error;
	}
	*ret_child = child;
	return 0;
}

/* What a host forbids, or what a program behind another user's directory
 * needs root's power over files for, goes without. */
static int start_any(const struct spawn_params *params, char *stack,
		     struct spawn_child *ret_child)
{
	static const unsigned long ways[] = {CLONE_NEWUSER | CLONE_NEWPID,
					     CLONE_NEWPID, 0};
	struct launch l = {.params = params};
	int e = 0;

	for (size_t i = 0; i < ARRAY_SIZE(ways); i++) {
		if (ways[i] != 0 && !params->own_namespaces)
			continue;
		l.flags = ways[i];
		e = start(&l, stack, ret_child);
		if (e == 0)
			break;
	}
	return e;
}

int spawn_process(const struct spawn_params *params,
		  struct spawn_child *ret_child)
{
	sigset_t all, old;
	char *stack;
	int cancel, e;

	stack = mmap(NULL, STACK_SIZE, PROT_READ | PROT_WRITE,
		     MAP_PRIVATE | MAP_ANONYMOUS | MAP_STACK, -1, 0);
	if (stack == MAP_FAILED)
		return fail_errno("a child's stack");
	/* no handler of the application runs in the child, and the thread does
	 * not end in the middle of it */
	(void)sigfillset(&all);
	(void)pthread_sigmask(SIG_BLOCK, &all, &old);
	(void)pthread_setcancelstate(PTHREAD_CANCEL_DISABLE, &cancel);
	e = start_any(params, stack, ret_child);
	(void)pthread_setcancelstate(cancel, NULL);
	(void)pthread_sigmask(SIG_SETMASK, &old, NULL);
	(void)munmap(stack, STACK_SIZE);
	if (e != 0) {
		errno = e;
		return fail_errno("start %s", params->argv[0]);
	}
	return 0;
}
