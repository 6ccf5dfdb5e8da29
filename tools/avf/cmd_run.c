/* avf run CONFIG.json */
#include "cli.h"

#include <stdio.h>

#include "run_options.h"
#include "session.h"

static int print_help(void)
{
	fputs("Usage: avf run [OPTION]... CONFIG.json\n\n"
	      "Runs the VM that CONFIG.json describes, to its end. Options\n"
	      "override what the file says.\n\n"
	      "Example:\n"
	      "  avf run --console - -m 512 vm.json\n\n",
	      stdout);
	run_options_print_help();
	return CLI_EXIT_OK;
}

int cmd_run(int argc, char **argv)
{
	struct run_options options = {.command = "run",
				      .default_name = "VmRun"};
	CLI_CLEANUP(cli_config_free) avf_config *config = NULL;
	const char *file;
	int index;
	int rc;

	rc = run_options_parse(&options, argc, argv, &index);
	if (rc != 0)
		return rc;
	if (options.help)
		return print_help();
	if (argc - index != 1)
		return cli_usage("run", "one configuration file is needed");
	file = argv[index];
	if (avf_config_load(file, &config) < 0) {
		(void)cli_fail_avf();
		return CLI_EXIT_USAGE;
	}
	rc = run_options_apply(&options, file, config);
	if (rc != 0)
		return rc;
	return session_run(&options, config);
}
