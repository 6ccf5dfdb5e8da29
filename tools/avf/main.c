/* avf: the command line of libvirtualization. docs/cli.md describes it. */
#include "cli.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

struct command {
	const char *name;
	cli_command_fn *run;
	const char *summary;
};

static const struct command commands[] = {
	{"info", cmd_info, "say what this host can do, and why not"},
	{"run", cmd_run, "run a VM from a JSON configuration"},
	{"run-app", cmd_run_app, "run a payload package in the microguest"},
	{"run-microguest", cmd_run_microguest,
	 "run the microguest with a payload that does nothing"},
	{"vm", cmd_vm, "list, create, run and delete VMs with a name"},
	{"console", cmd_console, "use the console of a VM that runs"},
	{"image", cmd_image, "build the microguest image"},
	{"package", cmd_package, "make a payload package"},
};

static const char exit_codes[] =
	"Exit codes of `avf`:\n"
	"  0  done; for a VM: the guest shut down\n"
	"  1  wrong usage, or a bad configuration\n"
	"  2  this host cannot do it; the text says what is missing\n"
	"  3  the VM failed to start\n"
	"  4  the VM crashed, hung, rebooted, or failed otherwise\n"
	"  5  the VM was stopped from outside: a signal, --timeout\n"
	"With --exit-code, a VM that shut down after its payload finished\n"
	"passes the payload's exit code on (its low eight bits).\n";

static void print_help(FILE *out)
{
	fputs("Usage: avf COMMAND [OPTION]...\n\nCommands:\n", out);
	for (size_t i = 0; i < CLI_ARRAY_SIZE(commands); i++)
		fprintf(out, "  %-15s %s\n", commands[i].name,
			commands[i].summary);
	fputs("\n`avf COMMAND --help` describes a command.\n"
	      "`avf help exit-codes` lists the exit codes.\n"
	      "`avf --version` says which version this is.\n"
	      "\nExample:\n  avf info\n",
	      out);
}

static const struct command *find_command(const char *name)
{
	for (size_t i = 0; i < CLI_ARRAY_SIZE(commands); i++)
		if (strcmp(commands[i].name, name) == 0)
			return &commands[i];
	return NULL;
}

static int help(int argc, char **argv)
{
	char option[] = "--help";
	const struct command *command;
	char *args[3];

	if (argc < 2) {
		print_help(stdout);
		return CLI_EXIT_OK;
	}
	if (strcmp(argv[1], "exit-codes") == 0) {
		fputs(exit_codes, stdout);
		return CLI_EXIT_OK;
	}
	command = find_command(argv[1]);
	if (!command)
		return cli_usage("help", "no command \"%s\"", argv[1]);
	args[0] = argv[1];
	args[1] = option;
	args[2] = NULL;
	return command->run(2, args);
}

/* The number of a closed standard stream would go to the next file that is
 * opened, say a guest's disk, and our messages into that file. */
static bool fill_closed_streams(void)
{
	int fd;

	do
		fd = open("/dev/null", O_RDWR);
	while (fd >= 0 && fd <= STDERR_FILENO);
	if (fd < 0)
		return false;
	(void)close(fd);
	return true;
}

/* Lost output is a failure: a script would take half of it for the whole. */
static int check_output(int rc)
{
	bool had_failed = ferror(stdout) != 0;
	bool is_flushed = fflush(stdout) == 0;

	if (is_flushed && !had_failed)
		return rc;
	(void)cli_fail(CLI_EXIT_HOST, "write to standard output: %s",
		       is_flushed ? "some of it was lost" : strerror(errno));
	return rc == CLI_EXIT_OK ? CLI_EXIT_HOST : rc;
}

static int run_command(int argc, char **argv)
{
	const struct command *command;

	if (argc < 2) {
		print_help(stderr);
		return CLI_EXIT_USAGE;
	}
	if (strcmp(argv[1], "help") == 0 || strcmp(argv[1], "--help") == 0 ||
	    strcmp(argv[1], "-h") == 0)
		return help(argc - 1, argv + 1);
	if (strcmp(argv[1], "--version") == 0) {
		printf("libvirtualization %s\n", avf_version());
		return CLI_EXIT_OK;
	}
	command = find_command(argv[1]);
	if (!command)
		return cli_fail(CLI_EXIT_USAGE,
				"no command \"%s\"; see `avf help`", argv[1]);
	return command->run(argc - 1, argv + 1);
}

int main(int argc, char **argv)
{
	if (!fill_closed_streams())
		return cli_fail(CLI_EXIT_HOST, "open /dev/null: %s",
				strerror(errno));
	return check_output(run_command(argc, argv));
}
