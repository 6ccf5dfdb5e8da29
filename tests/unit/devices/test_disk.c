#include "devices/disk.h"

#include <criterion/criterion.h>
#include <fcntl.h>
#include <pthread.h>
#include <sched.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/mount.h>
#include <sys/uio.h>
#include <time.h>
#include <unistd.h>

#include "base/checked.h"
#include "support/cached_file.h"

#define SECTORS 8

static struct loop loop;
static struct disk *disk;
static int image = -1; /* ours, beside the disk's own */
static unsigned int n_done;
static unsigned int n_idle;

static void on_done(void *userdata, struct disk_request *req)
{
	(void)userdata;
	(void)req;
	n_done++;
}

static void on_idle(void *userdata)
{
	(void)userdata;
	n_idle++;
}

static const struct disk_client client = {.done = on_done, .idle = on_idle};

static int image_of(uint64_t size)
{
	int fd = memfd_create("image", MFD_CLOEXEC);

	cr_assert_geq(fd, 0);
	cr_assert_eq(ftruncate(fd, (off_t)size), 0);
	return fd;
}

static void start(void)
{
	image = image_of(SECTORS * 512);
	cr_assert_eq(loop_init(&loop), 0);
	cr_assert_eq(disk_new(dup(image), true, &loop, NULL, &disk), 0);
	disk_set_client(disk, &client, NULL);
}

static void stop(void)
{
	disk_free(disk);
	loop_fini(&loop);
	(void)close(image);
}

TestSuite(disk, .timeout = 20);

Test(disk, sizes)
{
	static const struct {
		const char *what;
		uint64_t size;
		int rc;
	} rows[] = {
		{"one sector", 512, 0},
		{"a large sparse file", 1ULL << 40, 0},
		{"empty", 0, AVF_ERR_INVALID},
		{"less than a sector", 511, AVF_ERR_INVALID},
		{"a sector and a bit", 513, AVF_ERR_INVALID},
	};

	cr_assert_eq(loop_init(&loop), 0);
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		struct disk *d = NULL;
		int fd = image_of(rows[i].size);

		cr_expect_eq(disk_new(fd, false, &loop, NULL, &d), rows[i].rc,
			     "%s", rows[i].what);
		if (d)
			cr_expect_eq(disk_sectors(d), rows[i].size / 512, "%s",
				     rows[i].what);
		disk_free(d);
		cr_expect_lt(fcntl(fd, F_GETFD), 0, "%s: closed", rows[i].what);
	}
}

Test(disk, only_files_and_block_devices)
{
	struct disk *d = NULL;
	int fds[2];

	cr_assert_eq(loop_init(&loop), 0);
	cr_assert_eq(pipe(fds), 0);
	cr_expect_eq(disk_new(fds[0], false, &loop, NULL, &d), AVF_ERR_INVALID);
	cr_expect_lt(disk_new(-1, false, &loop, NULL, &d), 0);
	cr_expect_null(d);
}

/* Carry out one request and wait for it. */
static int run(enum disk_op op, uint64_t offset, struct iovec *parts,
	       unsigned int n)
{
	struct disk_request req = {
		.op = op, .offset = offset, .parts = parts, .n_parts = n};
	const unsigned int before = n_done;

	disk_submit(disk, &req);
	while (n_done == before)
		cr_assert_eq(loop_run_once(&loop, 1000), 0);
	return req.error;
}

Test(disk, moves_data_through_many_parts)
{
	char out[512], in[512], file[512];
	struct iovec w[] = {{out, 1}, {out + 1, 300}, {out + 301, 211}};
	struct iovec r[] = {{in, 511}, {in + 511, 1}};

	start();
	for (size_t i = 0; i < sizeof(out); i++)
		out[i] = (char)(i * 7 + 1);
	cr_expect_eq(run(DISK_WRITE, 1024, w, 3), 0);
	cr_expect_eq(pread(image, file, 512, 1024), 512);
	cr_expect_eq(memcmp(file, out, 512), 0);
	cr_expect_eq(run(DISK_FLUSH, 0, NULL, 0), 0);
	cr_expect_eq(run(DISK_READ, 1024, r, 2), 0);
	cr_expect_eq(memcmp(in, out, 512), 0);
	w[0] = (struct iovec){out, 512};
	cr_expect_eq(run(DISK_WRITE_DURABLE, 0, w, 1), 0);
	cr_expect_eq(n_idle, n_done);
	stop();
}

