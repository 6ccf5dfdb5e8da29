/* Where running VMs put their console sockets: a directory of this user's. */
#pragma once

/** Longest name of a socket, with ".console" and NUL, in bytes. */
#define CONSOLE_NAME_SIZE 80

/**
 * Open, or make, the directory. Says what is wrong with it.
 * Returns an fd that belongs to the caller, or -1.
 */
int console_dir_open(void);

/**
 * Listen as NAME.console. Returns an fd that belongs to the caller, or -1
 * with errno set: EADDRINUSE when a VM of that name runs.
 */
int console_listen(int dir_fd, const char *name);

/** Connect to NAME.console. Returns an fd, or -1 with errno set. */
int console_connect(int dir_fd, const char *name);

/** Remove NAME.console. */
void console_remove(int dir_fd, const char *name);
