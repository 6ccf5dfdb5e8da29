/*
 * bench_boot KERNEL INITRD [QEMU ROMS]: the same kernel and initramfs on our
 * machine and on QEMU's microvm machine, one after the other.
 *
 * Twice each: with a quiet kernel, for the time until init runs, and with one
 * that talks from its first moment, for its first output. The clock starts at
 * avf_vm_run(), or before QEMU's process is made.
 */
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "bench.h"

#define MEMORY_MIB  256
#define OUTPUT_SIZE 65536
/* Between two words of a guest: if one hangs, the time of the lab is not to be
 * used up by waiting for it. */
#define LIMIT_MS 45000
/* What the library puts first on every command line; QEMU gets it too. */
#define COMMON                                             \
	"panic=-1 reboot=a,w i8042.noaux=1 i8042.nomux=1 " \
	"8250.nr_uarts=1 "

struct mode {
	const char *name;
	const char *cmdline;
};

static const struct mode modes[] = {
	{"quiet", "console=ttyS0 quiet loglevel=1 bench=idle"},
	{"verbose", "earlycon=uart8250,io,0x3f8,115200 console=ttyS0 "
		    "loglevel=6 bench=idle"},
};

/* The guest's output, and when what we wait for was in it. */
struct output {
	int fd;
	char text[OUTPUT_SIZE];
	size_t used;
	uint64_t first_ns;
	uint64_t init_ns;
};

static struct output output;

/* Returns whether init has spoken; -1 when it never will. */
static int take_output(struct output *o)
{
	ssize_t n =
		read(o->fd, o->text + o->used, sizeof(o->text) - 1 - o->used);
	uint64_t now = now_ns();

	if (n <= 0)
		return -1;
	if (o->used == 0)
		o->first_ns = now;
	o->used += (size_t)n;
	o->text[o->used] = '\0';
	if (!strstr(o->text, "BENCH-INIT"))
		return 0;
	o->init_ns = now;
	return 1;
}

/* Returns whether init has spoken. A guest may fail on a busy computer: that
 * is counted, and the others are measured all the same. */
static int wait_init(const char *who, struct output *o)
{
	struct pollfd p = {.fd = o->fd, .events = POLLIN};
	char name[64];
	int done = 0;

	while (done == 0)
		done = poll(&p, 1, LIMIT_MS) > 0 ? take_output(o) : -1;
	if (done > 0)
		return 1;
	(void)fprintf(stderr, "%s: no init. Its output:\n%s\n", who, o->text);
	(void)snprintf(name, sizeof(name), "boot.%s.failed", who);
	sample(name, "boots", 1);
	return 0;
}

/* Returns the end to write to. */
static int open_output(struct output *o)
{
	int fds[2];

	if (pipe2(fds, O_CLOEXEC) < 0)
		die("pipe");
	memset(o, 0, sizeof(*o));
	o->fd = fds[0];
	return fds[1];
}

static void sample_output(const char *who, const struct mode *mode,
			  const struct output *o, uint64_t start)
{
	char name[64];

	(void)snprintf(name, sizeof(name), "boot.%s.%s.first", who, mode->name);
	sample_ms(name, start, o->first_ns);
	(void)snprintf(name, sizeof(name), "boot.%s.%s.init", who, mode->name);
	sample_ms(name, start, o->init_ns);
}

static void sample_events(avf_vm *vm, const char *prefix, uint64_t start)
{
	struct avf_event event = AVF_EVENT_INIT;
	char name[64];

	while (avf_vm_next_event(vm, &event) > 0) {
		sample_event(prefix, &event, start);
		if (event.type != AVF_EVENT_STARTED)
			continue;
		(void)snprintf(name, sizeof(name), "%s.started", prefix);
		sample_ms(name, start, event.time_ns);
	}
}

/* The exits are counted until the VM is asked to stop, which is when init
 * has spoken. */
static void boot_ours(const char *kernel, const char *initrd,
		      const struct mode *mode)
{
	struct avf_event event = AVF_EVENT_INIT;
	char prefix[32], name[64];
	avf_config *config;
	uint64_t start;
	avf_vm *vm;
	int fd = open_output(&output);

	config = raw_config(kernel, MEMORY_MIB, fd);
	(void)close(fd);
	check(avf_config_set_initrd(config, initrd), initrd);
	check(avf_config_set_cmdline(config, mode->cmdline), "cmdline");
	vm = make_vm(config);
	(void)snprintf(prefix, sizeof(prefix), "boot.avf.%s", mode->name);
	start = now_ns();
	check(avf_vm_run(vm), "run");
	(void)snprintf(name, sizeof(name), "%s.spawned", prefix);
	sample_ms(name, start, now_ns());
	if (!wait_init("avf", &output))
		exit(EXIT_FAILURE); /* ours must not */
	sample_events(vm, prefix, start);
	sample_output("avf", mode, &output, start);
	(void)snprintf(name, sizeof(name), "%s.memory", prefix);
	sample_footprint(name, avf_vm_get_pid(vm), MEMORY_MIB);
	check(avf_vm_stop(vm), "stop");
	do {
		check(avf_vm_wait_event(vm, -1, &event), "wait");
		sample_event(prefix, &event, start);
	} while (event.type != AVF_EVENT_STOPPED);
	avf_vm_free(vm);
	(void)close(output.fd);
}

static _Noreturn void exec_qemu(char **argv, const struct mode *mode, int out)
{
	char append[512], memory[16];

	(void)snprintf(append, sizeof(append), "%s%s", COMMON, mode->cmdline);
	(void)snprintf(memory, sizeof(memory), "%d", MEMORY_MIB);
	(void)dup2(out, STDOUT_FILENO);
	(void)execl(argv[3], argv[3], "-L", argv[4], "-M", "microvm", "-accel",
		    "kvm", "-cpu", "host", "-m", memory, "-smp", "1",
		    "-nodefaults", "-no-user-config", "-display", "none",
		    "-no-reboot", "-serial", "stdio", "-kernel", argv[1],
		    "-initrd", argv[2], "-append", append, (char *)NULL);
	die(argv[3]);
}

static void boot_qemu(char **argv, const struct mode *mode)
{
	char name[64];
	uint64_t start;
	pid_t pid;
	int fd = open_output(&output);

	start = now_ns();
	pid = fork();
	if (pid < 0)
		die("fork");
	if (pid == 0)
		exec_qemu(argv, mode, fd);
	(void)close(fd);
	(void)snprintf(name, sizeof(name), "boot.qemu.%s.memory", mode->name);
	if (wait_init("qemu", &output)) {
		sample_output("qemu", mode, &output, start);
		sample_footprint(name, pid, MEMORY_MIB);
	}
	(void)kill(pid, SIGKILL);
	(void)waitpid(pid, NULL, 0);
	(void)close(output.fd);
}

int main(int argc, char **argv)
{
	if (argc != 3 && argc != 5) {
		(void)fprintf(stderr, "usage: %s KERNEL INITRD [QEMU ROMS]\n",
			      argv[0]);
		return EXIT_FAILURE;
	}
	for (size_t i = 0; i < sizeof(modes) / sizeof(modes[0]); i++) {
		boot_ours(argv[1], argv[2], &modes[i]);
		if (argc == 5)
			boot_qemu(argv, &modes[i]);
	}
	return EXIT_SUCCESS;
}
