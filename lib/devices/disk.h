/*
 * The host side of a disk: a raw image and the thread that does its I/O, so
 * that a slow disk stalls neither the loop nor a vCPU.
 *
 * Requests go straight from and to guest memory. They are carried out one
 * after the other, in the order of submission, and come back on the loop. A
 * read of what is in the page cache needs no thread: disk_try_read().
 *
 * Thread rule: every function is called with the machine's lock held. The
 * worker never takes that lock, so disk_drain() may wait for it.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>
#include <sys/uio.h>

#include "base/error.h"
#include "base/loop.h"

#define DISK_SECTOR_SIZE 512U

enum disk_op {
	DISK_READ,
	DISK_WRITE,
	DISK_WRITE_DURABLE, /* done when it is on the medium */
	DISK_FLUSH,
};

/* Embedded in its owner, who keeps it and the parts until it is back. */
struct disk_request {
	enum disk_op op;
	uint64_t offset;     /* bytes; checked by the submitter */
	struct iovec *parts; /* borrowed; changed while it is carried out */
	unsigned int n_parts;
	int error; /* result: 0 or errno */
	struct disk_request *next;
};

struct disk_client {
	/** @req is done. On the loop. */
	void (*done)(void *userdata, struct disk_request *req);
	/** After a batch of done(), and after disk_wake(). On the loop. */
	void (*idle)(void *userdata);
};

struct disk;

/**
 * Open the raw image behind @fd (a file or block device; takes it, also on
 * failure) and start its worker. @loop is borrowed.
 * Errors: AVF_ERR_INVALID when the size is 0 or no multiple of 512 bytes, or
 * @fd is no file; those of @begin, which the worker calls first (NULL: none).
 */
int disk_new(int fd, bool writable, struct loop *loop, int (*begin)(void),
	     struct disk **ret_disk) MUST_CHECK;

/** Drain, end the worker, close the image. NULL is a no-op. */
void disk_free(struct disk *disk);

/** Who gets the requests back. @userdata is borrowed. */
void disk_set_client(struct disk *disk, const struct disk_client *client,
		     void *userdata);

uint64_t disk_sectors(const struct disk *disk);
bool disk_is_writable(const struct disk *disk);

/**
 * Read @req now if its bytes are in the host's memory. Does not wait. True:
 * done, without done(). False: what is left of it is to be submitted.
 */
bool disk_try_read(struct disk *disk, struct disk_request *req);

/** Queue @req; its owner bounds how many there are. Does not wait. */
void disk_submit(struct disk *disk, struct disk_request *req);

/** Have the client's idle() called from the loop. */
void disk_wake(struct disk *disk);

/**
 * Take back everything: requests that are not begun are dropped, the one
 * that is being carried out is waited for. done() is not called for them.
 * Afterwards nothing touches guest memory.
 */
void disk_drain(struct disk *disk);
