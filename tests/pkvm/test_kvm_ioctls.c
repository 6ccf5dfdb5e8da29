/*
 * What KVM on arm64 is asked for, and what becomes of its answers: ioctl() is
 * this test's. So kernels can be tried that are not at hand, as Android's.
 */
#include <errno.h>
#include <fcntl.h>
#include <linux/kvm.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/fd.h"
#include "base/protected_vm.h"
#include "hv/boot_state_arm64.h"
#include "hv/gic_arm64.h"
#include "hv/kvm_internal.h"
#include "hv/pkvm_android_arm64.h"
#include "kvmprobe/kvmprobe.h"
#include "kvmprobe/trial_arm64.h"
#include "probe/probe.h"
#include "support/vm_harness.h"

#define GIB           (1ULL << 30)
#define RAM           (2 * GIB)
#define SMALL         (4ULL << 20) /* what everybody may lock */
#define PROTECTED     (1UL << 31)
#define FIRMWARE_BASE 0x7fc00000ULL
#define VCPU_SIZE     8192 /* bytes of a vCPU's shared page */
#define ODD_VCPU      1    /* the descriptor of odd_accesses()'s */
#define REGISTER(n)                                            \
	(KVM_REG_ARM64 | KVM_REG_SIZE_U64 | KVM_REG_ARM_CORE | \
	 KVM_REG_ARM_CORE_REG(regs.regs[n]))
#define PC                                                     \
	(KVM_REG_ARM64 | KVM_REG_SIZE_U64 | KVM_REG_ARM_CORE | \
	 KVM_REG_ARM_CORE_REG(regs.pc))

/* The kernel: what it has, and what it was asked for. */
static struct {
	int address_bits; /* 0: it does not say */
	bool is_android;
	uint64_t firmware_size;
	long page_size;
	bool has_odd_accesses;
	bool has_sve, has_pauth;
	int n_interrupted;   /* KVM_CREATE_VM, before it succeeds */
	unsigned long fail;  /* the request that fails */
	uint32_t fail_flags; /* of KVM_ENABLE_CAP */
	int fail_errno;      /* and how */
	unsigned long type;  /* of the VM */
	unsigned int n_created, n_infos, n_odd, n_slots, n_finalized, n_aborts;
	uint64_t firmware_at;
	struct kvm_userspace_memory_region slot;
	struct kvm_vcpu_init init;
	uint64_t pc, x0, x1, x2;
	uint32_t exit_reason;
	unsigned int n_steps; /* that the trial guest has told of */
} host;

static struct kvm_run run_page;

static int check_extension(unsigned long cap)
{
	switch (cap) {
	case KVM_CAP_ARM_VM_IPA_SIZE:
		return host.address_bits;
	case PKVM_ANDROID_CAP:
		return host.is_android;
	case KVM_CAP_ARM_NISV_TO_USER:
	case KVM_CAP_ARM_INJECT_EXT_DABT:
		return host.has_odd_accesses;
	case KVM_CAP_ARM_SVE:
		return host.has_sve;
	case KVM_CAP_ARM_PTRAUTH_ADDRESS:
	case KVM_CAP_ARM_PTRAUTH_GENERIC:
		return host.has_pauth;
	default:
		return 1;
	}
}

static int enable_cap(const struct kvm_enable_cap *cap)
{
	if (cap->cap == KVM_CAP_ARM_NISV_TO_USER) {
		host.n_odd++;
		return 0;
	}
	CHECK(cap->cap == (uint32_t)PKVM_ANDROID_CAP && host.is_android);
	CHECK(cap->args[1] == 0 && cap->args[2] == 0 && cap->args[3] == 0);
	if (cap->flags == 1) {
		host.n_infos++;
		*(uint64_t *)(uintptr_t)cap->args[0] = host.firmware_size;
	} else {
		CHECK(cap->flags == 0);
		host.firmware_at = cap->args[0];
	}
	return 0;
}

