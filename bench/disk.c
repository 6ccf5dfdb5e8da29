/*
 * bench_disk KERNEL INITRD FILE READS: virtio-blk in a Linux guest against
 * the same file (or block device) read on the host. The guest reads with
 * O_DIRECT, so that each read is a request; FILE is in the page cache of the
 * host for both.
 *
 * It runs twice, the second time with four times the reads: the difference
 * shows how many exits to user space a request costs.
 */
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "bench.h"
#include "reads.h"

#define MEMORY_MIB  256
#define OUTPUT_SIZE 65536
#define MORE        4

static void sample_values(const char *text)
{
	char name[64], key[32];
	double value;

	while ((text = strstr(text, "BENCH-VALUE "))) {
		text += strlen("BENCH-VALUE ");
		if (sscanf(text, "%31s %lf", key, &value) != 2)
			continue;
		if (value < 0) {
			(void)fprintf(stderr, "the guest cannot read\n");
			exit(EXIT_FAILURE);
		}
		(void)snprintf(name, sizeof(name), "disk.guest.%s", key);
		sample(name,
		       strcmp(key, "sequential") == 0 ? "MiB/s" : "reads/s",
		       value);
	}
}

/* Sum of the exits in the VMM's line about them. */
static double sum_exits(const char *text)
{
	double sum = 0;

	for (const char *p = text; (p = strchr(p, ' ')); p++)
		sum += atof(p + 1);
	return sum;
}

/* Returns the exits to user space of the run. */
static double wait_end(avf_vm *vm)
{
	struct avf_event event = AVF_EVENT_INIT;
	double exits = 0;

	do {
		check(avf_vm_wait_event(vm, -1, &event), "wait");
		if (event.type == AVF_EVENT_LOG &&
		    strncmp(event.text, "exits: ", 7) == 0)
			exits = sum_exits(event.text);
	} while (event.type != AVF_EVENT_STOPPED);
	return exits;
}

static double run_guest(char **argv, unsigned int reads)
{
	static char text[OUTPUT_SIZE];
	char cmdline[128];
	avf_config *config;
	size_t used = 0;
	double exits;
	avf_vm *vm;
	ssize_t n;
	int fds[2];

	if (pipe2(fds, O_CLOEXEC) < 0)
		die("pipe");
	config = raw_config(argv[1], MEMORY_MIB, fds[1]);
	(void)close(fds[1]);
	(void)snprintf(cmdline, sizeof(cmdline),
		       "console=hvc0 quiet loglevel=1 bench=disk "
		       "bench.reads=%u",
		       reads);
	check(avf_config_set_initrd(config, argv[2]), argv[2]);
	check(avf_config_set_cmdline(config, cmdline), "cmdline");
	check(avf_config_add_disk(config, argv[3], NULL), argv[3]);
	vm = make_vm(config);
	check(avf_vm_run(vm), "run");
	exits = wait_end(vm);
	avf_vm_free(vm);
	/* it fits into the pipe */
	while ((n = read(fds[0], text + used, sizeof(text) - 1 - used)) > 0)
		used += (size_t)n;
	text[used] = '\0';
	(void)close(fds[0]);
	sample_values(text);
	return exits;
}

static void read_here(int fd, uint64_t size, unsigned int count)
{
	sample("disk.host.random.1", "reads/s",
	       reads_random(fd, size, 1, count));
	sample("disk.host.random.32", "reads/s",
	       reads_random(fd, size, READS_MAX_DEPTH, count));
	sample("disk.host.sequential", "MiB/s", reads_sequential(fd, size));
}

int main(int argc, char **argv)
{
	unsigned int reads = argc == 5 ? (unsigned int)atoi(argv[4]) : 0;
	double few, many;
	off_t size;
	int fd;

	if (reads < READS_MAX_DEPTH) {
		(void)fprintf(stderr, "usage: %s KERNEL INITRD FILE READS\n",
			      argv[0]);
		return EXIT_FAILURE;
	}
	/* open to the end: a block device forgets its pages with the last */
	fd = open(argv[3], O_RDONLY | O_CLOEXEC);
	size = fd < 0 ? -1 : lseek(fd, 0, SEEK_END);
	if (size < 0)
		die(argv[3]);
	(void)reads_sequential(fd, (uint64_t)size); /* into the page cache */
	few = run_guest(argv, reads);
	many = run_guest(argv, MORE * reads);
	/* depth 1 and depth 32: two requests more for each read more */
	sample("disk.exits_per_request", "exits",
	       (many - few) / (2.0 * (MORE - 1) * reads));
	read_here(fd, (uint64_t)size, reads);
	read_here(fd, (uint64_t)size, MORE * reads);
	(void)close(fd);
	return EXIT_SUCCESS;
}
