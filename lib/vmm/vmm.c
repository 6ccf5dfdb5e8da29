/*
 * The process from its orders to its last word. One loop on the main thread;
 * everything in struct vmm belongs to it, with the machine's lock held while it
 * handles. The first vmm_stop() counts: it ends the loop, and run() takes
 * everything down before STOPPED is said, so that an application that hears it
 * may use the disks again.
 */
#include "vmm/vmm.h"

#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "vmm/choose.h"
#include "vmm/cmdline.h"
#include "vmm/reason.h"
#include "vmm/vmm_internal.h"

/* AVF's boot watchdog, and ten times that where everything is slow. */
#define BOOT_TIMEOUT_MS          30000
#define BOOT_TIMEOUT_EMULATED_MS 300000
/* How long the last word may wait for a reader. */
#define LAST_WORD_TIMEOUT_MS 5000

void vmm_stop(struct vmm *vmm, int reason, const char *text)
{
	if (vmm->stopped)
		return;
	vmm->stopped = true;
	vmm->stop_reason = reason;
	wire_text_set(vmm->stop_text, text);
	loop_quit(&vmm->loop);
}

void vmm_started(struct vmm *vmm, bool emulated)
{
	event_emit(&vmm->events, AVF_EVENT_STARTED, emulated ? 1 : 0, vmm->why);
}

void vmm_guest_reason(struct vmm *vmm, int reason, const char *text)
{
	if (vmm->guest_reason >= 0 || reason < 0)
		return;
	vmm->guest_reason = reason;
	wire_text_set(vmm->guest_text, text);
}

/* The beginning is kept: it has the reason. */
void vmm_failure_bytes(struct vmm *vmm, const void *data, size_t size)
{
	size_t room = sizeof(vmm->failure) - 1 - vmm->failure_used;

	size = MIN(size, room);
	memcpy(vmm->failure + vmm->failure_used, data, size);
	vmm->failure_used += size;
}

void vmm_guest_ended(struct vmm *vmm, int reason, const char *text)
{
	const char *detail;
	int said;

	wire_text_clean(vmm->failure);
	if (vmm->config.kind == AVF_CONFIG_PAYLOAD && vmm->failure_used > 0) {
		said = reason_parse(vmm->failure, &detail);
		vmm_guest_reason(vmm, said, detail);
	}
	if (vmm->guest_reason >= 0)
		vmm_stop(vmm, vmm->guest_reason, vmm->guest_text);
	else
		vmm_stop(vmm, reason, text);
}

static uint32_t boot_timeout_ms(const struct vmm *vmm, bool emulated)
{
	if (vmm->config.boot_timeout_ms != 0)
		return vmm->config.boot_timeout_ms;
	return emulated ? BOOT_TIMEOUT_EMULATED_MS : BOOT_TIMEOUT_MS;
}

/* A backend that cannot be asked has all of the guest's memory. */
static enum virtq_reach reach_of(const struct vmm *vmm)
{
	struct backend *backend = vmm->backend;

	return backend->ops->reach ? backend->ops->reach(backend)
				   : VIRTQ_REACH_GOOD;
}

/* A payload has to report until then. The kernel is to blame only where its
 * devices have not worked either. */
static void boot_expired(void *userdata)
{
	const struct vmm *vmm = userdata;
	const bool is_suspect =
		vmm->config.is_protected && reach_of(vmm) != VIRTQ_REACH_GOOD;

	vmm_stop(userdata, AVF_STOP_REASON_HANGUP,
		 is_suspect
			 ? "the payload had not started within the boot "
			   "time-out (boot_timeout_ms); a protected VM needs "
			   "a kernel with CONFIG_ARM_PKVM_GUEST "
			   "(guest/kernel)"
			 : "the payload had not started within the boot "
			   "time-out (boot_timeout_ms)");
}

/*
 * A raw guest has nothing to report, and a protected one may do without
 * devices. One that gave its devices memory that it keeps to itself, and to
 * none memory that it shares, waits for them for ever.
 */
static void raw_boot_expired(void *userdata)
{
	struct vmm *vmm = userdata;

	switch (reach_of(vmm)) {
	case VIRTQ_REACH_GOOD:
		break;
	case VIRTQ_REACH_UNKNOWN:
		timer_set(&vmm->boot_timer, boot_timeout_ms(vmm, false));
		break;
	case VIRTQ_REACH_REFUSED:
		vmm_stop(vmm, AVF_STOP_REASON_HANGUP,
			 "the guest keeps the rings of its devices to itself; "
			 "in a protected VM, Linux needs a kernel with "
			 "CONFIG_ARM_PKVM_GUEST (guest/kernel)");
		break;
	}
}

static void stop_expired(void *userdata)
{
	vmm_stop(userdata, AVF_STOP_REASON_KILLED,
		 "the guest did not shut down within 5 s");
}

static void log_line(void *userdata, enum log_level level, const char *text)
{
	struct vmm *vmm = userdata;

	event_emit(&vmm->events, AVF_EVENT_LOG, (int)level, text);
}

/* Outside of the loop: as the loop does around its handlers. */
static void lock(struct vmm *vmm)
{
	if (vmm->loop.lock)
		(void)pthread_mutex_lock(vmm->loop.lock);
}

static void unlock(struct vmm *vmm)
{
	if (vmm->loop.lock)
		(void)pthread_mutex_unlock(vmm->loop.lock);
}

/*
 * Blocks: there is nothing to do without orders. The end of the socket is an
 * application that has changed its mind.
 */
