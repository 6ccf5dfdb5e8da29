/*
 * What the benchmark programs share. They print one sample per line,
 *
 *	sample NAME UNIT VALUE
 *
 * and report.py makes the statistics, the ratios and the picture. They use
 * the public API only, and exit at the first thing that fails.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include <avf/avf.h>

#define NS_PER_MS 1e6

/** CLOCK_MONOTONIC, as in struct avf_event. */
uint64_t now_ns(void);

void sample(const char *name, const char *unit, double value);

/** A sample in milliseconds: the time from @since to @until. */
void sample_ms(const char *name, uint64_t since, uint64_t until);

/** Print @what with errno's text and exit. */
_Noreturn void die(const char *what);

/** Exit when @rc, a result of the library, is an error. */
void check(int rc, const char *what);

/** A configuration of a bare or Linux kernel whose console goes to
 * @console, or nowhere (-1). */
avf_config *raw_config(const char *kernel, uint32_t memory_mib, int console);

/* One of the payload VMs that a program compares: NAME:IMAGE on the command
 * line. The one with the name "protected" is a protected VM. */
struct variant {
	char name[16];
	const char *image;
	bool is_protected;
};

/** Exits when @arg is not NAME:IMAGE. Keeps a pointer into it. */
struct variant variant_of(const char *arg);

/** A configuration of libbench_vsock.so in @package. */
avf_config *payload_config(const struct variant *variant, const char *package,
			   uint32_t memory_mib, uint32_t boot_ms);

/** Make a VM and free its configuration. */
avf_vm *make_vm(avf_config *config);

/** Take events until one of @type; exits when the VM stops before it. */
struct avf_event wait_for(avf_vm *vm, int type);

/** Sample what a log line of the VMM says, under @prefix: a step of the
 * start, or the number of exits. Other events are ignored. */
void sample_event(const char *prefix, const struct avf_event *event,
		  uint64_t start_ns);

/* Bytes of a process besides the memory of its guest. */
struct footprint {
	double rss;
	double pss;
	double private_bytes;
};

/** Sum up the mappings of @pid that are smaller than @guest_mib. */
struct footprint footprint_of(pid_t pid, unsigned int guest_mib);

void sample_footprint(const char *prefix, pid_t pid, unsigned int guest_mib);
