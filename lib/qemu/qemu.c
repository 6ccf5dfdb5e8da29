/*
 * One QEMU process and everything that is connected to it: QMP, consoles, vsock
 * by vhost-user. Its life has three states, and one timer that means what the
 * state says. All on the VMM's loop. The end is told once, from the timer's
 * handler, after the process is gone and what it wrote has been read: the owner
 * may free everything then.
 */
#include "qemu/qemu.h"

#include <fcntl.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <sys/timerfd.h>
#include <unistd.h>

#include "base/checked.h"
#include "base/cleanup.h"
#include "qemu/qemu_args.h"
#include "qemu/qemu_console.h"
#include "qemu/qemu_outcome.h"
#include "qemu/qemu_process.h"
#include "qemu/qmp.h"
#include "vhost/vhost_user.h"

/* kernel, initrd, QMP, vsock, ports, disks */
#define MAX_FDS (4 + QEMU_N_PORTS + AVF_MAX_DISKS)

enum state {
	STARTING, /* the timer runs until QEMU is ready */
	RUNNING,  /* no timer */
	ENDED,    /* the process is gone; the timer ends the draining */
};

struct qemu {
	struct loop *loop;          /* borrowed */
	const struct log *log;      /* borrowed */
	const struct qemu_ops *ops; /* borrowed */
	void *userdata;             /* borrowed */
	enum state state;
	bool ready;
	bool timed_out;
	int timer_fd; /* owned */
	struct loop_source timer;
	struct qmp *qmp;          /* owned */
	struct vhost_user *vhost; /* owned; NULL: no vsock */
	struct qemu_process process;
	struct qemu_console console;
};

/* The fds that the child inherits, while it is started. */
struct inherited {
	int fds[MAX_FDS]; /* owned */
	unsigned int n;
};

static void inherited_fini(struct inherited *in)
{
	while (in->n > 0)
		fd_close(in->fds[--in->n]);
}

/* Takes @fd. Returns its number. */
static int inherit(struct inherited *in, int fd)
{
	in->fds[in->n++] = fd;
	return fd;
}

/* A duplicate of @fd, which may be one of ours that must not be 0 to 2. */
static int inherit_copy(struct inherited *in, int fd)
{
	int copy = fcntl(fd, F_DUPFD_CLOEXEC, 3);

	if (copy < 0)
		return fail_errno("duplicate fd %d", fd);
	return inherit(in, copy);
}

/* One end is inherited, the other one is *@ret_ours. */
static int inherit_socket(struct inherited *in, int *ret_ours)
{
	int pair[2];

	if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair) < 0)
		return fail_errno("socketpair");
	*ret_ours = pair[0];
	return inherit(in, pair[1]);
}

/* @ms 0: at once. The one timer serves one purpose at a time. */
static void set_timer(struct qemu *qemu, uint32_t ms)
{
	struct itimerspec spec = {
		.it_value.tv_sec = ms / 1000,
		.it_value.tv_nsec = ms ? (long)(ms % 1000) * 1000000 : 1,
	};

	/* fails only for values that are no times */
	(void)timerfd_settime(qemu->timer_fd, 0, &spec, NULL);
}

static void stop_timer(struct qemu *qemu)
{
	const struct itimerspec never = {0};

	(void)timerfd_settime(qemu->timer_fd, 0, &never, NULL);
}

/* QEMU has read its options and answers: the guest runs. */
static void on_qmp_ready(void *userdata)
{
	struct qemu *qemu = userdata;

	qemu->ready = true;
	if (qemu->state != STARTING)
		return;
	qemu->state = RUNNING;
	stop_timer(qemu);
	if (qemu->ops->started)
		qemu->ops->started(qemu->userdata);
}

/*
 * QEMU closes the connection when it ends. When it stays, or talks nonsense,
 * it is of no use: it could not be told to stop.
 */
static void on_qmp_failed(void *userdata, int rc)
{
	struct qemu *qemu = userdata;

	if (rc != AVF_ERR_CLOSED) {
		log_error(qemu->log, "%s", error_record()->text);
		qemu_process_kill(&qemu->process);
	} else if (qemu->state == RUNNING) {
		qemu->state = STARTING; /* the same time-out, the same end */
		set_timer(qemu, QEMU_READY_TIMEOUT_MS);
	}
}

