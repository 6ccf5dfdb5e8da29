/*
 * Whether the host can read or change a protected VM's memory, in each way that
 * a process has. The same attempts on a VM that is not protected must succeed:
 * else they prove nothing. However an attempt ends, the guest never finds its
 * memory changed: it has it whole, or it cannot go on.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/uio.h>
#include <unistd.h>

#include "base/fd.h"
#include "hv/kvm_internal.h"
#include "pkvm/secret_vm.h"
#include "support/vm_harness.h"

#define PAGE SECRET_PAGE

/* --- the ways to read ------------------------------------------------- */

/* Each returns whether bytes came; which ones is another question. */
typedef bool read_fn(void *from, void *to, size_t size);

static bool by_load(void *from, void *to, size_t size)
{
	return secret_load(from, to, size);
}

static bool by_process_vm_readv(void *from, void *to, size_t size)
{
	const struct iovec local = {to, size};
	const struct iovec remote = {from, size};

	return process_vm_readv(getpid(), &local, 1, &remote, 1, 0) ==
	       (ssize_t)size;
}

static bool by_proc_mem(void *from, void *to, size_t size)
{
	int fd = open("/proc/self/mem", O_RDONLY | O_CLOEXEC);
	ssize_t n = pread(fd, to, size, (off_t)(uintptr_t)from);

	fd_close(fd);
	return n == (ssize_t)size;
}

/* As a disk's image is written from guest memory. */
static bool by_write(void *from, void *to, size_t size)
{
	int fd = vmt_memfd(0, 0);
	bool got = write(fd, from, size) == (ssize_t)size &&
		   pread(fd, to, size, 0) == (ssize_t)size;

	fd_close(fd);
	return got;
}

/* Without a copy: a pipe takes the page itself. */
static bool by_vmsplice(void *from, void *to, size_t size)
{
	const struct iovec iov = {from, size};
	bool got = false;
	int fds[2];

	if (pipe2(fds, O_CLOEXEC | O_NONBLOCK) < 0)
		return false;
	if (vmsplice(fds[1], &iov, 1, SPLICE_F_NONBLOCK) == (ssize_t)size)
		got = read(fds[0], to, size) == (ssize_t)size;
	fd_close(fds[0]);
	fd_close(fds[1]);
	return got;
}

/* And what a protected guest says afterwards, as secret_vm_finish(). */
static const struct {
	const char *name;
	read_fn *read;
	int said;
} reads[] = {
	{"loads of the VMM", by_load, SECRET_WHOLE},
	{"process_vm_readv", by_process_vm_readv, -1},
	{"/proc/PID/mem", by_proc_mem, -1},
	{"write", by_write, SECRET_WHOLE},
	{"vmsplice", by_vmsplice, -1},
};
#define N_READS (sizeof(reads) / sizeof(reads[0]))

/* --- the ways to write ------------------------------------------------ */

static void store(void *to, const void *from, size_t size)
{
	char old;

	/* a load of private memory fails, too: only then no store */
	if (secret_load(to, &old, 1))
		memcpy(to, from, size);
}

static void process_vm_writev_way(void *to, const void *from, size_t size)
{
	const struct iovec local = {(void *)(uintptr_t)from, size};
	const struct iovec remote = {to, size};

	(void)!process_vm_writev(getpid(), &local, 1, &remote, 1, 0);
}

static void proc_mem_write(void *to, const void *from, size_t size)
{
	int fd = open("/proc/self/mem", O_RDWR | O_CLOEXEC);

	(void)!pwrite(fd, from, size, (off_t)(uintptr_t)to);
	fd_close(fd);
}

/* As a disk's image is read into guest memory. */
static void read_into(void *to, const void *from, size_t size)
{
	int fd = vmt_memfd(0, 0);

	(void)!pwrite(fd, from, size, 0);
	(void)!pread(fd, to, size, 0);
	fd_close(fd);
}

static const struct {
	const char *name;
	void (*write)(void *to, const void *from, size_t size);
	int said; /* as above */
} writes[] = {
	{"stores of the VMM", store, SECRET_WHOLE},
	{"process_vm_writev", process_vm_writev_way, -1},
	{"/proc/PID/mem", proc_mem_write, -1},
	{"read", read_into, SECRET_WHOLE},
};
#define N_WRITES (sizeof(writes) / sizeof(writes[0]))

/* --- the attempts ----------------------------------------------------- */

/* Whether @way finds the secret of @seed in @page. */
static bool finds(unsigned int way, void *page, uint64_t seed)
{
	static unsigned char copy[PAGE];

	memset(copy, 0, sizeof(copy));
	return page && reads[way].read(page, copy, PAGE) &&
	       secret_is(copy, PAGE, seed);
}

static void expect(bool found, bool wanted, const char *what, unsigned int way)
{
	if (found != wanted)
		vmt_fail(__FILE__, __LINE__, "%s: %s %s", what, reads[way].name,
			 found ? "finds it" : "does not find it");
}

