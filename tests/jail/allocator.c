#include "jail/allocator.h"

#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/checked.h"
#include "base/fd.h"

#define N_PIECES   4096U
#define PIECE_SIZE 1024U
#define LARGE_SIZE (64U * 1024U * 1024U) /* never from the heap */
#define WAIT_MS    200

static bool is_loop(enum sandbox_role role)
{
	return role == SANDBOX_MAIN || role == SANDBOX_SUPERVISOR;
}

/* Many small pieces and a large one: the heap grows and shrinks. */
static void churn(void)
{
	static void *pieces[N_PIECES];
	void *volatile large; /* or the compiler does without */

	for (unsigned int i = 0; i < N_PIECES; i++)
		pieces[i] = malloc(PIECE_SIZE);
	for (unsigned int i = 0; i < N_PIECES; i++)
		free(pieces[i]);
	large = malloc(LARGE_SIZE);
	free(large);
}

static void limit_memory(void)
{
	const struct rlimit none = {0, 0};

	(void)setrlimit(RLIMIT_DATA, &none);
}

/* No more memory: the allocator looks elsewhere before it gives up. */
static void run_out(void)
{
	void *piece;

	do {
		piece = malloc(PIECE_SIZE);
	} while (piece);
}

/* A wait with an end, which a SIGSTOP interrupts (allocator_dies()). */
static void wait_stopped(void)
{
	(void)!fd_wait(-1, POLLIN, WAIT_MS);
}

static const struct moment {
	void (*prepare)(void); /* NULL: nothing */
	void (*run)(void);
	bool stopped; /* meanwhile; for the threads that wait with an end */
} moments[] = {
	{NULL, churn, false},
	{limit_memory, run_out, false},
	{NULL, wait_stopped, true},
};

/* --- one of them
 * --------------------------------------------------------------- */

struct act {
	const struct moment *moment;
	enum sandbox_role role;
};

static void *perform(void *userdata)
{
	struct act *act = userdata;

	if (sandbox_thread(act->role) < 0)
		_exit(1);
	act->moment->run();
	return NULL;
}

/* The process itself is the thread of a role that is a process's first. */
static _Noreturn void perform_all(const struct moment *m,
				  enum sandbox_role role)
{
	struct act act = {m, role};
	struct sandbox_report report;
	pthread_t thread;

	if (sandbox_enter(false, 0, &report) < 0)
		_exit(1);
	if (m->prepare)
		m->prepare();
	if (is_loop(role))
		(void)perform(&act);
	else if (pthread_create(&thread, NULL, perform, &act) == 0)
		(void)pthread_join(thread, NULL);
	_exit(0);
}

/* Once it waits in the kernel. */
static void stop_and_go(pid_t pid)
{
	int status;

	(void)usleep(WAIT_MS * 1000 / 4);
	(void)kill(pid, SIGSTOP);
	(void)waitpid(pid, &status, WUNTRACED);
	(void)kill(pid, SIGCONT);
}

static bool moment_kills(const struct moment *m, enum sandbox_role role)
{
	pid_t pid = fork();
	int status = 0;

	if (pid == 0)
		perform_all(m, role);
	if (m->stopped)
		stop_and_go(pid);
	(void)waitpid(pid, &status, 0);
	return WIFSIGNALED(status) && WTERMSIG(status) == SIGSYS;
}

bool allocator_dies(enum sandbox_role role)
{
	for (size_t i = 0; i < ARRAY_SIZE(moments); i++) {
		const struct moment *m = &moments[i];

		if (m->stopped && !is_loop(role))
			continue;
		if (moment_kills(m, role))
			return true;
	}
	return false;
}
