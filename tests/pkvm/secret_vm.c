#include "pkvm/secret_vm.h"

#include <fcntl.h>
#include <setjmp.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/random.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/fd.h"
#include "boot/boot_arm64.h"
#include "hv/boot_state_arm64.h"
#include "hv/gic_arm64.h"
#include "support/vm_harness.h"

#define STEP   0x0a000000ULL
#define STEPS  5U
#define NEEDLE 32U /* bytes: too many to be anywhere by chance */

/* --- the VM ----------------------------------------------------------- */

static int load(struct secret_vm *vm, struct hv_boot_state *ret_state)
{
	char cmdline[64];
	struct boot_arm64_input input = {
		.gm = &vm->gm,
		.kernel_fd =
			open(vmt_bare_path("secret"), O_RDONLY | O_CLOEXEC),
		.initrd_fd = -1,
		.overlay_fd = -1,
		.cmdline = cmdline,
		.n_vcpus = 1,
		.ram = {SECRET_RAM, SECRET_BYTES},
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

static int add_parts(struct secret_vm *vm)
{
	const struct hv_ops *ops = vm->hv->ops;
	struct hv_boot_state state;
	struct gmem_slice s;
	int rc = gmem_add_anonymous(&vm->gm, SECRET_RAM, SECRET_BYTES);

	if (rc == 0)
		rc = gmem_map(&vm->gm, SECRET_RAM, SECRET_BYTES, &s);
	if (rc < 0)
		return rc;
	vm->ram = (unsigned char *)s.host;
	rc = ops->add_memory(vm->hv, SECRET_RAM, SECRET_BYTES, s.host);
	if (rc == 0)
		rc = ops->add_irq_chip(vm->hv);
	if (rc == 0)
		rc = load(vm, &state);
	if (rc == 0)
		rc = ops->vcpu_new(vm->hv, 0, &vm->vcpu);
	if (rc == 0)
		rc = ops->vcpu_set_boot_state(vm->vcpu, &state);
	return rc < 0 ? rc : ops->start(vm->hv);
}

void secret_vm_end(struct secret_vm *vm)
{
	if (!vm->hv)
		return;
	vm->hv->ops->vcpu_free(vm->vcpu);
	vm->hv->ops->free(vm->hv);
	vm->hv = NULL;
}

void secret_vm_fini(struct secret_vm *vm)
{
	secret_vm_end(vm);
	gmem_fini(&vm->gm);
}

bool secret_vm_init(struct secret_vm *vm, bool is_protected)
{
	const struct kvm_params params = {
		.memory_size = SECRET_BYTES,
		.memory_end = SECRET_RAM + SECRET_BYTES,
		.is_protected = is_protected,
	};
	int kvm = open("/dev/kvm", O_RDWR | O_CLOEXEC);
	uint32_t seed = 0;
	int rc;

	memset(vm, 0, sizeof(*vm));
	gmem_init(&vm->gm);
	(void)!getrandom(&seed, sizeof(seed), 0);
	vm->seed = seed & 0x0fffffff; /* room for SECRET_SHARED and so on */
	rc = kvm_new(kvm, &params, &vm->hv);
	fd_close(kvm);
	if (rc == 0)
		rc = add_parts(vm);
	if (rc == 0)
		return true;
	vmt_fail(__FILE__, __LINE__, "%s", error_record()->text);
	secret_vm_fini(vm);
	return false;
}

int64_t secret_vm_step(struct secret_vm *vm, struct hv_exit *ret_exit)
{
	uint32_t value;

	do {
		vm->hv->ops->vcpu_run(vm->vcpu, ret_exit);
		if (ret_exit->kind == HV_EXIT_MMIO_READ)
			memset(ret_exit->data, 0xff, ret_exit->size);
	} while (ret_exit->kind == HV_EXIT_INTERRUPTED ||
		 ret_exit->kind == HV_EXIT_MMIO_READ);
	vm->last_exit = ret_exit->kind;
	if (ret_exit->kind != HV_EXIT_MMIO_WRITE || ret_exit->addr != STEP)
		return -1;
	memcpy(&value, ret_exit->data, sizeof(value));
	return value;
}

unsigned char *secret_vm_place(struct secret_vm *vm)
{
	struct hv_exit e;
	int64_t gpa = secret_vm_step(vm, &e);

	if (gpa < (int64_t)SECRET_RAM ||
	    gpa >= (int64_t)(SECRET_RAM + SECRET_BYTES)) {
		vmt_fail(__FILE__, __LINE__, "no step of the guest");
		return NULL;
	}
	return vm->ram + (gpa - (int64_t)SECRET_RAM);
}

int secret_vm_finish(struct secret_vm *vm, unsigned int done)
{
	struct hv_exit e = {0};
	int64_t said = -1;

	for (; done < STEPS; done++) {
		said = secret_vm_step(vm, &e);
		if (said < 0)
			return -1;
	}
	if (said == SECRET_WHOLE &&
	    (secret_vm_step(vm, &e) != -1 || e.kind != HV_EXIT_POWER_OFF))
		return -1;
	return (int)said;
}

bool secret_vm_failed_by(const struct secret_vm *vm, const char *why)
{
	return vm->last_exit == HV_EXIT_FAILED &&
	       strstr(error_record()->text, why);
}

/* --- a process -------------------------------------------------------- */

/* What it says of itself. */
struct hello {
	uint64_t seed;
	bool is_ready;
};

static _Noreturn void be_process(int fd, bool is_protected,
				 secret_process_fn *before,
				 secret_process_fn *ready)
{
	struct hello hello = {0};
	struct secret_vm vm;
	char byte;

	if (before)
		before(&vm);
	hello.is_ready = secret_vm_init(&vm, is_protected) &&
			 secret_vm_place(&vm) != NULL;
	hello.seed = vm.seed;
	(void)!write(fd, &hello, sizeof(hello));
	(void)!read(fd, &byte, 1);
	if (ready)
		ready(&vm);
	_exit(secret_vm_finish(&vm, 1) + 1);
}

bool secret_process_start(struct secret_process *p, bool is_protected,
			  secret_process_fn *before, secret_process_fn *ready)
{
	struct hello hello = {0};
	int fds[2];

	if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, fds) < 0)
		return false;
	(void)fflush(stdout);
	p->pid = fork();
	if (p->pid == 0)
		be_process(fds[1], is_protected, before, ready);
	fd_close(fds[1]);
	p->fd = fds[0];
	if (p->pid > 0 && read(p->fd, &hello, sizeof(hello)) == sizeof(hello) &&
	    hello.is_ready) {
		p->seed = hello.seed;
		return true;
	}
	vmt_fail(__FILE__, __LINE__, "no process with a secret");
	if (p->pid > 0)
		(void)secret_process_finish(p);
	return false;
}

