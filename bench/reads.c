#include "reads.h"

#include <pthread.h>
#include <stdlib.h>
#include <time.h>
#include <unistd.h>

struct reader {
	pthread_t thread;
	int fd;
	uint64_t blocks;
	unsigned int count;
	uint64_t random;
	int failed;
};

static double seconds(void)
{
	struct timespec t;

	(void)clock_gettime(CLOCK_MONOTONIC, &t);
	return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

/* xorshift64: the same places in every run */
static uint64_t next_random(uint64_t *state)
{
	*state ^= *state << 13;
	*state ^= *state >> 7;
	*state ^= *state << 17;
	return *state;
}

static void *read_random(void *arg)
{
	struct reader *r = arg;
	void *buf = aligned_alloc(READS_BLOCK, READS_BLOCK);
	uint64_t at;

	r->failed = !buf;
	for (unsigned int i = 0; i < r->count && !r->failed; i++) {
		at = next_random(&r->random) % r->blocks * READS_BLOCK;
		r->failed = pread(r->fd, buf, READS_BLOCK, (off_t)at) !=
			    (ssize_t)READS_BLOCK;
	}
	free(buf);
	return NULL;
}

double reads_random(int fd, uint64_t size, unsigned int depth,
		    unsigned int count)
{
	struct reader readers[READS_MAX_DEPTH];
	double start = seconds();
	int failed = 0;

	for (unsigned int i = 0; i < depth; i++) {
		readers[i] = (struct reader){.fd = fd,
					     .blocks = size / READS_BLOCK,
					     .count = count / depth,
					     .random = 0x9e3779b97f4a7c15 + i};
		if (pthread_create(&readers[i].thread, NULL, read_random,
				   &readers[i]) != 0)
			return -1;
	}
	for (unsigned int i = 0; i < depth; i++) {
		(void)pthread_join(readers[i].thread, NULL);
		failed |= readers[i].failed;
	}
	if (failed)
		return -1;
	return (double)(count / depth * depth) / (seconds() - start);
}

double reads_sequential(int fd, uint64_t size)
{
	void *buf = aligned_alloc(READS_BLOCK, READS_SEQUENTIAL);
	double start = seconds();
	uint64_t at = 0;
	ssize_t n = 1;

	for (; buf && at < size && n > 0; at += (uint64_t)n)
		n = pread(fd, buf, READS_SEQUENTIAL, (off_t)at);
	free(buf);
	if (!buf || n <= 0)
		return -1;
	return (double)size / (1024.0 * 1024.0) / (seconds() - start);
}
