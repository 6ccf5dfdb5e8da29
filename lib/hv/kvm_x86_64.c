/*
 * What differs for x86-64: interrupt controllers inside of the kernel, CPUID
 * (Intel SDM volume 2, CPUID), the local APIC as firmware leaves it, and the
 * boot CPU's registers, which boot/ has described. Secondary CPUs stay as after
 * a reset until the guest sends INIT and SIPI.
 */
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>

#include "base/checked.h"
#include "base/cleanup.h"
#include "hv/boot_state_x86_64.h"
#include "hv/kvm_internal.h"

/* Three pages that Intel hosts need, in the hole below 4 GiB. */
#define TSS_ADDR          0xfffbd000UL
#define IDENTITY_MAP_ADDR 0xfffbc000UL

#define MAX_CPUID_ENTRIES 256

#define CPUID_1_ECX_TSC_DEADLINE BIT(24)
#define CPUID_1_ECX_HYPERVISOR   BIT(31)
#define CPUID_1_EDX_HTT          BIT(28)

#define CR0_PE   BIT(0)
#define CR0_ET   BIT(4)
#define CR0_PG   BIT(31)
#define CR4_PAE  BIT(5)
#define EFER_LME BIT(8)
#define EFER_LMA BIT(10)

/*
 * What the host's CPU and KVM can do together; taken while /dev/kvm is open,
 * used for each vCPU.
 */
static int get_cpuid(struct kvm_vm *vm, int kvm_fd)
{
	vm->cpuid = calloc(1, sizeof(*vm->cpuid) +
				      MAX_CPUID_ENTRIES *
					      sizeof(vm->cpuid->entries[0]));
	if (!vm->cpuid)
		return fail(AVF_ERR_NO_MEMORY, "CPUID table");
	vm->cpuid->nent = MAX_CPUID_ENTRIES;
	if (ioctl(kvm_fd, KVM_GET_SUPPORTED_CPUID, vm->cpuid) < 0)
		return fail_errno("KVM_GET_SUPPORTED_CPUID");
	return 0;
}

int kvm_arch_vm_type(int kvm_fd, const struct kvm_params *params,
		     unsigned long *ret_type)
{
	(void)kvm_fd;
	if (params->is_protected)
		return fail(AVF_ERR_UNSUPPORTED,
			    "KVM on x86-64 has no protected VMs");
	*ret_type = 0;
	return 0;
}

int kvm_arch_init_vm(struct kvm_vm *vm, int kvm_fd)
{
	uint64_t identity = IDENTITY_MAP_ADDR;
	int rc = get_cpuid(vm, kvm_fd);

	if (rc < 0)
		return rc;
	if (ioctl(vm->fd, KVM_SET_IDENTITY_MAP_ADDR, &identity) < 0)
		return fail_errno("KVM_SET_IDENTITY_MAP_ADDR");
	if (ioctl(vm->fd, KVM_SET_TSS_ADDR, TSS_ADDR) < 0)
		return fail_errno("KVM_SET_TSS_ADDR");
	return 0;
}

void kvm_arch_fini_vm(struct kvm_vm *vm)
{
	free(vm->cpuid);
	vm->cpuid = NULL;
}

int kvm_arch_start(struct kvm_vm *vm)
{
	(void)vm; /* complete since add_irq_chip */
	return 0;
}

/* PIC, IOAPIC and local APICs; the timer chip, as kernels calibrate with it. */
int kvm_arch_add_irq_chip(struct hv *hv)
{
	struct kvm_pit_config pit = {.flags = KVM_PIT_SPEAKER_DUMMY};
	struct kvm_vm *vm = to_kvm_vm(hv);

	if (ioctl(vm->fd, KVM_CREATE_IRQCHIP, 0) < 0)
		return fail_errno("KVM_CREATE_IRQCHIP");
	if (ioctl(vm->fd, KVM_CREATE_PIT2, &pit) < 0)
		return fail_errno("KVM_CREATE_PIT2");
	return 0;
}

void kvm_arch_route_line(unsigned int line,
			 struct kvm_irq_routing_entry *ret_entry)
{
	memset(ret_entry, 0, sizeof(*ret_entry));
	ret_entry->gsi = line;
	ret_entry->type = KVM_IRQ_ROUTING_IRQCHIP;
	ret_entry->u.irqchip.irqchip = KVM_IRQCHIP_IOAPIC;
	ret_entry->u.irqchip.pin = line;
}

void kvm_arch_route_msi(const struct hv_msi *msi,
			struct kvm_irq_routing_entry *entry)
{
	/* address and data say it all */
	(void)msi;
	(void)entry;
}

