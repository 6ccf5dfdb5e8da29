/*
 * Give a payload a secret, and look for it in the memory of its VM, as root of
 * the host could. Needs examples/payload_secret and a host that has protected
 * VMs (avf info).
 *
 *   cc protected_vm.c $(pkg-config --cflags --libs libvirtualization)
 *   ./a.out secret.avfpkg                 a VM that is protected
 *   ./a.out --not-protected secret.avfpkg one that is not, to compare
 */
#define _GNU_SOURCE /* memmem */
#include <fcntl.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <sys/socket.h>
#include <unistd.h>

#include <avf/avf.h>

#define PORT            5679U
#define CONNECT_TIMEOUT 30000 /* milliseconds */
#define WORD_SIZE       16U
#define PAGE            4096U

static void check(int rc, const char *what)
{
	if (rc >= 0)
		return;
	fprintf(stderr, "%s: %s: %s\n", what, avf_error_name(rc),
		avf_last_error()->text);
	exit(EXIT_FAILURE);
}

static avf_vm *make_vm(const char *package, bool is_protected)
{
	avf_config *config;
	avf_vm *vm;

	check(avf_config_new(AVF_CONFIG_PAYLOAD, &config), "config");
	check(avf_config_set_package(config, package), package);
	check(avf_config_set_payload_name(config, "libsecret.so"), "payload");
	check(avf_config_set_protected(config, is_protected), "protected");
	check(avf_config_set_memory_mib(config, 96), "memory");
	check(avf_vm_new(config, &vm), "vm");
	avf_config_free(config);
	return vm;
}

/* Returns the connection, which keeps the payload waiting. */
static int give_secret(avf_vm *vm, char word[WORD_SIZE + 1])
{
	unsigned char raw[WORD_SIZE];
	char line[WORD_SIZE + 1], answer[5];
	int fd;

	if (getrandom(raw, sizeof(raw), 0) != (ssize_t)sizeof(raw))
		exit(EXIT_FAILURE);
	for (unsigned int i = 0; i < WORD_SIZE; i++)
		word[i] = line[i] = (char)('a' + raw[i] % 25);
	word[WORD_SIZE] = '\0';
	line[WORD_SIZE] = '\n';
	check(avf_vm_connect(vm, PORT, CONNECT_TIMEOUT, &fd), "connect");
	if (send(fd, line, sizeof(line), MSG_NOSIGNAL) < 0 ||
	    recv(fd, answer, sizeof(answer), MSG_WAITALL) != sizeof(answer)) {
		perror("vsock");
		exit(EXIT_FAILURE);
	}
	printf("the payload answers over vsock: %.4s\n", answer);
	return fd;
}

/* Pages of [@from, @to) with @text in them. */
static unsigned long search(int mem, uint64_t from, uint64_t to,
			    const char *text)
{
	static char page[PAGE];
	unsigned long n = 0;

	for (; from < to; from += PAGE) {
		if (pread(mem, page, PAGE, (off_t)from) == PAGE &&
		    memmem(page, PAGE, text, WORD_SIZE))
			n++;
	}
	return n;
}

/* In all of the memory of process @pid, the VM's included. */
static unsigned long search_process(int pid, const char *text)
{
	char path[64], line[512], *end;
	uint64_t from;
	unsigned long n = 0;
	FILE *maps;
	int mem;

	snprintf(path, sizeof(path), "/proc/%d/mem", pid);
	mem = open(path, O_RDONLY | O_CLOEXEC);
	snprintf(path, sizeof(path), "/proc/%d/maps", pid);
	maps = fopen(path, "re");
	if (mem < 0 || !maps) {
		fprintf(stderr, "%s cannot be read: are you root?\n", path);
		exit(EXIT_FAILURE);
	}
	while (fgets(line, sizeof(line), maps)) {
		/* "FROM-TO ...", in hexadecimal */
		from = strtoull(line, &end, 16);
		if (*end == '-')
			n += search(mem, from, strtoull(end + 1, NULL, 16),
				    text);
	}
	fclose(maps);
	close(mem);
	return n;
}

static void wait_for(avf_vm *vm, int type)
{
	struct avf_event event = AVF_EVENT_INIT;

	do {
		check(avf_vm_wait_event(vm, -1, &event), "wait");
		if (event.type != AVF_EVENT_LOG)
			printf("%s %s\n", avf_event_type_name(event.type),
			       event.text);
	} while (event.type != type && event.type != AVF_EVENT_STOPPED);
	if (event.type != type)
		exit(EXIT_FAILURE);
}

int main(int argc, char **argv)
{
	const bool is_protected = argc == 2;
	char word[WORD_SIZE + 1], secret[WORD_SIZE + 1];
	unsigned long found;
	avf_vm *vm;
	int fd;

	if (argc < 2 || argc > 3 ||
	    (!is_protected && strcmp(argv[1], "--not-protected") != 0)) {
		fprintf(stderr, "usage: %s [--not-protected] PACKAGE\n",
			argv[0]);
		return EXIT_FAILURE;
	}
	vm = make_vm(argv[argc - 1], is_protected);
	check(avf_vm_run(vm), "run");
	wait_for(vm, AVF_EVENT_PAYLOAD_READY);
	fd = give_secret(vm, word);
	for (unsigned int i = 0; i < sizeof(secret); i++)
		secret[i] = (char)(word[i] ? word[i] + 1 : 0);
	found = search_process(avf_vm_get_pid(vm), secret);
	printf("the host looks for \"%s\" in all memory of the VM: %s "
	       "(%lu pages)\n",
	       secret, found > 0 ? "FOUND" : "not found", found);
	close(fd);
	avf_vm_free(vm);
	/* without protection the search must succeed, or it proves nothing */
	return is_protected == (found == 0) ? EXIT_SUCCESS : EXIT_FAILURE;
}
