/*
 * The payload launcher: gives up every right, loads the payload's library
 * and runs its AVmPayload_main(). The manager has set up the standard
 * descriptors, the environment and LAUNCHER_STATUS_FD.
 */
#include <dlfcn.h>
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "launcher/launcher.h"
#include "launcher/privileges.h"

typedef int payload_main_fn(void);

#define REASON_SIZE 512

/* To the log, for people, and to the manager, for the host's ERROR. */
__attribute__((format(printf, 1, 2))) static int cannot(const char *format, ...)
{
	char reason[REASON_SIZE];
	ssize_t written;
	va_list args;

	va_start(args, format);
	(void)vsnprintf(reason, sizeof(reason), format, args);
	va_end(args);
	(void)fprintf(stderr, "%s\n", reason);
	written = write(LAUNCHER_STATUS_FD, reason, strlen(reason));
	(void)written; /* the exit code says it too */
	return LAUNCHER_EXIT_LOAD;
}

static payload_main_fn *find_entry(void *library)
{
	payload_main_fn *entry = NULL;
	void *symbol = dlsym(library, "AVmPayload_main");

	/* ISO C has no cast from object to function pointers */
	_Static_assert(sizeof(entry) == sizeof(symbol), "POSIX dlsym()");
	memcpy(&entry, &symbol, sizeof(entry));
	return entry;
}

int main(int argc, char **argv)
{
	payload_main_fn *entry;
	const char *step;
	void *library;

	if (argc != 2)
		return cannot("usage: launcher LIBRARY");
	step = privileges_drop();
	if (step)
		return cannot("launcher: cannot %s: %s", step, strerror(errno));
	library = dlopen(argv[1], RTLD_NOW);
	if (!library)
		return cannot("Failed to dlopen %s: %s", argv[1], dlerror());
	entry = find_entry(library);
	if (!entry)
		return cannot("Failed to find entrypoint AVmPayload_main in %s",
			      argv[1]);
	(void)close(LAUNCHER_STATUS_FD); /* only our own words went there */
	return entry();
}