static int set_register(const struct kvm_one_reg *reg)
{
	const uint64_t value = *(const uint64_t *)(uintptr_t)reg->addr;

	if (reg->id == PC)
		host.pc = value;
	else if (reg->id == REGISTER(0))
		host.x0 = value;
	else if (reg->id == REGISTER(1))
		host.x1 = value;
	else if (reg->id == REGISTER(2))
		host.x2 = value;
	else
		vmt_fail(__FILE__, __LINE__, "another register");
	return 0;
}

/* As KVM does it: a type without a size means 40 bits, also where that is more
 * than there are. */
static int create_vm(unsigned long type)
{
	const unsigned long asked = KVM_VM_TYPE_ARM_IPA_SIZE(type);
	const int bits = asked ? (int)asked : 40;

	host.n_created++;
	host.type = type;
	if (host.address_bits > 0 && bits > host.address_bits) {
		errno = EINVAL;
		return -1;
	}
	if (host.n_interrupted-- > 0) {
		errno = EINTR;
		return -1;
	}
	return dup(STDOUT_FILENO); /* the VM closes it */
}

/* A vCPU whose shared page the caller maps; KVM_RUN writes to it. */
static int create_vcpu(void)
{
	int fd = memfd_create("vcpu", MFD_CLOEXEC);

	CHECK(fd >= 0 && ftruncate(fd, VCPU_SIZE) == 0);
	return fd;
}

/* The trial guest, as it would come back: BEGIN, then DONE. */
static int run_trial(int fd)
{
	const struct kvm_run exits = {
		.exit_reason = KVM_EXIT_MMIO,
		.mmio = {.phys_addr = TRIAL_PORT_STEP,
			 .data = {host.n_steps++ % 2 ? TRIAL_STEP_DONE
						     : TRIAL_STEP_BEGIN},
			 .len = 1,
			 .is_write = 1},
	};

	return pwrite(fd, &exits, sizeof(exits), 0) == sizeof(exits) ? 0 : -1;
}

int __wrap_ioctl(int fd, unsigned long request, ...);
long __wrap_sysconf(int name);
long __real_sysconf(int name);

long __wrap_sysconf(int name)
{
	return name == _SC_PAGESIZE ? host.page_size : __real_sysconf(name);
}

int __wrap_ioctl(int fd, unsigned long request, ...)
{
	va_list args;
	void *arg;

	va_start(args, request);
	arg = va_arg(args, void *);
	va_end(args);
	if (request == host.fail &&
	    (request != KVM_ENABLE_CAP ||
	     ((struct kvm_enable_cap *)arg)->flags == host.fail_flags)) {
		errno = host.fail_errno;
		return -1;
	}
	switch (request) {
	case KVM_GET_API_VERSION:
		return 12;
	case KVM_CHECK_EXTENSION:
		return check_extension((unsigned long)arg);
	case KVM_GET_VCPU_MMAP_SIZE:
		return VCPU_SIZE;
	case KVM_CREATE_VM:
		return create_vm((unsigned long)arg);
	case KVM_CREATE_VCPU:
		return create_vcpu();
	case KVM_CREATE_DEVICE:
		return 0;
	case KVM_ENABLE_CAP:
		return enable_cap(arg);
	case KVM_SET_USER_MEMORY_REGION:
		host.n_slots++;
		host.slot = *(struct kvm_userspace_memory_region *)arg;
		return 0;
	case KVM_ARM_PREFERRED_TARGET:
		memset(arg, 0, sizeof(struct kvm_vcpu_init));
		return 0;
	case KVM_ARM_VCPU_INIT:
		host.init = *(struct kvm_vcpu_init *)arg;
		return 0;
	case KVM_ARM_VCPU_FINALIZE:
		host.n_finalized++;
		return 0;
	case KVM_SET_ONE_REG:
		return set_register(arg);
	case KVM_SET_VCPU_EVENTS:
		CHECK(((struct kvm_vcpu_events *)arg)
			      ->exception.ext_dabt_pending == 1);
		host.n_aborts++;
		return 0;
	case KVM_RUN:
		if (fd != ODD_VCPU)
			return run_trial(fd);
		run_page.exit_reason = host.exit_reason;
		return 0;
	default:
		vmt_fail(__FILE__, __LINE__, "request 0x%lx", request);
		return -1;
	}
}

