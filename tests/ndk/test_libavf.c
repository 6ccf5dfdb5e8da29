/*
 * What a program for Android's libavf does with a raw VM, against real guests:
 * vsock, its console, its end. Nothing but <android/virtualization.h> and the
 * C library, as on Android.
 *
 *   test_libavf DIRECTORY      of the bare-metal guests
 */
#include <android/virtualization.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <pthread.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#define ECHO_PORT 5678U

static const char *guests;
static AVirtualizationService *service;
static int n_failed; /* checks of the test that runs */

static void expect_at(int line, bool holds, const char *what)
{
	if (holds)
		return;
	n_failed++;
	printf("    line %d: %s\n", line, what);
}

#define EXPECT(condition) expect_at(__LINE__, (condition), #condition)

/* The kernel of a bare guest, or -1: not every architecture has each. Where
 * there is an Image beside the ELF file, that is what boots. */
static int open_guest(const char *guest)
{
	char path[PATH_MAX];
	int fd;

	(void)snprintf(path, sizeof(path), "%s/%s.img", guests, guest);
	fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd >= 0)
		return fd;
	(void)snprintf(path, sizeof(path), "%s/%s.elf", guests, guest);
	return open(path, O_RDONLY | O_CLOEXEC);
}

/* A configuration of one of the bare guests. */
static AVirtualMachineRawConfig *config_of(const char *guest)
{
	AVirtualMachineRawConfig *config = AVirtualMachineRawConfig_create();

	EXPECT(AVirtualMachineRawConfig_setName(config, guest) == 0);
	AVirtualMachineRawConfig_setKernel(config, open_guest(guest));
	AVirtualMachineRawConfig_setMemoryMiB(config, 16);
	return config;
}

static AVirtualMachine *start(const char *guest, int console)
{
	AVirtualMachine *vm = NULL;

	EXPECT(AVirtualMachine_createRaw(service, config_of(guest), console, -1,
					 -1, &vm) == 0);
	EXPECT(AVirtualMachine_start(vm) == 0);
	return vm;
}

static void expect_end(AVirtualMachine *vm, int want)
{
	const struct timespec patience = {.tv_sec = 90};
	enum AVirtualMachineStopReason reason = AVIRTUAL_MACHINE_UNRECOGNISED;

	EXPECT(AVirtualMachine_waitForStop(vm, &patience, &reason));
	if ((int)reason != want)
		printf("    stopped for %d, not %d\n", (int)reason, want);
	EXPECT((int)reason == want);
	AVirtualMachine_destroy(vm);
}

static void vsock_and_a_clean_end(void)
{
	static const struct timespec none = {0};
	AVirtualMachine *vm = start("vsock", -1);
	char answer[8] = "";
	int fd = AVirtualMachine_connectVsock(vm, ECHO_PORT);

	EXPECT(fd >= 0);
	EXPECT(!AVirtualMachine_waitForStop(vm, &none, NULL));
	EXPECT(send(fd, "hello", 6, MSG_NOSIGNAL) == 6);
	EXPECT(recv(fd, answer, 6, MSG_WAITALL) == 6);
	EXPECT(strcmp(answer, "hello") == 0);
	EXPECT(shutdown(fd, SHUT_WR) == 0);
	EXPECT(recv(fd, answer, 1, 0) == 0);
	(void)close(fd);
	expect_end(vm, AVIRTUAL_MACHINE_SHUTDOWN);
}

static void the_console_is_the_guests(void)
{
	int fd = memfd_create("console", MFD_CLOEXEC);
	char text[4096] = "";

	expect_end(start("hello", dup(fd)), AVIRTUAL_MACHINE_SHUTDOWN);
	EXPECT(pread(fd, text, sizeof(text) - 1, 0) > 0);
	(void)close(fd);
}

static void other_ends(void)
{
	int triple = open_guest("triple");

	expect_end(start("reset", -1), AVIRTUAL_MACHINE_REBOOT);
	if (triple < 0)
		return;
	(void)close(triple);
	expect_end(start("triple", -1), AVIRTUAL_MACHINE_CRASH);
}

static void stop_pulls_the_plug(void)
{
	AVirtualMachine *vm = start("spin", -1);

	EXPECT(AVirtualMachine_stop(vm) == 0);
	expect_end(vm, AVIRTUAL_MACHINE_KILLED);
}

static void destroy_stops_it(void)
{
	AVirtualMachine_destroy(start("spin", -1));
	EXPECT(waitpid(-1, NULL, WNOHANG) < 0 && errno == ECHILD);
}

