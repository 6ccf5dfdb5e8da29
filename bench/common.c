#include "bench.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#define NAME_SIZE 96
#define LINE_SIZE 512

uint64_t now_ns(void)
{
	struct timespec t;

	(void)clock_gettime(CLOCK_MONOTONIC, &t);
	return (uint64_t)t.tv_sec * 1000000000ULL + (uint64_t)t.tv_nsec;
}

void sample(const char *name, const char *unit, double value)
{
	printf("sample %s %s %.6f\n", name, unit, value);
	(void)fflush(stdout);
}

void sample_ms(const char *name, uint64_t since, uint64_t until)
{
	sample(name, "ms", ((double)until - (double)since) / NS_PER_MS);
}

void die(const char *what)
{
	perror(what);
	exit(EXIT_FAILURE);
}

void check(int rc, const char *what)
{
	if (rc >= 0)
		return;
	(void)fprintf(stderr, "%s: %s: %s\n", what, avf_error_name(rc),
		      avf_last_error()->text);
	exit(EXIT_FAILURE);
}

avf_config *raw_config(const char *kernel, uint32_t memory_mib, int console)
{
	avf_config *config;

	check(avf_config_new(AVF_CONFIG_RAW, &config), "config");
	check(avf_config_set_kernel(config, kernel), kernel);
	check(avf_config_set_memory_mib(config, memory_mib), "memory");
	check(avf_config_set_debug_level(config, AVF_DEBUG_LEVEL_FULL),
	      "debug level");
	check(avf_config_set_console_output(config, console), "console");
	return config;
}

struct variant variant_of(const char *arg)
{
	const char *colon = strchr(arg, ':');
	size_t length = colon ? (size_t)(colon - arg) : 0;
	struct variant variant = {.image = colon ? colon + 1 : NULL};

	if (length == 0 || length >= sizeof(variant.name)) {
		(void)fprintf(stderr, "%s: not NAME:IMAGE\n", arg);
		exit(EXIT_FAILURE);
	}
	memcpy(variant.name, arg, length);
	variant.is_protected = strcmp(variant.name, "protected") == 0;
	return variant;
}

avf_config *payload_config(const struct variant *variant, const char *package,
			   uint32_t memory_mib, uint32_t boot_ms)
{
	avf_config *config;

	check(avf_config_new(AVF_CONFIG_PAYLOAD, &config), "config");
	check(avf_config_set_guest_image(config, variant->image),
	      variant->image);
	check(avf_config_set_package(config, package), package);
	check(avf_config_set_payload_name(config, "libbench_vsock.so"), "name");
	check(avf_config_set_memory_mib(config, memory_mib), "memory");
	check(avf_config_set_protected(config, variant->is_protected),
	      "protected");
	check(avf_config_set_boot_timeout_ms(config, boot_ms), "time-out");
	return config;
}

avf_vm *make_vm(avf_config *config)
{
	avf_vm *vm;

	check(avf_vm_new(config, &vm), "vm");
	avf_config_free(config);
	return vm;
}

struct avf_event wait_for(avf_vm *vm, int type)
{
	struct avf_event event = AVF_EVENT_INIT;

	do {
		check(avf_vm_wait_event(vm, -1, &event), "wait");
		if (event.type == AVF_EVENT_STOPPED && event.type != type) {
			(void)fprintf(stderr, "the VM stopped: %s\n",
				      event.text);
			exit(EXIT_FAILURE);
		}
	} while (event.type != type);
	return event;
}

static void sample_exits(const char *prefix, const char *text)
{
	char name[NAME_SIZE];
	char kind[32];
	uint64_t n;
	int used;

	while (sscanf(text, " %31[a-z-] %" SCNu64 "%n", kind, &n, &used) == 2) {
		(void)snprintf(name, sizeof(name), "%s.exits.%s", prefix, kind);
		sample(name, "exits", (double)n);
		text += used;
		text += strspn(text, ", ");
	}
}

void sample_event(const char *prefix, const struct avf_event *event,
		  uint64_t start_ns)
{
	static const struct {
		const char *text, *name;
	} steps[] = {
		{"boot: the VMM has its orders", "orders"},
		{"boot: the host was asked", "asked"},
		{"boot: the process is in its jail", "jailed"},
		{"boot: the machine is built", "built"},
	};
	char name[NAME_SIZE];

	if (event->type != AVF_EVENT_LOG)
		return;
	if (strncmp(event->text, "exits: ", 7) == 0)
		sample_exits(prefix, event->text + 7);
	for (size_t i = 0; i < sizeof(steps) / sizeof(steps[0]); i++) {
		if (strncmp(event->text, steps[i].text,
			    strlen(steps[i].text)) != 0)
			continue;
		(void)snprintf(name, sizeof(name), "%s.%s", prefix,
			       steps[i].name);
		sample_ms(name, start_ns, event->time_ns);
	}
}

static void add_line(struct footprint *sum, const char *line)
{
	double kib;

	if (sscanf(line, "Rss: %lf", &kib) == 1)
		sum->rss += kib * 1024;
	else if (sscanf(line, "Pss: %lf", &kib) == 1)
		sum->pss += kib * 1024;
	else if (sscanf(line, "Private_Clean: %lf", &kib) == 1 ||
		 sscanf(line, "Private_Dirty: %lf", &kib) == 1)
		sum->private_bytes += kib * 1024;
}

struct footprint footprint_of(pid_t pid, unsigned int guest_mib)
{
	struct footprint sum = {0};
	uint64_t first, last;
	char path[64], line[LINE_SIZE];
	int is_ours = 0;
	FILE *f;

	(void)snprintf(path, sizeof(path), "/proc/%d/smaps", (int)pid);
	f = fopen(path, "re");
	if (!f)
		die(path);
	while (fgets(line, sizeof(line), f)) {
		if (sscanf(line, "%" SCNx64 "-%" SCNx64, &first, &last) == 2)
			is_ours = last - first < (uint64_t)guest_mib << 20;
		else if (is_ours)
			add_line(&sum, line);
	}
	(void)fclose(f);
	return sum;
}

void sample_footprint(const char *prefix, pid_t pid, unsigned int guest_mib)
{
	struct footprint f = footprint_of(pid, guest_mib);
	char name[NAME_SIZE];

	(void)snprintf(name, sizeof(name), "%s.rss", prefix);
	sample(name, "KiB", f.rss / 1024);
	(void)snprintf(name, sizeof(name), "%s.pss", prefix);
	sample(name, "KiB", f.pss / 1024);
	(void)snprintf(name, sizeof(name), "%s.private", prefix);
	sample(name, "KiB", f.private_bytes / 1024);
}