Test(disk, host_trouble_is_an_error_of_the_request)
{
	static char page[4096];
	struct iovec part;

	start();
	cr_assert_eq(ftruncate(image, 512), 0);
	part = (struct iovec){page, 512};
	cr_expect_eq(run(DISK_READ, 1024, &part, 1), EIO, "truncated");
	part = (struct iovec){page, 1024};
	cr_expect_eq(run(DISK_READ, 0, &part, 1), EIO, "short read");
	part = (struct iovec){NULL, 512};
	cr_expect_eq(run(DISK_READ, 0, &part, 1), EFAULT, "no memory there");
	part = (struct iovec){page, 512};
	cr_expect_eq(run(DISK_READ, 0, &part, 1), 0, "lives on");
	stop();
}

Test(disk, a_refused_write_is_an_error_of_the_request)
{
	static char page[512];
	struct iovec part = {page, sizeof(page)};
	struct disk_request req = {
		.op = DISK_WRITE, .parts = &part, .n_parts = 1};
	int fd = memfd_create("image", MFD_CLOEXEC | MFD_ALLOW_SEALING);

	cr_assert_eq(ftruncate(fd, 512), 0);
	cr_assert_eq(fcntl(fd, F_ADD_SEALS, F_SEAL_WRITE), 0);
	cr_assert_eq(loop_init(&loop), 0);
	cr_assert_eq(disk_new(fd, true, &loop, NULL, &disk), 0);
	disk_set_client(disk, &client, NULL);
	disk_submit(disk, &req);
	while (n_done == 0)
		cr_assert_eq(loop_run_once(&loop, 1000), 0);
	cr_expect_eq(req.error, EPERM);
	disk_free(disk);
}

/* A file system of sixteen pages, in a mount namespace of our own. */
static bool make_small_file_system(char *place)
{
	return mkdtemp(place) &&
	       (unshare(CLONE_NEWNS) == 0 ||
		unshare(CLONE_NEWUSER | CLONE_NEWNS) == 0) &&
	       mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL) == 0 &&
	       mount("disk", place, "tmpfs", 0, "size=64k") == 0;
}

/* The image is sparse, and what it grows into is taken. */
Test(disk, a_full_file_system_is_an_error_of_the_request)
{
	static char block[256 << 10];
	char place[] = "/tmp/avf-disk-XXXXXX", path[64];
	struct iovec part = {block, sizeof(block)};
	int fd;

	if (!make_small_file_system(place)) {
		(void)rmdir(place);
		cr_skip_test("this user may not mount a file system");
	}
	(void)snprintf(path, sizeof(path), "%s/image", place);
	fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
	cr_assert_geq(fd, 0);
	cr_assert_eq(ftruncate(fd, 1 << 20), 0);
	cr_assert_eq(loop_init(&loop), 0);
	cr_assert_eq(disk_new(fd, true, &loop, NULL, &disk), 0);
	disk_set_client(disk, &client, NULL);
	cr_expect_eq(run(DISK_WRITE, 0, &part, 1), ENOSPC);
	part = (struct iovec){block, 4096};
	cr_expect_eq(run(DISK_READ, 0, &part, 1), 0, "it lives on");
	disk_free(disk);
	loop_fini(&loop);
	(void)umount2(place, MNT_DETACH);
	(void)rmdir(place);
}

