/*
 * The machine as a whole: who is built before whom, and taken down in the
 * reverse order. The lock is made first, since loop handlers take it; vCPUs end
 * first, since they call everything else. A stop is only noted where it
 * happens, with the lock held, and told from the loop: the one that is told may
 * free things that the caller of machine_stop_locked() still uses.
 */
#include "machine/machine.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "machine/machine_internal.h"

void machine_stop_locked(struct machine *m, int reason, const char *text)
{
	const uint64_t one = 1;

	if (m->stopping)
		return;
	m->stopping = true;
	m->stop_reason = reason;
	(void)snprintf(m->stop_text, sizeof(m->stop_text), "%s", text);
	__atomic_store_n(&m->quit, true, __ATOMIC_RELEASE);
	/* an eventfd that was never written takes one */
	(void)!write(m->stop_fd, &one, sizeof(one));
}

/* On the loop. Called once: the source is removed before the owner is told. */
static void stop_ready(struct loop_source *source, uint32_t events)
{
	struct machine *m = container_of(source, struct machine, stop_source);

	(void)events;
	loop_remove(m->params.loop, source);
	m->params.stopped(m->params.userdata, m->stop_reason, m->stop_text);
}

int machine_add_ram(struct machine *m, gpa_t base, uint64_t size)
{
	struct gmem_slice slice;
	int rc;

	if (size == 0)
		return 0;
	rc = gmem_add_anonymous(&m->gm, base, size);
	if (rc < 0)
		return rc;
	rc = gmem_map(&m->gm, base, size, &slice);
	if (rc < 0)
		return rc;
	if (m->params.config->hugepages)
		gmem_advise_huge(&m->gm);
	return m->hv->ops->add_memory(m->hv, base, size, slice.host);
}

/* An empty bus, where the architecture has it. */
static int add_pci(struct machine *m)
{
	const struct machine_pci_place *place = &machine_arch_pci;
	int rc = pci_bus_init(&m->pci, &m->mmio,
			      place->has_ports ? &m->pio : NULL, m->hv,
			      place->ecam, place->bars.base, place->bars.size);

	m->has_pci = rc == 0;
	return rc;
}

/*
 * Memory first, as devices and the loader use it; the interrupt chip before
 * devices, which connect to it; the kernel last, as its tables describe what
 * has been built.
 */
static int init(struct machine *m)
{
	int rc;

	m->stop_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	if (m->stop_fd < 0)
		return fail_errno("eventfd");
	rc = loop_add(m->params.loop, &m->stop_source, m->stop_fd, EPOLLIN,
		      stop_ready);
	if (rc < 0)
		return rc;
	rc = machine_arch_add_memory(m);
	if (rc < 0)
		return rc;
	rc = m->hv->ops->add_irq_chip(m->hv);
	if (rc < 0)
		return rc;
	rc = add_pci(m);
	if (rc < 0)
		return rc;
	rc = machine_arch_add_platform(m);
	if (rc < 0)
		return rc;
	rc = machine_add_devices(m);
	if (rc < 0)
		return rc;
	return machine_arch_load(m);
}

int machine_new(const struct machine_params *params,
		struct machine **ret_machine)
{
	struct machine *m = calloc(1, sizeof(*m));
	int rc;

	if (!m) {
		params->hv->ops->free(params->hv);
		return fail(AVF_ERR_NO_MEMORY, "machine");
	}
	m->params = *params;
	m->hv = params->hv;
	m->stop_fd = -1;
	m->n_vcpus = params->config->vcpus;
	gmem_init(&m->gm);
	bus_init(&m->pio, "pio");
	bus_init(&m->mmio, "mmio");
	/* default attributes: neither can fail on Linux */
	(void)pthread_mutex_init(&m->lock, NULL);
	(void)pthread_mutex_init(&m->gate.lock, NULL);
	(void)pthread_cond_init(&m->gate.changed, NULL);
	m->params.loop->lock = &m->lock;
	rc = init(m);
	if (rc < 0) {
		machine_free(m);
		return rc;
	}
	*ret_machine = m;
	return 0;
}

int machine_start(struct machine *machine)
{
	return vcpus_start(machine);
}

struct virtio_dev *machine_vsock(struct machine *machine)
{
	return machine->vsock;
}

enum virtq_reach machine_reach(const struct machine *machine)
{
	enum virtq_reach most = VIRTQ_REACH_UNKNOWN;

	for (unsigned int i = 0; i < machine->n_devices; i++) {
		const struct virtio_dev *dev =
			virtio_pci_dev(machine->devices[i]);

		most = MAX(most, virtio_dev_reach(dev));
	}
	return most;
}

/* Legal after any failure of init(): each part knows whether it was made. */
void machine_free(struct machine *machine)
{
	struct machine *m = machine;

	if (!m)
		return;
	vcpus_stop(m);
	for (unsigned int i = m->n_devices; i > 0; i--)
		virtio_pci_free(m->devices[i - 1]);
	machine_arch_remove_platform(m);
	if (m->has_pci)
		pci_bus_fini(&m->pci);
	loop_remove(m->params.loop, &m->stop_source);
	fd_close(m->stop_fd);
	m->hv->ops->free(m->hv);
	gmem_fini(&m->gm);
	m->params.loop->lock = NULL;
	(void)pthread_cond_destroy(&m->gate.changed);
	(void)pthread_mutex_destroy(&m->gate.lock);
	(void)pthread_mutex_destroy(&m->lock);
	free(m);
}
