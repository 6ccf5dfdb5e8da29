/*
 * Memory that runs out: a scenario runs once to count its allocations, then
 * once for each of them, which fails. For plain programs with LIBS test_oom.
 *
 * Without a sanitizer malloc() and its like are replaced for the whole
 * process, so that the C library's and jansson's allocations fail, too, and
 * what stays allocated is counted. With one, only our own calls are wrapped,
 * and the leak checker looks.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

/* What a scenario returns besides enum avf_err: it has said what is wrong. */
#define OOM_BROKEN (-1000)

struct oom_scenario {
	const char *name;
	/**
	 * Everything from the constructor to the destructor. 0 when all of
	 * it worked, the error of what failed, or OOM_BROKEN.
	 */
	int (*run)(void);
	/* What an allocation that fails may lead to besides
	 * AVF_ERR_NO_MEMORY: 0 where the house goes on without it (a
	 * guest's request fails, a log line is lost). */
	bool may_go_on;
};

/**
 * Run the scenarios that @argv names, or all: each must fail with
 * AVF_ERR_NO_MEMORY, keep no memory and no descriptor, and work afterwards.
 * Returns the exit code.
 */
int oom_main(int argc, char **argv, const struct oom_scenario *scenarios,
	     size_t n_scenarios);

/** Between these, allocations are not counted and do not fail: the test's
 * own. May be nested. */
void oom_pause(void);
void oom_resume(void);

/** Say what is wrong, and OOM_BROKEN. */
int oom_broken(const char *file, int line, const char *what);

/* For what must hold although memory ran out: leaves the scenario. */
#define OOM_EXPECT(condition)                                              \
	do {                                                               \
		if (!(condition))                                          \
			return oom_broken(__FILE__, __LINE__, #condition); \
	} while (0)

/* For the test's own steps: ends the program. */
#define OOM_MUST(condition)                                      \
	do {                                                     \
		if (!(condition))                                \
			oom_die(__FILE__, __LINE__, #condition); \
	} while (0)

_Noreturn void oom_die(const char *file, int line, const char *what);
