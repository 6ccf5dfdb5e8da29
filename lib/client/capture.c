/*
 * Pipes for a VM's console and log, for applications that ask the library for
 * its output instead of giving a descriptor. A pipe is made when it is first
 * needed, by the application or by a run, whichever comes first; so a reader
 * may be there before the VM starts. After a run the write ends are the VMM's
 * alone, which is how a reader sees the end. Guarded by the rule for struct
 * avf_vm: one thread at a time.
 */
#include "client/capture.h"

#include <fcntl.h>
#include <unistd.h>

#include "base/cleanup.h"

void capture_init(struct capture *capture)
{
	for (int i = 0; i < CAPTURE_N_STREAMS; i++) {
		capture->ours[i] = -1;
		capture->theirs[i] = -1;
	}
	capture->used = false;
}

void capture_fini(struct capture *capture)
{
	for (int i = 0; i < CAPTURE_N_STREAMS; i++) {
		fd_close(capture->ours[i]);
		fd_close(capture->theirs[i]);
	}
	capture_init(capture);
}

/* What the configuration has turned on (AVF's rules, debug level FULL). */
static bool is_wanted(const avf_config *config, enum capture_stream stream)
{
	return stream == CAPTURE_INPUT ? config->console_input
				       : config->output_captured;
}

/* @ours is what the application uses, @theirs what the VMM gets. */
static int make_pipe(struct capture *capture, enum capture_stream stream)
{
	bool is_input = stream == CAPTURE_INPUT;
	int ends[2];

	if (capture->ours[stream] >= 0)
		return 0;
	if (pipe2(ends, O_CLOEXEC) < 0)
		return fail_errno("pipe for the VM's output");
	capture->ours[stream] = ends[is_input];
	capture->theirs[stream] = ends[!is_input];
	return 0;
}

int capture_get(struct capture *capture, const avf_config *config,
		enum capture_stream stream, int *ret_fd)
{
	int fd;
	int rc;

	if (!is_wanted(config, stream))
		return fail(AVF_ERR_STATE, "%s",
			    stream == CAPTURE_INPUT
				    ? "VM console input is not supported"
				    : "Capturing vm outputs is turned off");
	rc = make_pipe(capture, stream);
	if (rc < 0)
		return rc;
	/* each call gets a copy: closing one does not end the others */
	fd = fd_dup(capture->ours[stream]);
	if (fd < 0)
		return fd;
	*ret_fd = fd;
	return 0;
}

/* A sink that the caller has set wins. */
static int attach(struct capture *capture, enum capture_stream stream,
		  int *target)
{
	int rc;

	if (*target >= 0)
		return 0;
	rc = make_pipe(capture, stream);
	if (rc < 0)
		return rc;
	rc = fd_dup(capture->theirs[stream]);
	if (rc < 0)
		return rc;
	*target = rc;
	return 0;
}

int capture_attach(struct capture *capture, avf_config *config)
{
	struct vm_config *vm = &config->vm;
	int rc = 0;

	/* a new run gets new pipes: the old ones have seen their end */
	if (capture->used)
		capture_fini(capture);
	if (config->output_captured)
		rc = attach(capture, CAPTURE_CONSOLE, &vm->console_out_fd);
	if (rc == 0 && config->output_captured)
		rc = attach(capture, CAPTURE_LOG, &vm->log_fd);
	if (rc == 0 && config->console_input)
		rc = attach(capture, CAPTURE_INPUT, &vm->console_in_fd);
	return rc;
}

/* From here only the VMM holds the other ends. */
void capture_started(struct capture *capture)
{
	for (int i = 0; i < CAPTURE_N_STREAMS; i++)
		close_p(&capture->theirs[i]);
	capture->used = true;
}
