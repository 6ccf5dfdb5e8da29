/*
 * A VM as the application holds it. One process per run; this side has no
 * thread, so everything happens inside the caller's calls, and the fd tells
 * when one is due.
 *
 * Thread rule: one thread at a time; vm_connect(), vm_listen(), vm_kill()
 * any thread. They only read @process, under @lock, which the owner takes to
 * change it.
 */
#pragma once

#include <pthread.h>
#include <stdbool.h>

#include <avf/vm.h>

#include "client/capture.h"
#include "client/process.h"
#include "config/config.h"

/* What files on disk add to a VM: those of a named one (lib/manager). */
struct vm_backing_ops {
	/** Whether they are gone. Any thread. Does not change the record. */
	bool (*is_deleted)(const struct avf_vm *vm);
	/** Keep @config, which the VM takes when this returns 0. */
	int (*store)(struct avf_vm *vm, const avf_config *config);
	/** The VM's name. Borrowed while @vm lives. */
	const char *(*name)(const struct avf_vm *vm);
	/** Give a handle back. False: others hold it, so it stays. */
	bool (*release)(struct avf_vm *vm);
};

struct vm_backing {
	const struct vm_backing_ops *ops;
};

struct avf_vm {
	pid_t owner;                /* the process that made it */
	avf_config *config;         /* owned; may be deferred */
	struct vm_backing *backing; /* NULL: nothing on disk */
	struct capture capture;
	int epoll_fd;      /* what avf_vm_get_fd() returns */
	int stop_timer_fd; /* timerfd: a stop that takes too long */
	pthread_mutex_t lock;
	struct vmm_process process; /* guarded by @lock */
	bool running;               /* from run() to the STOPPED event */
	bool control_open;          /* more messages may come */
	bool killed;                /* by us; guarded by @lock */
	bool ended;                 /* the process was reaped */
	struct vmm_exit exit;       /* valid when @ended */
	bool has_last;              /* the VMM said STOPPED: @last */
	struct avf_event last;
};

/** Copies @config. */
int vm_new(const avf_config *config, struct avf_vm **ret_vm) MUST_CHECK;
/** Gives the handle back; frees @vm when it was the last one. */
void vm_free(struct avf_vm *vm);
enum avf_status vm_get_status(const struct avf_vm *vm);
/** Fail with AVF's text unless @vm is stopped: AVF_ERR_STATE. */
int vm_check_stopped(const struct avf_vm *vm) MUST_CHECK;
/** AVF's setConfig(), without the check of the configuration by itself. */
int vm_set_config(struct avf_vm *vm, const avf_config *config) MUST_CHECK;
int vm_run(struct avf_vm *vm) MUST_CHECK;
int vm_stop(struct avf_vm *vm) MUST_CHECK;
int vm_kill(struct avf_vm *vm) MUST_CHECK;

/** Kill the VMM unless it ends in a few seconds. For vm_event.c. */
void vm_limit_end(struct avf_vm *vm);

/** Fail with AVF_ERR_STATE in a child of the process that made @vm. */
int vm_check_owner(const struct avf_vm *vm) MUST_CHECK;

/** Back to the stopped state: reap, close, forget. For vm_event.c. */
void vm_clear_run(struct avf_vm *vm);

/* vm_event.c */
int vm_next_event(struct avf_vm *vm, struct avf_event *ret_event) MUST_CHECK;
int vm_wait_event(struct avf_vm *vm, int timeout_ms,
		  struct avf_event *ret_event) MUST_CHECK;

/* channel.c */
struct avf_listener {
	pid_t owner;
	int fd; /* SOCK_SEQPACKET: REPLY, then ACCEPTED messages */
};

int vm_connect(struct avf_vm *vm, uint32_t port, int timeout_ms,
	       int *ret_fd) MUST_CHECK;
int vm_listen(struct avf_vm *vm, uint32_t port,
	      struct avf_listener **ret_listener) MUST_CHECK;
int listener_accept(struct avf_listener *listener, int timeout_ms,
		    int *ret_fd) MUST_CHECK;
void listener_free(struct avf_listener *listener);