/* All attempts work where nothing is protected, and the guest notices. */
static void control(void)
{
	const char changed[] = "changed by the host";
	struct secret_vm vm;
	void *page;

	if (!secret_vm_init(&vm, false))
		return;
	page = secret_vm_place(&vm);
	for (unsigned int i = 0; i < N_READS; i++)
		expect(finds(i, page, vm.seed), true, "the secret", i);
	page = secret_vm_place(&vm);
	for (unsigned int i = 0; i < N_READS; i++)
		expect(finds(i, page, vm.seed + SECRET_SHARED), true,
		       "the other page", i);
	page = secret_vm_place(&vm);
	for (unsigned int i = 0; i < N_READS; i++)
		expect(finds(i, page, vm.seed + SECRET_SHARED), true,
		       "what is not taken back", i);
	CHECK(secret_vm_finish(&vm, 3) == SECRET_WHOLE);
	secret_vm_fini(&vm);
	for (unsigned int i = 0; i < N_WRITES; i++) {
		if (!secret_vm_init(&vm, false))
			return;
		page = secret_vm_place(&vm);
		writes[i].write(page, changed, sizeof(changed));
		if (secret_vm_finish(&vm, 1) != 0)
			vmt_fail(__FILE__, __LINE__, "%s change nothing",
				 writes[i].name);
		secret_vm_fini(&vm);
	}
}

/* A read of the process's own is a signal, and the guest notices nothing. */
static void own_mapping(void)
{
	static unsigned char copy[PAGE];
	struct secret_vm vm;
	unsigned char *page;

	if (!secret_vm_init(&vm, true))
		return;
	page = secret_vm_place(&vm);
	CHECK(page && !secret_load(page, copy, 1));
	CHECK(page && !secret_load(page + PAGE - 1, copy, 1));
	CHECK(page && !secret_load(page + SECRET_SIZE - 1, copy, 1));
	CHECK(secret_vm_finish(&vm, 1) == SECRET_WHOLE);
	secret_vm_fini(&vm);
}

/* What becomes of the guest, after an attempt on it when it had taken @done
 * steps. */
static void finish(struct secret_vm *vm, unsigned int done, int wanted,
		   const char *what)
{
	const int said = secret_vm_finish(vm, done);

	printf("    after %s the guest %s\n", what,
	       said == SECRET_WHOLE ? "has its memory whole"
	       : said == 0          ? "finds its memory changed"
				    : error_record()->text);
	if (said != wanted ||
	    (said < 0 && !secret_vm_failed_by(vm, SECRET_PAGE_GONE)))
		vmt_fail(__FILE__, __LINE__, "%s: not the end that it was",
			 what);
}

/* What the guest shares is there for all, and what it writes after it has
 * taken the page back is not. */
static void shared_page(void)
{
	struct secret_vm vm;
	void *page;

	if (!secret_vm_init(&vm, true))
		return;
	(void)secret_vm_place(&vm);
	page = secret_vm_place(&vm);
	for (unsigned int i = 0; i < N_READS; i++)
		expect(finds(i, page, vm.seed + SECRET_SHARED), true,
		       "the shared page", i);
	(void)secret_vm_place(&vm);
	page = secret_vm_place(&vm);
	expect(finds(0, page, vm.seed + SECRET_AGAIN), false, "written again",
	       0);
	CHECK(secret_vm_finish(&vm, 4) == SECRET_WHOLE);
	secret_vm_fini(&vm);
}

/* What the host could read a moment ago, and still knows, is gone for it when
 * the guest takes the page back, before it writes anything else there. */
static void taken_back(void)
{
	struct secret_vm vm;
	void *page;

	for (unsigned int i = 0; i < N_READS; i++) {
		if (!secret_vm_init(&vm, true))
			return;
		(void)secret_vm_place(&vm);
		page = secret_vm_place(&vm);
		expect(finds(i, page, vm.seed + SECRET_SHARED), true,
		       "the shared page", i);
		page = secret_vm_place(&vm);
		expect(finds(i, page, vm.seed + SECRET_SHARED), false,
		       "taken back", i);
		finish(&vm, 3, reads[i].said, reads[i].name);
		secret_vm_fini(&vm);
	}
}

/*
 * The kernel, on behalf of a process. It fails, or the page is taken away from
 * the guest and wiped: then the guest cannot go on, which is an error of that
 * VM only. It never has the secret.
 */
static void reads_never_find_it(void)
{
	struct secret_vm vm;
	void *page;

	for (unsigned int i = 0; i < N_READS; i++) {
		if (!secret_vm_init(&vm, true))
			return;
		page = secret_vm_place(&vm);
		expect(finds(i, page, vm.seed), false, "the secret", i);
		expect(finds(0, page, vm.seed), false, "afterwards", 0);
		finish(&vm, 1, reads[i].said, reads[i].name);
		secret_vm_fini(&vm);
	}
}

