/*
 * Accesses that may fault are in guest_copy_arm64.S and nowhere else. The
 * handler of the fault asks only where the program was: within these
 * functions, it goes on at their failing end. It needs no memory, no lock and
 * no system call, so that it works under every filter of the jail.
 */
#include "gmem/guest_access.h"

#include <signal.h>
#include <ucontext.h>

/* guest_copy_arm64.S: 0, or 1 after a fault. */
int guest_copy_raw(void *to, const void *from, size_t size);
int guest_load16_raw(const uint16_t *from, uint16_t *ret_value);
int guest_store16_raw(uint16_t *to, uint16_t value);
extern const char guest_access_begin[], guest_access_end[];
extern const char guest_access_failed[];

static void on_fault(int number, siginfo_t *info, void *context)
{
	ucontext_t *uc = context;
	const uint64_t pc = uc->uc_mcontext.pc;

	(void)number;
	(void)info;
	if (pc >= (uintptr_t)guest_access_begin &&
	    pc < (uintptr_t)guest_access_end) {
		uc->uc_mcontext.pc = (uintptr_t)guest_access_failed;
		return;
	}
	/* another fault while this signal is blocked ends the process by it */
	/* NOLINTNEXTLINE(clang-analyzer-core.NullDereference): on purpose */
	*(volatile int *)NULL = 0;
}

int guest_access_init(void)
{
	struct sigaction action = {
		.sa_sigaction = on_fault,
		.sa_flags = SA_SIGINFO,
	};

	(void)sigemptyset(&action.sa_mask);
	if (sigaction(SIGSEGV, &action, NULL) < 0 ||
	    sigaction(SIGBUS, &action, NULL) < 0)
		return fail_errno("sigaction");
	return 0;
}

static int refused(int raw)
{
	if (raw == 0)
		return 0;
	return fail(AVF_ERR_PROTOCOL, "the guest keeps this memory to itself");
}

int guest_copy(void *to, const void *from, size_t size)
{
	return refused(guest_copy_raw(to, from, size));
}

int guest_load16(const uint16_t *from, uint16_t *ret_value)
{
	return refused(guest_load16_raw(from, ret_value));
}

int guest_store16(uint16_t *to, uint16_t value)
{
	return refused(guest_store16_raw(to, value));
}
