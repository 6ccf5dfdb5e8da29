/*
 * bench_payload PACKAGE MIB NAME:IMAGE...: the time line of a payload VM and
 * its vsock, then a Unix socketpair whose other end is served by a thread with
 * the same code. MIB is moved per measurement. Several variants of the VM
 * (struct variant) follow each other, so that they can be compared.
 */
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "bench.h"
#include "serve.h"

#define MEMORY_MIB  256U
#define ROUND_TRIPS 1000
#define SMALL_BYTES 64
#define REPETITIONS 7
#define CONNECT_MS  30000
#define BOOT_MS     120000

static char buf[SERVE_MAX_CHUNK];

static void order(int fd, enum serve_what what, uint32_t chunk, uint64_t total)
{
	struct serve_order o = {
		.what = (uint32_t)what, .chunk = chunk, .total = total};

	if (write_full(fd, &o, sizeof(o)) < 0)
		die("order");
}

static void round_trips(const char *prefix, int fd)
{
	static uint64_t taken[ROUND_TRIPS];
	uint64_t start;
	char name[64];

	order(fd, SERVE_ECHO, SMALL_BYTES, ROUND_TRIPS * SMALL_BYTES);
	(void)snprintf(name, sizeof(name), "%s.round_trip", prefix);
	for (int i = 0; i < ROUND_TRIPS; i++) {
		start = now_ns();
		if (write_full(fd, buf, SMALL_BYTES) < 0 ||
		    read_full(fd, buf, SMALL_BYTES) < 0)
			die("round trip");
		taken[i] = now_ns() - start;
	}
	for (int i = 0; i < ROUND_TRIPS; i++)
		sample(name, "us", (double)taken[i] / 1e3);
}

/* Host to guest: until the guest says that it has read everything. */
static void push(const char *prefix, int fd, uint32_t chunk, unsigned int mib)
{
	uint64_t total = (uint64_t)mib << 20;
	uint64_t start = now_ns();
	char name[64];

	order(fd, SERVE_SINK, chunk, total);
	for (uint64_t done = 0; done < total; done += chunk) {
		if (write_full(fd, buf, chunk) < 0)
			die("push");
	}
	if (read_full(fd, buf, 1) < 0)
		die("push: answer");
	(void)snprintf(name, sizeof(name), "%s.to_guest.%uk", prefix,
		       chunk >> 10);
	sample(name, "MiB/s", mib / ((double)(now_ns() - start) / 1e9));
}

static void pull(const char *prefix, int fd, uint32_t chunk, unsigned int mib)
{
	uint64_t total = (uint64_t)mib << 20;
	uint64_t start = now_ns();
	char name[64];

	order(fd, SERVE_SOURCE, chunk, total);
	for (uint64_t done = 0; done < total; done += chunk) {
		if (read_full(fd, buf, chunk) < 0)
			die("pull");
	}
	(void)snprintf(name, sizeof(name), "%s.to_host.%uk", prefix,
		       chunk >> 10);
	sample(name, "MiB/s", mib / ((double)(now_ns() - start) / 1e9));
}

static void measure(const char *prefix, int fd, unsigned int mib)
{
	static const uint32_t chunks[] = {64U << 10, 1U << 20};

	round_trips(prefix, fd);
	for (int i = 0; i < REPETITIONS; i++) {
		for (size_t j = 0; j < sizeof(chunks) / sizeof(chunks[0]);
		     j++) {
			push(prefix, fd, chunks[j], mib);
			pull(prefix, fd, chunks[j], mib);
		}
	}
}

static void *serve_thread(void *arg)
{
	int *fd = arg;

	serve(*fd);
	return NULL;
}

static void measure_socketpair(unsigned int mib)
{
	pthread_t thread;
	int fds[2];

	if (socketpair(AF_UNIX, SOCK_STREAM, 0, fds) < 0)
		die("socketpair");
	if (pthread_create(&thread, NULL, serve_thread, &fds[1]) != 0)
		die("thread");
	measure("socketpair", fds[0], mib);
	(void)close(fds[0]);
	(void)pthread_join(thread, NULL);
	(void)close(fds[1]);
}

