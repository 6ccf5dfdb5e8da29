/*
 * What differs for arm64 (api.rst, and devices/arm-vgic-v3.rst,
 * arm-vgic-its.rst): the address size is a part of the VM's type, the interrupt
 * controller is two devices that are configured and then finished, and vCPUs
 * are initialised with a set of features.
 */
#include <inttypes.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/resource.h>

#include "base/checked.h"
#include "base/cleanup.h"
#include "hv/boot_state_arm64.h"
#include "hv/gic_arm64.h"
#include "hv/kvm_internal.h"
#include "hv/pkvm_android_arm64.h"

/*
 * Documentation/virt/kvm/arm/pkvm.rst of Linux 7.2; older headers do not have
 * it. A kernel without pKVM takes it for an impossible address size.
 */
#define VM_TYPE_PROTECTED (1UL << 31)

/* Interrupt ids: private ones, our lines, and those of MSIs without an ITS. */
#define N_IRQS (HV_GIC_FRAME_FIRST + HV_GIC_FRAME_COUNT)

/* KVM takes no smaller address space. */
#define MIN_ADDRESS_BITS 32U

#define CORE_REG(field)                                        \
	(KVM_REG_ARM64 | KVM_REG_SIZE_U64 | KVM_REG_ARM_CORE | \
	 KVM_REG_ARM_CORE_REG(field))

/* Bits that an address needs, rounded up to what KVM accepts. */
static unsigned int bits_of(uint64_t address)
{
	unsigned int bits = MIN_ADDRESS_BITS;

	while (bits < 64 && address >> bits)
		bits++;
	return bits;
}

/* A protected VM's memory is pinned, and pinned memory is charged to the
 * process: a fault of the guest that goes beyond its limit would end the VM. */
static int check_pinning(uint64_t size)
{
	struct rlimit limit;

	if (getrlimit(RLIMIT_MEMLOCK, &limit) < 0)
		return fail_errno("RLIMIT_MEMLOCK");
	if (limit.rlim_cur == RLIM_INFINITY || limit.rlim_cur >= size)
		return 0;
	return fail(AVF_ERR_LIMIT,
		    "memory_mib: a protected VM locks its memory, %" PRIu64
		    " MiB, and the limit of locked memory is %" PRIu64
		    " MiB; raise it (RLIMIT_MEMLOCK, ulimit -l)",
		    size >> 20, (uint64_t)limit.rlim_cur >> 20);
}

int kvm_arch_vm_type(int kvm_fd, const struct kvm_params *params,
		     unsigned long *ret_type)
{
	const unsigned int bits = bits_of(params->memory_end - 1);
	int limit = ioctl(kvm_fd, KVM_CHECK_EXTENSION, KVM_CAP_ARM_VM_IPA_SIZE);
	/* without the capability a guest has 40 bits */
	const unsigned int most = limit > 0 ? (unsigned int)limit : 40U;
	unsigned long type = 0;
	int rc;

	if (bits > most)
		return fail(AVF_ERR_LIMIT,
			    "memory_mib: memory up to 0x%" PRIx64 " needs %u "
			    "bits of address and this host's KVM gives a VM "
			    "%u; give it less",
			    params->memory_end, bits, most);
	if (limit > 0)
		type = KVM_VM_TYPE_ARM_IPA_SIZE(bits);
	if (params->is_protected) {
		rc = check_pinning(params->memory_size);
		if (rc < 0)
			return rc;
		type |= VM_TYPE_PROTECTED;
	}
	*ret_type = type;
	return 0;
}

/* Asked of the VM: a protected one has less. */
static bool has(const struct kvm_vm *vm, unsigned long cap)
{
	return ioctl(vm->fd, KVM_CHECK_EXTENSION, cap) > 0;
}

/*
 * A CPU describes an access to a device that moves one register (Arm ARM, ISS
 * encoding for a Data Abort). For any other one KVM_RUN fails, unless we say
 * that we want it: kvm_arch_decode() gives it back to the guest. A kernel that
 * cannot do both keeps its failure, which ends the VM.
 */
static int ask_for_odd_accesses(struct kvm_vm *vm)
{
	const struct kvm_enable_cap cap = {.cap = KVM_CAP_ARM_NISV_TO_USER};

	if (!has(vm, KVM_CAP_ARM_NISV_TO_USER) ||
	    !has(vm, KVM_CAP_ARM_INJECT_EXT_DABT))
		return 0;
	if (ioctl(vm->fd, KVM_ENABLE_CAP, &cap) < 0)
		return fail_errno("KVM_CAP_ARM_NISV_TO_USER");
	return 0;
}

