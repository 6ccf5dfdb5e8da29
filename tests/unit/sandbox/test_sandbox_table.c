/*
 * The table as it was last agreed upon: it does not grow, and no check is
 * lost, without somebody changing this page, too.
 */
#include <criterion/criterion.h>

#include <string.h>
#include <sys/syscall.h>

#include "base/checked.h"
#include "sandbox/sandbox_internal.h"

/* Roles: m main, v vCPU, d disk, s supervisor of a QEMU. */
static const struct {
	const char *roles;
	const char *name;
	enum sandbox_check check;
	unsigned int arg;
	uint64_t value;
} agreed[] = {
	{"mvd", "futex", CHECK_NONE, 0, 0x0},
	{AGREED_SIGRETURN, "rt_sigreturn", CHECK_NONE, 0, 0x0},
	{"mvd", "rt_sigprocmask", CHECK_NONE, 0, 0x0},
	{"ms", "restart_syscall", CHECK_NONE, 0, 0x0},
	{"vd", "exit", CHECK_NONE, 0, 0x0},
	{"ms", "exit_group", CHECK_NONE, 0, 0x0},
	{"vd", "madvise", CHECK_NONE, 0, 0x0},
	{"mvds", "munmap", CHECK_NONE, 0, 0x0},
	{"mvds", "brk", CHECK_NONE, 0, 0x0},
	{"mvds", "mmap", CHECK_NO_BITS, 2, 0x4},
	{"mvds", "clock_gettime", CHECK_NONE, 0, 0x0},
	{"mvs", "sendmsg", CHECK_NONE, 0, 0x0},
	{"d", "sendmsg", CHECK_EQUALS, 0, 0x3},
	{"ms", "read", CHECK_NONE, 0, 0x0},
	{"mvs", "write", CHECK_NONE, 0, 0x0},
	{"d", "write", CHECK_NO_BITS, 2, 0xfffffffffffffff7},
	{"mvs", "close", CHECK_NONE, 0, 0x0},
	{"m", "readv", CHECK_NONE, 0, 0x0},
	{"ms", "recvfrom", CHECK_NONE, 0, 0x0},
	{"ms", "sendto", CHECK_NONE, 0, 0x0},
	{"ms", "recvmsg", CHECK_NONE, 0, 0x0},
	{"ms", "shutdown", CHECK_NONE, 0, 0x0},
	{"ms", "socketpair", CHECK_EQUALS, 0, 0x1},
	{"mvs", "epoll_ctl", CHECK_NONE, 0, 0x0},
	{"ms", AGREED_EPOLL_WAIT, CHECK_NONE, 0, 0x0},
	{"ms", AGREED_POLL, CHECK_NONE, 0, 0x0},
	{"ms", "timerfd_settime", CHECK_NONE, 0, 0x0},
	{"mv", "eventfd2", CHECK_NONE, 0, 0x0},
	{"s", "newfstatat", CHECK_EQUALS, 3, 0x1000},
	{"ms", "fcntl", CHECK_EQUALS, 1, 0x3},
	{"ms", "fcntl", CHECK_EQUALS, 1, 0x4},
	{"m", "getrandom", CHECK_NONE, 0, 0x0},
	{"d", "preadv", CHECK_NONE, 0, 0x0},
	{"m", "preadv2", CHECK_EQUALS, 5, 0x8},
	{"d", "pwritev", CHECK_NONE, 0, 0x0},
	{"d", "fdatasync", CHECK_NONE, 0, 0x0},
	{"v", "ioctl", CHECK_EQUALS, 1, 0xae80},
	{AGREED_ABORT, "ioctl", CHECK_EQUALS, 1, 0x4040aea0},
	{"mv", "ioctl", CHECK_EQUALS, 1, 0x4040ae79},
	{"mv", "ioctl", CHECK_EQUALS, 1, 0x4020ae76},
	{"mv", "ioctl", CHECK_EQUALS, 1, 0x4008ae6a},
	{"m", "tgkill", CHECK_OWN_PID, 0, 0x0},
	{"m", "getpid", CHECK_NONE, 0, 0x0},
	{"s", "pidfd_send_signal", CHECK_EQUALS, 1, 0x9},
	{"s", "wait4", CHECK_NONE, 0, 0x0},
	{"s", "fcntl", CHECK_EQUALS, 1, 0x40a},
};

static unsigned int parse_roles(const char *roles)
{
	static const char letters[] = "mvds";
	unsigned int mask = 0;

	for (; *roles; roles++)
		mask |= BIT(strchr(letters, *roles) - letters);
	return mask;
}

Test(sandbox_table, is_what_was_agreed)
{
	cr_assert_eq(sandbox_table_size, ARRAY_SIZE(agreed));
	for (size_t i = 0; i < ARRAY_SIZE(agreed); i++) {
		const struct sandbox_rule *r = &sandbox_table[i];

		cr_expect_str_eq(sandbox_call_name(r->number), agreed[i].name);
		cr_expect_eq(r->roles, parse_roles(agreed[i].roles), "%s",
			     agreed[i].name);
		cr_expect_eq(r->check, agreed[i].check, "%s", agreed[i].name);
		cr_expect_eq(r->arg, agreed[i].arg, "%s", agreed[i].name);
		cr_expect_eq(r->value, agreed[i].value, "%s", agreed[i].name);
	}
}

Test(sandbox_table, every_row_has_a_reason)
{
	for (size_t i = 0; i < sandbox_table_size; i++)
		cr_expect_gt(strlen(sandbox_table[i].reason), 3, "%s",
			     sandbox_call_name(sandbox_table[i].number));
}

/* Whoever has one of these can leave, or reach another process. */
Test(sandbox_table, the_worst_are_in_no_row)
{
	static const int worst[] = {
		SYS_openat,  SYS_execve,       SYS_clone,
		SYS_clone3,  SYS_ptrace,       SYS_process_vm_readv,
		SYS_mount,   SYS_unshare,      SYS_setns,
		SYS_kill,    SYS_socket,       SYS_connect,
		SYS_bpf,     SYS_userfaultfd,  SYS_io_uring_setup,
		SYS_bind,    SYS_execveat,     SYS_process_vm_writev,
		SYS_openat2, SYS_pidfd_open,   SYS_pidfd_getfd,
		SYS_seccomp, SYS_prctl,        SYS_init_module,
		SYS_keyctl,  SYS_memfd_create, AGREED_WORST};

	for (size_t i = 0; i < sandbox_table_size; i++) {
		for (size_t j = 0; j < ARRAY_SIZE(worst); j++)
			cr_expect_neq(sandbox_table[i].number, worst[j], "%s",
				      sandbox_call_name(worst[j]));
	}
}

/* An ioctl or fcntl is as many calls as it has requests. */
Test(sandbox_table, requests_are_given_one_by_one)
{
	for (size_t i = 0; i < sandbox_table_size; i++) {
		const struct sandbox_rule *r = &sandbox_table[i];

		if (r->number != SYS_ioctl && r->number != SYS_fcntl)
			continue;
		cr_expect_eq(r->check, CHECK_EQUALS);
		cr_expect_eq(r->arg, 1);
	}
}