static void a_kernel_that_is_none(void)
{
	AVirtualMachineRawConfig *config = config_of("spin");
	AVirtualMachine *vm = NULL;

	AVirtualMachineRawConfig_setKernel(
		config, open("/proc/self/exe", O_RDONLY | O_CLOEXEC));
	EXPECT(AVirtualMachine_createRaw(service, config, -1, -1, -1, &vm) ==
	       0);
	EXPECT(AVirtualMachine_start(vm) == -EIO);
	expect_end(vm, AVIRTUAL_MACHINE_START_FAILED);
}

static void *echo_in_thread(void *vm)
{
	char byte = 'x';
	int fd = AVirtualMachine_connectVsock(vm, ECHO_PORT);

	if (fd < 0)
		return NULL;
	if (send(fd, &byte, 1, MSG_NOSIGNAL) != 1 || recv(fd, &byte, 1, 0) != 1)
		vm = NULL;
	(void)close(fd);
	return vm;
}

/* One waits for the end while another talks. */
static void two_threads(void)
{
	AVirtualMachine *vm = start("vsock", -1);
	pthread_t thread;
	void *result = NULL;

	EXPECT(pthread_create(&thread, NULL, echo_in_thread, vm) == 0);
	EXPECT(AVirtualMachine_waitForStop(vm, NULL, NULL));
	EXPECT(pthread_join(thread, &result) == 0 && result == vm);
	expect_end(vm, AVIRTUAL_MACHINE_SHUTDOWN);
}

static const struct {
	const char *name;
	void (*run)(void);
	bool emulated; /* QEMU has no ports like ours to power off */
} tests[] = {
	{"vsock_and_a_clean_end", vsock_and_a_clean_end, false},
	{"the_console_is_the_guests", the_console_is_the_guests, false},
	{"other_ends", other_ends, false},
	{"stop_pulls_the_plug", stop_pulls_the_plug, true},
	{"destroy_stops_it", destroy_stops_it, true},
	{"a_kernel_that_is_none", a_kernel_that_is_none, false},
	{"two_threads", two_threads, false},
};

/* The microguest without a VMM's manager to talk to: it finds that out, and
 * powers off. */
static void linux_powers_off(void)
{
	AVirtualMachineRawConfig *config = AVirtualMachineRawConfig_create();
	const char *image = getenv("AVF_GUEST_IMAGE");
	AVirtualMachine *vm = NULL;
	char path[PATH_MAX];

	(void)snprintf(path, sizeof(path), "%s/kernel", image);
	EXPECT(AVirtualMachineRawConfig_setName(config, "linux") == 0);
	AVirtualMachineRawConfig_setKernel(config,
					   open(path, O_RDONLY | O_CLOEXEC));
	(void)snprintf(path, sizeof(path), "%s/initrd", image);
	AVirtualMachineRawConfig_setInitRd(config,
					   open(path, O_RDONLY | O_CLOEXEC));
	EXPECT(AVirtualMachine_createRaw(service, config, -1, -1, -1, &vm) ==
	       0);
	EXPECT(AVirtualMachine_start(vm) == 0);
	EXPECT(AVirtualMachine_connectVsock(vm, ECHO_PORT) == -EIO);
	expect_end(vm, AVIRTUAL_MACHINE_SHUTDOWN);
}

static unsigned int count_fds(void)
{
	unsigned int n = 0;
	DIR *d = opendir("/proc/self/fd");

	while (d && readdir(d))
		n++;
	if (d)
		(void)closedir(d);
	return n;
}

static bool run(const char *name, void (*test)(void))
{
	unsigned int before = count_fds();

	n_failed = 0;
	test();
	EXPECT(count_fds() == before);
	printf("%s %s\n", n_failed == 0 ? "ok" : "not ok", name);
	(void)fflush(stdout);
	return n_failed == 0;
}

int main(int argc, char **argv)
{
	const char *acceleration = getenv("AVF_ACCELERATION");
	bool emulated = acceleration && strcmp(acceleration, "emulation") == 0;
	bool good = true;

	if (argc != 2)
		return EXIT_FAILURE;
	if (!emulated && access("/dev/kvm", R_OK | W_OK) < 0) {
		printf("SKIP: no /dev/kvm that this user may use\n");
		return 77;
	}
	guests = argv[1];
	if (AVirtualizationService_create(&service, false) < 0)
		return EXIT_FAILURE;
	for (size_t i = 0; i < sizeof(tests) / sizeof(tests[0]); i++)
		if (!emulated || tests[i].emulated)
			good = run(tests[i].name, tests[i].run) && good;
	if (emulated && getenv("AVF_GUEST_IMAGE"))
		good = run("linux_powers_off", linux_powers_off) && good;
	else if (emulated)
		printf("skip linux_powers_off: no $AVF_GUEST_IMAGE\n");
	AVirtualizationService_destroy(service);
	return good ? EXIT_SUCCESS : EXIT_FAILURE;
}
