/* avf package create */
#include "cli.h"
#include "guarded.h"

#include <getopt.h>
#include <stdio.h>
#include <string.h>

#define MAX_PROGRAMS 64

static int print_help(void)
{
	fputs("Usage: avf package create --output FILE --name NAME"
	      " [--assets DIR]\n"
	      "                          [--program FILE]... LIB...\n\n"
	      "Makes a payload package of shared libraries, programs and "
	      "assets.\n\n"
	      "  --output FILE   file to create or replace\n"
	      "  --name NAME     name for its manifest\n"
	      "  --assets DIR    what the payload finds as its assets\n"
	      "  --program FILE  what the payload finds in bin/, to execute\n\n"
	      "Example:\n"
	      "  avf package create --output echo.avfpkg --name echo "
	      "libecho.so\n",
	      stdout);
	return CLI_EXIT_OK;
}

static int make(void *data)
{
	const struct avf_package_options *package = data;

	return avf_package_create(package) < 0 ? cli_fail_avf() : CLI_EXIT_OK;
}

static int create(int argc, char **argv)
{
	static const struct option options[] = {
		{"output", required_argument, NULL, 'o'},
		{"name", required_argument, NULL, 'n'},
		{"assets", required_argument, NULL, 'a'},
		{"program", required_argument, NULL, 'p'},
		{"help", no_argument, NULL, 'h'},
		{NULL, 0, NULL, 0},
	};
	struct avf_package_options package = AVF_PACKAGE_OPTIONS_INIT;
	const char *programs[MAX_PROGRAMS + 1] = {NULL};
	size_t n_programs = 0;
	int opt;

	while ((opt = getopt_long(argc, argv, "h", options, NULL)) != -1) {
		if (opt == 'h')
			return print_help();
		if (opt == 'o')
			package.output = optarg;
		else if (opt == 'n')
			package.name = optarg;
		else if (opt == 'a')
			package.assets = optarg;
		else if (opt == 'p' && n_programs < MAX_PROGRAMS)
			programs[n_programs++] = optarg;
		else
			return cli_usage("package",
					 "wrong option, or too many programs");
	}
	package.programs = programs;
	if (!package.output || !package.name || optind == argc)
		return cli_usage("package", "--output, --name and at least "
					    "one library must be given");
	/* argv ends with NULL, as the list of libraries does */
	package.libraries = (const char *const *)argv + optind;
	return guarded_run(make, &package);
}

int cmd_package(int argc, char **argv)
{
	if (argc >= 2 && strcmp(argv[1], "create") == 0)
		return create(argc - 1, argv + 1);
	if (argc >= 2 &&
	    (strcmp(argv[1], "--help") == 0 || strcmp(argv[1], "-h") == 0))
		return print_help();
	return cli_usage("package", "what to do? `avf package create`");
}
