/* Captured output and input of a VM: pipes between the VMM and the caller. */
#pragma once

#include <stdbool.h>

#include "config/config.h"

enum capture_stream {
	CAPTURE_CONSOLE = 0,
	CAPTURE_LOG = 1,
	CAPTURE_INPUT = 2,
	CAPTURE_N_STREAMS,
};

/* One thread at a time, as the VM. */
struct capture {
	/* Owned. @ours is kept until the next run; @theirs until the VMM
	 * has it, so that the end of a run is the end of the stream. */
	int ours[CAPTURE_N_STREAMS];
	int theirs[CAPTURE_N_STREAMS];
	bool used; /* the pipes belong to a run that has started */
};

void capture_init(struct capture *capture);
void capture_fini(struct capture *capture);

/**
 * A duplicate of the caller's end, made now when there is no pipe yet.
 * Errors: AVF_ERR_STATE (@config does not capture this), AVF_ERR_LIMIT.
 */
int capture_get(struct capture *capture, const avf_config *config,
		enum capture_stream stream, int *ret_fd) MUST_CHECK;

/**
 * Fresh pipes where those of the last run are left, and their other ends as
 * console and log of @config, where the caller has set none of its own.
 */
int capture_attach(struct capture *capture, avf_config *config) MUST_CHECK;

/** The VMM has its ends. */
void capture_started(struct capture *capture);
