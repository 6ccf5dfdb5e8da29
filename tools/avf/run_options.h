/* The flags that `run`, `run-app` and `run-microguest` share. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include <avf/avf.h>

/* Values as given; texts are borrowed from argv. -1 and NULL: not given. */
struct run_options {
	const char *command;      /* for messages */
	const char *default_name; /* where neither flag nor file has one */
	const char *name;
	const char *console;
	const char *console_in;
	const char *log;
	const char *guest_image;
	const char *payload;
	const char *payload_config; /* a file in the package */
	int cpu_topology;
	int acceleration;
	int debug_level;
	enum avf_architecture architecture; /* HOST: not given */
	uint32_t vcpus;                     /* 0: not given */
	uint32_t memory_mib;                /* 0: not given */
	uint32_t connect_port;              /* 0: not given */
	uint32_t timeout_s;                 /* 0: for ever */
	bool is_protected;
	bool hugepages;
	bool strict_jail;
	bool json;
	bool pass_exit_code;
	bool help;
};

/**
 * Read the flags of argv. *@ret_index is the first argument that is none.
 * Returns 0, or the exit code of wrong usage (said already).
 */
int run_options_parse(struct run_options *options, int argc, char **argv,
		      int *ret_index);

/** The part of the help text that lists the shared flags. */
void run_options_print_help(void);

/**
 * Give what the flags say to @config. @file (NULL: none) is the JSON that it
 * came from: what it says is not replaced by this program's defaults.
 * Settles @options->debug_level. Returns 0 or an exit code.
 */
int run_options_apply(struct run_options *options, const char *file,
		      avf_config *config);
