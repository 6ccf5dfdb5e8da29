/* Locals that own something: declare with CLEANUP, hand over with TAKE_PTR. */
#pragma once

#include <stdlib.h>

#include "base/fd.h"

#define CLEANUP(fn) __attribute__((cleanup(fn)))

/** Move the pointer out of @p, leaving NULL: ownership goes to the reader. */
#define TAKE_PTR(p)                         \
	__extension__({                     \
		__typeof__(p) taken_ = (p); \
		(p) = NULL;                 \
		taken_;                     \
	})

/** free() for CLEANUP: takes the address of any pointer variable. */
static inline void free_p(void *p)
{
	free(*(void **)p);
}

/** close for CLEANUP: takes the address of an fd variable, -1 is a no-op. */
static inline void close_p(int *fd)
{
	fd_close(*fd);
	*fd = -1;
}

/** Move the fd out of @fd, leaving -1. */
static inline int take_fd(int *fd)
{
	int taken = *fd;

	*fd = -1;
	return taken;
}
