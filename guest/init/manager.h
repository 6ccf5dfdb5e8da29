/*
 * The guest's manager, PID 1 of the microguest. Its life is a row of steps
 * (main.c); whatever a step meets, the guest powers off at the end.
 *
 * It runs alone, in one thread. The host and the payload are its peers, the
 * payload package its input; it takes none of them at its word.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include "base/error.h"
#include "guestlink/guestlink.h"

#define PACKAGE_DIR       "/mnt/apk"
#define LIBRARY_PATH_SIZE 320

struct manager {
	int log_fd;  /* owned; where the payload's output goes */
	int link_fd; /* owned; -1: no host */
	struct guestlink_reader reader;
	bool shutting_down; /* the host asked for it, or is gone */
	bool is_ready;      /* PAYLOAD_READY was sent */
	bool is_debuggable; /* START said so: debug level FULL */
	char payload_name[GUESTLINK_TEXT_SIZE];
	char library_path[LIBRARY_PATH_SIZE];
};

/* Steps. Each returns 0 or an error whose text the host will read. */

/** proc, sysfs, devtmpfs, tmpfs; descriptors 0 to 2 (system.c). */
int system_mount(struct manager *m) MUST_CHECK;
/** The modules that /etc/modules lists, in its order. */
int system_load_modules(struct manager *m) MUST_CHECK;
/** Find the log port; it becomes standard output and standard error. */
int ports_open_log(struct manager *m) MUST_CHECK;
/** Connect to the VMM and say HELLO (host.c). */
int host_connect(struct manager *m) MUST_CHECK;
/** Wait for START. With SHUTDOWN instead, shutting_down is set. */
int host_wait_start(struct manager *m) MUST_CHECK;
/** In a debuggable VM the payload may use the console (ports.c). */
int ports_share_console(struct manager *m) MUST_CHECK;
/** Mount the payload package (package.c). */
int package_mount(struct manager *m) MUST_CHECK;
/** Check the package's manifest (manifest.c). */
int manifest_check(struct manager *m) MUST_CHECK;
/** Find the payload's library in the package and check its ELF header. */
int package_find_library(struct manager *m) MUST_CHECK;
/** Run the payload to its end and tell the host about it (payload.c). */
int payload_run(struct manager *m) MUST_CHECK;

/* Helpers. */

/** Send @msg to the host. Errors: AVF_ERR_CLOSED, AVF_ERR_IO. */
int host_send(struct manager *m, const struct guestlink_msg *msg) MUST_CHECK;
/**
 * Take what has arrived from the host: SHUTDOWN, or the end of the link,
 * set shutting_down; START fills the payload's name, NAME sets the
 * host name.
 */
void host_receive(struct manager *m);
/** Wait, for a bounded time, until the host has what was sent. */
void host_flush(struct manager *m);

/** Write @text to the virtio-console port "failure" and to the console.
 * Never blocks for long. */
void ports_report_failure(const char *text);

/** Stop every process, sync, power off. Never returns. */
_Noreturn void system_power_off(void);

/** Sleep between two tries of something. */
void system_pause_ms(unsigned int ms);
