/*
 * QMP, the protocol with which QEMU is asked things and tells things: one
 * JSON object per line, both ways (QEMU's docs/interop/qmp-spec).
 *
 * Only what a supervisor needs: the greeting and the negotiation, a power
 * button, and the events that tell how a run ended.
 *
 * A guest may have taken QEMU over, so what it says is hostile: a line has a
 * limit, anything that is not understood is an error or is ignored, and
 * after an error nothing more is read.
 *
 * Thread rule: one thread, that of the loop.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>

#include "base/error.h"
#include "base/loop.h"

/** Longest line that QEMU may send, in bytes. */
#define QMP_MAX_LINE 16384U

/* Why QEMU said that it shuts down. */
enum qmp_shutdown {
	QMP_SHUTDOWN_NONE = 0, /* it has not said so */
	QMP_SHUTDOWN_GUEST,    /* the guest powered off */
	QMP_SHUTDOWN_RESET,    /* the guest asked for a reset */
	QMP_SHUTDOWN_PANIC,    /* the guest told of a panic */
	QMP_SHUTDOWN_HOST,     /* somebody on the host asked for it */
	QMP_SHUTDOWN_UNKNOWN,
};

/* Any of them may free the client. */
struct qmp_ops {
	/** QEMU has built the machine and takes commands. */
	void (*ready)(void *userdata);
	/** The first SHUTDOWN or GUEST_PANICKED event came. */
	void (*shutdown)(void *userdata, enum qmp_shutdown cause);
	/**
	 * The connection is of no use any more; the error record says why,
	 * with AVF_ERR_CLOSED when QEMU closed it. Called once at most.
	 */
	void (*failed)(void *userdata, int rc);
};

struct qmp;

/**
 * A client on the connected stream socket @fd, which is taken, also on
 * failure. @loop, @ops and @userdata are borrowed.
 */
int qmp_new(int fd, struct loop *loop, const struct qmp_ops *ops,
	    void *userdata, struct qmp **ret_qmp) MUST_CHECK;

/** Close and free. NULL is a no-op. */
void qmp_free(struct qmp *qmp);

/**
 * Press the power button of the guest.
 * Errors: AVF_ERR_STATE before ready and after failed, AVF_ERR_IO.
 */
int qmp_system_powerdown(struct qmp *qmp) MUST_CHECK;

/** Tell QEMU to end. Errors: as qmp_system_powerdown(). */
int qmp_quit(struct qmp *qmp) MUST_CHECK;

/** Why QEMU ended, as far as it has told. */
enum qmp_shutdown qmp_get_shutdown(const struct qmp *qmp);

/** Read what is there, for the last words of a QEMU that is gone. Calls
 * ready and shutdown, which must not free here, and not failed. */
void qmp_drain(struct qmp *qmp);