int secret_process_finish(struct secret_process *p)
{
	int status = -1;

	(void)!send(p->fd, "", 1, MSG_NOSIGNAL);
	CHECK(waitpid(p->pid, &status, 0) == p->pid);
	fd_close(p->fd);
	return status;
}

bool secret_process_was_whole(int status)
{
	return WIFEXITED(status) && WEXITSTATUS(status) == SECRET_WHOLE + 1;
}

/* --- the secret ------------------------------------------------------- */

/* As in the guest; never a run of them in our memory. */
static unsigned char secret_byte(uint64_t seed, size_t i)
{
	return (unsigned char)((seed + i) * 2654435761U >> 13);
}

bool secret_is(const void *p, size_t size, uint64_t seed)
{
	const unsigned char *bytes = p;

	for (size_t i = 0; i < size; i++) {
		if (bytes[i] != secret_byte(seed, i))
			return false;
	}
	return true;
}

/* The places of the secret, NEEDLE bytes apart, by their first two bytes. */
struct places {
	uint64_t seed;
	bool is_ready;
	uint16_t first[UINT16_MAX + 1]; /* number of a place and 1; 0: none */
	uint16_t next[SECRET_SIZE / NEEDLE + 1];
};

static void find_places(struct places *p, uint64_t seed)
{
	if (p->is_ready && p->seed == seed)
		return;
	memset(p, 0, sizeof(*p));
	p->seed = seed;
	p->is_ready = true;
	for (uint16_t i = 0; i < SECRET_SIZE / NEEDLE; i++) {
		const size_t at = i * NEEDLE;
		const unsigned int prefix =
			secret_byte(seed, at) | secret_byte(seed, at + 1) << 8;

		p->next[i + 1] = p->first[prefix];
		p->first[prefix] = (uint16_t)(i + 1);
	}
}

/* Twice as many bytes of the secret have a whole needle in them. */
bool secret_is_in(const void *p, size_t size, uint64_t seed)
{
	static struct places places;
	const unsigned char *bytes = p;
	uint16_t i;

	find_places(&places, seed);
	for (size_t at = 0; at + NEEDLE <= size; at++) {
		i = places.first[bytes[at] | bytes[at + 1] << 8];
		for (; i != 0; i = places.next[i]) {
			if (secret_is(bytes + at, NEEDLE,
				      seed + (i - 1U) * NEEDLE))
				return true;
		}
	}
	return false;
}

/* One thread. Where a load of private memory lands. */
static sigjmp_buf no_access;

static void on_fault(int number)
{
	(void)number;
	siglongjmp(no_access, 1);
}

bool secret_load(const void *from, void *to, size_t size)
{
	struct sigaction action = {.sa_handler = on_fault}, segv, bus;
	volatile bool got = false;

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

/* --- the host --------------------------------------------------------- */

static bool host_protects(void)
{
	const struct kvm_params params = {.memory_size = SECRET_BYTES,
					  .memory_end =
						  SECRET_RAM + SECRET_BYTES,
					  .is_protected = true};
	int kvm = open("/dev/kvm", O_RDWR | O_CLOEXEC);
	struct hv *hv = NULL;
	int rc = kvm < 0 ? -1 : kvm_new(kvm, &params, &hv);

	if (rc == 0)
		hv->ops->free(hv);
	fd_close(kvm);
	return rc == 0;
}

void secret_vm_need_protection(void)
{
	const struct rlimit all = {RLIM_INFINITY, RLIM_INFINITY};

	/* such memory is locked; root may */
	if (setrlimit(RLIMIT_MEMLOCK, &all) < 0)
		vmt_skip_all("the limit of locked memory cannot be raised");
	if (!host_protects())
		vmt_skip_all("no protected VMs on this host's KVM");
}