/* It said that it ends; now it has to. */
static void on_qmp_shutdown(void *userdata, enum qmp_shutdown cause)
{
	struct qemu *qemu = userdata;

	(void)cause; /* asked for when the process is gone */
	if (qemu->state != ENDED)
		set_timer(qemu, QEMU_READY_TIMEOUT_MS);
}

static const struct qmp_ops qmp_client_ops = {
	.ready = on_qmp_ready,
	.shutdown = on_qmp_shutdown,
	.failed = on_qmp_failed,
};

/* The last thing that touches @qemu. */
static void tell_stopped(struct qemu *qemu)
{
	const struct qemu_end end = {
		.ready = qemu->ready,
		.timed_out = qemu->timed_out,
		.shutdown = qmp_get_shutdown(qemu->qmp),
		.wait_status = qemu->process.status,
		.last_line = qemu->process.last_line,
	};
	struct qemu_outcome outcome;

	qemu_outcome_make(&end, &outcome);
	stop_timer(qemu);
	loop_remove(qemu->loop, &qemu->timer);
	qemu->ops->stopped(qemu->userdata, (int)outcome.reason, outcome.text);
}

static void on_timer(struct loop_source *source, uint32_t events)
{
	struct qemu *qemu = container_of(source, struct qemu, timer);
	uint64_t expirations;

	(void)events;
	if (read(qemu->timer_fd, &expirations, sizeof(expirations)) < 0)
		return;
	if (qemu->state == ENDED) {
		tell_stopped(qemu);
		return;
	}
	qemu->timed_out = true;
	qemu_process_kill(&qemu->process);
}

/* Told from the timer, whose callback touches nothing afterwards: stopped
 * may free us, which is not safe inside of any of our parts. */
static void on_console_ended(void *userdata)
{
	struct qemu *qemu = userdata;

	if (qemu->state == ENDED)
		set_timer(qemu, 0);
}

/* From the process part. Output may still be in the sockets. */
static void on_exited(void *userdata)
{
	struct qemu *qemu = userdata;

	/* from now on no started: its last words are for the outcome */
	qemu->state = ENDED;
	qmp_drain(qemu->qmp);
	set_timer(qemu, qemu_console_has_ended(&qemu->console)
				? 0
				: QEMU_DRAIN_TIMEOUT_MS);
}

/* Whether QEMU may share the open file: it insists on the access mode. */
static bool mode_fits(const struct vm_disk *disk)
{
	const int flags = fcntl(disk->fd, F_GETFL);
	const int wanted = disk->writable ? O_RDWR : O_RDONLY;

	return flags >= 0 && (flags & O_ACCMODE) == wanted;
}

static int inherit_files(struct inherited *in, const struct qemu_params *params,
			 struct qemu_fds *fds)
{
	const struct vm_config *config = params->config;

	fds->kernel = inherit_copy(in, params->kernel_fd);
	if (fds->kernel < 0)
		return fds->kernel;
	fds->initrd = -1;
	if (params->initrd_fd >= 0) {
		fds->initrd = inherit_copy(in, params->initrd_fd);
		if (fds->initrd < 0)
			return fds->initrd;
	}
	for (unsigned int i = 0; i < config->n_disks; i++) {
		fds->disks[i] = inherit_copy(in, config->disks[i].fd);
		if (fds->disks[i] < 0)
			return fds->disks[i];
		fds->disk_dup[i] = mode_fits(&config->disks[i]);
	}
	return 0;
}

static int start_console(struct qemu *qemu, const struct qemu_params *params,
			 struct inherited *in, struct qemu_fds *fds)
{
	const struct qemu_console_files files = {
		.console_out = params->config->console_out_fd,
		.console_in = params->config->console_in_fd,
		.log = params->config->log_fd,
		.failure = params->failure_fd,
	};
	int peers[QEMU_N_PORTS];
	int rc;

	rc = qemu_console_init(&qemu->console, &files, qemu->loop, peers);
	if (rc < 0)
		return rc;
	qemu->console.ended = on_console_ended;
	qemu->console.userdata = qemu;
	fds->serial = inherit(in, peers[QEMU_PORT_SERIAL]);
	fds->console = inherit(in, peers[QEMU_PORT_CONSOLE]);
	fds->log = inherit(in, peers[QEMU_PORT_LOG]);
	fds->failure = inherit(in, peers[QEMU_PORT_FAILURE]);
	return 0;
}

