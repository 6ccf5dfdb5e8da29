/* avf run-microguest: AVF's run-microdroid */
#include "cli.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "run_options.h"
#include "session.h"

#define IDLE_PACKAGE "payloads/idle.avfpkg"
#define IDLE_PAYLOAD "libidle.so"

#define PATH_SIZE 4096

static int print_help(void)
{
	fputs("Usage: avf run-microguest [OPTION]...\n\n"
	      "Runs the microguest with a payload that does nothing, until\n"
	      "the VM ends: to look around in it.\n\n"
	      "Example:\n"
	      "  avf run-microguest --name try --console boot.txt\n\n"
	      "Options of run-microguest:\n"
	      "      --guest-image DIR      microguest to use (`avf image "
	      "build`)\n\n",
	      stdout);
	run_options_print_help();
	return CLI_EXIT_OK;
}

/* The package lies beside this program's own installation. */
static int find_package(char *path, size_t size)
{
	char self[PATH_SIZE - sizeof("/../" AVF_CLI_LIBEXEC "/" IDLE_PACKAGE)];
	ssize_t n = readlink("/proc/self/exe", self, sizeof(self) - 1);
	char *slash;

	if (n < 0)
		return cli_fail(CLI_EXIT_HOST, "/proc/self/exe: %s",
				strerror(errno));
	self[n] = '\0';
	slash = strrchr(self, '/');
	if (slash)
		*slash = '\0';
	(void)snprintf(path, size, "%s/../%s/%s", self, AVF_CLI_LIBEXEC,
		       IDLE_PACKAGE);
	if (access(path, R_OK) < 0)
		return cli_fail(CLI_EXIT_HOST,
				"the package of the idle payload is not "
				"installed: %s: %s",
				path, strerror(errno));
	return 0;
}

int cmd_run_microguest(int argc, char **argv)
{
	struct run_options options = {.command = "run-microguest",
				      .default_name = "VmRunMicroguest"};
	CLI_CLEANUP(cli_config_free) avf_config *config = NULL;
	char package[PATH_SIZE];
	int index;
	int rc;

	rc = run_options_parse(&options, argc, argv, &index);
	if (rc != 0)
		return rc;
	if (options.help)
		return print_help();
	if (argc != index)
		return cli_usage("run-microguest", "no argument is expected");
	rc = find_package(package, sizeof(package));
	if (rc != 0)
		return rc;
	if (!options.payload)
		options.payload = IDLE_PAYLOAD;
	if (avf_config_new(AVF_CONFIG_PAYLOAD, &config) < 0 ||
	    avf_config_set_package(config, package) < 0)
		return cli_fail_avf();
	rc = run_options_apply(&options, NULL, config);
	if (rc != 0)
		return rc;
	return session_run(&options, config);
}
