/*
 * The guest's manager, PID 1 of the microguest. Its life is a row of steps
 * (main.c); whatever a step meets, the guest powers off at the end.
 *
 * It runs alone, in one thread. The host and the payload are its peers, the
 * payload package its input; it takes none of them at its word.
 */
#pragma once

#include <dirent.h>
#include <jansson.h>
#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include "base/error.h"
#include "rpc/rpc_polled.h"
#include "vmservice/guest_agent.h"
#include "vmservice/guest_host.h"
#include "vmservice/vm_service.h"

#define PACKAGE_DIR       "/mnt/apk"
#define LIBRARY_PATH_SIZE 320

struct manager {
	int log_fd;        /* owned; where the payload's output goes */
	AIBinder *service; /* owned: IVirtualMachineService; NULL: no host */
	AIBinder *host;    /* owned: its extension IGuestHost */
	/* Where the host calls our agent. */
	struct guest_agent agent;
	struct rpc_polled calls;
	bool shutting_down; /* the host asked for it, or is gone */
	bool is_ready;      /* the host knows that the payload is ready */
	struct guest_orders orders;
	char library_path[LIBRARY_PATH_SIZE];
};

/* Steps. Each returns 0 or an error whose text the host will read. */

/** proc, sysfs, devtmpfs, tmpfs; descriptors 0 to 2 (system.c). */
int system_mount(struct manager *m) MUST_CHECK;
/** The modules that /etc/modules lists, in its order. */
int system_load_modules(struct manager *m) MUST_CHECK;
/** Find the log port; it becomes standard output and standard error. */
int ports_open_log(struct manager *m) MUST_CHECK;
/** Connect to the VMM, and let it call us (host.c). */
int host_connect(struct manager *m) MUST_CHECK;
/** Get the orders. When there are none, shutting_down is set. */
int host_get_orders(struct manager *m) MUST_CHECK;
/** In a debuggable VM the payload may use the console (ports.c). */
int ports_share_console(struct manager *m) MUST_CHECK;
/** Mount the payload package (package.c). */
int package_mount(struct manager *m) MUST_CHECK;
/** Let the payload use the disks besides the package (disks.c). */
int disks_share(struct manager *m) MUST_CHECK;
/** Check the package's manifest (manifest.c). */
int manifest_check(struct manager *m) MUST_CHECK;
/** Take the payload's name from its config file, if that is how it is given
 * (payload_config.c). */
int payload_config_read(struct manager *m) MUST_CHECK;
/** Find the payload's library in the package and check its ELF header. */
int package_find_library(struct manager *m) MUST_CHECK;
/** Run the payload to its end and tell the host about it (payload.c). */
int payload_run(struct manager *m) MUST_CHECK;

/* Helpers. */

/**
 * Tell the host what went wrong, any bytes, and why the guest will end. When
 * this returns 0 the host knows. Errors: those of the calls.
 */
int host_tell_error(struct manager *m, int32_t error_code, int32_t stop_reason,
		    const char *text) MUST_CHECK;
/** Where calls of the host come, -1: none can. */
int host_calls_fd(const struct manager *m);
/** Take the host's calls, when that is readable: shutdownAsync(), or the end
 * of the connection, set shutting_down. */
void host_take_calls(struct manager *m);

/** Read the JSON file @name of the package, which has no duplicate keys. A
 * package is not trusted: small files alone, and no links. */
int package_read_json(const char *name, json_t **ret_root) MUST_CHECK;
/** For CLEANUP(). */
void package_unref_json(json_t **root);

/** Write @text to the virtio-console port "failure" and to the console.
 * Never blocks for long. */
void ports_report_failure(const char *text);

/** Stop every process, sync, power off. Never returns. */
_Noreturn void system_power_off(void);

/** For CLEANUP(). */
void close_dir_p(DIR **dir);

/** Sleep between two tries of something. */
void system_pause_ms(unsigned int ms);
