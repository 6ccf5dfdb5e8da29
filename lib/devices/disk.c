/*
 * How this works: one worker thread for each disk carries out requests that may
 * block, in the order of their submission. The loop puts them on @todo; the
 * worker puts them on @done and writes done_fd when that list was empty, so one
 * wake-up may stand for many requests. What a request points to, guest memory
 * and the request itself, is the client's, and stays valid until done() or
 * disk_drain(). Nothing here knows virtio; the client has checked that offsets
 * lie inside the disk.
 */
#include "devices/disk.h"

#include <inttypes.h>
#include <pthread.h>
#include <signal.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include "base/checked.h"
#include "base/cleanup.h"
#include "base/fd.h"

/* First in, first out, linked through the requests: nothing to allocate. */
struct request_list {
	struct disk_request *first;
	struct disk_request *last;
};

struct disk {
	/* Immutable after disk_new(). */
	int fd;      /* owned */
	int done_fd; /* owned eventfd: something is in @done, or a wake */
	bool writable;
	uint64_t sectors;
	struct loop *loop;  /* borrowed */
	int (*begin)(void); /* NULL: none */
	pthread_t worker;
	bool worker_started;
	/* The loop's side: machine's lock. */
	struct loop_source source;
	const struct disk_client *client;
	void *userdata; /* borrowed */
	bool no_nowait; /* the file system always wants to wait */
	/* Shared with the worker. */
	pthread_mutex_t lock; /* guards everything below; a leaf lock */
	pthread_cond_t work;  /* @todo is not empty, or @stop */
	pthread_cond_t quiet; /* @busy became false */
	struct request_list todo;
	struct request_list done;
	bool busy; /* the worker carries out a request, or begins */
	bool stop;
	struct avf_error error; /* of @begin; code 0: none */
};

static void list_append(struct request_list *list, struct disk_request *req)
{
	req->next = NULL;
	if (list->last)
		list->last->next = req;
	else
		list->first = req;
	list->last = req;
}

static struct disk_request *list_take(struct request_list *list)
{
	struct disk_request *req = list->first;

	if (!req)
		return NULL;
	list->first = req->next;
	if (!list->first)
		list->last = NULL;
	req->next = NULL;
	return req;
}

/* Drop the first @n bytes of the parts. */
static void advance(struct disk_request *req, size_t n)
{
	req->offset += n;
	while (req->n_parts > 0 && n >= req->parts->iov_len) {
		n -= req->parts->iov_len;
		req->parts++;
		req->n_parts--;
	}
	if (req->n_parts == 0)
		return;
	req->parts->iov_base = (char *)req->parts->iov_base + n;
	req->parts->iov_len -= n;
}

/* All parts from or to the image. Returns 0 or errno. */
static int transfer(const struct disk *disk, struct disk_request *req)
{
	ssize_t n;

	while (req->n_parts > 0) {
		if (req->op == DISK_READ)
			n = preadv(disk->fd, req->parts, (int)req->n_parts,
				   (off_t)req->offset);
		else
			n = pwritev(disk->fd, req->parts, (int)req->n_parts,
				    (off_t)req->offset);
		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return errno;
		if (n == 0)
			return EIO; /* the file was truncated under us */
		advance(req, (size_t)n);
	}
	return 0;
}

/*
 * Returns 0 or errno, which travels to the client in the request. A flush
 * orders everything before it, as the one worker is in sequence.
 */
static int carry_out(const struct disk *disk, struct disk_request *req)
{
	int error = req->op == DISK_FLUSH ? 0 : transfer(disk, req);

	if (error == 0 &&
	    (req->op == DISK_FLUSH || req->op == DISK_WRITE_DURABLE) &&
	    fdatasync(disk->fd) < 0)
		error = errno;
	return error;
}

/*
 * @begin runs on this thread, as it puts the worker under its system call
 * filter; until it has answered, @busy keeps disk_new() waiting.
 */
