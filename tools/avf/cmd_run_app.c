/* avf run-app PACKAGE --payload-binary-name NAME | --config-path PATH */
#include "cli.h"

#include <stdio.h>

#include "run_options.h"
#include "session.h"

static int print_help(void)
{
	fputs("Usage: avf run-app [OPTION]... PACKAGE"
	      " --payload-binary-name NAME\n"
	      "       avf run-app [OPTION]... PACKAGE --config-path PATH\n\n"
	      "Runs the library NAME of a payload package, or the one that\n"
	      "its file PATH names, in the microguest, until the VM ends.\n\n"
	      "Example:\n"
	      "  avf run-app echo.avfpkg --payload-binary-name libecho.so\n"
	      "  avf run-app echo.avfpkg --config-path "
	      "assets/vm_config.json\n\n"
	      "Options of run-app:\n"
	      "      --payload-binary-name NAME\n"
	      "                             library in the package's "
	      "lib/<abi>/\n"
	      "      --config-path PATH     JSON file in the package that "
	      "names it\n"
	      "      --guest-image DIR      microguest to use (`avf image "
	      "build`)\n\n",
	      stdout);
	run_options_print_help();
	return CLI_EXIT_OK;
}

int cmd_run_app(int argc, char **argv)
{
	struct run_options options = {.command = "run-app",
				      .default_name = "VmRunApp"};
	CLI_CLEANUP(cli_config_free) avf_config *config = NULL;
	int index;
	int rc;

	rc = run_options_parse(&options, argc, argv, &index);
	if (rc != 0)
		return rc;
	if (options.help)
		return print_help();
	if (argc - index != 1)
		return cli_usage("run-app", "one payload package is needed");
	if (!options.payload == !options.payload_config)
		return cli_usage("run-app", "one of --payload-binary-name and "
					    "--config-path must be given");
	if (avf_config_new(AVF_CONFIG_PAYLOAD, &config) < 0)
		return cli_fail_avf();
	if (avf_config_set_package(config, argv[index]) < 0) {
		(void)cli_fail_avf();
		return CLI_EXIT_USAGE;
	}
	rc = run_options_apply(&options, NULL, config);
	if (rc != 0)
		return rc;
	return session_run(&options, config);
}
