/*
 * bench_memory PACKAGE TOO_LITTLE ENOUGH NAME:IMAGE...: the smallest memory, in
 * MiB, with which the payload becomes ready, by binary search (as AVF's
 * testMinimumRequiredRAM). TOO_LITTLE must fail and ENOUGH must do, and both
 * are tried: a search whose ends are wrong would find an end.
 */
#include <stdio.h>
#include <stdlib.h>

#include "bench.h"

/* What has hung is not waited for longer than what ENOUGH took, times this; but
 * for a while, since a busy computer may be as slow as that for a moment. */
#define PATIENCE  4
#define LEAST_MS  20000U
#define FIRST_MS  120000
#define CONFIRMED 3
#define TRIES     2

struct search {
	const struct variant *variant;
	const char *package;
	uint32_t boot_ms;
};

/* What the last event says goes to stderr, so that a reader sees why so much
 * memory is needed. */
static bool becomes_ready(avf_vm *vm, const struct search *s, uint32_t mib)
{
	struct avf_event event = AVF_EVENT_INIT;

	check(avf_vm_run(vm), "run");
	do {
		check(avf_vm_wait_event(vm, -1, &event), "wait");
	} while (event.type != AVF_EVENT_PAYLOAD_READY &&
		 event.type != AVF_EVENT_STOPPED);
	if (event.type == AVF_EVENT_PAYLOAD_READY)
		return true;
	(void)fprintf(stderr, "%s: %u MiB: %s\n", s->variant->name, mib,
		      event.text);
	return false;
}

static bool boots(const struct search *s, uint32_t mib)
{
	avf_vm *vm = make_vm(
		payload_config(s->variant, s->package, mib, s->boot_ms));
	bool is_ready = becomes_ready(vm, s, mib);

	avf_vm_free(vm);
	return is_ready;
}

/* The emulator may break a boot, and then it says nothing about memory. */
static bool is_enough(const struct search *s, uint32_t mib)
{
	for (int i = 0; i < TRIES; i++) {
		if (boots(s, mib))
			return true;
	}
	return false;
}

static bool is_always_enough(const struct search *s, uint32_t mib)
{
	for (int i = 0; i < CONFIRMED; i++) {
		if (!boots(s, mib))
			return false;
	}
	return true;
}

static void need(bool is_so, const struct search *s, const char *what)
{
	if (is_so)
		return;
	(void)fprintf(stderr, "%s: %s\n", s->variant->name, what);
	exit(EXIT_FAILURE);
}

static void find_smallest(struct search *s, uint32_t low, uint32_t high)
{
	uint64_t start = now_ns();
	uint32_t most = high;
	char name[64];

	need(boots(s, high), s, "ENOUGH is not enough");
	s->boot_ms =
		(uint32_t)((double)(now_ns() - start) / NS_PER_MS) * PATIENCE;
	need(!is_enough(s, low), s, "TOO_LITTLE is enough");
	while (high - low > 1) {
		uint32_t mib = low + (high - low) / 2;

		if (is_enough(s, mib))
			high = mib;
		else
			low = mib;
	}
	while (high < most && !is_always_enough(s, high))
		high++;
	(void)snprintf(name, sizeof(name), "memory.%.15s.smallest",
		       s->variant->name);
	sample(name, "MiB", high);
}

int main(int argc, char **argv)
{
	int low = argc > 4 ? atoi(argv[2]) : 0;
	int high = argc > 4 ? atoi(argv[3]) : 0;
	struct variant variant;

	if (low < 1 || high <= low) {
		(void)fprintf(stderr,
			      "usage: %s PACKAGE TOO_LITTLE ENOUGH "
			      "NAME:IMAGE...\n",
			      argv[0]);
		return EXIT_FAILURE;
	}
	for (int i = 4; i < argc; i++) {
		variant = variant_of(argv[i]);
		find_smallest(&(struct search){&variant, argv[1], FIRST_MS},
			      (uint32_t)low, (uint32_t)high);
	}
	return EXIT_SUCCESS;
}
