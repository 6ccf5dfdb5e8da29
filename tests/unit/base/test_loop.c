#include <criterion/criterion.h>

#include <dirent.h>
#include <fcntl.h>
#include <pthread.h>
#include <sched.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "base/checked.h"
#include "base/fd.h"
#include "base/loop.h"

struct peer {
	struct loop *loop;
	struct loop_source source;
	struct loop_source *victim;
	unsigned int calls;
	uint32_t events;
};

static void ready(struct loop_source *source, uint32_t events)
{
	struct peer *p = container_of(source, struct peer, source);

	p->calls++;
	p->events = events;
	if (p->victim)
		loop_remove(p->loop, p->victim);
}

static int signalled(void)
{
	return eventfd(1, EFD_NONBLOCK | EFD_CLOEXEC);
}

Test(loop, level_triggered_until_removed)
{
	struct loop loop;
	struct peer p = {.loop = &loop};

	cr_assert_eq(loop_init(&loop), 0);
	cr_assert_eq(loop_add(&loop, &p.source, signalled(), EPOLLIN, ready),
		     0);
	cr_expect_eq(loop_run_once(&loop, 0), 0);
	cr_expect_eq(loop_run_once(&loop, 0), 0);
	cr_expect_eq(p.calls, 2);
	cr_expect_eq(p.events, EPOLLIN);
	loop_remove(&loop, &p.source);
	loop_remove(&loop, &p.source);
	cr_expect_eq(loop_run_once(&loop, 0), 0);
	cr_expect_eq(p.calls, 2);
	loop_fini(&loop);
}

Test(loop, a_source_removed_in_the_same_batch_is_not_called)
{
	struct loop loop;
	struct peer a = {.loop = &loop}, b = {.loop = &loop};

	cr_assert_eq(loop_init(&loop), 0);
	cr_assert_eq(loop_add(&loop, &a.source, signalled(), EPOLLIN, ready),
		     0);
	cr_assert_eq(loop_add(&loop, &b.source, signalled(), EPOLLIN, ready),
		     0);
	a.victim = &b.source;
	b.victim = &a.source;
	cr_expect_eq(loop_run_once(&loop, 0), 0);
	cr_expect_eq(a.calls + b.calls, 1,
		     "whoever came first removed the other");
	loop_fini(&loop);
}

Test(loop, modify_changes_what_is_watched)
{
	struct loop loop;
	struct peer p = {.loop = &loop};

	cr_assert_eq(loop_init(&loop), 0);
	cr_assert_eq(loop_add(&loop, &p.source, signalled(), 0, ready), 0);
	cr_expect_eq(loop_run_once(&loop, 0), 0);
	cr_expect_eq(p.calls, 0);
	loop_modify(&loop, &p.source, EPOLLIN | EPOLLOUT);
	cr_expect_eq(loop_run_once(&loop, 0), 0);
	cr_expect_eq(p.events, EPOLLIN | EPOLLOUT);
	loop_fini(&loop);
}

Test(loop, files_cannot_be_watched)
{
	struct loop loop;
	struct peer p = {.loop = &loop};
	char path[] = "/tmp/avf-test-XXXXXX";
	int fd = mkstemp(path);

	(void)unlink(path);
	cr_assert_eq(loop_init(&loop), 0);
	cr_expect_lt(loop_add(&loop, &p.source, fd, EPOLLIN, ready), 0);
	cr_expect_eq(errno, EPERM);
	loop_remove(&loop, &p.source); /* never added: a no-op */
	loop_fini(&loop);
}

static void *quit_it(void *arg)
{
	usleep(10000);
	loop_quit(arg);
	return NULL;
}

Test(loop, quit_from_another_thread_ends_run)
{
	struct loop loop;
	pthread_t thread;

	cr_assert_eq(loop_init(&loop), 0);
	cr_assert_eq(pthread_create(&thread, NULL, quit_it, &loop), 0);
	cr_expect_eq(loop_run(&loop), 0);
	cr_expect_eq(pthread_join(thread, NULL), 0);
	loop_fini(&loop);
}

static void lock_is_held(struct loop_source *source, uint32_t events)
{
	struct peer *p = container_of(source, struct peer, source);

	(void)events;
	p->calls = pthread_mutex_trylock(p->loop->lock) != 0 ? 1 : 100;
}

Test(loop, handlers_run_with_the_lock_held)
{
	pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
	struct loop loop;
	struct peer p = {.loop = &loop};

	cr_assert_eq(loop_init(&loop), 0);
	loop.lock = &lock;
	cr_assert_eq(
		loop_add(&loop, &p.source, signalled(), EPOLLIN, lock_is_held),
		0);
	cr_expect_eq(loop_run_once(&loop, 0), 0);
	cr_expect_eq(p.calls, 1);
	cr_expect_eq(pthread_mutex_trylock(&lock), 0, "and free afterwards");
	loop_fini(&loop);
}

/* --- removed while the loop waits for the lock -------------------------- */

static void *run_once(void *userdata)
{
	struct loop *loop = userdata;

	cr_expect_eq(loop_run_once(loop, -1), 0);
	return NULL;
}

/* As another thread of this process: the number of the call it is in. */
static long call_of(pid_t tid)
{
	char path[64], text[32];
	ssize_t n;
	int fd;

	(void)snprintf(path, sizeof(path), "/proc/self/task/%d/syscall", tid);
	fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		return -1;
	n = read(fd, text, sizeof(text) - 1);
	(void)close(fd);
	text[n < 0 ? 0 : n] = '\0';
	return strtol(text, NULL, 10);
}

static pid_t other_thread(void)
{
	const struct dirent *entry;
	DIR *dir = opendir("/proc/self/task");
	pid_t tid = 0;

	cr_assert(dir);
	while ((entry = readdir(dir))) {
		if (entry->d_name[0] != '.' &&
		    strtol(entry->d_name, NULL, 10) != getpid())
			tid = (pid_t)strtol(entry->d_name, NULL, 10);
	}
	(void)closedir(dir);
	return tid;
}

Test(loop, a_source_removed_between_wait_and_lock_is_not_called)
{
	pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
	struct loop loop;
	struct peer gone = {.loop = &loop}, stays = {.loop = &loop};
	pthread_t thread;
	pid_t tid;

	cr_assert_eq(loop_init(&loop), 0);
	loop.lock = &lock;
	cr_assert_eq(loop_add(&loop, &gone.source, signalled(), EPOLLIN, ready),
		     0);
	cr_assert_eq(
		loop_add(&loop, &stays.source, signalled(), EPOLLIN, ready), 0);
	(void)pthread_mutex_lock(&lock);
	cr_assert_eq(pthread_create(&thread, NULL, run_once, &loop), 0);
	tid = other_thread();
	if (tid == 0 || call_of(tid) < 0)
		cr_skip_test("/proc does not tell what a thread waits for");
	/* both are ready, so it waits for the lock next */
	while (call_of(tid) != SYS_futex)
		(void)sched_yield();
	loop_remove(&loop, &gone.source);
	(void)pthread_mutex_unlock(&lock);
	(void)pthread_join(thread, NULL);
	cr_expect_eq(gone.calls, 0);
	cr_expect_eq(stays.calls, 1);
	loop_fini(&loop);
}