/* --- VMs -------------------------------------------------------------- */

static void new_host(void)
{
	memset(&host, 0, sizeof(host));
	host.address_bits = 40;
	host.page_size = 4096;
}

static int make(struct hv **ret_hv, bool is_protected, uint64_t end)
{
	const struct kvm_params params = {
		.memory_size = end - RAM,
		.memory_end = end,
		.is_protected = is_protected,
	};

	return kvm_new(STDIN_FILENO, &params, ret_hv);
}

/* One that the other half of a test needs. */
static struct hv *made(bool is_protected)
{
	struct hv *hv;

	if (make(&hv, is_protected, RAM + SMALL) == 0)
		return hv;
	printf("not ok no VM: %s\n", error_record()->text);
	exit(1);
}

static void expect_failure(int rc, int wanted, const char *part)
{
	if (rc != wanted || !strstr(error_record()->text, part))
		vmt_fail(__FILE__, __LINE__, "%d, not %d: \"%s\"", rc, wanted,
			 error_record()->text);
}

static void set_boot_state(struct hv *hv)
{
	const struct hv_boot_state state = {
		.entry = 0x80200000,
		.kernel_size = 0x345678,
		.fdt = 0x80000000,
	};
	struct kvm_vcpu v = {.vcpu.hv = hv, .fd = 1};

	CHECK(hv->ops->vcpu_set_boot_state(&v.vcpu, &state) == 0);
	CHECK(host.x0 == state.fdt);
}

/* --- the tests -------------------------------------------------------- */

static void types_of_vms(void)
{
	static const struct {
		bool is_protected;
		int bits; /* that the host gives */
		uint64_t end;
		unsigned long type;
	} rows[] = {
		{false, 40, RAM + GIB, 32},
		{false, 40, 4 * GIB, 32},
		{false, 40, 4 * GIB + 1, 33},
		{false, 48, 256 * GIB, 38},
		{false, 0, 1024 * GIB, 0},
		{true, 40, RAM + SMALL, PROTECTED | 32},
		{true, 0, RAM + SMALL, PROTECTED},
	};
	struct hv *hv;

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		new_host();
		host.address_bits = rows[i].bits;
		if (make(&hv, rows[i].is_protected, rows[i].end) < 0) {
			vmt_fail(__FILE__, __LINE__, "row %zu: %s", i,
				 error_record()->text);
			continue;
		}
		if (host.type != rows[i].type)
			vmt_fail(__FILE__, __LINE__, "row %zu: type 0x%lx", i,
				 host.type);
		hv->ops->free(hv);
	}
}

static void memory_beyond_the_addresses(void)
{
	struct hv *hv;

	new_host();
	expect_failure(make(&hv, false, 1024 * GIB + 1), AVF_ERR_LIMIT,
		       "memory_mib: ");
	CHECK(strstr(error_record()->text, "41 bits") &&
	      strstr(error_record()->text, "a VM 40; give it less"));
	host.address_bits = 36;
	expect_failure(make(&hv, false, 65 * GIB), AVF_ERR_LIMIT, "a VM 36;");
	host.address_bits = 0;
	expect_failure(make(&hv, false, 1025 * GIB), AVF_ERR_LIMIT, "a VM 40;");
	CHECK(host.n_created == 0);
}

/* A signal that comes while a hypervisor prepares a VM. */
static void interrupted(void)
{
	struct hv *hv;

	new_host();
	host.n_interrupted = 3;
	hv = made(true);
	CHECK(host.n_created == 4);
	hv->ops->free(hv);
}

