/*
 * PID 1 of the Linux guests of the boot and disk benchmarks: says that it
 * runs, does what the command line asks for, powers off.
 *
 *	bench=idle		wait to be stopped
 *	bench=disk bench.reads=N	read the first disk
 */
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mount.h>
#include <sys/reboot.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <linux/fs.h>

#include "reads.h"

#define DISK       "/dev/vda"
#define MODULE     "/lib/modules/virtio_blk.ko"
#define PAUSE_US   5000
#define PAUSES_MAX 2000

static void say(const char *name, double value)
{
	printf("BENCH-VALUE %s %.3f\n", name, value);
	(void)fflush(stdout);
}

static int open_disk(void)
{
	int fd = open(MODULE, O_RDONLY | O_CLOEXEC);

	/* it may be built in */
	if (fd >= 0)
		(void)syscall(SYS_finit_module, fd, "", 0);
	for (int i = 0; i < PAUSES_MAX; i++) {
		fd = open(DISK, O_RDONLY | O_DIRECT | O_CLOEXEC);
		if (fd >= 0)
			return fd;
		(void)usleep(PAUSE_US);
	}
	return -1;
}

static void read_disk(unsigned int count)
{
	uint64_t size = 0;
	int fd = open_disk();

	if (fd < 0 || ioctl(fd, BLKGETSIZE64, &size) < 0) {
		perror(DISK);
		return;
	}
	say("random.1", reads_random(fd, size, 1, count));
	say("random.32", reads_random(fd, size, READS_MAX_DEPTH, count));
	say("sequential", reads_sequential(fd, size));
}

static unsigned int number_after(const char *text, const char *key)
{
	const char *at = strstr(text, key);

	return at ? (unsigned int)atoi(at + strlen(key)) : 0;
}

int main(void)
{
	char cmdline[4096] = "";
	int fd;

	(void)puts("BENCH-INIT");
	(void)fflush(stdout);
	(void)mount("proc", "/proc", "proc", 0, NULL);
	(void)mount("devtmpfs", "/dev", "devtmpfs", 0, NULL);
	fd = open("/proc/cmdline", O_RDONLY | O_CLOEXEC);
	if (fd < 0 || read(fd, cmdline, sizeof(cmdline) - 1) <= 0)
		perror("/proc/cmdline");
	if (strstr(cmdline, "bench=disk"))
		read_disk(number_after(cmdline, "bench.reads="));
	while (strstr(cmdline, "bench=idle"))
		(void)pause();
	(void)reboot(RB_POWER_OFF);
	return 1;
}
