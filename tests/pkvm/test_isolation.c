/*
 * Whether the host can read a protected VM's memory. This program is the VMM
 * of a bare guest that has a secret (guest/bare/arm64/secret.c), and tries in
 * each way that a process has. The same attempts on a VM that is not protected
 * must succeed: else they prove nothing.
 */
#include <fcntl.h>
#include <setjmp.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <sys/resource.h>
#include <sys/uio.h>
#include <unistd.h>

#include "base/fd.h"
#include "boot/boot_arm64.h"
#include "gmem/gmem.h"
#include "hv/boot_state_arm64.h"
#include "hv/gic_arm64.h"
#include "hv/kvm.h"
#include "support/vm_harness.h"

#define RAM  0x80000000ULL
#define SIZE (16ULL << 20)
#define STEP 0x0a000000ULL
#define PAGE 4096U

struct vm {
	struct gmem gm;
	struct hv *hv;
	struct hv_vcpu *vcpu;
	uint64_t seed;
};

/* One thread. Where a read of private memory lands. */
static sigjmp_buf no_access;

static void on_fault(int number)
{
	(void)number;
	siglongjmp(no_access, 1);
}

/* --- the ways to read ------------------------------------------------- */

/* Each returns whether bytes came; which ones is another question. */
typedef bool read_fn(const void *from, void *to, size_t size);

static bool by_own_mapping(const void *from, void *to, size_t size)
{
	struct sigaction action = {.sa_handler = on_fault}, segv, bus;
	bool got = false;

	(void)sigaction(SIGSEGV, &action, &segv);
	(void)sigaction(SIGBUS, &action, &bus);
	if (sigsetjmp(no_access, 1) == 0) {
		for (size_t i = 0; i < size; i++)
			((char *)to)[i] = ((const volatile char *)from)[i];
		got = true;
	}
	(void)sigaction(SIGSEGV, &segv, NULL);
	(void)sigaction(SIGBUS, &bus, NULL);
	return got;
}

static bool by_process_vm_readv(const void *from, void *to, size_t size)
{
	const struct iovec local = {to, size};
	const struct iovec remote = {(void *)(uintptr_t)from, size};

	return process_vm_readv(getpid(), &local, 1, &remote, 1, 0) ==
	       (ssize_t)size;
}

static bool by_proc_mem(const void *from, void *to, size_t size)
{
	int fd = open("/proc/self/mem", O_RDONLY | O_CLOEXEC);
	ssize_t n = pread(fd, to, size, (off_t)(uintptr_t)from);

	fd_close(fd);
	return n == (ssize_t)size;
}

/* As a disk's image is written from guest memory. */
static bool by_system_call(const void *from, void *to, size_t size)
{
	int fd = vmt_memfd(0, 0);
	bool got = write(fd, from, size) == (ssize_t)size &&
		   pread(fd, to, size, 0) == (ssize_t)size;

	fd_close(fd);
	return got;
}

static const struct {
	const char *name;
	read_fn *read;
} ways[] = {
	{"the VMM's own mapping", by_own_mapping},
	{"process_vm_readv", by_process_vm_readv},
	{"/proc/PID/mem", by_proc_mem},
	{"a system call", by_system_call},
};
#define N_WAYS (sizeof(ways) / sizeof(ways[0]))

/* --- the VM ----------------------------------------------------------- */

static int load(struct vm *vm, struct hv_boot_state *ret_state)
{
	char cmdline[64];
	struct boot_arm64_input input = {
		.gm = &vm->gm,
		.kernel_fd =
			open(vmt_bare_path("secret"), O_RDONLY | O_CLOEXEC),
		.initrd_fd = -1,
		.cmdline = cmdline,
		.n_vcpus = 1,
		.ram = {RAM, SIZE},
		.gic_dist = {HV_GIC_DIST_BASE, HV_GIC_DIST_SIZE},
		.gic_redist = {HV_GIC_REDIST_BASE, HV_GIC_REDIST_SIZE},
		.gic_its = {HV_GIC_ITS_BASE, HV_GIC_ITS_SIZE},
	};
	struct boot_arm64_state state;
	int rc;

	(void)snprintf(cmdline, sizeof(cmdline), "seed=%u",
		       (unsigned int)vm->seed);
	rc = boot_arm64_load(&input, &state);
	fd_close(input.kernel_fd);
	if (rc < 0)
		return rc;
	ret_state->entry = state.entry;
	ret_state->fdt = state.dtree;
	return 0;
}

