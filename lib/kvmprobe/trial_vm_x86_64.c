#include "kvmprobe/trial_vm.h"

#include <linux/kvm.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>

#include "base/checked.h"
#include "base/cleanup.h"
#include "kvmprobe/trial_code.h"
#include "kvmprobe/trial_x86_64.h"

#define N_VECTORS    32U
#define HANDLER_SIZE 16U

#define CR0_PE      BIT(0)
#define CR0_MP      BIT(1)
#define CR0_ET      BIT(4)
#define CR0_WP      BIT(16)
#define CR0_PG      BIT(31)
#define CR4_PAE     BIT(5)
#define CR4_OSFXSR  BIT(9)
#define CR4_OSXSAVE BIT(18)
#define EFER_SCE    BIT(0)
#define EFER_LME    BIT(8)
#define EFER_LMA    BIT(10)
#define MSR_STAR    0xc0000081U
#define MSR_LSTAR   0xc0000082U

#define PTE_PRESENT_WRITE_USER 0x7ULL
#define PTE_LARGE              0x80ULL
/* AMD64 manual volume 2, section 4.8: interrupt gate, present, DPL 0 / 3 */
#define GATE_DPL0 0x8eULL
#define GATE_DPL3 0xeeULL

#define CPUID_1_ECX_XSAVE BIT(26)

static uint64_t address_of(const unsigned char *code)
{
	return TRIAL_CODE + (uint64_t)(code - trial_code);
}

static void put64(char *memory, uint64_t at, uint64_t value)
{
	memcpy(memory + at, &value, sizeof(value));
}

/* One page of 2 MiB, identity-mapped, open to ring 3. */
static void write_page_tables(char *memory)
{
	put64(memory, TRIAL_PML4, TRIAL_PDPT | PTE_PRESENT_WRITE_USER);
	put64(memory, TRIAL_PDPT, TRIAL_PD | PTE_PRESENT_WRITE_USER);
	put64(memory, TRIAL_PD, PTE_LARGE | PTE_PRESENT_WRITE_USER);
}

static void write_gdt(char *memory)
{
	put64(memory, TRIAL_GDT + 0x08, 0x00af9b000000ffffULL);
	put64(memory, TRIAL_GDT + 0x10, 0x00cf93000000ffffULL);
	put64(memory, TRIAL_GDT + 0x18, 0x00cff3000000ffffULL);
	put64(memory, TRIAL_GDT + 0x20, 0x00affb000000ffffULL);
	/* 64-bit TSS, busy, limit 0x67 */
	put64(memory, TRIAL_GDT + 0x28,
	      0x00008b0000000067ULL | (uint64_t)TRIAL_TSS << 16);
	put64(memory, TRIAL_TSS + 4, TRIAL_STACK); /* RSP0 */
}

static void write_idt(char *memory)
{
	for (unsigned int v = 0; v < N_VECTORS; v++) {
		uint64_t handler =
			address_of(trial_fault_handlers) + v * HANDLER_SIZE;
		uint64_t gate = v == 3 ? GATE_DPL3 : GATE_DPL0;

		if (v == 3)
			handler = address_of(trial_int3_handler);
		put64(memory, TRIAL_IDT + v * 16,
		      (handler & 0xffff) | TRIAL_KERNEL_CS << 16 | gate << 40 |
			      (handler >> 16 & 0xffff) << 48);
	}
}

static void write_memory(char *memory)
{
	write_page_tables(memory);
	write_gdt(memory);
	write_idt(memory);
	put64(memory, TRIAL_SCRATCH, 0);
	put64(memory, TRIAL_SCRATCH + 8, 0);
	memcpy(memory + TRIAL_CODE, trial_code,
	       (size_t)(trial_code_end - trial_code));
}

static void set_segment(struct kvm_segment *s, uint16_t selector, uint8_t type,
			bool code)
{
	*s = (struct kvm_segment){
		.selector = selector,
		.limit = 0xffffffffU,
		.type = type,
		.present = 1,
		.dpl = selector & 3U,
		.s = 1,
		.g = 1,
		.l = code ? 1 : 0,
		.db = code ? 0 : 1,
	};
}

static void set_tables(struct kvm_sregs *s)
{
	s->gdt.base = TRIAL_GDT;
	s->gdt.limit = 0x37;
	s->idt.base = TRIAL_IDT;
	s->idt.limit = N_VECTORS * 16 - 1;
	s->tr = (struct kvm_segment){
		.base = TRIAL_TSS,
		.limit = 0x67,
		.selector = TRIAL_TR,
		.type = 11,
		.present = 1,
	};
	s->ldt = (struct kvm_segment){.unusable = 1, .type = 2};
}

static bool has_xsave(const struct kvm_cpuid2 *cpuid)
{
	for (uint32_t i = 0; i < cpuid->nent; i++) {
		if (cpuid->entries[i].function == 1)
			return cpuid->entries[i].ecx & CPUID_1_ECX_XSAVE;
	}
	return false;
}

