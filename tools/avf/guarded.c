/*
 * The library cleans up when something fails, but it cannot when a signal ends
 * its process, and it has no handlers of its own. So the work is done in a
 * child, which has a process group with the programs that it runs, and a
 * handler for each signal that does nothing. The parent passes a signal on to
 * the group, again and again: the programs die of it, those of the next step,
 * too, and the child sees that they have failed.
 */
#include "guarded.h"

#include <errno.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "cli.h"

#define AGAIN_NS 100000000L /* between two signals to the group */

static const int ending[] = {SIGINT, SIGTERM, SIGHUP};

/* Unlike SIG_IGN, a handler is not inherited by the programs. */
static void nothing(int signal_number)
{
	(void)signal_number;
}

/* Whoever started us may have wanted some ignored, as nohup does. These would
 * be received all the same, since they are blocked. */
static void fill(sigset_t *set)
{
	struct sigaction action;

	(void)sigemptyset(set);
	for (size_t i = 0; i < CLI_ARRAY_SIZE(ending); i++) {
		(void)sigaction(ending[i], NULL, &action);
		if (action.sa_handler != SIG_IGN)
			(void)sigaddset(set, ending[i]);
	}
}

/* The signals were blocked until now, and none is lost. */
static int do_work(int (*work)(void *data), void *data, const sigset_t *waited,
		   const sigset_t *old)
{
	const struct sigaction action = {.sa_handler = nothing};
	int code;

	for (size_t i = 0; i < CLI_ARRAY_SIZE(ending); i++) {
		if (sigismember(waited, ending[i]) == 1)
			(void)sigaction(ending[i], &action, NULL);
	}
	(void)sigprocmask(SIG_SETMASK, old, NULL);
	code = work(data);
	return fflush(stdout) == 0 ? code : CLI_EXIT_HOST;
}

/* Until the child has ended. Returns the last signal that came, or 0. */
static int watch(pid_t child, const sigset_t *waited, int *ret_status)
{
	const struct timespec again = {0, AGAIN_NS};
	int last = 0;
	int got;

	while (waitpid(child, ret_status, WNOHANG) == 0) {
		got = last ? sigtimedwait(waited, NULL, &again)
			   : sigwaitinfo(waited, NULL);
		if (got > 0 && got != SIGCHLD)
			last = got;
		if (last)
			(void)kill(-child, SIGTERM); /* or it has ended */
	}
	return last;
}

int guarded_run(int (*work)(void *data), void *data)
{
	sigset_t waited;
	sigset_t old;
	int status;
	int last;
	pid_t child;

	/* ignored, which exec() keeps, it would not tell of children */
	(void)signal(SIGCHLD, SIG_DFL);
	fill(&waited);
	(void)sigaddset(&waited, SIGCHLD);
	(void)sigprocmask(SIG_BLOCK, &waited, &old);
	child = fork();
	if (child == 0) {
		(void)setpgid(0, 0);
		_exit(do_work(work, data, &waited, &old));
	}
	if (child < 0) {
		(void)sigprocmask(SIG_SETMASK, &old, NULL);
		return cli_fail(CLI_EXIT_HOST, "there can be no process");
	}
	(void)setpgid(child, child); /* whoever comes first */
	last = watch(child, &waited, &status);
	(void)sigprocmask(SIG_SETMASK, &old, NULL);
	if (last)
		(void)raise(last);
	return WIFEXITED(status) ? WEXITSTATUS(status) : CLI_EXIT_HOST;
}