int kvm_arch_init_vm(struct kvm_vm *vm, int kvm_fd)
{
	int rc = pkvm_android_init(vm, &vm->firmware_entry);

	(void)kvm_fd;
	/* how much that is, only the VM tells */
	if (rc == 0 && vm->firmware_size > 0)
		rc = check_pinning(vm->memory_size + vm->firmware_size);
	return rc < 0 ? rc : ask_for_odd_accesses(vm);
}

void kvm_arch_fini_vm(struct kvm_vm *vm)
{
	pkvm_android_fini(vm);
	close_p(&vm->gic_fd);
	close_p(&vm->its_fd);
}

/* @what names the step in the error: the ioctl is the same for all. */
static int set_attr(int fd, uint32_t group, uint64_t attr, const void *value,
		    const char *what)
{
	const struct kvm_device_attr request = {
		.group = group,
		.attr = attr,
		.addr = (uintptr_t)value,
	};

	if (ioctl(fd, KVM_SET_DEVICE_ATTR, &request) < 0)
		return fail_errno("%s", what);
	return 0;
}

static int create_device(struct kvm_vm *vm, uint32_t type, const char *what,
			 int *ret_fd)
{
	struct kvm_create_device request = {.type = type};

	if (ioctl(vm->fd, KVM_CREATE_DEVICE, &request) < 0)
		return fail_errno("%s", what);
	*ret_fd = (int)request.fd;
	return 0;
}

/* The translation service of MSIs, except for protected VMs. */
static int add_its(struct kvm_vm *vm)
{
	const uint64_t base = HV_GIC_ITS_BASE;
	int rc = create_device(vm, KVM_DEV_TYPE_ARM_VGIC_ITS, "GIC ITS",
			       &vm->its_fd);

	if (rc == 0)
		rc = set_attr(vm->its_fd, KVM_DEV_ARM_VGIC_GRP_ADDR,
			      KVM_VGIC_ITS_ADDR_TYPE, &base, "GIC ITS address");
	if (rc == 0)
		rc = set_attr(vm->its_fd, KVM_DEV_ARM_VGIC_GRP_CTRL,
			      KVM_DEV_ARM_VGIC_CTRL_INIT, NULL, "GIC ITS");
	return rc;
}

/*
 * The vGIC is created before the vCPUs and finished after them, by
 * kvm_arch_start(). The ITS has no part per vCPU and is finished at once.
 */
int kvm_arch_add_irq_chip(struct hv *hv)
{
	const uint64_t dist = HV_GIC_DIST_BASE, redist = HV_GIC_REDIST_BASE;
	const uint32_t n_irqs = N_IRQS;
	struct kvm_vm *vm = to_kvm_vm(hv);
	int rc = create_device(vm, KVM_DEV_TYPE_ARM_VGIC_V3, "GICv3",
			       &vm->gic_fd);

	if (rc == 0)
		rc = set_attr(vm->gic_fd, KVM_DEV_ARM_VGIC_GRP_ADDR,
			      KVM_VGIC_V3_ADDR_TYPE_DIST, &dist, "GICv3 dist");
	if (rc == 0)
		rc = set_attr(vm->gic_fd, KVM_DEV_ARM_VGIC_GRP_ADDR,
			      KVM_VGIC_V3_ADDR_TYPE_REDIST, &redist,
			      "GICv3 redist");
	if (rc == 0)
		rc = set_attr(vm->gic_fd, KVM_DEV_ARM_VGIC_GRP_NR_IRQS, 0,
			      &n_irqs, "GICv3 interrupts");
	return rc < 0 || vm->is_protected ? rc : add_its(vm);
}

/* The controller has a part per vCPU, so it is finished when all exist. Both
 * devices live as long as the VM does; nobody sets them up any more. */
int kvm_arch_start(struct kvm_vm *vm)
{
	int rc = set_attr(vm->gic_fd, KVM_DEV_ARM_VGIC_GRP_CTRL,
			  KVM_DEV_ARM_VGIC_CTRL_INIT, NULL, "GICv3");

	close_p(&vm->gic_fd);
	close_p(&vm->its_fd);
	return rc;
}

void kvm_arch_route_line(unsigned int line,
			 struct kvm_irq_routing_entry *ret_entry)
{
	memset(ret_entry, 0, sizeof(*ret_entry));
	ret_entry->gsi = line;
	ret_entry->type = KVM_IRQ_ROUTING_IRQCHIP;
	ret_entry->u.irqchip.pin = line;
}

/*
 * The ITS translates by device. A message for the frame is an interrupt like a
 * line's; one that names no interrupt of the frame's stays a message, which KVM
 * gives to nobody.
 */
void kvm_arch_route_msi(const struct hv_msi *msi,
			struct kvm_irq_routing_entry *entry)
{
	const uint32_t gsi = entry->gsi;