static int set_sregs(int vcpu_fd, const struct kvm_cpuid2 *cpuid, bool ring3)
{
	const uint16_t data = ring3 ? TRIAL_USER_SS : TRIAL_KERNEL_SS;
	struct kvm_sregs s;

	if (ioctl(vcpu_fd, KVM_GET_SREGS, &s) < 0)
		return fail_errno("KVM_GET_SREGS");
	set_segment(&s.cs, ring3 ? TRIAL_USER_CS : TRIAL_KERNEL_CS, 11, true);
	set_segment(&s.ss, data, 3, false);
	set_segment(&s.ds, data, 3, false);
	s.es = s.ds;
	s.fs = s.ds;
	s.gs = s.ds;
	set_tables(&s);
	s.cr0 = CR0_PE | CR0_MP | CR0_ET | CR0_WP | CR0_PG;
	s.cr3 = TRIAL_PML4;
	s.cr4 = CR4_PAE | CR4_OSFXSR;
	if (has_xsave(cpuid))
		s.cr4 |= CR4_OSXSAVE;
	s.efer = EFER_LME | EFER_LMA | EFER_SCE;
	if (ioctl(vcpu_fd, KVM_SET_SREGS, &s) < 0)
		return fail_errno("KVM_SET_SREGS");
	return 0;
}

static int set_msrs(int vcpu_fd)
{
	const struct kvm_msr_entry wanted[] = {
		{.index = MSR_STAR,
		 .data = (uint64_t)TRIAL_KERNEL_CS << 32 |
			 (uint64_t)TRIAL_KERNEL_SS << 48},
		{.index = MSR_LSTAR, .data = address_of(trial_syscall_entry)},
	};
	CLEANUP(free_p) struct kvm_msrs *msrs = NULL;

	msrs = calloc(1, sizeof(*msrs) + sizeof(wanted));
	if (!msrs)
		return fail(AVF_ERR_NO_MEMORY, "MSRs");
	msrs->nmsrs = ARRAY_SIZE(wanted);
	memcpy(msrs->entries, wanted, sizeof(wanted));
	if (ioctl(vcpu_fd, KVM_SET_MSRS, msrs) != ARRAY_SIZE(wanted))
		return fail_errno("KVM_SET_MSRS");
	return 0;
}

static int set_regs(int vcpu_fd, const struct trial *trial)
{
	const struct kvm_regs regs = {
		.rip = address_of(trial->entry),
		.rsp = trial->ring3 ? TRIAL_USER_STACK : TRIAL_STACK,
		.rdi = trial->rounds,
		.rflags = trial->ring3 ? 0x3002 : 0x2, /* IOPL 3 */
	};

	if (ioctl(vcpu_fd, KVM_SET_REGS, &regs) < 0)
		return fail_errno("KVM_SET_REGS");
	return 0;
}

static int set_state(const struct trial_vm *vm, const struct kvm_cpuid2 *cpuid,
		     const struct trial *trial)
{
	int rc = set_sregs(vm->vcpu_fd, cpuid, trial->ring3);

	if (rc < 0)
		return rc;
	rc = set_msrs(vm->vcpu_fd);
	return rc < 0 ? rc : set_regs(vm->vcpu_fd, trial);
}

static int init_vcpu(const struct trial_vm *vm, const struct kvm_cpuid2 *cpuid,
		     const struct trial *trial)
{
	if (ioctl(vm->vcpu_fd, KVM_SET_CPUID2, cpuid) < 0)
		return fail_errno("KVM_SET_CPUID2");
	return set_state(vm, cpuid, trial);
}

/*
 * An access to a port is over only when the vCPU is entered again, and until
 * then KVM may still write registers. This enters it without running a thing.
 */
static int finish_exit(const struct trial_vm *vm)
{
	int rc;

	vm->run->immediate_exit = 1;
	rc = ioctl(vm->vcpu_fd, KVM_RUN, 0);
	vm->run->immediate_exit = 0;
	if (rc == 0 || errno == EINTR)
		return 0;
	return fail_errno("KVM_RUN");
}

int trial_vm_again(struct trial_vm *vm, const struct kvm_cpuid2 *cpuid,
		   const struct trial *trial)
{
	int rc = finish_exit(vm);

	if (rc < 0)
		return rc;
	write_memory(vm->memory);
	return set_state(vm, cpuid, trial);
}

static int add_memory(struct trial_vm *vm)
{
	struct kvm_userspace_memory_region region = {
		.memory_size = TRIAL_MEMORY,
	};
	void *memory = mmap(NULL, TRIAL_MEMORY, PROT_READ | PROT_WRITE,
			    MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	if (memory == MAP_FAILED)
		return fail_errno("memory of the trial guest");
	vm->memory = memory;
	vm->memory_size = TRIAL_MEMORY;
	write_memory(vm->memory);
	region.userspace_addr = (uintptr_t)memory;
	/* Intel hosts want a place for this; others ignore it */
	(void)ioctl(vm->vm_fd, KVM_SET_TSS_ADDR, 0xfffbd000UL);
	if (ioctl(vm->vm_fd, KVM_SET_USER_MEMORY_REGION, &region) < 0)
		return fail_errno("KVM_SET_USER_MEMORY_REGION");
	return 0;
}

int trial_vm_new(int kvm_fd, const struct kvm_cpuid2 *cpuid,
		 const struct trial *trial, struct trial_vm *ret_vm)
{
	struct trial_vm vm = {.vm_fd = -1, .vcpu_fd = -1};
	int rc;

	vm.vm_fd = ioctl(kvm_fd, KVM_CREATE_VM, 0);
	if (vm.vm_fd < 0)
		return fail_errno("KVM_CREATE_VM");
	rc = add_memory(&vm);
	if (rc == 0)
		rc = trial_vm_add_vcpu(&vm, kvm_fd);
	if (rc == 0)
		rc = init_vcpu(&vm, cpuid, trial);
	if (rc < 0) {
		trial_vm_fini(&vm);
		return rc;
	}
	*ret_vm = vm;
	return 0;
}
