/* What KVM says of a vCPU's run, and what a machine hears of it. */
#include <criterion/criterion.h>
#include <errno.h>
#include <string.h>

#include "base/checked.h"
#include "hv/kvm_internal.h"

/* The shared page: struct kvm_run, then the data of string instructions. */
static union {
	struct kvm_run run;
	unsigned char bytes[8192];
} page;
static struct kvm_run next; /* what the run will leave in it */
static int run_errno;       /* 0: the run succeeds */

int __wrap_ioctl(int fd, unsigned long request, ...);

int __wrap_ioctl(int fd, unsigned long request, ...)
{
	(void)fd;
	cr_assert_eq(request, KVM_RUN);
	if (run_errno) {
		errno = run_errno;
		return -1;
	}
	page.run = next;
	return 0;
}

static struct hv_exit run(void)
{
	struct kvm_vcpu v = {.fd = 1, .index = 7, .run = &page.run};
	struct hv_exit e;

	kvm_vcpu_run(&v.vcpu, &e);
	return e;
}

static const struct {
	const char *what;
	uint32_t exit_reason;
	uint32_t event; /* type of a system event */
	enum hv_exit_kind kind;
	const char *text; /* in the record, of a failure */
} rows[] = {
	{"halted", KVM_EXIT_HLT, 0, HV_EXIT_HALT, NULL},
	{"triple fault", KVM_EXIT_SHUTDOWN, 0, HV_EXIT_SHUTDOWN, NULL},
	{"a signal", KVM_EXIT_INTR, 0, HV_EXIT_INTERRUPTED, NULL},
	{"system event: shutdown", KVM_EXIT_SYSTEM_EVENT,
	 KVM_SYSTEM_EVENT_SHUTDOWN, HV_EXIT_POWER_OFF, NULL},
	{"system event: reset", KVM_EXIT_SYSTEM_EVENT, KVM_SYSTEM_EVENT_RESET,
	 HV_EXIT_RESET, NULL},
	{"system event: crash", KVM_EXIT_SYSTEM_EVENT, KVM_SYSTEM_EVENT_CRASH,
	 HV_EXIT_FAILED, "system event 3"},
	{"system event: unknown", KVM_EXIT_SYSTEM_EVENT, UINT32_MAX,
	 HV_EXIT_FAILED, "system event 4294967295"},
	{"no emulation of an instruction", KVM_EXIT_INTERNAL_ERROR, 0,
	 HV_EXIT_FAILED, "vCPU 7: KVM internal error 1 "},
	{"refused entry", KVM_EXIT_FAIL_ENTRY, 0, HV_EXIT_FAILED,
	 "reason 0x80000021"},
	{"a hypercall", KVM_EXIT_HYPERCALL, 0, HV_EXIT_FAILED,
	 "KVM exit reason 3"},
	{"a debug exit that nobody asked for", KVM_EXIT_DEBUG, 0,
	 HV_EXIT_FAILED, "KVM exit reason 4"},
	{"a reason of the future", 0xfffe, 0, HV_EXIT_FAILED,
	 "KVM exit reason 65534"},
};

Test(kvm_vcpu, exit_reasons)
{
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		struct hv_exit e;

		memset(&next, 0, sizeof(next));
		next.exit_reason = rows[i].exit_reason;
		if (next.exit_reason == KVM_EXIT_SYSTEM_EVENT)
			next.system_event.type = rows[i].event;
		else if (next.exit_reason == KVM_EXIT_INTERNAL_ERROR)
			next.internal.suberror = 1;
		else if (next.exit_reason == KVM_EXIT_FAIL_ENTRY)
			next.fail_entry.hardware_entry_failure_reason =
				0x80000021;
		error_record()->text[0] = '\0';
		e = run();
		cr_expect_eq(e.kind, rows[i].kind, "%s: %d", rows[i].what,
			     e.kind);
		if (rows[i].text)
			cr_expect_not_null(
				strstr(error_record()->text, rows[i].text),
				"%s: %s", rows[i].what, error_record()->text);
	}
}

Test(kvm_vcpu, mmio_of_every_size)
{
	for (uint32_t len = 1; len <= 8; len++) {
		struct hv_exit e;

		memset(&next, 0, sizeof(next));
		next.exit_reason = KVM_EXIT_MMIO;
		next.mmio.phys_addr = UINT64_MAX - len;
		next.mmio.len = len;
		next.mmio.is_write = len & 1;
		memset(next.mmio.data, (int)len, sizeof(next.mmio.data));
		e = run();
		cr_expect_eq(e.kind,
			     len & 1 ? HV_EXIT_MMIO_WRITE : HV_EXIT_MMIO_READ);
		cr_expect_eq(e.addr, UINT64_MAX - len);
		cr_expect_eq(e.size, len);
		cr_expect_eq(e.count, 1U);
		cr_expect_eq(((unsigned char *)e.data)[len - 1], len);
	}
}

/* A string instruction: its elements are in the page that KVM shares. */
Test(kvm_vcpu, port_strings)
{
	struct hv_exit e;

	memset(&next, 0, sizeof(next));
	next.exit_reason = KVM_EXIT_IO;
	next.io.direction = KVM_EXIT_IO_OUT;
	next.io.size = 4;
	next.io.port = 0xffff;
	next.io.count = 1024;
	next.io.data_offset = 4096;
	memset(page.bytes + 4096, 0x5a, 4096);
	e = run();
	cr_expect_eq(e.kind, HV_EXIT_PIO_WRITE);
	cr_expect_eq(e.addr, 0xffffU);
	cr_expect_eq(e.size, 4U);
	cr_expect_eq(e.count, 1024U);
	cr_expect_eq(e.data, (void *)(page.bytes + 4096));
	cr_expect_eq(page.bytes[8191], 0x5a);
	next.io.direction = KVM_EXIT_IO_IN;
	cr_expect_eq(run().kind, HV_EXIT_PIO_READ);
}

/* Interrupted is no failure, and the kick that did it is used up. */
Test(kvm_vcpu, runs_that_end_without_an_exit)
{
	static const struct {
		int error;
		enum hv_exit_kind kind;
		const char *part; /* of the reason */
	} errors[] = {
		{EINTR, HV_EXIT_INTERRUPTED, NULL},
		{EAGAIN, HV_EXIT_INTERRUPTED, NULL},
		{EFAULT, HV_EXIT_FAILED, "Bad address: a page of the"},
		{EINVAL, HV_EXIT_FAILED, "vCPU 7: KVM_RUN"},
		{EBADF, HV_EXIT_FAILED, "vCPU 7: KVM_RUN"},
		{ENOMEM, HV_EXIT_FAILED, "vCPU 7: KVM_RUN"},
		{ENOSYS, HV_EXIT_FAILED, "vCPU 7: the guest reached for"},
	};

	for (size_t i = 0; i < ARRAY_SIZE(errors); i++) {
		run_errno = errors[i].error;
		page.run.immediate_exit = 1;
		cr_expect_eq(run().kind, errors[i].kind, "%s",
			     strerror(errors[i].error));
		if (errors[i].kind == HV_EXIT_INTERRUPTED)
			cr_expect_eq(page.run.immediate_exit, 0);
		else
			cr_expect_not_null(
				strstr(error_record()->text, errors[i].part),
				"%s", error_record()->text);
	}
}