/* The one channel for orders; QEMU has no monitor besides. */
static int start_qmp(struct qemu *qemu, struct inherited *in,
		     struct qemu_fds *fds)
{
	int ours = -1;

	fds->qmp = inherit_socket(in, &ours);
	if (fds->qmp < 0)
		return fds->qmp;
	return qmp_new(ours, qemu->loop, &qmp_client_ops, qemu, &qemu->qmp);
}

static int start_vsock(struct qemu *qemu, const struct qemu_params *params,
		       struct inherited *in, struct qemu_fds *fds)
{
	const struct vhost_user_config config = {
		.dev = params->vsock,
		.gm = params->gmem,
		.loop = qemu->loop,
		.log = qemu->log,
	};
	int ours = -1;

	fds->vsock = -1;
	if (!params->vsock)
		return 0;
	fds->vsock = inherit_socket(in, &ours);
	if (fds->vsock < 0)
		return fds->vsock;
	return vhost_user_new(&config, ours, &qemu->vhost);
}

static int start_timer(struct qemu *qemu)
{
	qemu->timer_fd =
		timerfd_create(CLOCK_MONOTONIC, TFD_CLOEXEC | TFD_NONBLOCK);
	if (qemu->timer_fd < 0)
		return fail_errno("timerfd");
	return loop_add(qemu->loop, &qemu->timer, qemu->timer_fd, EPOLLIN,
			on_timer);
}

/* When it returns, @in may be closed: the child has its copies. */
static int start_process(struct qemu *qemu, const struct qemu_params *params,
			 const struct inherited *in, const struct qemu_fds *fds)
{
	CLEANUP(qemu_args_fini) struct qemu_args args = {NULL, 0, 0};
	int rc = qemu_args_make(params->program, params->config, fds,
				params->cmdline, &args);

	if (rc < 0)
		return rc;
	qemu->process.loop = qemu->loop;
	qemu->process.log = qemu->log;
	qemu->process.exited = on_exited;
	qemu->process.userdata = qemu;
	qemu->process.confine = params->confine;
	return qemu_process_start(&qemu->process, args.argv, in->fds, in->n);
}

static int start(struct qemu *qemu, const struct qemu_params *params)
{
	CLEANUP(inherited_fini) struct inherited in = {{0}, 0};
	struct qemu_fds fds;
	int rc;

	memset(&fds, 0, sizeof(fds));
	rc = inherit_files(&in, params, &fds);
	if (rc < 0)
		return rc;
	rc = start_console(qemu, params, &in, &fds);
	if (rc < 0)
		return rc;
	rc = start_qmp(qemu, &in, &fds);
	if (rc < 0)
		return rc;
	rc = start_vsock(qemu, params, &in, &fds);
	if (rc < 0)
		return rc;
	rc = start_timer(qemu);
	if (rc < 0)
		return rc;
	rc = start_process(qemu, params, &in, &fds);
	if (rc < 0)
		return rc;
	set_timer(qemu, params->ready_timeout_ms ? params->ready_timeout_ms
						 : QEMU_READY_TIMEOUT_MS);
	return 0;
}

static void qemu_free_p(struct qemu **qemu)
{
	qemu_free(*qemu);
}

int qemu_start(const struct qemu_params *params, struct qemu **ret_qemu)
{
	CLEANUP(qemu_free_p) struct qemu *qemu = calloc(1, sizeof(*qemu));
	int rc;

	if (!qemu)
		return fail(AVF_ERR_NO_MEMORY, "QEMU");
	qemu->timer_fd = -1;
	qemu->loop = params->loop;
	qemu->log = params->log;
	qemu->ops = params->ops;
	qemu->userdata = params->userdata;
	rc = start(qemu, params);
	if (rc < 0)
		return rc;
	*ret_qemu = TAKE_PTR(qemu);
	return 0;
}

int qemu_power_down(struct qemu *qemu)
{
	return qmp_system_powerdown(qemu->qmp);
}

int qemu_get_pid(const struct qemu *qemu)
{
	return (int)qemu->process.pid;
}

/* The process first, so that nothing is at the other ends any more. */
void qemu_free(struct qemu *qemu)
{
	if (!qemu)
		return;
	qemu_process_fini(&qemu->process);
	vhost_user_free(qemu->vhost);
	qmp_free(qemu->qmp);
	qemu_console_fini(&qemu->console);
	loop_remove(qemu->loop, &qemu->timer);
	fd_close(qemu->timer_fd);
	free(qemu);
}