static int add_parts(struct vm *vm)
{
	struct hv_boot_state state;
	struct gmem_slice s;
	int rc = gmem_add_anonymous(&vm->gm, RAM, SIZE);

	if (rc == 0)
		rc = gmem_map(&vm->gm, RAM, SIZE, &s);
	if (rc == 0)
		rc = vm->hv->ops->add_memory(vm->hv, RAM, SIZE, s.host);
	if (rc == 0)
		rc = vm->hv->ops->add_irq_chip(vm->hv);
	if (rc == 0)
		rc = load(vm, &state);
	if (rc == 0)
		rc = vm->hv->ops->vcpu_new(vm->hv, 0, &vm->vcpu);
	if (rc == 0)
		rc = vm->hv->ops->vcpu_set_boot_state(vm->vcpu, &state);
	return rc < 0 ? rc : vm->hv->ops->start(vm->hv);
}

static void vm_fini(struct vm *vm)
{
	if (vm->hv) {
		vm->hv->ops->vcpu_free(vm->vcpu);
		vm->hv->ops->free(vm->hv);
	}
	gmem_fini(&vm->gm);
}

static bool vm_init(struct vm *vm, bool is_protected)
{
	const struct kvm_params params = {
		.memory_size = SIZE,
		.memory_end = RAM + SIZE,
		.is_protected = is_protected,
	};
	int kvm = open("/dev/kvm", O_RDWR | O_CLOEXEC);
	uint32_t seed = 0;
	int rc;

	memset(vm, 0, sizeof(*vm));
	gmem_init(&vm->gm);
	(void)!getrandom(&seed, sizeof(seed), 0);
	vm->seed = seed;
	rc = kvm_new(kvm, &params, &vm->hv);
	fd_close(kvm);
	if (rc == 0)
		rc = add_parts(vm);
	if (rc == 0)
		return true;
	vmt_fail(__FILE__, __LINE__, "%s", error_record()->text);
	vm_fini(vm);
	return false;
}

/* Run to the guest's next step; what it said, or -1 when it is over. */
static int64_t next_step(struct vm *vm, struct hv_exit *ret_exit)
{
	uint32_t value;

	do {
		vm->hv->ops->vcpu_run(vm->vcpu, ret_exit);
		if (ret_exit->kind == HV_EXIT_MMIO_READ)
			memset(ret_exit->data, 0xff, ret_exit->size);
	} while (ret_exit->kind == HV_EXIT_INTERRUPTED ||
		 ret_exit->kind == HV_EXIT_MMIO_READ);
	if (ret_exit->kind != HV_EXIT_MMIO_WRITE || ret_exit->addr != STEP)
		return -1;
	memcpy(&value, ret_exit->data, sizeof(value));
	return value;
}

static const void *host_page(struct vm *vm, int64_t gpa)
{
	struct gmem_slice s = {0};

	if (gpa < 0 || gmem_map(&vm->gm, (gpa_t)gpa, PAGE, &s) < 0)
		vmt_fail(__FILE__, __LINE__, "no step of the guest");
	return s.host;
}

static bool is_secret(const unsigned char *page, uint64_t seed)
{
	for (unsigned int i = 0; i < PAGE; i++) {
		if (page[i] != (unsigned char)((seed + i) * 2654435761U >> 13))
			return false;
	}
	return true;
}

static bool is_zero(const unsigned char *page)
{
	for (unsigned int i = 0; i < PAGE; i++) {
		if (page[i] != 0)
			return false;
	}
	return true;
}

/* Whether @way finds the secret of @seed in @page. */
static bool finds(unsigned int way, const void *page, uint64_t seed)
{
	static unsigned char copy[PAGE];

	memset(copy, 0, sizeof(copy));
	return page && ways[way].read(page, copy, PAGE) &&
	       is_secret(copy, seed);
}

static void expect(bool found, bool wanted, const char *what, unsigned int way)
{
	if (found != wanted)
		vmt_fail(__FILE__, __LINE__, "%s: %s %s", what, ways[way].name,
			 found ? "finds it" : "does not find it");
}

/* --- the tests -------------------------------------------------------- */

/* All attempts work where nothing is protected. */
static void control(void)
{
	struct hv_exit e;
	const void *page;
	struct vm vm;

	if (!vm_init(&vm, false))
		return;
	page = host_page(&vm, next_step(&vm, &e));
	for (unsigned int i = 0; i < N_WAYS; i++)
		expect(finds(i, page, vm.seed), true, "the secret", i);
	page = host_page(&vm, next_step(&vm, &e));
	for (unsigned int i = 0; i < N_WAYS; i++)
		expect(finds(i, page, vm.seed + 1), true, "the other page", i);
	(void)next_step(&vm, &e);
	CHECK(next_step(&vm, &e) == 1);
	CHECK(next_step(&vm, &e) == -1 && e.kind == HV_EXIT_POWER_OFF);
	vm_fini(&vm);
}

