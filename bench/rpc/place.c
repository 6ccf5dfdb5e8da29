#include "place.h"

#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>

#include "bench.h"
#include "echo.h"

#define WARM_UP     10
#define MAX_THREADS 4
#define CONNECT_MS  60000
#define BOOT_MS     180000

/* AVF's own benchmark makes 10,000 calls of a few bytes. */
const struct work works[N_WORKS] = {
	{"add", 0, 1, 1},
	{"4k", 4096, 1, 2},
	{"4k_4_threads", 4096, 4, 2},
	{"64k", 65536, 1, 10},
	{"64k_4_threads", 65536, 4, 10},
};

static void start_vm(struct place *place, const char *package)
{
	avf_config *config;

	check(avf_config_new(AVF_CONFIG_PAYLOAD, &config), "config");
	check(avf_config_set_package(config, package), package);
	check(avf_config_set_payload_name(config, "libbench_rpc.so"), "name");
	check(avf_config_set_boot_timeout_ms(config, BOOT_MS), "time-out");
	check(avf_config_set_acceleration(config,
					  strcmp(place->name, "kvm") == 0
						  ? AVF_ACCELERATION_KVM
						  : AVF_ACCELERATION_EMULATION),
	      "acceleration");
	place->vm = make_vm(config);
	check(avf_vm_run(place->vm), "run");
	(void)wait_for(place->vm, AVF_EVENT_PAYLOAD_READY);
}

void place_open(struct place *place, const char *name, const char *what)
{
	*place = (struct place){.name = name, .dir = what};
	if (strcmp(name, "unix") != 0)
		start_vm(place, what);
}

void place_close(struct place *place)
{
	avf_vm_free(place->vm);
}

static int dial(struct place *place, const char *name, uint32_t port)
{
	struct sockaddr_un address = {.sun_family = AF_UNIX};
	int fd = -1;

	if (place->vm) {
		check(avf_vm_connect(place->vm, port, CONNECT_MS, &fd), name);
		return fd;
	}
	(void)snprintf(address.sun_path, sizeof(address.sun_path), "%s/%s",
		       place->dir, name);
	fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	if (connect(fd, (struct sockaddr *)&address, sizeof(address)) < 0)
		die(address.sun_path);
	return fd;
}

int place_dial_echo(struct place *place)
{
	return dial(place, "echo", ECHO_PORT);
}

int place_dial(void *place)
{
	return dial(place, "rpc", RPC_PORT);
}

void place_sample(const struct place *place, const char *who, const char *what,
		  double us)
{
	char name[64];

	(void)snprintf(name, sizeof(name), "rpc.%s.%s.%s", place->name, who,
		       what);
	sample(name, "us", us);
	(void)fflush(stdout);
}

struct caller {
	void (*call)(void *data, uint32_t size);
	void *data;
	uint32_t size;
	int count;
};

static void *run_caller(void *arg)
{
	const struct caller *caller = arg;

	for (int i = 0; i < caller->count; i++)
		caller->call(caller->data, caller->size);
	return NULL;
}

double measure(const struct work *work, int count,
	       void (*call)(void *data, uint32_t size), void *data)
{
	struct caller caller = {call, data, work->size, WARM_UP};
	pthread_t threads[MAX_THREADS];
	uint64_t start;

	(void)run_caller(&caller);
	caller.count = count / work->share / work->threads;
	caller.count = caller.count > 0 ? caller.count : 1;
	start = now_ns();
	for (int i = 0; i < work->threads; i++)
		if (pthread_create(&threads[i], NULL, run_caller, &caller) != 0)
			die("thread");
	for (int i = 0; i < work->threads; i++)
		(void)pthread_join(threads[i], NULL);
	return (double)(now_ns() - start) / 1e3 /
	       (caller.count * work->threads);
}