static void *worker_main(void *arg)
{
	struct disk *disk = arg;
	struct disk_request *req;
	bool wake;
	int rc = disk->begin ? disk->begin() : 0;

	(void)pthread_mutex_lock(&disk->lock);
	if (rc < 0)
		disk->error = *error_record();
	disk->busy = false;
	(void)pthread_cond_signal(&disk->quiet);
	while (!disk->stop) {
		req = list_take(&disk->todo);
		if (!req) {
			(void)pthread_cond_wait(&disk->work, &disk->lock);
			continue;
		}
		disk->busy = true;
		(void)pthread_mutex_unlock(&disk->lock);
		req->error = carry_out(disk, req);
		(void)pthread_mutex_lock(&disk->lock);
		disk->busy = false;
		wake = !disk->done.first; /* else the loop knows already */
		list_append(&disk->done, req);
		(void)pthread_cond_signal(&disk->quiet);
		if (!wake)
			continue;
		/* not with the lock: the loop would run into it at once */
		(void)pthread_mutex_unlock(&disk->lock);
		disk_wake(disk);
		(void)pthread_mutex_lock(&disk->lock);
	}
	(void)pthread_mutex_unlock(&disk->lock);
	return NULL;
}

/* On the loop. One lock for the batch; done() may submit again. */
static void on_done(struct loop_source *source, uint32_t events)
{
	struct disk *disk = container_of(source, struct disk, source);
	struct request_list batch;
	struct disk_request *req;
	uint64_t count;

	(void)events;
	/* before the list is taken: a wake-up after this is for a later list */
	(void)!read(disk->done_fd, &count, sizeof(count));
	(void)pthread_mutex_lock(&disk->lock);
	batch = disk->done;
	disk->done = (struct request_list){NULL, NULL};
	(void)pthread_mutex_unlock(&disk->lock);
	if (!disk->client)
		return;
	while ((req = list_take(&batch)))
		disk->client->done(disk->userdata, req);
	disk->client->idle(disk->userdata);
}

/* What @begin allows is all that the worker gets: know before going on. */
static int wait_begun(struct disk *disk)
{
	int rc;

	(void)pthread_mutex_lock(&disk->lock);
	while (disk->busy)
		(void)pthread_cond_wait(&disk->quiet, &disk->lock);
	rc = disk->error.code;
	(void)pthread_mutex_unlock(&disk->lock);
	if (rc < 0)
		*error_record() = disk->error;
	return rc;
}

/* Signals are for the threads of the process that know them. The worker has
 * system calls touch guest memory, so that it needs none for faults. */
static int start_worker(struct disk *disk)
{
	sigset_t all, old;
	int error;

	(void)sigfillset(&all);
	(void)pthread_sigmask(SIG_SETMASK, &all, &old);
	disk->busy = true;
	error = pthread_create(&disk->worker, NULL, worker_main, disk);
	(void)pthread_sigmask(SIG_SETMASK, &old, NULL);
	if (error) {
		disk->busy = false;
		errno = error;
		return fail_errno("disk: start a thread");
	}
	disk->worker_started = true;
	return wait_begun(disk);
}

static void disk_free_p(struct disk **disk)
{
	disk_free(*disk);
}

/*
 * A size that is no multiple of a sector would have a tail that the guest
 * cannot reach; it is more often a file of the wrong kind.
 */
static int check_size(struct disk *disk)
{
	uint64_t size;
	int rc;

	rc = fd_file_size(disk->fd, "disk", &size);
	if (rc < 0)
		return rc;
	if (size == 0 || size % DISK_SECTOR_SIZE)
		return fail(AVF_ERR_INVALID,
			    "disk: %" PRIu64
			    " bytes are not a multiple of %u; is the image "
			    "raw and whole?",
			    size, DISK_SECTOR_SIZE);
	disk->sectors = size / DISK_SECTOR_SIZE;
	return 0;
}

int disk_new(int fd, bool writable, struct loop *loop, int (*begin)(void),
	     struct disk **ret_disk)
{
	CLEANUP(close_p) int owned = fd;
	CLEANUP(disk_free_p) struct disk *disk = calloc(1, sizeof(*disk));
	int rc;

