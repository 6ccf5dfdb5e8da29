/* Shared by the files of the jail. */
#pragma once

#include <stddef.h>
#include <stdint.h>

#include "base/checked.h"
#include "sandbox/sandbox.h"

/** Append a row. */
void sandbox_add(struct sandbox_report *report, const char *what,
		 enum sandbox_state state, const char *format, ...)
	PRINTF_LIKE(4, 5);

/** A row by the outcome of a call: yes, or no with errno's text. */
void sandbox_add_result(struct sandbox_report *report, const char *what, int rc,
			const char *reason);

/* sandbox_namespaces.c */
void sandbox_namespaces(struct sandbox_report *report);
/* sandbox_landlock.c */
void sandbox_landlock(struct sandbox_report *report, bool child);
/** Deny changes of files. Returns 0, or -1 and errno. */
int sandbox_landlock_read_only(void);
/* sandbox_caps.c */
void sandbox_caps(struct sandbox_report *report);
/** Give up all capabilities, and what could bring them back. Returns 0, or -1
 * and errno. Async-signal-safe. */
int sandbox_drop_caps(void);
/* sandbox_seccomp.c, or sandbox_seccomp_none.c */
void sandbox_filters(struct sandbox_report *report);

/* sandbox_name_list.c, made by CMake: [number] = "name"; NULL: no call */
extern const char *const sandbox_names[];
extern const size_t sandbox_n_names;

/* sandbox_table.c */

/* What an argument must be. */
enum sandbox_check {
	CHECK_NONE,
	CHECK_EQUALS,  /* argument == value */
	CHECK_NO_BITS, /* (argument & value) == 0 */
	CHECK_OWN_PID, /* argument == getpid() */
};

struct sandbox_rule {
	uint8_t roles; /* BIT(enum sandbox_role) */
	int number;    /* SYS_* */
	enum sandbox_check check;
	unsigned int arg;
	uint64_t value;
	const char *reason;
};

extern const struct sandbox_rule sandbox_table[];
extern const size_t sandbox_table_size;
