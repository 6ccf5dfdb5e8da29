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

#include "client/process.h"
#include "config/vm_config.h"

struct avf_vm {
	struct vm_config config;
	int epoll_fd;      /* what avf_vm_get_fd() returns */
	int stop_timer_fd; /* timerfd: a stop that takes too long */
	pthread_mutex_t lock;
	struct vmm_process process; /* guarded by @lock */
	bool running;               /* from run() to the STOPPED event */
	bool control_open;          /* more messages may come */
	bool killed;                /* by us */
	bool ended;                 /* the process was reaped */
	struct vmm_exit exit;       /* valid when @ended */
	bool has_last;              /* the VMM said STOPPED: @last */
	struct avf_event last;
};

int vm_new(const struct vm_config *config, struct avf_vm **ret_vm) MUST_CHECK;
void vm_free(struct avf_vm *vm);
int vm_run(struct avf_vm *vm) MUST_CHECK;
int vm_stop(struct avf_vm *vm) MUST_CHECK;
int vm_kill(struct avf_vm *vm) MUST_CHECK;

/** Back to the stopped state: reap, close, forget. For vm_event.c. */
void vm_clear_run(struct avf_vm *vm);

/* vm_event.c */
int vm_next_event(struct avf_vm *vm, struct avf_event *ret_event) MUST_CHECK;
int vm_wait_event(struct avf_vm *vm, int timeout_ms,
		  struct avf_event *ret_event) MUST_CHECK;

/* channel.c */
struct avf_listener {
	int fd; /* SOCK_SEQPACKET: REPLY, then ACCEPTED messages */
};

int vm_connect(struct avf_vm *vm, uint32_t port, int timeout_ms,
	       int *ret_fd) MUST_CHECK;
int vm_listen(struct avf_vm *vm, uint32_t port,
	      struct avf_listener **ret_listener) MUST_CHECK;
int listener_accept(struct avf_listener *listener, int timeout_ms,
		    int *ret_fd) MUST_CHECK;
void listener_free(struct avf_listener *listener);