	if (!disk)
		return fail(AVF_ERR_NO_MEMORY, "disk");
	/* default attributes: these cannot fail on Linux */
	(void)pthread_mutex_init(&disk->lock, NULL);
	(void)pthread_cond_init(&disk->work, NULL);
	(void)pthread_cond_init(&disk->quiet, NULL);
	disk->fd = take_fd(&owned);
	disk->source.fd = -1;
	disk->writable = writable;
	disk->loop = loop;
	disk->begin = begin;
	disk->done_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	if (disk->done_fd < 0)
		return fail_errno("disk: eventfd");
	rc = check_size(disk);
	if (rc < 0)
		return rc;
	rc = loop_add(loop, &disk->source, disk->done_fd, EPOLLIN, on_done);
	if (rc < 0)
		return rc;
	rc = start_worker(disk);
	if (rc < 0)
		return rc;
	*ret_disk = TAKE_PTR(disk);
	return 0;
}

void disk_free(struct disk *disk)
{
	if (!disk)
		return;
	/*
	 * after it the worker holds nothing of a request, so joining it is
	 * quick
	 */
	disk_drain(disk);
	if (disk->worker_started) {
		(void)pthread_mutex_lock(&disk->lock);
		disk->stop = true;
		(void)pthread_cond_signal(&disk->work);
		(void)pthread_mutex_unlock(&disk->lock);
		(void)pthread_join(disk->worker, NULL);
	}
	loop_remove(disk->loop, &disk->source);
	fd_close(disk->done_fd);
	fd_close(disk->fd);
	(void)pthread_cond_destroy(&disk->quiet);
	(void)pthread_cond_destroy(&disk->work);
	(void)pthread_mutex_destroy(&disk->lock);
	free(disk);
}

void disk_set_client(struct disk *disk, const struct disk_client *client,
		     void *userdata)
{
	disk->client = client;
	disk->userdata = userdata;
}

uint64_t disk_sectors(const struct disk *disk)
{
	return disk->sectors;
}

bool disk_is_writable(const struct disk *disk)
{
	return disk->writable;
}

/*
 * Two wake-ups of threads cost more than copying a few pages, so the loop
 * reads what is in memory itself. RWF_NOWAIT makes sure that it is: for the
 * rest, and for everything on file systems that do not know the flag, the
 * answer is an error, and the worker does the work and tells what is wrong.
 */
bool disk_try_read(struct disk *disk, struct disk_request *req)
{
	ssize_t n;

	if (disk->no_nowait || req->op != DISK_READ)
		return false;
	n = preadv2(disk->fd, req->parts, (int)req->n_parts, (off_t)req->offset,
		    RWF_NOWAIT);
	if (n < 0)
		disk->no_nowait = errno == EOPNOTSUPP || errno == ENOSYS;
	if (n <= 0)
		return false;
	advance(req, (size_t)n);
	return req->n_parts == 0;
}

void disk_submit(struct disk *disk, struct disk_request *req)
{
	req->error = 0;
	(void)pthread_mutex_lock(&disk->lock);
	list_append(&disk->todo, req);
	(void)pthread_cond_signal(&disk->work);
	(void)pthread_mutex_unlock(&disk->lock);
}

void disk_wake(struct disk *disk)
{
	const uint64_t one = 1;

	/* full counter: the loop is woken already */
	(void)!write(disk->done_fd, &one, sizeof(one));
}

void disk_drain(struct disk *disk)
{
	(void)pthread_mutex_lock(&disk->lock);
	/*
	 * What waits is forgotten: its memory goes back to the guest with the
	 * reset.
	 */
	disk->todo = (struct request_list){NULL, NULL};
	while (disk->busy)
		(void)pthread_cond_wait(&disk->quiet, &disk->lock);
	disk->done = (struct request_list){NULL, NULL};
	(void)pthread_mutex_unlock(&disk->lock);
}