static void no_protected_vms(void)
{
	struct hv *hv;

	new_host();
	host.fail = KVM_CREATE_VM;
	host.fail_errno = EINVAL;
	expect_failure(make(&hv, true, RAM + SMALL), AVF_ERR_UNSUPPORTED,
		       "no protected VMs (see `avf info`)");
	expect_failure(make(&hv, false, RAM + SMALL), AVF_ERR_IO,
		       "KVM_CREATE_VM");
	host.fail_errno = ENOMEM;
	expect_failure(make(&hv, true, RAM + SMALL), AVF_ERR_NO_MEMORY,
		       "KVM_CREATE_VM");
}

static void too_little_may_be_locked(void)
{
	struct rlimit before, little;
	struct hv *hv;

	new_host();
	CHECK(getrlimit(RLIMIT_MEMLOCK, &before) == 0);
	little = before;
	little.rlim_cur = SMALL - 1;
	CHECK(setrlimit(RLIMIT_MEMLOCK, &little) == 0);
	expect_failure(make(&hv, true, RAM + SMALL), AVF_ERR_LIMIT,
		       "memory_mib: a protected VM locks its memory, 4 MiB, "
		       "and the limit of locked memory is 3 MiB; raise it");
	CHECK(host.n_created == 0);
	hv = made(false);
	hv->ops->free(hv);
	CHECK(setrlimit(RLIMIT_MEMLOCK, &before) == 0);
}

/* The firmware's pages are locked like the guest's. */
static void too_little_for_the_firmware(void)
{
	struct rlimit before, little;
	struct hv *hv;

	new_host();
	host.is_android = true;
	host.firmware_size = 0x200000;
	CHECK(getrlimit(RLIMIT_MEMLOCK, &before) == 0);
	little = before;
	little.rlim_cur = SMALL + host.firmware_size - 1;
	CHECK(setrlimit(RLIMIT_MEMLOCK, &little) == 0);
	expect_failure(make(&hv, true, RAM + SMALL), AVF_ERR_LIMIT,
		       "memory_mib: a protected VM locks its memory, 6 MiB, "
		       "and the limit of locked memory is 5 MiB; raise it");
	little.rlim_cur++;
	CHECK(setrlimit(RLIMIT_MEMLOCK, &little) == 0);
	hv = made(true);
	hv->ops->free(hv);
	CHECK(setrlimit(RLIMIT_MEMLOCK, &before) == 0);
}

/* Upstream's has no firmware: the VM begins with the kernel. */
static void upstream(void)
{
	struct hv *hv;

	new_host();
	hv = made(true);
	set_boot_state(hv);
	CHECK(host.n_infos == 0 && host.n_slots == 0);
	CHECK(host.pc == 0x80200000 && host.x1 == 0 && host.x2 == 0);
	hv->ops->free(hv);
}

/* Android's, with pvmfw: a slot for it, and the VM begins there. */
static void android_with_firmware(void)
{
	static const struct {
		long page;
		uint64_t size, slot;
	} rows[] = {
		{4096, 0x200000, 0x200000},  {4096, 0x400000, 0x400000},
		{4096, 1, 0x1000},           {4096, 0x1001, 0x2000},
		{16384, 1, 0x4000},          {16384, 0x4001, 0x8000},
		{65536, 1, 0x10000},         {65536, 0x10001, 0x20000},
		{65536, 0x3f0001, 0x400000},
	};
	struct hv *hv;

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		new_host();
		host.is_android = true;
		host.page_size = rows[i].page;
		host.firmware_size = rows[i].size;
		hv = made(true);
		CHECK(host.n_slots == 1 &&
		      host.slot.guest_phys_addr == FIRMWARE_BASE);
		CHECK(host.slot.memory_size == rows[i].slot &&
		      host.slot.userspace_addr != 0);
		CHECK(host.firmware_at == FIRMWARE_BASE);
		set_boot_state(hv);
		CHECK(host.pc == FIRMWARE_BASE);
		CHECK(host.x1 == 0x80200000 && host.x2 == 0x345678);
		hv->ops->free(hv);
	}
}

