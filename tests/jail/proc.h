/* What /proc tells of another process. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

/** The line of /proc/@pid/@file that begins with @key, without the key and
 * white space, in a static buffer; NULL: none. */
const char *proc_line(pid_t pid, const char *file, const char *key);

/** Whether @pid has another namespace @name than we have. */
bool proc_other_namespace(pid_t pid, const char *name);

/** Where the link /proc/@pid/@name leads, in a static buffer; "" when it may
 * not be seen. */
const char *proc_link(pid_t pid, const char *name);

/** Call @each with the name of each entry of /proc/@pid/@directory. Returns
 * their number, or -1. */
int proc_each(pid_t pid, const char *directory,
	      void (*each)(pid_t pid, const char *name));

/** The first child of @pid's main thread, or 0. */
pid_t proc_child(pid_t pid);
