/* The other end of a connection, byte by byte, in hexadecimal text. */
#pragma once

#include <stdbool.h>

#include <android/binder_ibinder.h>

/* Frames in words, without the spaces that a reader wants. */
#define RAW_INIT           "63636900 00000000 "
#define RAW_HELLO(version) version " 00000000 00000000 00000000 "

/* A header: command, size of the body. */
#define RAW_HEADER(command, size) command " " size " 00000000 00000000 "

/* A call without an argument, version 1. */
#define RAW_CALL(address, code, flags, number)             \
	RAW_HEADER("00000000", "28000000")                 \
	address " " code " " flags " " number " 00000000 " \
		"00000000 00000000 00000000 "

/* A reply of @body_size bytes whose parcel has @size bytes. */
#define RAW_REPLY(body_size, status, size) \
	RAW_HEADER("01000000", body_size)  \
	status " " size " 00000000 00000000 00000000 "

#define RAW_DEC(address, amount)           \
	RAW_HEADER("02000000", "10000000") \
	address " " amount " 00000000 "

#define RAW_NONE   "00000000 00000000"
#define RAW_SERVER "03000000 00000000" /* the server's first object */
#define RAW_CLIENT "01000000 00000000" /* the client's first object */

/** Write these bytes, with descriptors (@n_fds of @fd). Cannot fail. */
void raw_send(int fd, const char *hex);
void raw_send_fds(int fd, const char *hex, int sent, int n_fds);

/** Whether these bytes come next; waits five seconds at most for them. Prints
 * both when not. "xx" stands for any byte. */
bool raw_expect(int fd, const char *hex);

/** Whether the peer closes the connection now, in five seconds at most. What
 * it writes before is skipped. */
bool raw_closed(int fd);

/** A path for a Unix socket that nobody else has; the file does not exist. */
void raw_socket_path(char *path, unsigned long size);

/** A connection to this path. Cannot fail. */
int raw_connect(const char *path);

/** A socket that listens there. Cannot fail. */
int raw_listen(const char *path);
int raw_accept(int fd);