static void android_without_firmware(void)
{
	struct hv *hv;

	new_host();
	host.is_android = true;
	hv = made(true);
	set_boot_state(hv);
	CHECK(host.n_infos == 1 && host.n_slots == 0 && host.firmware_at == 0);
	CHECK(host.pc == 0x80200000);
	hv->ops->free(hv);
	/* and for other VMs it means nothing */
	new_host();
	host.is_android = true;
	host.firmware_size = 0x200000;
	hv = made(false);
	CHECK(host.n_infos == 0 && host.n_slots == 0);
	hv->ops->free(hv);
}

static void android_that_refuses(void)
{
	struct hv *hv;

	new_host();
	host.is_android = true;
	host.firmware_size = 0x400001;
	expect_failure(make(&hv, true, RAM + SMALL), AVF_ERR_LIMIT,
		       "pvmfw of 4194305 bytes");
	host.firmware_size = UINT64_MAX;
	expect_failure(make(&hv, true, RAM + SMALL), AVF_ERR_LIMIT, "pvmfw of");
	host.firmware_size = 0x200000;
	host.fail = KVM_ENABLE_CAP;
	host.fail_errno = EINVAL;
	host.fail_flags = 1;
	expect_failure(make(&hv, true, RAM + SMALL), AVF_ERR_IO,
		       "size of pvmfw");
	host.fail_flags = 0;
	expect_failure(make(&hv, true, RAM + SMALL), AVF_ERR_IO,
		       "address of pvmfw");
	host.fail = KVM_SET_USER_MEMORY_REGION;
	expect_failure(make(&hv, true, RAM + SMALL), AVF_ERR_IO, "memory slot");
}

static struct hv_exit run(struct hv *hv)
{
	struct kvm_vcpu v = {.vcpu.hv = hv, .fd = ODD_VCPU, .run = &run_page};
	struct hv_exit e;

	kvm_vcpu_run(&v.vcpu, &e);
	return e;
}

static void odd_accesses(void)
{
	struct hv *hv;

	new_host();
	hv = made(false);
	CHECK(host.n_odd == 0);
	hv->ops->free(hv);
	new_host();
	host.has_odd_accesses = true;
	hv = made(false);
	CHECK(host.n_odd == 1);
	host.exit_reason = KVM_EXIT_ARM_NISV;
	CHECK(run(hv).kind == HV_EXIT_INTERRUPTED && host.n_aborts == 1);
	host.fail = KVM_SET_VCPU_EVENTS;
	host.fail_errno = EINVAL;
	CHECK(run(hv).kind == HV_EXIT_FAILED);
	CHECK(strstr(error_record()->text, "external abort"));
	host.fail = KVM_RUN;
	host.fail_errno = ENOSYS;
	CHECK(run(hv).kind == HV_EXIT_FAILED);
	CHECK(strstr(error_record()->text, "neither carry out nor refuse"));
	hv->ops->free(hv);
	/* a kernel that says it can and cannot */
	host.fail = KVM_ENABLE_CAP;
	host.fail_errno = EINVAL;
	expect_failure(make(&hv, false, RAM + SMALL), AVF_ERR_IO,
		       "NISV_TO_USER");
}

/* The guest writes address and data. Only the interrupts of the frame are
 * reached by its doorbell; all else is for the ITS. */
