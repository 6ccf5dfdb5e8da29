/* One VM from start to end: its events, console, log, signals. */
#pragma once

#include <avf/avf.h>

#include "run_options.h"

/**
 * Check @config, saying everything that is wrong with it, run a VM of it to
 * its end and serve it meanwhile. Returns the exit code.
 */
int session_run(const struct run_options *options, avf_config *config);

/** The same with a VM that is there: it gets @config's console and log.
 * Takes @vm; its configuration must be @config. */
int session_run_vm(const struct run_options *options, avf_config *config,
		   avf_vm *vm);
