/* What fortified headers make of asprintf() would be in our way. */
#undef _FORTIFY_SOURCE

#include "support/oom.h"

#include <dirent.h>
#include <errno.h>
#include <malloc.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/error.h"
#include "base/error_name.h"
#include "support/oom_names.h"

/* More than any scenario has: one that never succeeds is broken. */
#define MAX_ALLOCATIONS 20000

/* Any thread may allocate: a disk's worker, a vCPU. */
static atomic_bool armed;
static atomic_uint paused;
static atomic_ulong n_seen;  /* allocations since the run began */
static atomic_ulong fail_at; /* which of them fails; 0: none */
static atomic_long n_live;   /* allocated and not freed, always counted */
static atomic_bool has_failed;

/* Whether this allocation is the one. */
static bool is_refused(void)
{
	unsigned long n;

	if (!atomic_load(&armed) || atomic_load(&paused) > 0)
		return false;
	n = atomic_fetch_add(&n_seen, 1) + 1;
	if (n != atomic_load(&fail_at))
		return false;
	atomic_store(&has_failed, true);
	errno = ENOMEM;
	return true;
}

static void *count(void *p)
{
	if (p)
		atomic_fetch_add(&n_live, 1);
	return p;
}

/* Default visibility: the C library is to find these. */
#pragma GCC visibility push(default)

void *OOM_NAME(malloc)(size_t size)
{
	return is_refused() ? NULL : count(OOM_REAL(malloc)(size));
}

void *OOM_NAME(calloc)(size_t n, size_t size)
{
	return is_refused() ? NULL : count(OOM_REAL(calloc)(n, size));
}

void *OOM_NAME(realloc)(void *old, size_t size)
{
	/* the C library asks to shrink what it returns, and goes on without */
	if (!(old && size <= malloc_usable_size(old)) && is_refused())
		return NULL;
	return old ? OOM_REAL(realloc)(old, size)
		   : count(OOM_REAL(malloc)(size));
}

void OOM_NAME(free)(void *p)
{
	if (p)
		atomic_fetch_sub(&n_live, 1);
	OOM_REAL(free)(p);
}

#ifdef OOM_WRAPS
/* What the C library would allocate out of our sight. */
void *OOM_NAME(reallocarray)(void *old, size_t n, size_t size)
{
	return is_refused() ? NULL : OOM_REAL(reallocarray)(old, n, size);
}

char *OOM_NAME(strdup)(const char *text)
{
	return is_refused() ? NULL : OOM_REAL(strdup)(text);
}

char *OOM_NAME(strndup)(const char *text, size_t size)
{
	return is_refused() ? NULL : OOM_REAL(strndup)(text, size);
}
#endif

/* One allocation, as its caller thinks; the C library's makes a second one to
 * save space, and goes on when it fails. */
static int print(char **ret_text, const char *format, va_list args)
	__attribute__((format(printf, 2, 0)));

static int print(char **ret_text, const char *format, va_list args)
{
	va_list again;
	int n;

	va_copy(again, args);
	n = vsnprintf(NULL, 0, format, again);
	va_end(again);
	*ret_text = n < 0 ? NULL : OOM_NAME(malloc)((size_t)n + 1);
	return *ret_text ? vsnprintf(*ret_text, (size_t)n + 1, format, args)
			 : -1;
}

int OOM_NAME(vasprintf)(char **ret_text, const char *format, va_list args)
{
	return print(ret_text, format, args);
}

int OOM_NAME(asprintf)(char **ret_text, const char *format, ...)
{
	va_list args;
	int n;

	va_start(args, format);
	n = print(ret_text, format, args);
	va_end(args);
	return n;
}

/* The same with _FORTIFY_SOURCE. */
int OOM_NAME(__vasprintf_chk)(char **ret_text, int flag, const char *format,
			      va_list args)
{
	(void)flag;
	return print(ret_text, format, args);
}

int OOM_NAME(__asprintf_chk)(char **ret_text, int flag, const char *format, ...)
{
	va_list args;
	int n;

	(void)flag;
	va_start(args, format);
	n = print(ret_text, format, args);
	va_end(args);
	return n;
}

#pragma GCC visibility pop

void oom_pause(void)
{
	atomic_fetch_add(&paused, 1);
}

void oom_resume(void)
{
	atomic_fetch_sub(&paused, 1);
}

