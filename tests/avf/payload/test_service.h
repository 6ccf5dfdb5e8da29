/*
 * The payload of AVF's tests: its ITestService over plain vsock.
 *
 * It listens on port 5678, says that it is ready, and serves one connection
 * after the other. A request is a line, its reply is a line; a line has at
 * most 4096 bytes, LF included, and its fields are separated by TABs:
 *
 *	NAME [ARGUMENT]...
 *	ok [VALUE]          what the function returns, as text
 *	error TEXT          it failed
 *	unsupported TEXT    this guest has no such thing; TEXT says what
 *
 * In a field, "\\", "\t" and "\n" are a backslash, a TAB and an LF. Bytes are
 * in hexadecimal. A line of another form ends the connection.
 *
 *	addInteger A B                    the sum
 *	readProperty NAME                 a property of the payload, "" for none
 *	insecurelyExposeVmInstanceSecret  32 bytes
 *	insecurelyExposeAttestationCdi    bytes
 *	getBcc                            bytes: the DICE chain
 *	getApkContentsPath                path
 *	getEncryptedStoragePath           path, "" for none
 *	runEchoReverseServer              then port 0x80000001 takes one
 *	                                  connection: each line is answered by
 *	                                  its bytes in reverse
 *	getEffectiveCapabilities          16 hexadecimal digits
 *	getUid                            decimal
 *	writeToFile CONTENT PATH          nothing
 *	readFromFile PATH                 the file's content
 *	getFilePermissions PATH           st_mode, octal
 *	getMountFlags PATH                f_flag of statvfs(), decimal
 *	requestCallback                   needs RPC: unsupported
 *	readLineFromConsole               a line without its LF
 *	getHostname                       the guest's name (not in AVF, which
 *	                                  reads a property)
 *	quit                              the payload returns 0
 */
#pragma once

#include <stddef.h>
#include <stdint.h>

#define TEST_SERVICE_PORT      5678U
#define TEST_ECHO_REVERSE_PORT 0x80000001U
#define TEST_LINE_SIZE         4096U

/** A socket that listens on @port, or -1 with errno set. */
int link_listen(uint32_t port);

/**
 * Read one line into @line, without its LF and with a NUL. Returns its
 * length, or -1 at the end of the stream and for a line that is too long.
 */
int link_read_line(int fd, char line[TEST_LINE_SIZE]);

/** Write everything. Returns 0 or -1. */
int link_write(int fd, const char *data, size_t size);

/** Undo the escapes of @field in place. */
void link_unescape(char *field);

/** Append @text, with escapes, to the NUL-terminated @line; what does not
 * fit is cut off. */
void link_append(char line[TEST_LINE_SIZE], const char *text);

/** In MicrodroidTestNativeLibSub.so, which the payload's library needs. */
__attribute__((visibility("default"))) const char *sub_library_was_run(void);
