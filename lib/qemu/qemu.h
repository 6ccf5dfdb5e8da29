/*
 * The emulation back-end: a QEMU process that runs the guest with TCG, in
 * the place of our own machine. It is slow, and no security boundary.
 *
 * QEMU inherits the files of the configuration as fds, shares the guest's
 * memory with us, and reaches our vsock device over vhost-user; the guest's
 * consoles and ports come back through socket pairs.
 *
 * The end: whatever happens, stopped is called once, from the loop, after
 * the process is gone and what the guest printed was passed on.
 *
 * Thread rule: one thread, that of the loop, with the machine's lock held
 * (or before the loop runs). QEMU dies with the thread that called
 * qemu_start().
 */
#pragma once

#include "base/error.h"
#include "base/log.h"
#include "base/loop.h"
#include "config/vm_config.h"
#include "gmem/gmem.h"
#include "virtio/device.h"

/** How long QEMU may take until it has built the machine. */
#define QEMU_READY_TIMEOUT_MS 10000U
/** How long what it printed may take to be passed on when it has ended. */
#define QEMU_DRAIN_TIMEOUT_MS 1000U

/* Called on the loop; any of them may call qemu_free(). */
struct qemu_ops {
	/** The machine is built and the guest runs. May be NULL. */
	void (*started)(void *userdata);
	/** The run is over. @reason is an enum avf_stop_reason; @text, valid
	 * during the call, explains it and is printable. */
	void (*stopped)(void *userdata, int reason, const char *text);
};

/* Everything is borrowed until qemu_free(), but for @config and the fds
 * marked "duplicated", which are needed only during qemu_start(). */
struct qemu_params {
	const char *program; /* path of QEMU: program_find() */
	/* Name, memory, vCPUs, disks, console and log fds are taken from it;
	 * kernel and initrd are not. Its console_in_fd stays borrowed. */
	const struct vm_config *config;
	int kernel_fd;       /* duplicated; what the architecture boots */
	int initrd_fd;       /* duplicated; -1: none */
	const char *cmdline; /* all of it */
	int failure_fd;      /* duplicated; port "failure"; -1: nowhere */
	/* A vsock device that no transport has, and the guest memory that it
	 * was made over, empty: vhost-user fills it. NULL: no vsock. */
	struct virtio_dev *vsock;
	struct gmem *gmem;
	uint32_t ready_timeout_ms; /* 0: QEMU_READY_TIMEOUT_MS */
	struct loop *loop;
	const struct log *log; /* may be NULL */
	/* Called in the child before exec; async-signal-safe; NULL: none. */
	void (*confine)(void);
	const struct qemu_ops *ops;
	void *userdata;
};

struct qemu;

/**
 * Start QEMU. Errors here mean that no callback follows: the text says why.
 * What goes wrong later is told by stopped (AVF_STOP_REASON_START_FAILED).
 * Errors: AVF_ERR_NOT_FOUND (no such program), AVF_ERR_NO_MEMORY,
 * AVF_ERR_LIMIT, AVF_ERR_IO.
 */
int qemu_start(const struct qemu_params *params,
	       struct qemu **ret_qemu) MUST_CHECK;

/** Press the guest's power button. Errors: AVF_ERR_STATE, AVF_ERR_IO. */
int qemu_power_down(struct qemu *qemu) MUST_CHECK;

/** Process id, for logs; 0 when it has ended. */
int qemu_get_pid(const struct qemu *qemu);

/** Kill what runs, reap, free. No callback after this. NULL is a no-op. */
void qemu_free(struct qemu *qemu);
