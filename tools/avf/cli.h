/* What the subcommands of `avf` share. The program uses the public API only. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <avf/avf.h>

/* Exit codes: `avf help exit-codes`, docs/cli.md. */
enum cli_exit {
	CLI_EXIT_OK = 0,
	CLI_EXIT_USAGE = 1,
	CLI_EXIT_HOST = 2,
	CLI_EXIT_START_FAILED = 3,
	CLI_EXIT_VM_FAILED = 4,
	CLI_EXIT_STOPPED = 5,
};

#define CLI_CLEANUP(fn)   __attribute__((cleanup(fn)))
#define CLI_PRINTF(f, a)  __attribute__((format(printf, f, a)))
#define CLI_ARRAY_SIZE(a) (sizeof(a) / sizeof((a)[0]))

/** One subcommand: gets its own name as argv[0], returns the exit code. */
typedef int cli_command_fn(int argc, char **argv);

cli_command_fn cmd_console;
cli_command_fn cmd_image;
cli_command_fn cmd_info;
cli_command_fn cmd_package;
cli_command_fn cmd_run;
cli_command_fn cmd_run_app;
cli_command_fn cmd_run_microguest;
cli_command_fn cmd_vm;

/** Say "avf: ..." on standard error. Returns @code. */
int cli_fail(enum cli_exit code, const char *format, ...) CLI_PRINTF(2, 3);

/** As cli_fail(), for wrong usage; points to @command's --help. */
int cli_usage(const char *command, const char *format, ...) CLI_PRINTF(2, 3);

/** Say the library's last error. Returns the exit code for it. */
int cli_fail_avf(void);

/** Read a whole number of 0 to @max. Returns false if @text is none. */
bool cli_parse_number(const char *text, uint32_t max, uint32_t *ret_number);

/** Read an architecture's name, given as @command's --arch. Returns false and
 * says so if @text is none. */
bool cli_parse_architecture(const char *command, const char *text,
			    enum avf_architecture *ret_architecture);

/** avf_config_free() and close() for CLI_CLEANUP. */
void cli_config_free(avf_config **config);
void cli_close(int *fd);