/* The leaves that differ from CPU to CPU, and what the guest should know. */
static void adjust_entry(struct kvm_cpuid_entry2 *e, uint32_t apic_id)
{
	switch (e->function) {
	case 0x1:
		e->ebx = (e->ebx & 0x0000ffffU) | apic_id << 24 | 1U << 16;
		e->ecx |= CPUID_1_ECX_TSC_DEADLINE | CPUID_1_ECX_HYPERVISOR;
		e->edx &= ~CPUID_1_EDX_HTT; /* one thread per package */
		break;
	case 0x4: /* caches are shared by nobody */
		e->eax &= 0x00003fffU;
		break;
	case 0xb:
	case 0x1f: /* no level of topology: one thread per package */
		e->eax = 0;
		e->ebx = e->index == 0 ? 1 : 0;
		e->ecx = e->index == 0 ? 1U << 8 : e->index;
		e->edx = apic_id;
		break;
	case 0x80000008: /* cores per package, AMD's way */
		e->ecx = 0;
		break;
	default:
		break;
	}
}

/* Must come before the first KVM_RUN of the vCPU. */
static int set_cpuid(struct kvm_vcpu *v)
{
	const struct kvm_cpuid2 *all = to_kvm_vm(v->vcpu.hv)->cpuid;
	CLEANUP(free_p) struct kvm_cpuid2 *mine = NULL;
	size_t size = sizeof(*all) + all->nent * sizeof(all->entries[0]);

	mine = malloc(size);
	if (!mine)
		return fail(AVF_ERR_NO_MEMORY, "CPUID table");
	memcpy(mine, all, size);
	for (uint32_t i = 0; i < mine->nent; i++)
		adjust_entry(&mine->entries[i], v->index);
	if (ioctl(v->fd, KVM_SET_CPUID2, mine) < 0)
		return fail_errno("vCPU %u: KVM_SET_CPUID2", v->index);
	return 0;
}

/* LINT0 takes the PIC's interrupt, LINT1 is the NMI: as firmware does it. */
static int set_lapic(struct kvm_vcpu *v)
{
	struct kvm_lapic_state lapic;
	uint32_t lint0 = 0x700, lint1 = 0x400;

	if (ioctl(v->fd, KVM_GET_LAPIC, &lapic) < 0)
		return fail_errno("vCPU %u: KVM_GET_LAPIC", v->index);
	memcpy(lapic.regs + 0x350, &lint0, sizeof(lint0));
	memcpy(lapic.regs + 0x360, &lint1, sizeof(lint1));
	if (ioctl(v->fd, KVM_SET_LAPIC, &lapic) < 0)
		return fail_errno("vCPU %u: KVM_SET_LAPIC", v->index);
	return 0;
}

int kvm_arch_init_vcpu(struct kvm_vcpu *v)
{
	int rc = set_cpuid(v);

	if (rc < 0)
		return rc;
	return set_lapic(v);
}

bool kvm_arch_decode(struct kvm_vcpu *v, struct hv_exit *e)
{
	(void)v;
	(void)e;
	return false;
}

/*
 * Descriptor fields as in a flat GDT; they must agree with boot/'s table, from
 * which the guest reloads them.
 */
static void set_segment(struct kvm_segment *s, uint16_t selector, uint8_t type,
			bool long_mode)
{
	memset(s, 0, sizeof(*s));
	s->selector = selector;
	s->limit = 0xffffffffU;
	s->type = type;
	s->present = 1;
	s->s = 1;
	s->g = 1;
	s->l = long_mode ? 1 : 0;
	s->db = long_mode ? 0 : 1;
}

/* What is not set stays as after a reset, since it was read before. */
static void set_sregs(struct kvm_sregs *s, const struct hv_boot_state *state)
{
	const uint8_t code = 0xb, data = 0x3, busy_tss = 0xb;

	set_segment(&s->cs, 0x10, code, state->long_mode);
	set_segment(&s->ds, 0x18, data, false);
	s->es = s->fs = s->gs = s->ss = s->ds;
	set_segment(&s->tr, 0x20, busy_tss, false);
	s->tr.s = 0;
	s->tr.g = 0;
	s->tr.db = 0;
	s->tr.limit = 0x67;
	s->gdt.base = state->gdt;
	s->gdt.limit = state->gdt_limit;
	s->idt.base = 0;
	s->idt.limit = 0;
	s->cr0 = CR0_PE | CR0_ET;
	s->cr4 = 0;
	s->efer = 0;
	if (state->long_mode) {
		s->cr0 |= CR0_PG;
		s->cr3 = state->page_tables;
		s->cr4 = CR4_PAE;
		s->efer = EFER_LME | EFER_LMA;
	}
}

int kvm_arch_set_boot_state(struct hv_vcpu *vcpu,
			    const struct hv_boot_state *state)
{
	struct kvm_vcpu *v = to_kvm_vcpu(vcpu);
	struct kvm_sregs sregs;
	struct kvm_regs regs = {
		.rip = state->entry,
		.rbx = state->rbx,
		.rsi = state->rsi,
		.rflags = 2,
	};

	if (ioctl(v->fd, KVM_GET_SREGS, &sregs) < 0)
		return fail_errno("KVM_GET_SREGS");
	set_sregs(&sregs, state);
	if (ioctl(v->fd, KVM_SET_SREGS, &sregs) < 0)
		return fail_errno("KVM_SET_SREGS");
	if (ioctl(v->fd, KVM_SET_REGS, &regs) < 0)
		return fail_errno("KVM_SET_REGS");
	return 0;
}
