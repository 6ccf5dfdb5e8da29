#include <criterion/criterion.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/fd.h"
#include "client/process.h"

static struct vmm_process process;
static struct vmm_exit ended;

static int spawn(const char *program)
{
	(void)setenv("AVF_VMM", program, 1);
	return vmm_process_spawn(&process);
}

static void wait_for_end(void)
{
	cr_assert_eq(fd_wait(process.pidfd, POLLIN, 10000), POLLIN);
	cr_assert(vmm_process_reap(&process, &ended));
}

Test(process, the_exit_code_is_seen)
{
	cr_assert_eq(spawn("/bin/false"), 0);
	wait_for_end();
	cr_expect(ended.known);
	cr_expect_eq(ended.exit_code, 1);
	cr_expect_eq(ended.signal_number, 0);
	vmm_process_fini(&process);
	cr_expect_eq(process.pidfd, -1);
	vmm_process_fini(&process);
}

Test(process, a_kill_is_seen_as_its_signal)
{
	/* writes to /dev/null until it is killed */
	cr_assert_eq(spawn("/usr/bin/yes"), 0);
	cr_expect_not(vmm_process_reap(&process, &ended));
	cr_assert_eq(vmm_process_kill(&process), 0);
	wait_for_end();
	cr_expect_eq(ended.signal_number, SIGKILL);
	cr_expect_eq(vmm_process_kill(&process), 0, "after the end: nothing");
	vmm_process_fini(&process);
}

Test(process, fini_leaves_no_zombie)
{
	cr_assert_eq(spawn("/usr/bin/yes"), 0);
	vmm_process_fini(&process);
	cr_expect_eq(waitpid(-1, NULL, WNOHANG), -1);
	cr_expect_eq(errno, ECHILD);
}

Test(process, somebody_else_may_reap)
{
	pid_t pid;

	cr_assert_eq(spawn("/bin/true"), 0);
	pid = process.pid;
	cr_assert_eq(waitpid(pid, NULL, 0), pid);
	cr_expect(vmm_process_reap(&process, &ended));
	cr_expect_not(ended.known);
	vmm_process_fini(&process);
}

/* A shell script in the VMM's place tells what it was given. */
static int script(const char *text)
{
	static char path[] = "/tmp/avf-script-XXXXXX";
	int fd = mkstemp(path);

	cr_assert(fd >= 0);
	cr_assert_eq(fd_write_all(fd, text, strlen(text)), 0);
	cr_assert_eq(fchmod(fd, 0700), 0);
	(void)close(fd);
	return spawn(path);
}

Test(process, the_child_gets_the_control_socket_and_no_other_fd)
{
	int leak = open("/dev/null", O_RDONLY); /* no close-on-exec */

	cr_assert(leak > 3);
	cr_assert_eq(script("#!/bin/sh\n"
			    "for fd in /proc/self/fd/*; do\n"
			    "  case ${fd##*/} in\n"
			    "  0|1|2|3|10|255) ;;\n" /* 10: the script itself */
			    "  *) test ! -e $fd || exit 9;;\n"
			    "  esac\n"
			    "done\n"
			    "test -S /proc/self/fd/3 || exit 8\n"
			    "exit 42\n"),
		     0);
	wait_for_end();
	cr_expect_eq(ended.exit_code, 42);
	vmm_process_fini(&process);
}

Test(process, signals_are_as_for_a_new_program)
{
	sigset_t all;

	/* 32 and 33 belong to the C library, which hides them from all calls;
	 * SIGINT is in the last digit of the mask */
	(void)sigfillset(&all);
	(void)signal(SIGINT, SIG_IGN);
	(void)sigprocmask(SIG_SETMASK, &all, NULL);
	cr_assert_eq(script("#!/bin/sh\n"
			    "grep -q 'SigBlk:.0000000000000000' "
			    "/proc/self/status || exit 9\n"
			    "grep -q 'SigIgn:.*0$' "
			    "/proc/self/status || exit 8\n"
			    "exit 42\n"),
		     0);
	wait_for_end();
	cr_expect_eq(ended.exit_code, 42);
	vmm_process_fini(&process);
}

Test(process, a_program_that_is_none_is_an_error)
{
	cr_expect_eq(spawn("/nonexistent"), AVF_ERR_NOT_FOUND);
	cr_expect_eq(spawn("/etc/passwd"), AVF_ERR_PERMISSION);
}

static uint64_t lockable(void)
{
	struct rlimit limit = {0};

	cr_assert_eq(prlimit(process.pid, RLIMIT_MEMLOCK, NULL, &limit), 0);
	return limit.rlim_cur;
}

/* As far as the hard limit goes anybody may, and only upwards. */
Test(process, locked_memory_is_allowed)
{
	const struct rlimit before = {1 << 16, 1 << 20};

	cr_assert_eq(setrlimit(RLIMIT_MEMLOCK, &before), 0);
	cr_assert_eq(spawn("/usr/bin/yes"), 0);
	cr_expect_eq(vmm_process_allow_locking(&process, 0), 0);
	cr_expect_eq(lockable(), 1 << 16);
	cr_expect_eq(vmm_process_allow_locking(&process, 1 << 20), 0);
	cr_expect_eq(lockable(), 1 << 20);
	cr_expect_eq(vmm_process_allow_locking(&process, 1 << 18), 0);
	cr_expect_eq(lockable(), 1 << 20);
	vmm_process_fini(&process);
}

/* Beyond it takes a privilege. */
Test(process, too_much_locked_memory)
{
	const struct rlimit before = {1 << 16, 1 << 16};

	cr_assert_eq(setrlimit(RLIMIT_MEMLOCK, &before), 0);
	if (geteuid() == 0)
		cr_assert_eq(setuid(65534), 0);
	cr_assert_eq(spawn("/usr/bin/yes"), 0, "%s", error_record()->text);
	cr_expect_eq(vmm_process_allow_locking(&process, 32 << 20),
		     AVF_ERR_LIMIT);
	cr_expect_not_null(strstr(error_record()->text, "32 MiB"));
	cr_expect_eq(lockable(), 1 << 16);
	vmm_process_fini(&process);
}
