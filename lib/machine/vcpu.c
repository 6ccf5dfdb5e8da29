/*
 * vCPU threads. Each makes its vCPU, waits at the gate until all exist, and
 * then runs the guest, carrying accesses to the buses.
 */
#include <inttypes.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>

#include <avf/vm.h>

#include "machine/machine_internal.h"

static bool must_quit(const struct machine *m)
{
	return __atomic_load_n(&m->quit, __ATOMIC_ACQUIRE);
}

static void stop(struct machine *m, int reason, const char *text)
{
	(void)pthread_mutex_lock(&m->lock);
	machine_stop_locked(m, reason, text);
	(void)pthread_mutex_unlock(&m->lock);
}

/*
 * One lock for all devices: a vCPU holds it for an access, the loop for a
 * handler. String instructions repeat at one address.
 */
static void access_bus(struct machine *m, const struct hv_exit *e)
{
	const struct bus *bus =
		e->kind == HV_EXIT_PIO_READ || e->kind == HV_EXIT_PIO_WRITE
			? &m->pio
			: &m->mmio;
	bool read = e->kind == HV_EXIT_PIO_READ || e->kind == HV_EXIT_MMIO_READ;
	char *data = e->data;

	(void)pthread_mutex_lock(&m->lock);
	for (uint32_t i = 0; i < e->count; i++, data += e->size) {
		if (read)
			(void)bus_read(bus, e->addr, data, e->size);
		else
			(void)bus_write(bus, e->addr, data, e->size);
	}
	(void)pthread_mutex_unlock(&m->lock);
}

/* Every end of the guest comes through here, and only the first counts. */
static void handle(struct machine *m, const struct hv_exit *e)
{
	switch (e->kind) {
	case HV_EXIT_PIO_READ:
	case HV_EXIT_PIO_WRITE:
	case HV_EXIT_MMIO_READ:
	case HV_EXIT_MMIO_WRITE:
		access_bus(m, e);
		return;
	case HV_EXIT_INTERRUPTED:
	case HV_EXIT_HALT:
		return;
	case HV_EXIT_POWER_OFF:
		stop(m, AVF_STOP_REASON_SHUTDOWN, "the guest powered off");
		return;
	case HV_EXIT_RESET:
		stop(m, AVF_STOP_REASON_REBOOT, "the guest asked for a reset");
		return;
	case HV_EXIT_SHUTDOWN:
		stop(m, AVF_STOP_REASON_CRASH,
		     "the guest crashed: triple fault");
		return;
	case HV_EXIT_FAILED:
		stop(m, AVF_STOP_REASON_CRASH, error_record()->text);
		return;
	}
}

/* Returns whether the thread may go on. */
static bool pass_gate(struct machine *m, int rc)
{
	struct vcpu_gate *gate = &m->gate;

	(void)pthread_mutex_lock(&gate->lock);
	if (rc < 0 && !gate->failed) {
		gate->failed = true;
		gate->error = *error_record();
	}
	gate->n_ready++;
	(void)pthread_cond_broadcast(&gate->changed);
	while (!gate->open)
		(void)pthread_cond_wait(&gate->changed, &gate->lock);
	(void)pthread_mutex_unlock(&gate->lock);
	return rc == 0 && !must_quit(m);
}

/*
 * On the vCPU's own thread: KVM ties a vCPU to the thread that runs it. The
 * filter comes last, as the steps before need more system calls.
 */
static int make_vcpu(struct vcpu *v)
{
	const struct hv_ops *ops = v->machine->hv->ops;
	int rc = ops->vcpu_new(v->machine->hv, v->index, &v->hv_vcpu);

	if (rc == 0 && v->index == 0)
		rc = ops->vcpu_set_boot_state(v->hv_vcpu,
					      v->machine->boot_state);
	if (rc == 0 && v->machine->params.vcpu_thread)
		rc = v->machine->params.vcpu_thread();
	return rc;
}

/* By the thread itself: another one would need /proc, which a jail lacks. */
static void set_name(const struct vcpu *v)
{
	char name[16];

	(void)snprintf(name, sizeof(name), "vcpu%u", v->index);
	(void)pthread_setname_np(pthread_self(), name);
}

static void *vcpu_main(void *arg)
{
	struct vcpu *v = arg;
	struct machine *m = v->machine;
	struct hv_exit e;

	set_name(v);
	if (pass_gate(m, make_vcpu(v))) {
		while (!must_quit(m)) {
			m->hv->ops->vcpu_run(v->hv_vcpu, &e);
			v->exits[e.kind]++;
			handle(m, &e);
		}
	}
	return NULL;
}

