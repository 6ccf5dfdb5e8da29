/* Programs started with and without namespaces, allowed and forbidden. */
#include <criterion/criterion.h>

#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <seccomp.h>
#include <signal.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/fd.h"
#include "client/spawn.h"

/* Run @script in sh and collect what it prints. */
static int run(const char *script, bool own_namespaces, char *output,
	       size_t size)
{
	char shell[] = "/bin/sh", option[] = "-c";
	char *const argv[] = {shell, option, strdup(script), NULL};
	struct spawn_params params = {.argv = argv,
				      .number = STDOUT_FILENO,
				      .own_namespaces = own_namespaces};
	struct spawn_child child;
	ssize_t n = -1;
	int fds[2];
	int rc;

	cr_assert_eq(pipe2(fds, O_CLOEXEC), 0);
	params.fd = fds[1];
	rc = spawn_process(&params, &child);
	(void)close(fds[1]);
	if (rc == 0) {
		n = fd_read_all(fds[0], output, size - 1);
		cr_expect_geq(n, 0);
		cr_expect_eq(waitpid(child.pid, NULL, 0), child.pid);
		(void)close(child.pidfd);
	}
	output[n < 0 ? 0 : n] = '\0';
	(void)close(fds[0]);
	free(argv[2]);
	return rc;
}

/* For the rest of this test's process: clone() with any of @flags fails. */
static void forbid_clone(unsigned long flags)
{
	scmp_filter_ctx ctx = seccomp_init(SCMP_ACT_ALLOW);

	cr_assert(ctx);
	cr_assert_eq(
		seccomp_rule_add(ctx, SCMP_ACT_ERRNO(EPERM), SCMP_SYS(clone), 1,
				 SCMP_A0(SCMP_CMP_MASKED_EQ, flags, flags)),
		0);
	cr_assert_eq(seccomp_load(ctx), 0);
	seccomp_release(ctx);
}

static bool has_namespaces(void)
{
	char output[16];

	cr_assert_eq(run("echo $$", true, output, sizeof(output)), 0);
	return strcmp(output, "1\n") == 0;
}

Test(spawn, namespaces_are_for_who_asks)
{
	char output[16];

	cr_assert_eq(run("echo $$", false, output, sizeof(output)), 0);
	cr_expect_str_neq(output, "1\n");
}

static bool host_has_namespaces(void)
{
	int status = -1;
	pid_t pid = fork();

	if (pid == 0)
		_exit(unshare(CLONE_NEWUSER | CLONE_NEWPID) < 0);
	(void)waitpid(pid, &status, 0);
	return status == 0;
}

Test(spawn, whoever_asks_is_alone_without_users)
{
	char output[64];

	if (!host_has_namespaces())
		cr_skip_test("this host forbids user namespaces");
	cr_expect(has_namespaces());
	cr_assert_eq(run("cat /proc/self/uid_map /proc/self/gid_map\n"
			 "grep -o 'CapEff:.*' /proc/self/status",
			 true, output, sizeof(output)),
		     0);
	cr_expect_str_eq(output, "CapEff:\t0000000000240100\n");
}

Test(spawn, a_host_that_forbids_user_namespaces_has_the_program_run)
{
	char output[64];

	forbid_clone(CLONE_NEWUSER);
	cr_assert_eq(
		run("cat /proc/self/uid_map", true, output, sizeof(output)), 0);
	cr_expect_str_neq(output, "", "it has our users");
	/* root needs no user namespace for the other one */
	cr_expect_eq(has_namespaces(), geteuid() == 0);
}

Test(spawn, a_host_that_forbids_both_has_the_program_run)
{
	forbid_clone(CLONE_NEWPID);
	cr_expect_not(has_namespaces());
}

Test(spawn, the_errors_are_those_of_the_program)
{
	static const struct {
		const char *path;
		int rc;
	} rows[] = {
		{"/nonexistent", AVF_ERR_NOT_FOUND},
		{"/etc/passwd", AVF_ERR_PERMISSION},
		{"/etc/passwd/x", AVF_ERR_IO},
	};

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		char *const argv[] = {strdup(rows[i].path), NULL};
		struct spawn_params params = {.argv = argv,
					      .fd = STDERR_FILENO,
					      .number = STDOUT_FILENO,
					      .own_namespaces = true};
		struct spawn_child child;

		cr_expect_eq(spawn_process(&params, &child), rows[i].rc, "%s",
			     rows[i].path);
		cr_expect(strstr(error_record()->text, rows[i].path));
		cr_expect(waitpid(-1, NULL, WNOHANG) == -1 && errno == ECHILD,
			  "%s: a child is left", rows[i].path);
		free(argv[0]);
	}
}

/* Whatever number the fd has, and whichever standard ones are closed. */
Test(spawn, standard_descriptors_may_be_missing)
{
	char output[64];
	int saved = fcntl(STDERR_FILENO, F_DUPFD_CLOEXEC, 10);

	for (int fd = 0; fd <= 2; fd++)
		(void)close(fd);
	cr_expect_eq(run("for i in 0 1 2 3 4 5; do\n"
			 "test -e /proc/self/fd/$i && echo -n $i; done",
			 false, output, sizeof(output)),
		     0);
	(void)dup2(saved, STDERR_FILENO);
	cr_expect_str_eq(output, "012");
}

static volatile sig_atomic_t handled;

static void count(int number)
{
	(void)number;
	handled = 1;
}

/* A handler would run in the memory of both. */
Test(spawn, the_callers_handlers_and_mask_stay_the_callers)
{
	sigset_t old, now;
	const size_t used = 8; /* of their bytes, the kernel's part */
	char output[16];

	(void)signal(SIGUSR1, count);
	(void)sigprocmask(SIG_SETMASK, NULL, &old);
	cr_assert_eq(
		run("kill -USR1 $$; echo no", false, output, sizeof(output)),
		0);
	cr_expect_str_eq(output, "", "the signal killed it");
	cr_expect_not(handled);
	(void)raise(SIGUSR1);
	cr_expect(handled, "ours is still there");
	(void)sigprocmask(SIG_SETMASK, NULL, &now);
	cr_expect_eq(memcmp(&old, &now, used), 0);
}