int oom_broken(const char *file, int line, const char *what)
{
	oom_pause();
	printf("    %s:%d: %s (%s)\n", file, line, what, error_record()->text);
	oom_resume();
	return OOM_BROKEN;
}

void oom_die(const char *file, int line, const char *what)
{
	(void)oom_broken(file, line, what);
	abort();
}

static unsigned int count_fds(void)
{
	DIR *dir = opendir("/proc/self/fd");
	unsigned int n = 0;

	OOM_MUST(dir);
	while (readdir(dir))
		n++;
	(void)closedir(dir);
	return n;
}

/* What must be as before when a run is over. */
struct state {
	long live;
	unsigned int fds;
};

static struct state look(void)
{
	return (struct state){atomic_load(&n_live), count_fds()};
}

static int run_once(const struct oom_scenario *s, unsigned long n)
{
	int rc;

	atomic_store(&n_seen, 0);
	atomic_store(&fail_at, n);
	atomic_store(&has_failed, false);
	atomic_store(&armed, true);
	rc = s->run();
	atomic_store(&armed, false);
	return rc;
}

/* Only where every allocation and every free is seen. */
static bool is_leak(const struct state *before, const struct state *after)
{
	return OOM_COUNTS && before->live != after->live;
}

/* One run with allocation @n failing. False: not as it must be. */
static bool try(const struct oom_scenario *s, unsigned long n)
{
	const struct state before = look();
	int rc = run_once(s, n);
	const struct state after = look();
	bool failed = atomic_load(&has_failed);
	bool ok = true;

	if (rc != (failed ? AVF_ERR_NO_MEMORY : 0) &&
	    !(failed && rc == 0 && s->may_go_on)) {
		printf("    allocation %lu: %s (%s:%d: %s)\n", n,
		       rc == OOM_BROKEN ? "broken" : error_name(rc),
		       error_record()->file ? error_record()->file : "?",
		       error_record()->line, error_record()->text);
		ok = false;
	}
	if (is_leak(&before, &after)) {
		printf("    allocation %lu: %ld more stay allocated\n", n,
		       after.live - before.live);
		ok = false;
	}
	if (before.fds != after.fds) {
		printf("    allocation %lu: %u descriptors, %u before\n", n,
		       after.fds, before.fds);
		ok = false;
	}
	return ok;
}

/* Fill what libraries keep for good, then fail one allocation after the
 * other, until a run needs no more of them. */
static bool run_scenario(const struct oom_scenario *s)
{
	unsigned long n = 1;
	unsigned int n_wrong = 0;
	int rc = run_once(s, 0);

	if (rc != 0) {
		printf("    with enough memory: %s: %s\n", error_name(rc),
		       error_record()->text);
		return false;
	}
	do {
		n_wrong += !try(s, n++);
	} while (atomic_load(&has_failed) && n < MAX_ALLOCATIONS);
	if (n == MAX_ALLOCATIONS || (OOM_COUNTS && n < 3)) {
		printf("    %lu allocations?\n", n);
		n_wrong++;
	}
	n_wrong += oom_leak_check() != 0;
	printf("%s %s: %lu allocations\n", n_wrong ? "not ok" : "ok", s->name,
	       n - 2);
	return n_wrong == 0;
}

static bool is_wanted(const char *name, int argc, char **argv)
{
	for (int i = 1; i < argc; i++) {
		if (strcmp(argv[i], name) == 0)
			return true;
	}
	return argc < 2;
}

/* To look at one failure: PROGRAM SCENARIO N, in a debugger. */
static int run_single(const struct oom_scenario *s, unsigned long n)
{
	(void)run_once(s, 0);
	return try(s, n) ? EXIT_SUCCESS : EXIT_FAILURE;
}

int oom_main(int argc, char **argv, const struct oom_scenario *scenarios,
	     size_t n_scenarios)
{
	unsigned int n_failed = 0;
	unsigned long n = argc == 3 ? strtoul(argv[2], NULL, 10) : 0;

	(void)setvbuf(stdout, NULL, _IOLBF, 0);
	for (size_t i = 0; i < n_scenarios; i++) {
		if (!is_wanted(scenarios[i].name, argc, argv))
			continue;
		if (n > 0)
			return run_single(&scenarios[i], n);
		n_failed += !run_scenario(&scenarios[i]);
	}
	return n_failed > 0;
}