/* All signals stay blocked in the new thread but the one that kicks it; those
 * of faults, too, as a vCPU touches no guest memory (gmem/guest_access.h). */
static int spawn(struct vcpu *v)
{
	sigset_t all, old;
	int e;

	(void)sigfillset(&all);
	(void)sigdelset(&all, SIGRTMIN);
	(void)pthread_sigmask(SIG_SETMASK, &all, &old);
	e = pthread_create(&v->thread, NULL, vcpu_main, v);
	(void)pthread_sigmask(SIG_SETMASK, &old, NULL);
	if (e != 0) {
		errno = e;
		return fail_errno("thread of vCPU %u", v->index);
	}
	v->has_thread = true;
	return 0;
}

/* Also to let threads go that will not run: they see @quit. */
static void open_gate(struct machine *m)
{
	(void)pthread_mutex_lock(&m->gate.lock);
	m->gate.open = true;
	(void)pthread_cond_broadcast(&m->gate.changed);
	(void)pthread_mutex_unlock(&m->gate.lock);
}

/* The error is a thread's own; it is moved into the caller's record. */
static int wait_ready(struct machine *m)
{
	struct vcpu_gate *gate = &m->gate;
	int rc = 0;

	(void)pthread_mutex_lock(&gate->lock);
	while (gate->n_ready < m->n_vcpus)
		(void)pthread_cond_wait(&gate->changed, &gate->lock);
	if (gate->failed) {
		*error_record() = gate->error;
		rc = gate->error.code;
	}
	(void)pthread_mutex_unlock(&gate->lock);
	return rc;
}

int vcpus_start(struct machine *m)
{
	int rc;

	for (unsigned int i = 0; i < m->n_vcpus; i++) {
		m->vcpus[i].machine = m;
		m->vcpus[i].index = i;
		rc = spawn(&m->vcpus[i]);
		if (rc < 0)
			return rc; /* vcpus_stop() lets the others go */
	}
	rc = wait_ready(m);
	if (rc < 0)
		return rc;
	rc = m->hv->ops->start(m->hv);
	if (rc < 0)
		return rc;
	/* STARTED is said before the first instruction of the guest */
	rc = m->params.started(m->params.userdata);
	if (rc < 0)
		return rc;
	open_gate(m);
	return 0;
}

static uint64_t count(const struct machine *m, enum hv_exit_kind kind)
{
	uint64_t sum = 0;

	for (unsigned int i = 0; i < m->n_vcpus; i++)
		sum += m->vcpus[i].exits[kind];
	return sum;
}

/* What a run cost in exits to user space, for those who look for speed. The
 * data path of a queue has none: ioeventfds and irqfds carry it. */
static void report_exits(const struct machine *m)
{
	if (m->params.config->debug_level != AVF_DEBUG_LEVEL_FULL)
		return;
	log_info(m->params.log,
		 "exits: pio-in %" PRIu64 ", pio-out %" PRIu64
		 ", mmio-read %" PRIu64 ", mmio-write %" PRIu64
		 ", interrupted %" PRIu64,
		 count(m, HV_EXIT_PIO_READ), count(m, HV_EXIT_PIO_WRITE),
		 count(m, HV_EXIT_MMIO_READ), count(m, HV_EXIT_MMIO_WRITE),
		 count(m, HV_EXIT_INTERRUPTED));
}

void vcpus_stop(struct machine *m)
{
	__atomic_store_n(&m->quit, true, __ATOMIC_RELEASE);
	/* a thread is past the creation of its vCPU once the gate counted it */
	(void)pthread_mutex_lock(&m->gate.lock);
	for (unsigned int i = 0; i < m->n_vcpus; i++) {
		if (m->vcpus[i].has_thread)
			continue;
		m->gate.n_ready++; /* never came to be */
	}
	while (m->gate.n_ready < m->n_vcpus)
		(void)pthread_cond_wait(&m->gate.changed, &m->gate.lock);
	(void)pthread_mutex_unlock(&m->gate.lock);
	open_gate(m);
	for (unsigned int i = 0; i < m->n_vcpus; i++) {
		struct vcpu *v = &m->vcpus[i];

		if (!v->has_thread)
			continue;
		if (v->hv_vcpu)
			m->hv->ops->vcpu_kick(v->hv_vcpu);
		(void)pthread_join(v->thread, NULL);
		m->hv->ops->vcpu_free(v->hv_vcpu);
		v->hv_vcpu = NULL;
		v->has_thread = false;
	}
	report_exits(m);
}