static void wait_ready(avf_vm *vm, const char *prefix, uint64_t start)
{
	static const char *const names[] = {
		[AVF_EVENT_STARTED] = "started",
		[AVF_EVENT_PAYLOAD_STARTED] = "payload_started",
		[AVF_EVENT_PAYLOAD_READY] = "ready",
	};
	struct avf_event event = AVF_EVENT_INIT;
	char name[64];

	do {
		check(avf_vm_wait_event(vm, -1, &event), "wait");
		if (event.type == AVF_EVENT_STOPPED) {
			(void)fprintf(stderr, "stopped: %s\n", event.text);
			exit(EXIT_FAILURE);
		}
		sample_event(prefix, &event, start);
		if (event.type > AVF_EVENT_PAYLOAD_READY)
			continue;
		(void)snprintf(name, sizeof(name), "%s.%s", prefix,
			       names[event.type]);
		sample_ms(name, start, event.time_ns);
	} while (event.type != AVF_EVENT_PAYLOAD_READY);
}

static void wait_stopped(avf_vm *vm, const char *prefix)
{
	struct avf_event event = AVF_EVENT_INIT;

	check(avf_vm_stop(vm), "stop");
	do {
		check(avf_vm_wait_event(vm, -1, &event), "wait");
		sample_event(prefix, &event, 0);
	} while (event.type != AVF_EVENT_STOPPED);
}

static void measure_vsock(avf_vm *vm, const char *prefix, unsigned int mib)
{
	char name[64];
	int fd;

	check(avf_vm_connect(vm, SERVE_PORT, CONNECT_MS, &fd), "connect");
	(void)snprintf(name, sizeof(name), "%s.vsock", prefix);
	measure(name, fd, mib);
	(void)close(fd);
	(void)snprintf(name, sizeof(name), "%s.busy_memory", prefix);
	sample_footprint(name, avf_vm_get_pid(vm), MEMORY_MIB);
}

/* @mib 0: no vsock */
static void run(avf_vm *vm, const char *prefix, unsigned int mib)
{
	uint64_t start = now_ns();
	char name[64];

	check(avf_vm_run(vm), "run");
	(void)snprintf(name, sizeof(name), "%s.spawned", prefix);
	sample_ms(name, start, now_ns());
	wait_ready(vm, prefix, start);
	(void)snprintf(name, sizeof(name), "%s.memory", prefix);
	sample_footprint(name, avf_vm_get_pid(vm), MEMORY_MIB);
	if (mib > 0)
		measure_vsock(vm, prefix, mib);
	wait_stopped(vm, prefix);
}

/* Once as an application would, and once with a log, which alone tells the
 * steps and the exits; the kernel talks then, so it is slower. */
static void run_variant(const struct variant *variant, const char *package,
			unsigned int mib)
{
	static const struct {
		const char *suffix;
		enum avf_debug_level level;
	} kinds[] = {{"", AVF_DEBUG_LEVEL_NONE},
		     {"_debug", AVF_DEBUG_LEVEL_FULL}};
	avf_config *config;
	char prefix[48];
	avf_vm *vm;

	for (size_t i = 0; i < sizeof(kinds) / sizeof(kinds[0]); i++) {
		config = payload_config(variant, package, MEMORY_MIB, BOOT_MS);
		check(avf_config_set_debug_level(config, kinds[i].level),
		      "debug level");
		vm = make_vm(config);
		(void)snprintf(prefix, sizeof(prefix), "%.15s%s", variant->name,
			       kinds[i].suffix);
		run(vm, prefix, i == 0 ? mib : 0);
		avf_vm_free(vm);
	}
}

int main(int argc, char **argv)
{
	int mib = argc > 3 ? atoi(argv[2]) : 0;
	struct variant variant;

	if (mib < 1) {
		(void)fprintf(stderr, "usage: %s PACKAGE MIB NAME:IMAGE...\n",
			      argv[0]);
		return EXIT_FAILURE;
	}
	for (int i = 3; i < argc; i++) {
		variant = variant_of(argv[i]);
		run_variant(&variant, argv[1], (unsigned int)mib);
	}
	measure_socketpair((unsigned int)mib);
	return EXIT_SUCCESS;
}