	if (msi->addr == HV_GIC_FRAME_DOORBELL &&
	    msi->data - HV_GIC_FRAME_FIRST < HV_GIC_FRAME_COUNT) {
		kvm_arch_route_line(msi->data - HV_GIC_FIRST_SPI, entry);
		entry->gsi = gsi;
		return;
	}
	entry->flags = KVM_MSI_VALID_DEVID;
	entry->u.msi.devid = msi->device;
}

static void set_feature(struct kvm_vcpu_init *init, unsigned int feature)
{
	init->features[feature / 32] |= BIT(feature % 32);
}

int kvm_arch_init_vcpu(struct kvm_vcpu *v)
{
	const struct kvm_vm *vm = to_kvm_vm(v->vcpu.hv);
	const int sve = KVM_ARM_VCPU_SVE;
	struct kvm_vcpu_init init;

	if (ioctl(vm->fd, KVM_ARM_PREFERRED_TARGET, &init) < 0)
		return fail_errno("KVM_ARM_PREFERRED_TARGET");
	set_feature(&init, KVM_ARM_VCPU_PSCI_0_2);
	/* secondary CPUs wait for PSCI's CPU_ON (POWER_OFF: not running yet) */
	if (v->index > 0)
		set_feature(&init, KVM_ARM_VCPU_POWER_OFF);
	/* all vCPUs alike: KVM refuses a VM whose vCPUs differ */
	if (has(vm, KVM_CAP_ARM_PTRAUTH_ADDRESS) &&
	    has(vm, KVM_CAP_ARM_PTRAUTH_GENERIC)) {
		set_feature(&init, KVM_ARM_VCPU_PTRAUTH_ADDRESS);
		set_feature(&init, KVM_ARM_VCPU_PTRAUTH_GENERIC);
	}
	if (has(vm, KVM_CAP_ARM_SVE))
		set_feature(&init, KVM_ARM_VCPU_SVE);
	if (ioctl(v->fd, KVM_ARM_VCPU_INIT, &init) < 0)
		return fail_errno("vCPU %u: KVM_ARM_VCPU_INIT", v->index);
	/* SVE is settled before the first run, and not changeable after */
	if (has(vm, KVM_CAP_ARM_SVE) &&
	    ioctl(v->fd, KVM_ARM_VCPU_FINALIZE, &sve) < 0)
		return fail_errno("vCPU %u: KVM_ARM_VCPU_FINALIZE", v->index);
	return 0;
}

/*
 * An access without a description, to where no memory is: the guest takes the
 * external abort that a bus gives for what it does not do. What follows is the
 * guest's affair, and costs it an exit each time.
 */
static int inject_abort(struct kvm_vcpu *v)
{
	const struct kvm_vcpu_events events = {
		.exception.ext_dabt_pending = 1,
	};

	if (ioctl(v->fd, KVM_SET_VCPU_EVENTS, &events) < 0)
		return fail_errno(
			"vCPU %u: external abort at 0x%llx", v->index,
			(unsigned long long)v->run->arm_nisv.fault_ipa);
	return 0;
}

bool kvm_arch_decode(struct kvm_vcpu *v, struct hv_exit *e)
{
	if (v->run->exit_reason != KVM_EXIT_ARM_NISV)
		return false;
	if (inject_abort(v) == 0)
		e->kind = HV_EXIT_INTERRUPTED; /* nothing to do; go on */
	return true;
}

static int set_register(struct kvm_vcpu *v, uint64_t id, uint64_t value)
{
	const struct kvm_one_reg reg = {.id = id, .addr = (uintptr_t)&value};

	if (ioctl(v->fd, KVM_SET_ONE_REG, &reg) < 0)
		return fail_errno("vCPU %u: KVM_SET_ONE_REG", v->index);
	return 0;
}

/*
 * All else is as KVM_ARM_VCPU_INIT leaves it: EL1, masked, MMU off. A firmware
 * gets to know the kernel that it is to check: by these registers, or in newer
 * ones by /config of the device tree.
 */
int kvm_arch_set_boot_state(struct hv_vcpu *vcpu,
			    const struct hv_boot_state *state)
{
	struct kvm_vcpu *v = to_kvm_vcpu(vcpu);
	const uint64_t firmware = to_kvm_vm(vcpu->hv)->firmware_entry;
	int rc = set_register(v, CORE_REG(regs.pc),
			      firmware ? firmware : state->entry);

	if (rc == 0)
		rc = set_register(v, CORE_REG(regs.regs[0]), state->fdt);
	if (rc < 0 || firmware == 0)
		return rc;
	rc = set_register(v, CORE_REG(regs.regs[1]), state->entry);
	if (rc < 0)
		return rc;
	return set_register(v, CORE_REG(regs.regs[2]), state->kernel_size);
}