static void writes_never_change_it(void)
{
	const char changed[] = "changed by the host";
	struct secret_vm vm;
	unsigned char *page;

	for (unsigned int i = 0; i < N_WRITES; i++) {
		if (!secret_vm_init(&vm, true))
			return;
		page = secret_vm_place(&vm);
		if (page)
			writes[i].write(page + PAGE, changed, sizeof(changed));
		finish(&vm, 1, writes[i].said, writes[i].name);
		secret_vm_fini(&vm);
	}
}

/* --- what is not protected -------------------------------------------- */

#define PC                                                     \
	(KVM_REG_ARM64 | KVM_REG_SIZE_U64 | KVM_REG_ARM_CORE | \
	 KVM_REG_ARM_CORE_REG(regs.pc))

/*
 * The CPU's registers are the host's, to read and to change: a kernel that
 * hides them makes this fail, and then the row of the probe and
 * docs/protected-vms.md say too little.
 */
static void registers(void)
{
	struct secret_vm vm;
	uint64_t pc = 0;
	const struct kvm_one_reg reg = {PC, (uintptr_t)&pc};
	int fd;

	if (!secret_vm_init(&vm, true))
		return;
	(void)secret_vm_place(&vm);
	fd = to_kvm_vcpu(vm.vcpu)->fd;
	CHECK(ioctl(fd, KVM_GET_ONE_REG, &reg) == 0);
	CHECK(pc >= SECRET_RAM && pc < SECRET_RAM + SECRET_BYTES);
	pc = 0; /* where it has no memory */
	CHECK(ioctl(fd, KVM_SET_ONE_REG, &reg) == 0);
	CHECK(secret_vm_finish(&vm, 1) != SECRET_WHOLE);
	secret_vm_fini(&vm);
}

/* A page is the host's until the guest touches it. */
static void untouched(void)
{
	static unsigned char copy[PAGE];
	struct secret_vm vm;
	unsigned char *page;

	if (!secret_vm_init(&vm, true))
		return;
	CHECK(secret_vm_place(&vm));
	page = vm.ram + SECRET_BYTES - PAGE;
	store(page, "changed", 7);
	CHECK(secret_load(page, copy, 7) && memcmp(copy, "changed", 7) == 0);
	CHECK(secret_vm_finish(&vm, 1) == SECRET_WHOLE);
	secret_vm_fini(&vm);
}

/* --- the end ---------------------------------------------------------- */

static bool is_zero(const unsigned char *page)
{
	for (unsigned int i = 0; i < PAGE; i++) {
		if (page[i] != 0)
			return false;
	}
	return true;
}

/* Where nothing protects the memory, the secret outlives its VM. */
static void control_after_the_end(void)
{
	struct secret_vm vm;
	unsigned char *page;

	if (!secret_vm_init(&vm, false))
		return;
	page = secret_vm_place(&vm);
	secret_vm_end(&vm);
	CHECK(page && secret_is(page, PAGE, vm.seed));
	secret_vm_fini(&vm);
}

/* The memory is the host's again, and was wiped before: every page that could
 * not be read. With @torn the VM ends because the host took a page away. */
static void end_and_look(bool torn)
{
	static bool was_private[SECRET_BYTES / PAGE];
	static unsigned char copy[PAGE];
	unsigned int n = 0, n_kept = 0;
	struct secret_vm vm;
	unsigned char *page;

	if (!secret_vm_init(&vm, true))
		return;
	page = secret_vm_place(&vm);
	for (unsigned int i = 0; i < SECRET_BYTES / PAGE; i++) {
		was_private[i] = !secret_load(vm.ram + i * PAGE, copy, 1);
		n += was_private[i];
	}
	CHECK(n > SECRET_SIZE / PAGE);
	if (torn) {
		CHECK(page && by_process_vm_readv(page, copy, PAGE));
		finish(&vm, 1, -1, "a page was taken away");
	}
	secret_vm_end(&vm);
	for (unsigned int i = 0; i < SECRET_BYTES / PAGE; i++) {
		if (was_private[i] &&
		    (!secret_load(vm.ram + i * PAGE, copy, PAGE) ||
		     !is_zero(copy)))
			n_kept++;
	}
	printf("    of %u private pages %u were not wiped\n", n, n_kept);
	CHECK(page && n_kept == 0);
	secret_vm_fini(&vm);
}

static void after_the_end(void)
{
	end_and_look(false);
}

static void after_a_loss(void)
{
	end_and_look(true);
}

static const struct vmt_test tests[] = {
	{"control", control},
	{"own_mapping", own_mapping},
	{"shared_page", shared_page},
	{"taken_back", taken_back},
	{"reads_never_find_it", reads_never_find_it},
	{"writes_never_change_it", writes_never_change_it},
	{"registers", registers},
	{"untouched", untouched},
	{"control_after_the_end", control_after_the_end},
	{"after_the_end", after_the_end},
	{"after_a_loss", after_a_loss},
};

int main(int argc, char **argv)
{
	secret_vm_need_protection();
	return vmt_main(argc, argv, tests, sizeof(tests) / sizeof(tests[0]));
}
