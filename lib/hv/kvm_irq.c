/*
 * Interrupt routes. KVM takes the whole table at once, so every change
 * writes it again: wired lines first, then the MSI routes in use.
 */
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>

#include "base/cleanup.h"
#include "hv/kvm_internal.h"

/* KVM copies the table; ours lives as long as the call. */
static int write_table(struct kvm_vm *vm)
{
	CLEANUP(free_p) struct kvm_irq_routing *table = NULL;
	struct kvm_irq_routing_entry *e;

	table = calloc(1, sizeof(*table) + (KVM_N_LINES + KVM_MAX_ROUTES) *
						   sizeof(table->entries[0]));
	if (!table)
		return fail(AVF_ERR_NO_MEMORY, "interrupt routes");
	for (unsigned int i = 0; i < KVM_N_LINES; i++)
		kvm_arch_route_line(i, &table->entries[table->nr++]);
	for (unsigned int i = 0; i < KVM_MAX_ROUTES; i++) {
		const struct kvm_route *r = &vm->routes[i];

		if (!r->used)
			continue;
		e = &table->entries[table->nr++];
		e->gsi = KVM_N_LINES + i;
		e->type = KVM_IRQ_ROUTING_MSI;
		e->u.msi.address_lo = (uint32_t)r->msi.addr;
		e->u.msi.address_hi = (uint32_t)(r->msi.addr >> 32);
		e->u.msi.data = r->msi.data;
		kvm_arch_route_msi(&r->msi, e);
	}
	if (ioctl(vm->fd, KVM_SET_GSI_ROUTING, table) < 0)
		return fail_errno("KVM_SET_GSI_ROUTING");
	return 0;
}

/* Connects an eventfd to an interrupt, or with the flag takes it off again. */
static int irqfd(struct kvm_vm *vm, unsigned int gsi, int fd, uint32_t flags)
{
	struct kvm_irqfd request = {
		.fd = (uint32_t)fd,
		.gsi = gsi,
		.flags = flags,
	};

	if (ioctl(vm->fd, KVM_IRQFD, &request) < 0)
		return fail_errno("KVM_IRQFD for interrupt %u", gsi);
	return 0;
}

int kvm_irq_add_msi_route(struct hv *hv, int fd, struct hv_msi msi,
			  unsigned int *ret_route)
{
	struct kvm_vm *vm = to_kvm_vm(hv);
	unsigned int i = 0;
	int rc;

	while (i < KVM_MAX_ROUTES && vm->routes[i].used)
		i++;
	if (i == KVM_MAX_ROUTES)
		return fail(AVF_ERR_LIMIT, "all %d interrupt routes are in use",
			    KVM_MAX_ROUTES);
	/* the route before the irqfd: a signal must find where to go */
	vm->routes[i] = (struct kvm_route){.used = true, .fd = fd, .msi = msi};
	rc = write_table(vm);
	if (rc == 0)
		rc = irqfd(vm, KVM_N_LINES + i, fd, 0);
	if (rc < 0) {
		vm->routes[i].used = false;
		return rc;
	}
	*ret_route = i;
	return 0;
}

int kvm_irq_set_msi_route(struct hv *hv, unsigned int route, struct hv_msi msi)
{
	struct kvm_vm *vm = to_kvm_vm(hv);

	vm->routes[route].msi = msi;
	return write_table(vm);
}

void kvm_irq_remove_msi_route(struct hv *hv, unsigned int route)
{
	struct kvm_vm *vm = to_kvm_vm(hv);

	/* the table keeps a stale entry until the next write: nothing is
	 * connected to it any more */
	(void)!irqfd(vm, KVM_N_LINES + route, vm->routes[route].fd,
		     KVM_IRQFD_FLAG_DEASSIGN);
	vm->routes[route].used = false;
}

int kvm_irq_add_line(struct hv *hv, unsigned int line, int fd)
{
	if (line >= KVM_N_LINES)
		return fail(AVF_ERR_INTERNAL, "interrupt line %u", line);
	to_kvm_vm(hv)->line_fds[line] = fd;
	return 0;
}

/* Not before: arm64 refuses an irqfd until its controller is finished. */
int kvm_irq_start(struct kvm_vm *vm)
{
	int rc = write_table(vm);

	for (unsigned int i = 0; rc == 0 && i < KVM_N_LINES; i++) {
		if (vm->line_fds[i] >= 0)
			rc = irqfd(vm, i, vm->line_fds[i], 0);
	}
	return rc;
}