/* A read of the process's own is a signal, and the guest notices nothing. */
static void own_mapping(void)
{
	static unsigned char copy[PAGE];
	struct hv_exit e;
	const void *page;
	struct vm vm;

	if (!vm_init(&vm, true))
		return;
	page = host_page(&vm, next_step(&vm, &e));
	CHECK(page && !by_own_mapping(page, copy, 1));
	CHECK(page && !by_own_mapping((const char *)page + PAGE - 1, copy, 1));
	expect(finds(0, page, vm.seed), false, "the secret", 0);
	(void)next_step(&vm, &e);
	(void)next_step(&vm, &e);
	CHECK(next_step(&vm, &e) == 1);
	CHECK(next_step(&vm, &e) == -1 && e.kind == HV_EXIT_POWER_OFF);
	vm_fini(&vm);
}

/* What the guest shares is there for all, and gone when it takes it back. */
static void shared_page(void)
{
	struct hv_exit e;
	const void *page;
	struct vm vm;

	if (!vm_init(&vm, true))
		return;
	(void)next_step(&vm, &e);
	page = host_page(&vm, next_step(&vm, &e));
	for (unsigned int i = 0; i < N_WAYS; i++)
		expect(finds(i, page, vm.seed + 1), true, "the shared page", i);
	page = host_page(&vm, next_step(&vm, &e));
	expect(finds(0, page, vm.seed + 1), false, "taken back", 0);
	expect(finds(0, page, vm.seed + 2), false, "written again", 0);
	CHECK(next_step(&vm, &e) == 1);
	CHECK(next_step(&vm, &e) == -1 && e.kind == HV_EXIT_POWER_OFF);
	vm_fini(&vm);
}

/*
 * The kernel, on behalf of a process. It fails, or the page is taken away from
 * the guest and wiped: then the guest cannot go on, which is an error of that
 * VM only. It never has the secret.
 */
static void kernel_access(unsigned int way)
{
	struct hv_exit e = {0};
	const void *page;
	struct vm vm;
	int64_t last;

	if (!vm_init(&vm, true))
		return;
	page = host_page(&vm, next_step(&vm, &e));
	expect(finds(way, page, vm.seed), false, "the secret", way);
	(void)next_step(&vm, &e);
	(void)next_step(&vm, &e);
	last = next_step(&vm, &e);
	printf("    after %s the guest %s\n", ways[way].name,
	       last == 1   ? "has its secret"
	       : last == 0 ? "has lost its secret"
			   : "ends");
	CHECK(last != 0);
	expect(finds(0, page, vm.seed), false, "afterwards", 0);
	vm_fini(&vm);
}

static void process_vm_readv_way(void)
{
	kernel_access(1);
}

static void proc_mem_way(void)
{
	kernel_access(2);
}

static void system_call_way(void)
{
	kernel_access(3);
}

/* The memory is the host's again, and was wiped before. */
static void after_the_end(void)
{
	static unsigned char copy[PAGE];
	struct hv_exit e;
	const void *page;
	struct vm vm;

	if (!vm_init(&vm, true))
		return;
	page = host_page(&vm, next_step(&vm, &e));
	CHECK(page && !by_own_mapping(page, copy, PAGE));
	vm.hv->ops->vcpu_free(vm.vcpu);
	vm.hv->ops->free(vm.hv);
	vm.hv = NULL;
	CHECK(page && by_own_mapping(page, copy, PAGE));
	CHECK(is_zero(copy));
	vm_fini(&vm);
}

static const struct vmt_test tests[] = {
	{"control", control},
	{"own_mapping", own_mapping},
	{"shared_page", shared_page},
	{"process_vm_readv", process_vm_readv_way},
	{"proc_mem", proc_mem_way},
	{"system_call", system_call_way},
	{"after_the_end", after_the_end},
};

static bool host_protects(void)
{
	const struct kvm_params params = {.memory_size = SIZE,
					  .memory_end = RAM + SIZE,
					  .is_protected = true};
	int kvm = open("/dev/kvm", O_RDWR | O_CLOEXEC);
	struct hv *hv = NULL;
	int rc = kvm < 0 ? -1 : kvm_new(kvm, &params, &hv);

	if (rc == 0)
		hv->ops->free(hv);
	fd_close(kvm);
	return rc == 0;
}

int main(int argc, char **argv)
{
	const struct rlimit all = {RLIM_INFINITY, RLIM_INFINITY};

	/* such memory is locked; root may */
	if (setrlimit(RLIMIT_MEMLOCK, &all) < 0)
		vmt_skip_all("the limit of locked memory cannot be raised");
	if (!host_protects())
		vmt_skip_all("no protected VMs on this host's KVM");
	return vmt_main(argc, argv, tests, sizeof(tests) / sizeof(tests[0]));
}
