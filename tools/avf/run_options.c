#include "run_options.h"

#include <getopt.h>
#include <stdio.h>
#include <string.h>

#include <jansson.h>

#include "cli.h"

enum {
	OPT_NAME = 256,
	OPT_CPU_TOPOLOGY,
	OPT_VCPUS,
	OPT_HUGEPAGES,
	OPT_JAIL_STRICT,
	OPT_ACCELERATION,
	OPT_ARCH,
	OPT_DEBUG,
	OPT_CONSOLE,
	OPT_CONSOLE_IN,
	OPT_LOG,
	OPT_CONNECT,
	OPT_TIMEOUT,
	OPT_JSON,
	OPT_EXIT_CODE,
	OPT_GUEST_IMAGE,
	OPT_PAYLOAD,
	OPT_PAYLOAD_CONFIG,
};

static const struct option long_options[] = {
	{"name", required_argument, NULL, OPT_NAME},
	{"cpu-topology", required_argument, NULL, OPT_CPU_TOPOLOGY},
	{"vcpus", required_argument, NULL, OPT_VCPUS},
	{"mem", required_argument, NULL, 'm'},
	{"protected", no_argument, NULL, 'p'},
	{"hugepages", no_argument, NULL, OPT_HUGEPAGES},
	{"jail-strict", no_argument, NULL, OPT_JAIL_STRICT},
	{"acceleration", required_argument, NULL, OPT_ACCELERATION},
	{"arch", required_argument, NULL, OPT_ARCH},
	{"debug", required_argument, NULL, OPT_DEBUG},
	{"console", required_argument, NULL, OPT_CONSOLE},
	{"console-in", required_argument, NULL, OPT_CONSOLE_IN},
	{"log", required_argument, NULL, OPT_LOG},
	{"connect", required_argument, NULL, OPT_CONNECT},
	{"timeout", required_argument, NULL, OPT_TIMEOUT},
	{"json", no_argument, NULL, OPT_JSON},
	{"exit-code", no_argument, NULL, OPT_EXIT_CODE},
	{"guest-image", required_argument, NULL, OPT_GUEST_IMAGE},
	{"payload-binary-name", required_argument, NULL, OPT_PAYLOAD},
	{"config-path", required_argument, NULL, OPT_PAYLOAD_CONFIG},
	{"help", no_argument, NULL, 'h'},
	{NULL, 0, NULL, 0},
};

static const char help_text[] =
	"Options:\n"
	"      --name NAME            name of the VM\n"
	"  -m, --mem MIB              memory of the guest\n"
	"      --vcpus N              number of vCPUs\n"
	"      --cpu-topology WHICH   one_cpu or match_host\n"
	"      --acceleration WHICH   kvm, kvm-or-emulation (default) or\n"
	"                             emulation, which is slow and no\n"
	"                             security boundary\n"
	"      --arch WHICH           of the guest: x86_64 or arm64; another\n"
	"                             one than the host's is emulated\n"
	"  -p, --protected            ask for a protected VM\n"
	"      --hugepages            advise huge pages\n"
	"      --jail-strict          do not run where the host forbids a\n"
	"                             part of the jail (avf info --jail)\n"
	"      --debug LEVEL          full (default) or none\n"
	"      --console FILE         guest's console output (-: stdout)\n"
	"      --console-in FILE      guest's console input (-: stdin)\n"
	"      --log FILE             payload's output and log (-: stdout;\n"
	"                             default: stderr)\n"
	"      --connect PORT         connect stdin and stdout to a vsock\n"
	"                             port of the guest\n"
	"      --timeout SECONDS      stop the VM after this time\n"
	"      --json                 events as one JSON object per line\n"
	"      --exit-code            pass the payload's exit code on\n"
	"  -h, --help                 this text\n"
	"\nCtrl-C stops the VM, a second one kills it. `avf console NAME`\n"
	"uses its console from another terminal.\n";

void run_options_print_help(void)
{
	fputs(help_text, stdout);
}

/* Index of @text in @words, or -1 after saying what is allowed. */
static int find_word(const char *command, const char *flag, const char *text,
		     const char *const *words)
{
	for (int i = 0; words[i]; i++)
		if (strcmp(words[i], text) == 0)
			return i;
	(void)cli_usage(command, "--%s: \"%s\" is none of %s, %s%s%s", flag,
			text, words[0], words[1], words[2] ? ", " : "",
			words[2] ? words[2] : "");
	return -1;
}