static int receive_orders(struct vmm *vmm)
{
	struct wire_message message;
	int rc = fd_wait(vmm->control, POLLIN, -1);

	if (rc < 0)
		return rc;
	rc = wire_receive(vmm->control, &message);
	if (rc < 0)
		return rc;
	if (rc == 0 || message.type != WIRE_RUN) {
		wire_message_fini(&message);
		return fail(AVF_ERR_PROTOCOL, "the first message is no RUN");
	}
	rc = vm_config_decode(message.body, message.size, message.fds,
			      message.n_fds, &vmm->config);
	message.n_fds = 0; /* all taken */
	return rc;
}

/* Of a raw guest there is something to ask only where it can keep memory to
 * itself. */
static void arm_boot_timer(struct vmm *vmm, bool emulated)
{
	const bool can_ask =
		vmm->config.is_protected && vmm->backend->ops->reach;

	if (vmm->config.kind == AVF_CONFIG_PAYLOAD || can_ask)
		timer_set(&vmm->boot_timer, boot_timeout_ms(vmm, emulated));
}

/* The manager's port is open before the guest can run. */
static int build(struct vmm *vmm, bool emulated)
{
	char cmdline[CMDLINE_SIZE];
	int rc = cmdline_make(&vmm->config, cmdline, sizeof(cmdline));

	if (rc < 0)
		return rc;
	rc = emulated ? backend_qemu_new(vmm, cmdline, &vmm->backend)
		      : backend_kvm_new(vmm, cmdline, &vmm->backend);
	if (rc < 0)
		return rc;
	if (vmm->config.kind != AVF_CONFIG_PAYLOAD)
		return 0;
	return manager_listen(&vmm->manager);
}

void vmm_mark(struct vmm *vmm, const char *text)
{
	if (vmm->config.debug_level == AVF_DEBUG_LEVEL_FULL)
		log_info(&vmm->log, "boot: %s", text);
}

/* Everything up to a running guest. */
static int start(struct vmm *vmm)
{
	bool emulated;
	int rc;

	vmm_mark(vmm, "the VMM has its orders");
	rc = choose_acceleration(&vmm->config, &emulated, vmm->why,
				 sizeof(vmm->why));
	if (rc < 0)
		return rc;
	vmm_mark(vmm, "the host was asked");
	rc = build(vmm, emulated);
	if (rc < 0)
		return rc;
	vmm_mark(vmm, "the machine is built");
	rc = timer_init(&vmm->boot_timer, &vmm->loop,
			vmm->config.kind == AVF_CONFIG_PAYLOAD
				? boot_expired
				: raw_boot_expired,
			vmm);
	if (rc < 0)
		return rc;
	rc = timer_init(&vmm->stop_timer, &vmm->loop, stop_expired, vmm);
	if (rc < 0)
		return rc;
	rc = control_init(vmm);
	if (rc < 0)
		return rc;
	rc = vmm->backend->ops->start(vmm->backend);
	if (rc < 0)
		return rc;
	arm_boot_timer(vmm, emulated);
	return 0;
}

/* vCPUs may still run until the backend is freed. */
static void tear_down(struct vmm *vmm)
{
	lock(vmm);
	listener_close_all(vmm);
	manager_fini(&vmm->manager);
	control_fini(vmm);
	unlock(vmm);
	if (vmm->backend)
		vmm->backend->ops->free(vmm->backend);
	timer_fini(&vmm->boot_timer);
	timer_fini(&vmm->stop_timer);
	vm_config_fini(&vmm->config);
}

/*
 * Waits a bounded time for a reader: a stopped application must not keep the
 * process for ever.
 */
static void say_stopped(struct vmm *vmm)
{
	event_emit(&vmm->events, AVF_EVENT_STOPPED, vmm->stop_reason,
		   vmm->stop_text);
	while (!event_queue_is_empty(&vmm->events)) {
		if (fd_wait(vmm->control, POLLOUT, LAST_WORD_TIMEOUT_MS) <= 0)
			return;
		event_flush(&vmm->events);
	}
}

static void run(struct vmm *vmm)
{
	int rc = receive_orders(vmm);

	if (rc == 0)
		rc = start(vmm);
	if (rc == 0)
		rc = loop_run(&vmm->loop);
	if (rc < 0)
		vmm_stop(vmm, AVF_STOP_REASON_START_FAILED,
			 error_record()->text);
	tear_down(vmm);
	say_stopped(vmm);
}

static void init(struct vmm *vmm, int control)
{
	vmm->control = control;
	vmm->guest_reason = -1;
	vmm->boot_timer.fd = -1;
	vmm->stop_timer.fd = -1;
	vmm->boot_timer.loop = &vmm->loop;
	vmm->stop_timer.loop = &vmm->loop;
	vmm->log = (struct log){
		.sink = log_line, .userdata = vmm, .max_level = LOG_LEVEL_INFO};
	vm_config_init(&vmm->config);
	manager_init(&vmm->manager, vmm);
	event_queue_init(&vmm->events, control, control_blocked, vmm);
}

int vmm_main(int control)
{
	struct vmm *vmm = calloc(1, sizeof(*vmm));

	if (!vmm || loop_init(&vmm->loop) < 0) {
		free(vmm);
		fd_close(control);
		return EXIT_FAILURE;
	}
	/* a peer that closes its end, and a file that may not grow any more
	 * (the application's RLIMIT_FSIZE), are errors of a write, no death */
	(void)signal(SIGPIPE, SIG_IGN);
	(void)signal(SIGXFSZ, SIG_IGN);
	init(vmm, control);
	run(vmm);
	loop_fini(&vmm->loop);
	fd_close(control);
	free(vmm);
	return EXIT_SUCCESS;
}
