/*
 * Android's libavf API: boot a kernel, talk to its vsock port, wait for its
 * end. Nothing here is of this library; the file compiles against AOSP's
 * header as it is.
 *
 *   cc raw_vm_ndk.c $(pkg-config --cflags --libs libavf)
 *   ./a.out vmlinux initramfs        a kernel that powers off by itself
 *   ./a.out vsock.elf "" 5678        ... or one that echoes on a port
 */
#include <android/virtualization.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static void check(int rc, const char *what)
{
	if (rc >= 0)
		return;
	fprintf(stderr, "%s: %s\n", what, strerror(-rc));
	exit(EXIT_FAILURE);
}

static int open_file(const char *path)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC);

	check(fd < 0 ? -errno : 0, path);
	return fd;
}

/* The descriptors belong to the configuration at once. */
static AVirtualMachineRawConfig *make_config(const char *kernel,
					     const char *initrd)
{
	AVirtualMachineRawConfig *config = AVirtualMachineRawConfig_create();

	check(AVirtualMachineRawConfig_setName(config, "raw_vm"), "name");
	AVirtualMachineRawConfig_setKernel(config, open_file(kernel));
	if (initrd[0] != '\0')
		AVirtualMachineRawConfig_setInitRd(config, open_file(initrd));
	AVirtualMachineRawConfig_setMemoryMiB(config, 256);
	return config;
}

static void talk(AVirtualMachine *vm, unsigned long port)
{
	static const char question[] = "hello over vsock";
	char answer[sizeof(question)] = "";
	int fd = AVirtualMachine_connectVsock(vm, (uint32_t)port);

	check(fd, "connect");
	if (write(fd, question, sizeof(question)) < 0 ||
	    read(fd, answer, sizeof(answer)) < 0)
		check(-errno, "talk");
	printf("the guest answers \"%s\"\n", answer);
	close(fd);
}

int main(int argc, char **argv)
{
	enum AVirtualMachineStopReason reason = AVIRTUAL_MACHINE_UNRECOGNISED;
	AVirtualizationService *service;
	AVirtualMachine *vm;

	if (argc < 3) {
		fprintf(stderr, "usage: %s KERNEL INITRAMFS [PORT]\n", argv[0]);
		return EXIT_FAILURE;
	}
	check(AVirtualizationService_create(&service, false), "service");
	check(AVirtualMachine_createRaw(service, make_config(argv[1], argv[2]),
					dup(STDOUT_FILENO), -1, -1, &vm),
	      "create");
	check(AVirtualMachine_start(vm), "start");
	if (argc > 3)
		talk(vm, strtoul(argv[3], NULL, 10));
	AVirtualMachine_waitForStop(vm, NULL, &reason);
	printf("stopped for reason %d\n", (int)reason);
	AVirtualMachine_destroy(vm);
	AVirtualizationService_destroy(service);
	return reason == AVIRTUAL_MACHINE_SHUTDOWN ? EXIT_SUCCESS
						   : EXIT_FAILURE;
}