static bool take_words(struct run_options *o, int opt, const char *text)
{
	static const char *const topologies[] = {"one_cpu", "match_host", NULL};
	static const char *const accelerations[] = {"kvm", "kvm-or-emulation",
						    "emulation", NULL};
	static const char *const levels[] = {"none", "full", NULL};

	switch (opt) {
	case OPT_CPU_TOPOLOGY:
		o->cpu_topology =
			find_word(o->command, "cpu-topology", text, topologies);
		return o->cpu_topology >= 0;
	case OPT_ACCELERATION:
		o->acceleration = find_word(o->command, "acceleration", text,
					    accelerations);
		return o->acceleration >= 0;
	default:
		o->debug_level = find_word(o->command, "debug", text, levels);
		return o->debug_level >= 0;
	}
}

static bool take_number(struct run_options *o, int opt, const char *text)
{
	uint32_t *target = &o->timeout_s;
	const char *flag = "timeout";
	uint32_t max = INT32_MAX / 1000;
	uint32_t min = 1;

	switch (opt) {
	case 'm':
		target = &o->memory_mib;
		flag = "mem";
		max = AVF_MAX_MEMORY_MIB;
		min = AVF_MIN_MEMORY_MIB;
		break;
	case OPT_VCPUS:
		target = &o->vcpus;
		flag = "vcpus";
		max = AVF_MAX_VCPUS;
		break;
	case OPT_CONNECT:
		target = &o->connect_port;
		flag = "connect";
		max = AVF_MAX_VSOCK_PORT;
		min = AVF_MIN_VSOCK_PORT;
		break;
	default:
		break;
	}
	if (cli_parse_number(text, max, target) && *target >= min)
		return true;
	(void)cli_usage(o->command,
			"--%s: \"%s\" is not a whole number of %u to %u", flag,
			text, min, max);
	return false;
}

static void take_text(struct run_options *o, int opt, const char *text)
{
	switch (opt) {
	case OPT_NAME:
		o->name = text;
		break;
	case OPT_CONSOLE:
		o->console = text;
		break;
	case OPT_CONSOLE_IN:
		o->console_in = text;
		break;
	case OPT_LOG:
		o->log = text;
		break;
	case OPT_GUEST_IMAGE:
		o->guest_image = text;
		break;
	case OPT_PAYLOAD_CONFIG:
		o->payload_config = text;
		break;
	default:
		o->payload = text;
		break;
	}
}

static bool take_option(struct run_options *o, int opt, const char *text)
{
	switch (opt) {
	case 'p':
		o->is_protected = true;
		return true;
	case OPT_HUGEPAGES:
		o->hugepages = true;
		return true;
	case OPT_JAIL_STRICT:
		o->strict_jail = true;
		return true;
	case OPT_JSON:
		o->json = true;
		return true;
	case OPT_EXIT_CODE:
		o->pass_exit_code = true;
		return true;
	case 'h':
		o->help = true;
		return true;
	case OPT_ARCH:
		return cli_parse_architecture(o->command, text,
					      &o->architecture);
	case OPT_CPU_TOPOLOGY:
	case OPT_ACCELERATION:
	case OPT_DEBUG:
		return take_words(o, opt, text);
	case 'm':
	case OPT_VCPUS:
	case OPT_CONNECT:
	case OPT_TIMEOUT:
		return take_number(o, opt, text);
	default:
		take_text(o, opt, text);
		return true;
	}
}

static bool is_stdio(const char *path)
{
	return path && strcmp(path, "-") == 0;
}

/* Standard input and output have one user each. */
static int check_stdio(const struct run_options *o)
{
	int out = is_stdio(o->console) + is_stdio(o->log) +
		  (o->connect_port != 0) + o->json;
	int in = is_stdio(o->console_in) + (o->connect_port != 0);

	/* console and log may share a terminal; data and JSON may not */
	if (out > 1 && (o->json || o->connect_port != 0))
		return cli_usage(o->command, "standard output is wanted by "
					     "more than one option");
	if (in > 1)
		return cli_usage(o->command, "standard input is wanted by "
					     "more than one option");
	return 0;
}

