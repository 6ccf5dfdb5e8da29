#include <linux/kvm.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>

#include "base/checked.h"
#include "base/cleanup.h"
#include "base/kvm_type.h"
#include "kvmprobe/trial_arm64.h"
#include "kvmprobe/trial_code.h"
#include "kvmprobe/trial_vm.h"

#define CORE_REG(field)                                        \
	(KVM_REG_ARM64 | KVM_REG_SIZE_U64 | KVM_REG_ARM_CORE | \
	 KVM_REG_ARM_CORE_REG(field))

static int add_memory(struct trial_vm *vm)
{
	struct kvm_userspace_memory_region region = {
		.guest_phys_addr = TRIAL_CODE,
		.memory_size = TRIAL_MEMORY,
	};
	void *memory = mmap(NULL, TRIAL_MEMORY, PROT_READ | PROT_WRITE,
			    MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	if (memory == MAP_FAILED)
		return fail_errno("memory of the trial guest");
	vm->memory = memory;
	vm->memory_size = TRIAL_MEMORY;
	memcpy(vm->memory, trial_code, (size_t)(trial_code_end - trial_code));
	region.userspace_addr = (uintptr_t)memory;
	if (ioctl(vm->vm_fd, KVM_SET_USER_MEMORY_REGION, &region) < 0)
		return fail_errno("KVM_SET_USER_MEMORY_REGION");
	return 0;
}

static int set_register(int vcpu_fd, uint64_t id, uint64_t value)
{
	const struct kvm_one_reg reg = {.id = id, .addr = (uintptr_t)&value};

	if (ioctl(vcpu_fd, KVM_SET_ONE_REG, &reg) < 0)
		return fail_errno("KVM_SET_ONE_REG");
	return 0;
}

static int init_vcpu(const struct trial_vm *vm, uint64_t rounds)
{
	struct kvm_vcpu_init init;
	int rc;

	if (ioctl(vm->vm_fd, KVM_ARM_PREFERRED_TARGET, &init) < 0)
		return fail_errno("KVM_ARM_PREFERRED_TARGET");
	init.features[0] |= BIT(KVM_ARM_VCPU_PSCI_0_2);
	if (ioctl(vm->vcpu_fd, KVM_ARM_VCPU_INIT, &init) < 0)
		return fail_errno("KVM_ARM_VCPU_INIT");
	rc = set_register(vm->vcpu_fd, CORE_REG(regs.pc), TRIAL_CODE);
	if (rc < 0)
		return rc;
	return set_register(vm->vcpu_fd, CORE_REG(regs.regs[0]), rounds);
}

int trial_vm_new(int kvm_fd, const struct kvm_cpuid2 *cpuid,
		 const struct trial *trial, struct trial_vm *ret_vm)
{
	struct trial_vm vm = {.vm_fd = -1, .vcpu_fd = -1};
	int rc;

	(void)cpuid; /* x86 has it */
	vm.vm_fd = ioctl(kvm_fd, KVM_CREATE_VM, kvm_type_usual(kvm_fd));
	if (vm.vm_fd < 0)
		return fail_errno("KVM_CREATE_VM");
	rc = add_memory(&vm);
	if (rc == 0)
		rc = trial_vm_add_vcpu(&vm, kvm_fd);
	if (rc == 0)
		rc = init_vcpu(&vm, trial->rounds);
	if (rc < 0) {
		trial_vm_fini(&vm);
		return rc;
	}
	*ret_vm = vm;
	return 0;
}