Test(disk, drain_takes_everything_back)
{
	static struct disk_request reqs[64];
	static struct iovec parts[64];
	static char page[64][512];

	start();
	for (unsigned int i = 0; i < 64; i++) {
		parts[i] = (struct iovec){page[i], 512};
		reqs[i] = (struct disk_request){
			.op = DISK_WRITE, .parts = &parts[i], .n_parts = 1};
		disk_submit(disk, &reqs[i]);
	}
	disk_drain(disk);
	memset(page, 0xff, sizeof(page)); /* nobody reads it any more */
	cr_assert_eq(loop_run_once(&loop, 10), 0);
	cr_expect_eq(n_done, 0);
	parts[0] = (struct iovec){page[0], 512};
	cr_expect_eq(run(DISK_READ, 0, parts, 1), 0, "works afterwards");
	cr_expect_eq(page[0][0], 0, "what was drained wrote zeroes or not");
	stop();
}

/* The worker stays in its request while it is held, and whoever drains says
 * when it waits: no time decides. */
static atomic_bool holds, is_inside, waits, has_drained;
static _Thread_local bool drains;

ssize_t preadv(int fd, const struct iovec *parts, int n_parts, off_t offset)
{
	while (atomic_load(&holds)) {
		atomic_store(&is_inside, true);
		sched_yield();
	}
	return preadv2(fd, parts, n_parts, offset, 0);
}

int pthread_cond_wait(pthread_cond_t *restrict cond,
		      pthread_mutex_t *restrict mutex)
{
	const struct timespec later = {.tv_sec = time(NULL) + 3600};

	if (drains)
		atomic_store(&waits, true);
	return pthread_cond_timedwait(cond, mutex, &later);
}

static void *drain(void *data)
{
	drains = true;
	disk_drain(data);
	atomic_store(&has_drained, true);
	return NULL;
}

Test(disk, drain_waits_for_what_is_being_carried_out)
{
	static char page[512];
	struct iovec part = {page, sizeof(page)};
	struct disk_request req = {
		.op = DISK_READ, .parts = &part, .n_parts = 1};
	pthread_t thread;

	start();
	atomic_store(&holds, true);
	disk_submit(disk, &req);
	while (!atomic_load(&is_inside))
		sched_yield();
	cr_assert_eq(pthread_create(&thread, NULL, drain, disk), 0);
	while (!atomic_load(&waits) && !atomic_load(&has_drained))
		sched_yield();
	cr_expect_not(atomic_load(&has_drained), "the worker may still write");
	atomic_store(&holds, false);
	(void)pthread_join(thread, NULL);
	cr_assert_eq(loop_run_once(&loop, 10), 0);
	cr_expect_eq(n_done, 0);
	stop();
}

/* @image of the page cache, or the test ends: not every file system can. */
static void start_cached(void)
{
	image = cached_file(SECTORS * 512);
	if (image < 0)
		cr_skip_test("no RWF_NOWAIT on the file system of the tests");
	cr_assert_eq(loop_init(&loop), 0);
	cr_assert_eq(disk_new(dup(image), true, &loop, NULL, &disk), 0);
	disk_set_client(disk, &client, NULL);
}

static void expect_sectors(const char *data, unsigned int first, unsigned int n)
{
	for (unsigned int i = 0; i < n * 512; i++)
		cr_assert_eq(data[i], (char)(first + i / 512 + 1), "byte %u",
			     i);
}

Test(disk, what_is_in_memory_is_read_at_once)
{
	char page[1024];
	struct iovec parts[] = {{page, 100}, {page + 100, 924}};
	struct disk_request req = {
		.op = DISK_READ, .offset = 1024, .parts = parts, .n_parts = 2};

	start_cached();
	cr_expect(disk_try_read(disk, &req));
	cr_expect_eq(req.error, 0);
	expect_sectors(page, 2, 2);
	cr_assert_eq(loop_run_once(&loop, 10), 0);
	cr_expect_eq(n_done + n_idle, 0, "the client hears nothing");
	stop();
}

