/* Shared by the files of the VMM process. */
#pragma once

#include <stddef.h>

#include <avf/vm.h>

#include "base/checked.h"
#include "base/log.h"
#include "base/loop.h"
#include "config/vm_config.h"
#include "virtio/device.h"
#include "vmm/backend.h"
#include "vmm/event.h"
#include "vmm/manager.h"
#include "base/timer.h"
#include "wire/wire.h"

/* Where avf-vmm has its control socket. */
#define VMM_CONTROL_FD 3

struct vmm_listener;

struct vmm {
	struct loop loop;
	struct log log;
	struct vm_config config;
	int control; /* owned */
	struct loop_source control_source;
	struct loop_source owner_source;
	int owner; /* owned; readable when the application has ended */
	struct event_queue events;
	struct backend *backend; /* owned */
	struct manager manager;
	struct timer boot_timer;
	struct timer stop_timer;
	struct vmm_listener *listeners; /* owned list */
	bool has_filters;               /* jail.c */
	char why[WIRE_TEXT];            /* what runs the guest, and why that */
	bool stop_requested; /* the guest is, or will be, asked to end */
	/* The outcome; the first word counts. */
	bool stopped;
	int stop_reason;
	char stop_text[WIRE_TEXT];
	/* What the guest said about its own end; -1: nothing. */
	int guest_reason;
	char guest_text[WIRE_TEXT];
	/* Bytes of the failure port, "REASON" or "REASON|detail". */
	char failure[WIRE_TEXT];
	size_t failure_used;
};

/** The VM is over: remember why and leave the loop. The first call counts. */
void vmm_stop(struct vmm *vmm, int reason, const char *text);

/** The guest is about to run its first instruction. For backends. */
void vmm_started(struct vmm *vmm, bool emulated);

/** As vmm_stop(), for a guest that ended by itself: what it said about the
 * reason counts more than how the machine stopped. */
void vmm_guest_ended(struct vmm *vmm, int reason, const char *text);

/** The guest gave a reason for its end to come. The first one counts. */
void vmm_guest_reason(struct vmm *vmm, int reason, const char *text);

/** A step of the start is done: a log line for bench/, at debug level FULL. */
void vmm_mark(struct vmm *vmm, const char *text);

/** Bytes from the guest's failure port. */
void vmm_failure_bytes(struct vmm *vmm, const void *data, size_t size);

/* control.c */
int control_init(struct vmm *vmm) MUST_CHECK;
void control_fini(struct vmm *vmm);
/** The event queue's socket is full; @userdata is the vmm. */
void control_blocked(void *userdata);

/* listener.c */
void listener_open(struct vmm *vmm, uint32_t port, int fd);
void listener_close_all(struct vmm *vmm);
