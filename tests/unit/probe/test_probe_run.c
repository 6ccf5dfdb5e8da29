/* Programs that are asked something and may misbehave. */
#include <criterion/criterion.h>

#include <errno.h>
#include <signal.h>
#include <string.h>
#include <sys/wait.h>

#include "base/checked.h"
#include "base/fd.h"
#include "probe/probe_run.h"

static const struct {
	const char *what, *script;
	int rc;
	const char *output;
} rows[] = {
	{"answers", "echo hello", 0, "hello\n"},
	{"says nothing", "exit 3", 0, ""},
	{"hangs after its answer", "echo hello; exec sleep 60", AVF_ERR_TIMEOUT,
	 "hello\n"},
	{"hangs with its output closed", "echo a; exec >&-; exec sleep 60",
	 AVF_ERR_TIMEOUT, "a\n"},
	{"never stops talking: cut at the size, then killed",
	 "while :; do echo 0123456789abcdef; done", AVF_ERR_TIMEOUT, NULL},
	{"crashes", "echo a; kill -SEGV $$", 0, "a\n"},
};

static int run(const char *script, char *output, size_t size, size_t *used)
{
	char shell[] = "/bin/sh", option[] = "-c";
	char *const argv[] = {shell, option, strdup(script), NULL};
	int rc = probe_run(argv, false, 400, output, size, used);

	free(argv[2]);
	return rc;
}

Test(probe_run, programs)
{
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		char output[256];
		size_t used;
		int rc = run(rows[i].script, output, sizeof(output), &used);

		cr_expect_eq(rc, rows[i].rc, "%s: %d", rows[i].what, rc);
		cr_expect_leq(used, sizeof(output), "%s", rows[i].what);
		if (rows[i].output)
			cr_expect(used == strlen(rows[i].output) &&
					  memcmp(output, rows[i].output,
						 used) == 0,
				  "%s", rows[i].what);
		cr_expect(waitpid(-1, NULL, WNOHANG) == -1 && errno == ECHILD,
			  "%s: a child is left", rows[i].what);
	}
}

Test(probe_run, no_such_program)
{
	char path[] = "/nonexistent/program";
	char *const argv[] = {path, NULL};
	char output[16];
	size_t used = 7;

	cr_expect_eq(probe_run(argv, false, 400, output, sizeof(output), &used),
		     AVF_ERR_NOT_FOUND);
	cr_expect_eq(used, 0);
}

/* An application may reap, or have the kernel reap, all its children. */
Test(probe_run, application_that_ignores_sigchld)
{
	char output[16];
	size_t used;

	cr_assert_neq(signal(SIGCHLD, SIG_IGN), SIG_ERR);
	cr_expect_eq(run("echo a", output, sizeof(output), &used), 0);
	cr_expect_eq(used, 2);
}