Test(disk, what_cannot_be_read_at_once_is_left_for_the_worker)
{
	static const struct {
		const char *what;
		enum disk_op op;
		uint64_t offset;
		off_t size; /* of the file, by then */
		int error;
	} rows[] = {
		{"a write", DISK_WRITE, 0, SECTORS * 512, 0},
		{"a write that lasts", DISK_WRITE_DURABLE, 0, SECTORS * 512, 0},
		{"behind the end", DISK_READ, 1024, 1024, EIO},
		{"over the end", DISK_READ, 512, 1024, EIO},
		{"from a file that is empty", DISK_READ, 0, 0, EIO},
	};

	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		char page[1024] = "";
		struct iovec part = {page, sizeof(page)};
		struct disk_request req = {.op = rows[i].op,
					   .offset = rows[i].offset,
					   .parts = &part,
					   .n_parts = 1};

		start_cached();
		cr_assert_eq(ftruncate(image, rows[i].size), 0);
		n_done = 0;
		cr_expect_not(disk_try_read(disk, &req), "%s", rows[i].what);
		disk_submit(disk, &req);
		while (n_done == 0)
			cr_assert_eq(loop_run_once(&loop, 1000), 0);
		cr_expect_eq(req.error, rows[i].error, "%s", rows[i].what);
		stop();
	}
}

Test(disk, memory_that_is_not_there_is_no_reason_to_stop)
{
	char page[512];
	struct iovec part = {NULL, sizeof(page)};
	struct disk_request req = {
		.op = DISK_READ, .parts = &part, .n_parts = 1};

	start_cached();
	cr_expect_not(disk_try_read(disk, &req));
	cr_expect_eq(run(DISK_READ, 0, &part, 1), EFAULT);
	part = (struct iovec){page, sizeof(page)};
	req.parts = &part;
	cr_expect(disk_try_read(disk, &req), "tried again");
	expect_sectors(page, 0, 1);
	stop();
}

/* Whether the first page of the image is in memory. Not asked by reading with
 * RWF_NOWAIT: that says no, and begins to read ahead. */
static bool is_cached(void)
{
	unsigned char there = 0;
	void *page = mmap(NULL, 1, PROT_READ, MAP_SHARED, image, 0);

	cr_assert_neq(page, MAP_FAILED);
	cr_assert_eq(mincore(page, 1, &there), 0);
	cr_assert_eq(munmap(page, 1), 0);
	return there & 1;
}

Test(disk, what_is_not_in_memory_is_not_waited_for)
{
	char page[512] = "";
	struct iovec part = {page, sizeof(page)};
	struct disk_request req = {
		.op = DISK_READ, .parts = &part, .n_parts = 1};

	start_cached();
	cr_assert_eq(fdatasync(image), 0);
	(void)posix_fadvise(image, 0, 0, POSIX_FADV_DONTNEED);
	if (is_cached())
		cr_skip_test("the kernel keeps the file in memory");
	cr_expect_not(disk_try_read(disk, &req));
	cr_expect_eq(page[0], 0);
	cr_expect_eq(run(DISK_READ, 0, &part, 1), 0);
	expect_sectors(page, 0, 1);
	stop();
}

Test(disk, no_file_system_needs_to_know_how)
{
	char page[512] = "x";
	struct iovec part = {page, sizeof(page)};
	struct disk_request req = {
		.op = DISK_READ, .parts = &part, .n_parts = 1};

	start(); /* a memfd always wants to wait, today */
	if (!disk_try_read(disk, &req))
		cr_expect_eq(run(DISK_READ, 0, &part, 1), 0);
	cr_expect_eq(page[0], 0);
	stop();
}

Test(disk, wake_reaches_the_client)
{
	start();
	disk_wake(disk);
	cr_assert_eq(loop_run_once(&loop, 1000), 0);
	cr_expect_eq(n_idle, 1);
	cr_expect_eq(n_done, 0);
	stop();
	disk_free(NULL);
}