static void messages(void)
{
	static const struct {
		struct hv_msi msi;
		uint32_t type;
		uint32_t pin; /* of an interrupt: counted from the first SPI */
	} rows[] = {
		{{HV_GIC_FRAME_DOORBELL, 63, 8}, KVM_IRQ_ROUTING_MSI, 0},
		{{HV_GIC_FRAME_DOORBELL, 64, 8}, KVM_IRQ_ROUTING_IRQCHIP, 32},
		{{HV_GIC_FRAME_DOORBELL, 191, 8}, KVM_IRQ_ROUTING_IRQCHIP, 159},
		{{HV_GIC_FRAME_DOORBELL, 192, 8}, KVM_IRQ_ROUTING_MSI, 0},
		{{HV_GIC_FRAME_DOORBELL, 0, 8}, KVM_IRQ_ROUTING_MSI, 0},
		{{HV_GIC_FRAME_DOORBELL, UINT32_MAX, 8},
		 KVM_IRQ_ROUTING_MSI,
		 0},
		{{HV_GIC_FRAME_DOORBELL + 4, 64, 8}, KVM_IRQ_ROUTING_MSI, 0},
		{{HV_GIC_FRAME_DOORBELL + (1ULL << 32), 64, 8},
		 KVM_IRQ_ROUTING_MSI,
		 0},
	};

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct kvm_irq_routing_entry e = {
			.gsi = 7,
			.type = KVM_IRQ_ROUTING_MSI,
		};
		bool is_right;

		kvm_arch_route_msi(&rows[i].msi, &e);
		if (e.type == KVM_IRQ_ROUTING_MSI)
			is_right = e.flags == KVM_MSI_VALID_DEVID &&
				   e.u.msi.devid == rows[i].msi.device;
		else
			is_right =
				e.flags == 0 && e.u.irqchip.pin == rows[i].pin;
		if (e.type != rows[i].type || e.gsi != 7 || !is_right)
			vmt_fail(__FILE__, __LINE__, "row %zu", i);
	}
}

static bool asked_for(unsigned int feature)
{
	return host.init.features[feature / 32] >> feature % 32 & 1;
}

/* Both or none of the parts of pointer authentication, and SVE finished. */
static void features_of_vcpus(void)
{
	struct kvm_vcpu v = {.fd = 1, .index = 1};
	struct hv *hv;

	for (int i = 0; i < 4; i++) {
		new_host();
		host.has_sve = i & 1;
		host.has_pauth = i & 2;
		hv = made(false);
		v.vcpu.hv = hv;
		CHECK(kvm_arch_init_vcpu(&v) == 0);
		CHECK(asked_for(KVM_ARM_VCPU_SVE) == host.has_sve);
		CHECK(asked_for(KVM_ARM_VCPU_PTRAUTH_ADDRESS) ==
		      host.has_pauth);
		CHECK(asked_for(KVM_ARM_VCPU_PTRAUTH_GENERIC) ==
		      host.has_pauth);
		CHECK(asked_for(KVM_ARM_VCPU_PSCI_0_2));
		CHECK(asked_for(KVM_ARM_VCPU_POWER_OFF));
		CHECK(host.n_finalized == (host.has_sve ? 1 : 0));
		hv->ops->free(hv);
	}
}

/* What the probe's process says of this KVM. */
static void ask_kvm(char *ret_text, size_t size)
{
	int fds[2];
	ssize_t n = 0;

	CHECK(pipe(fds) == 0);
	CHECK(kvm_probe_device("/dev/null", fds[1]) == 0);
	(void)close(fds[1]);
	n = fd_read_all(fds[0], ret_text, size - 1);
	CHECK(n >= 0);
	ret_text[n < 0 ? 0 : n] = '\0';
	(void)close(fds[0]);
}

/* CPUs of fewer than 40 bits: the usual type of VM is none of theirs. */
static void hosts_of_few_addresses(void)
{
	static const int bits[] = {0, 32, 36, 39, 40, 48};
	static const char *const rows[] = {"kvm.vm\tyes", "kvm.vcpu\tyes"};
	char text[2048];

	for (size_t i = 0; i < sizeof(bits) / sizeof(bits[0]); i++) {
		new_host();
		host.address_bits = bits[i];
		ask_kvm(text, sizeof(text));
		for (size_t k = 0; k < sizeof(rows) / sizeof(rows[0]); k++) {
			if (!strstr(text, rows[k]))
				vmt_fail(__FILE__, __LINE__, "%d bits: %s",
					 bits[i], text);
		}
		if (protected_vm_find("/dev/null", text, sizeof(text)) !=
		    PROTECTED_VM_PKVM)
			vmt_fail(__FILE__, __LINE__, "%d bits: %s", bits[i],
				 text);
	}
}

