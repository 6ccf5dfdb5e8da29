/* Work that leaves something to clean up, in a process that signals do not end
 * before it has. */
#pragma once

/**
 * Run @work with @data in a child and return what it returns, an exit code.
 * SIGINT, SIGTERM and SIGHUP end the programs that it runs, which makes it
 * fail and clean up; this process then ends by that signal.
 */
int guarded_run(int (*work)(void *data), void *data);
