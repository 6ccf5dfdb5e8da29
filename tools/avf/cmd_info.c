/* avf info: what this host can do */
#include "cli.h"

#include <getopt.h>
#include <stdio.h>

#include <jansson.h>

#include "vm_jail.h"

static int print_help(void)
{
	fputs("Usage: avf info [--json] [--fresh] [--jail [VM]]\n\n"
	      "Says what this host can do, found by trying, and why not. What "
	      "a trial found is\nremembered until the next boot.\n\n"
	      "  --json   one JSON object\n"
	      "  --fresh  try again whatever is remembered\n"
	      "  --jail   what confines the process of a VM here; of VM, that "
	      "runs: its name,\n"
	      "           as for `avf console`, or the number of its "
	      "process\n\n"
	      "Example:\n  avf info --json | jq .capabilities\n",
	      stdout);
	return CLI_EXIT_OK;
}

/* AVF's words. */
static const char *support_line(uint32_t capabilities)
{
	switch (capabilities) {
	case AVF_CAPABILITY_PROTECTED_VM | AVF_CAPABILITY_NON_PROTECTED_VM:
		return "Both protected and non-protected VMs are supported.";
	case AVF_CAPABILITY_PROTECTED_VM:
		return "Only protected VMs are supported.";
	case AVF_CAPABILITY_NON_PROTECTED_VM:
		return "Only non-protected VMs are supported.";
	default:
		return "VMs are not supported.";
	}
}

static void print_summary(const avf_probe *probe)
{
	printf("libvirtualization %s\n%s\n\n", avf_version(),
	       support_line(avf_probe_capabilities(probe)));
}

static void print_row(const char *what, enum avf_probe_state state,
		      const char *reason)
{
	printf("%-22s %-8s %s\n", what, avf_probe_state_name(state), reason);
}

static void print_rows(const avf_probe *probe)
{
	for (size_t i = 0; i < avf_probe_count(probe); i++) {
		print_row(avf_probe_what(probe, i),
			  avf_probe_get_state(probe, i),
			  avf_probe_reason(probe, i));
		if (avf_probe_hint(probe, i)[0] != '\0')
			printf("%-22s %-8s -> %s\n", "", "",
			       avf_probe_hint(probe, i));
	}
}

static json_t *make_row(const avf_probe *probe, size_t index)
{
	return json_pack(
		"{s:s, s:s, s:s, s:s}", "what", avf_probe_what(probe, index),
		"state",
		avf_probe_state_name(avf_probe_get_state(probe, index)),
		"reason", avf_probe_reason(probe, index), "hint",
		avf_probe_hint(probe, index));
}

static int write_json(json_t *root)
{
	int rc = json_dumpf(root, stdout, JSON_INDENT(2) | JSON_ENSURE_ASCII);

	putchar('\n');
	json_decref(root);
	return rc < 0 ? cli_fail(CLI_EXIT_HOST, "out of memory") : 0;
}

static int print_json(const avf_probe *probe, bool jail)
{
	uint32_t capabilities = avf_probe_capabilities(probe);
	json_t *rows = json_array();
	json_t *root;

	for (size_t i = 0; i < avf_probe_count(probe); i++)
		(void)json_array_append_new(rows, make_row(probe, i));
	if (jail)
		return write_json(json_pack("{s:s, s:o}", "version",
					    avf_version(), "jail", rows));
	root = json_pack(
		"{s:s, s:s, s:{s:b, s:b}, s:o}", "version", avf_version(),
		"summary", support_line(capabilities), "capabilities",
		"protected_vm",
		(int)((capabilities & AVF_CAPABILITY_PROTECTED_VM) != 0),
		"non_protected_vm",
		(int)((capabilities & AVF_CAPABILITY_NON_PROTECTED_VM) != 0),
		"probe", rows);
	return write_json(root);
}

struct info_options {
	bool json, fresh, jail;
	const char *vm; /* NULL: this host */
};

/* Returns whether it is done: *@ret_rc is the exit code then. */
static bool read_options(int argc, char **argv, struct info_options *o,
			 int *ret_rc)
{
	static const struct option options[] = {
		{"json", no_argument, NULL, 'j'},
		{"fresh", no_argument, NULL, 'f'},
		{"jail", no_argument, NULL, 'J'},
		{"help", no_argument, NULL, 'h'},
		{NULL, 0, NULL, 0},
	};
	int opt;

	while ((opt = getopt_long(argc, argv, "h", options, NULL)) != -1) {
		if (opt == 'h' || opt == '?') {
			*ret_rc = opt == 'h'
					  ? print_help()
					  : cli_usage("info", "wrong option");
			return true;
		}
		o->json = o->json || opt == 'j';
		o->fresh = o->fresh || opt == 'f';
		o->jail = o->jail || opt == 'J';
	}
	if (o->jail && optind + 1 == argc)
		o->vm = argv[optind++];
	if (optind == argc)
		return false;
	*ret_rc = cli_usage("info", "no argument is expected");
	return true;
}

/* The jail is tried each time. */
static int ask(const struct info_options *o, avf_probe **ret_probe)
{
	if (o->jail)
		return avf_probe_new_jail(ret_probe);
	return o->fresh ? avf_probe_new_fresh(ret_probe)
			: avf_probe_new(ret_probe);
}

static int print_vm_json(pid_t pid, const struct vm_jail_row *rows)
{
	json_t *array = json_array();

	for (size_t i = 0; i < VM_JAIL_ROWS; i++)
		(void)json_array_append_new(
			array,
			json_pack("{s:s, s:s, s:s}", "what", rows[i].what,
				  "state", avf_probe_state_name(rows[i].state),
				  "reason", rows[i].reason));
	return write_json(json_pack("{s:s, s:i, s:o}", "version", avf_version(),
				    "pid", (int)pid, "jail", array));
}

static int show_vm(const struct info_options *o)
{
	struct vm_jail_row rows[VM_JAIL_ROWS];
	pid_t pid;
	int rc = vm_jail_find(o->vm, &pid);

	if (rc == CLI_EXIT_OK)
		rc = vm_jail_look(pid, rows);
	if (rc != CLI_EXIT_OK)
		return rc;
	if (o->json)
		return print_vm_json(pid, rows);
	for (size_t i = 0; i < VM_JAIL_ROWS; i++)
		print_row(rows[i].what, rows[i].state, rows[i].reason);
	return CLI_EXIT_OK;
}

int cmd_info(int argc, char **argv)
{
	struct info_options o = {false, false, false, NULL};
	avf_probe *probe;
	int rc = 0;

	if (read_options(argc, argv, &o, &rc))
		return rc;
	if (o.vm)
		return show_vm(&o);
	if (ask(&o, &probe) < 0)
		return cli_fail_avf();
	if (o.json)
		rc = print_json(probe, o.jail);
	if (!o.json && !o.jail)
		print_summary(probe);
	if (!o.json)
		print_rows(probe);
	avf_probe_free(probe);
	return rc;
}