/* A tree with a /dev/kvm, for the probe to look into. */
static const char *make_root(void)
{
	static char root[] = "/tmp/kvm_ioctls.XXXXXX";
	char path[64];

	CHECK(mkdtemp(root) != NULL);
	(void)snprintf(path, sizeof(path), "%s/dev", root);
	CHECK(mkdir(path, 0700) == 0);
	(void)snprintf(path, sizeof(path), "%s/dev/kvm", root);
	CHECK(symlink("/dev/null", path) == 0);
	return root;
}

static void remove_root(const char *root)
{
	char path[64];

	(void)snprintf(path, sizeof(path), "%s/dev/kvm", root);
	CHECK(unlink(path) == 0);
	(void)snprintf(path, sizeof(path), "%s/dev", root);
	CHECK(rmdir(path) == 0 && rmdir(root) == 0);
}

/* -1: there is no such row. */
static int state_of(const struct avf_probe *probe, const char *what)
{
	const struct probe_row *row = probe_find(probe, what);

	return row ? (int)row->state : -1;
}

/* The kind is told by the VM, what it guarantees only where that was seen. */
static void kinds_of_protected_vms(void)
{
	static const struct {
		bool refuses, is_android;
		enum protected_vm_kind kind;
		const char *reason;
		int is, memory, dma; /* states of rows; -1: none */
	} rows[] = {
		{false, false, PROTECTED_VM_PKVM, "pKVM of the Linux kernel",
		 AVF_PROBE_YES, AVF_PROBE_YES, AVF_PROBE_NO},
		{false, true, PROTECTED_VM_PKVM_ANDROID, "Android's kernel",
		 AVF_PROBE_YES, AVF_PROBE_UNKNOWN, AVF_PROBE_UNKNOWN},
		{true, true, PROTECTED_VM_NONE, "kvm-arm.mode=protected",
		 AVF_PROBE_NO, -1, -1},
	};
	const char *const root = make_root();
	const struct probe_env env = {.root = root};
	char reason[256];

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct avf_probe probe = {0};

		new_host();
		host.is_android = rows[i].is_android;
		host.fail = rows[i].refuses ? KVM_CREATE_VM : 0;
		host.fail_errno = EINVAL;
		CHECK(protected_vm_find("/dev/null", reason, sizeof(reason)) ==
		      rows[i].kind);
		CHECK(strstr(reason, rows[i].reason) != NULL);
		probe_ask_kvm(&probe, &env);
		CHECK(state_of(&probe, "protected_vm") == rows[i].is);
		CHECK(state_of(&probe, "protected_vm.memory") ==
		      rows[i].memory);
		CHECK(state_of(&probe, "protected_vm.dma") == rows[i].dma);
	}
	remove_root(root);
}

static const struct vmt_test tests[] = {
	{"types_of_vms", types_of_vms},
	{"memory_beyond_the_addresses", memory_beyond_the_addresses},
	{"interrupted", interrupted},
	{"no_protected_vms", no_protected_vms},
	{"too_little_may_be_locked", too_little_may_be_locked},
	{"too_little_for_the_firmware", too_little_for_the_firmware},
	{"upstream", upstream},
	{"android_with_firmware", android_with_firmware},
	{"android_without_firmware", android_without_firmware},
	{"android_that_refuses", android_that_refuses},
	{"odd_accesses", odd_accesses},
	{"messages", messages},
	{"features_of_vcpus", features_of_vcpus},
	{"hosts_of_few_addresses", hosts_of_few_addresses},
	{"kinds_of_protected_vms", kinds_of_protected_vms},
};

int main(int argc, char **argv)
{
	return vmt_main(argc, argv, tests, sizeof(tests) / sizeof(tests[0]));
}