int run_options_parse(struct run_options *options, int argc, char **argv,
		      int *ret_index)
{
	int opt;

	options->cpu_topology = -1;
	options->acceleration = -1;
	options->debug_level = -1;
	optind = 1;
	for (;;) {
		opt = getopt_long(argc, argv, "m:ph", long_options, NULL);
		if (opt == -1)
			break;
		if (opt == '?')
			return cli_usage(options->command, "wrong option");
		if (!take_option(options, opt, optarg))
			return CLI_EXIT_USAGE;
	}
	*ret_index = optind;
	return check_stdio(options);
}

/* What the JSON in @file says for @key, "" for a wrong type; NULL: nothing.
 * *@ret_root keeps it alive. */
static const char *file_text(const char *file, const char *key,
			     json_t **ret_root)
{
	const json_t *value;

	*ret_root = file ? json_load_file(file, 0, NULL) : NULL;
	value = json_object_get(*ret_root, key);
	if (!value)
		return NULL;
	return json_is_string(value) ? json_string_value(value) : "";
}

static int apply_acceleration(const struct run_options *o, const char *file,
			      avf_config *config)
{
	int acceleration = o->acceleration;
	json_t *root = NULL;

	if (acceleration < 0 && !file_text(file, "acceleration", &root))
		acceleration = AVF_ACCELERATION_KVM_OR_EMULATION;
	json_decref(root);
	if (acceleration < 0)
		return 0;
	return avf_config_set_acceleration(config,
					   (enum avf_acceleration)acceleration);
}

/* The level decides about the console, so it is settled here. */
static int apply_debug_level(struct run_options *o, const char *file,
			     avf_config *config)
{
	json_t *root = NULL;
	const char *text;

	if (o->debug_level < 0) {
		text = file_text(file, "debug_level", &root);
		o->debug_level = text && strcmp(text, "none") == 0
					 ? AVF_DEBUG_LEVEL_NONE
					 : AVF_DEBUG_LEVEL_FULL;
		json_decref(root);
	}
	return avf_config_set_debug_level(config,
					  (enum avf_debug_level)o->debug_level);
}

static int apply_machine(const struct run_options *o, avf_config *config)
{
	int rc = 0;

	if (o->memory_mib != 0)
		rc = avf_config_set_memory_mib(config, o->memory_mib);
	if (rc == 0 && o->cpu_topology >= 0)
		rc = avf_config_set_cpu_topology(
			config, (enum avf_cpu_topology)o->cpu_topology);
	if (rc == 0 && o->vcpus != 0)
		rc = avf_config_set_vcpus(config, o->vcpus);
	if (rc == 0 && o->architecture != AVF_ARCHITECTURE_HOST)
		rc = avf_config_set_architecture(config, o->architecture);
	if (rc == 0 && o->is_protected)
		rc = avf_config_set_protected(config, true);
	if (rc == 0 && o->hugepages)
		rc = avf_config_set_hugepages(config, true);
	if (rc == 0 && o->strict_jail)
		rc = avf_config_set_jail(config, AVF_JAIL_STRICT);
	return rc;
}

static int apply_names(const struct run_options *o, avf_config *config)
{
	int rc = 0;

	if (o->name)
		rc = avf_config_set_name(config, o->name);
	else if (!avf_config_get_name(config))
		rc = avf_config_set_name(config, o->default_name);
	if (rc == 0 && o->payload)
		rc = avf_config_set_payload_name(config, o->payload);
	if (rc == 0 && o->payload_config)
		rc = avf_config_set_payload_config_path(config,
							o->payload_config);
	if (rc == 0 && o->guest_image)
		rc = avf_config_set_guest_image(config, o->guest_image);
	return rc;
}

int run_options_apply(struct run_options *options, const char *file,
		      avf_config *config)
{
	int rc;

	rc = apply_names(options, config);
	if (rc == 0)
		rc = apply_machine(options, config);
	if (rc == 0)
		rc = apply_acceleration(options, file, config);
	if (rc == 0)
		rc = apply_debug_level(options, file, config);
	return rc < 0 ? cli_fail_avf() : 0;
}
