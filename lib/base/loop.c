/*
 * One thread waits in epoll and calls sources' handlers, with the lock of the
 * loop held, if it has one (the machine's). Sources are embedded in their
 * owners, who may remove, and then free, any source from inside of any handler:
 * dispatch() goes through @pending, from which loop_remove() takes what must
 * not be called any more. See fetch() for removals by other threads.
 */
#include "base/loop.h"

#include <string.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include "base/fd.h"

int loop_init(struct loop *loop)
{
	struct epoll_event ev = {.events = EPOLLIN, .data.ptr = NULL};

	memset(loop, 0, sizeof(*loop));
	loop->wake_fd = -1;
	loop->epoll_fd = epoll_create1(EPOLL_CLOEXEC);
	if (loop->epoll_fd < 0)
		return fail_errno("epoll_create1");
	loop->wake_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	if (loop->wake_fd < 0 ||
	    epoll_ctl(loop->epoll_fd, EPOLL_CTL_ADD, loop->wake_fd, &ev) < 0) {
		int rc = fail_errno("event loop: eventfd");

		loop_fini(loop);
		return rc;
	}
	return 0;
}

void loop_fini(struct loop *loop)
{
	fd_close(loop->wake_fd);
	fd_close(loop->epoll_fd);
	loop->wake_fd = -1;
	loop->epoll_fd = -1;
}

/* On failure the source is not watched, and loop_remove() is a no-op on it. */
int loop_add(struct loop *loop, struct loop_source *source, int fd,
	     uint32_t events, loop_ready_fn *ready)
{
	struct epoll_event ev = {.events = events, .data.ptr = source};

	source->ready = ready;
	source->events = events;
	source->fd = -1;
	if (epoll_ctl(loop->epoll_fd, EPOLL_CTL_ADD, fd, &ev) < 0)
		return fail_errno("watch fd %d", fd);
	source->fd = fd;
	return 0;
}

void loop_modify(struct loop *loop, struct loop_source *source, uint32_t events)
{
	struct epoll_event ev = {.events = events, .data.ptr = source};

	if (source->fd < 0 || source->events == events)
		return;
	source->events = events;
	/* can only fail for an fd that was closed too early: our defect */
	(void)epoll_ctl(loop->epoll_fd, EPOLL_CTL_MOD, source->fd, &ev);
}

void loop_remove(struct loop *loop, struct loop_source *source)
{
	if (!source->ready || source->fd < 0)
		return;
	(void)epoll_ctl(loop->epoll_fd, EPOLL_CTL_DEL, source->fd, NULL);
	source->fd = -1;
	/* after the kernel has forgotten it: see fetch() */
	__atomic_add_fetch(&loop->n_removed, 1, __ATOMIC_RELEASE);
	for (unsigned int i = 0; i < loop->n_pending; i++) {
		if (loop->pending[i] == source)
			loop->pending[i] = NULL;
	}
}

/* A NULL pointer of epoll's data is the wake-up of loop_quit(). */
static void dispatch(struct loop *loop, const struct epoll_event *ev,
		     unsigned int n)
{
	uint64_t drained;

	for (unsigned int i = 0; i < n; i++)
		loop->pending[i] = ev[i].data.ptr;
	loop->n_pending = n;
	for (unsigned int i = 0; i < n; i++) {
		struct loop_source *source = loop->pending[i];

		if (source)
			source->ready(source, ev[i].events);
		else if (!ev[i].data.ptr)
			(void)!read(loop->wake_fd, &drained, sizeof(drained));
	}
	loop->n_pending = 0;
}

/* 0 after an interruption: the caller comes again. */
static int wait_for(struct loop *loop, struct epoll_event *ev, int timeout_ms)
{
	int n = epoll_wait(loop->epoll_fd, ev, LOOP_BATCH, timeout_ms);

	if (n < 0 && errno != EINTR)
		return fail_errno("epoll_wait");
	return n < 0 ? 0 : n;
}

/*
 * Wait, and return with the lock held. Whoever had it in between may have
 * removed, and freed, a source whose event was fetched; then what is there
 * now counts, as nothing was read yet. A removal that is not seen here came
 * before the wait, so the kernel knew.
 */
static int fetch(struct loop *loop, struct epoll_event *ev, int timeout_ms)
{
	const uint64_t removed =
		__atomic_load_n(&loop->n_removed, __ATOMIC_ACQUIRE);
	int n = wait_for(loop, ev, timeout_ms);

	if (loop->lock)
		(void)pthread_mutex_lock(loop->lock);
	if (n > 0 && loop->n_removed != removed)
		n = wait_for(loop, ev, 0);
	return n;
}

int loop_run_once(struct loop *loop, int timeout_ms)
{
	struct epoll_event ev[LOOP_BATCH];
	int n = fetch(loop, ev, timeout_ms);

	if (n > 0)
		dispatch(loop, ev, (unsigned int)n);
	if (loop->lock)
		(void)pthread_mutex_unlock(loop->lock);
	return n < 0 ? n : 0;
}

int loop_run(struct loop *loop)
{
	int rc;

	while (!__atomic_load_n(&loop->quit, __ATOMIC_ACQUIRE)) {
		rc = loop_run_once(loop, -1);
		if (rc < 0)
			return rc;
	}
	return 0;
}

void loop_quit(struct loop *loop)
{
	const uint64_t one = 1;

	__atomic_store_n(&loop->quit, true, __ATOMIC_RELEASE);
	/* full counter: the loop is awake already */
	(void)!write(loop->wake_fd, &one, sizeof(one));
}
