/* Telling the user about a VM's events. */
#pragma once

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

#include <avf/avf.h>

struct reporter {
	bool json;
	bool quiet_stdout; /* standard output carries data */
	uint64_t start_ns; /* times are shown relative to this */
};

/** Show one event: a JSON line, or a line for people. */
void report_event(const struct reporter *reporter,
		  const struct avf_event *event);

/** Nanoseconds of CLOCK_MONOTONIC, as in struct avf_event. */
uint64_t report_now_ns(void);
