/* avf vm list|create|run|delete: VMs with a name. docs/manager.md */
#include "cli.h"

#include <getopt.h>
#include <stdio.h>
#include <string.h>

#include "run_options.h"
#include "session.h"

struct vm_command {
	const char *name;
	int n_args;
	const char *needs; /* the arguments, for who forgot them */
	int (*run)(avf_manager *manager, char **args,
		   const struct run_options *options);
};

static void manager_free(avf_manager **manager)
{
	avf_manager_free(*manager);
}

static int print_help(void)
{
	fputs("Usage: avf vm [--dir DIR] list\n"
	      "       avf vm [--dir DIR] create NAME CONFIG.json\n"
	      "       avf vm [--dir DIR] run [--json] [--console FILE]"
	      " [--log FILE] NAME\n"
	      "       avf vm [--dir DIR] delete NAME\n\n"
	      "VMs with a name: kept in DIR, with an identity that lasts from\n"
	      "run to run. The files that CONFIG.json names stay where they\n"
	      "are.\n\n"
	      "  --dir DIR       data directory; without it, "
	      "$XDG_DATA_HOME/libvirtualization,\n"
	      "                  else ~/.local/share/libvirtualization\n"
	      "  --console FILE  console output; - is standard output\n"
	      "  --log FILE      the payload's log; - is standard output\n"
	      "  --json          events as JSON lines\n\n"
	      "Example:\n"
	      "  avf vm create web vm.json && avf vm run web\n",
	      stdout);
	return CLI_EXIT_OK;
}

/* A name that is not there, or there already, is the user's mistake. */
static int fail_name(void)
{
	int code = avf_last_error()->code;
	int rc = cli_fail_avf();

	if (code == AVF_ERR_NOT_FOUND || code == AVF_ERR_EXISTS)
		return CLI_EXIT_USAGE;
	return rc;
}

static int list(avf_manager *manager, char **args,
		const struct run_options *options)
{
	avf_names *names = NULL;

	(void)args;
	(void)options;
	if (avf_manager_list(manager, &names) < 0)
		return cli_fail_avf();
	for (size_t i = 0; i < avf_names_count(names); i++)
		puts(avf_names_get(names, i));
	avf_names_free(names);
	return CLI_EXIT_OK;
}

static int create(avf_manager *manager, char **args,
		  const struct run_options *options)
{
	CLI_CLEANUP(cli_config_free) avf_config *config = NULL;
	avf_vm *vm = NULL;

	(void)options;
	if (avf_config_load(args[1], &config) < 0) {
		(void)cli_fail_avf();
		return CLI_EXIT_USAGE;
	}
	if (avf_manager_create(manager, args[0], config, &vm) < 0)
		return fail_name();
	avf_vm_free(vm);
	return CLI_EXIT_OK;
}

static int run(avf_manager *manager, char **args,
	       const struct run_options *options)
{
	CLI_CLEANUP(cli_config_free) avf_config *config = NULL;
	struct run_options settled = *options;
	avf_vm *vm = NULL;

	if (avf_manager_get(manager, args[0], &vm) < 0)
		return fail_name();
	if (avf_vm_get_config(vm, &config) < 0) {
		avf_vm_free(vm);
		return cli_fail_avf();
	}
	settled.debug_level = (int)avf_config_get_debug_level(config);
	return session_run_vm(&settled, config, vm);
}

static int remove_vm(avf_manager *manager, char **args,
		     const struct run_options *options)
{
	(void)options;
	return avf_manager_delete(manager, args[0]) < 0 ? fail_name()
							: CLI_EXIT_OK;
}

static const struct vm_command commands[] = {
	{"list", 0, "no argument", list},
	{"create", 2, "NAME and CONFIG.json", create},
	{"run", 1, "the NAME of one VM", run},
	{"delete", 1, "the NAME of one VM", remove_vm},
};

static int execute(int argc, char **argv, const char *dir,
		   const struct run_options *options)
{
	CLI_CLEANUP(manager_free) avf_manager *manager = NULL;
	const struct vm_command *command = NULL;

	for (size_t i = 0; i < CLI_ARRAY_SIZE(commands); i++)
		if (strcmp(commands[i].name, argv[0]) == 0)
			command = &commands[i];
	if (!command)
		return cli_usage("vm", "no command \"%s\"", argv[0]);
	if (argc - 1 != command->n_args)
		return cli_usage("vm", "%s needs %s", command->name,
				 command->needs);
	if (avf_manager_new(dir, &manager) < 0)
		return cli_fail_avf();
	return command->run(manager, argv + 1, options);
}

int cmd_vm(int argc, char **argv)
{
	static const struct option flags[] = {
		{"dir", required_argument, NULL, 'd'},
		{"console", required_argument, NULL, 'c'},
		{"log", required_argument, NULL, 'l'},
		{"json", no_argument, NULL, 'j'},
		{"help", no_argument, NULL, 'h'},
		{NULL, 0, NULL, 0},
	};
	struct run_options options = {.command = "vm"};
	const char *dir = NULL;
	int opt;

	while ((opt = getopt_long(argc, argv, "h", flags, NULL)) != -1) {
		if (opt == 'h')
			return print_help();
		if (opt == 'd')
			dir = optarg;
		else if (opt == 'c')
			options.console = optarg;
		else if (opt == 'l')
			options.log = optarg;
		else if (opt == 'j')
			options.json = true;
		else
			return cli_usage("vm", "wrong option");
	}
	if (optind == argc)
		return cli_usage("vm", "list, create, run or delete?");
	return execute(argc - optind, argv + optind, dir, &options);
}
