#include "test_service.h"

#include <avf/vm_payload.h>

#include <sys/socket.h>

#include <fcntl.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <unistd.h>

#define MAX_FIELDS  4
#define SECRET_SIZE 32
#define MAX_BYTES   ((TEST_LINE_SIZE - 64) / 2)

enum status { OK, ERROR, UNSUPPORTED, QUIT };

/* What a function says goes into @value, which is empty before. */
typedef enum status function(char **args, char value[TEST_LINE_SIZE]);

/* Not in every libvm_payload.so. */
__attribute__((weak)) extern void AVmPayload_getVmInstanceSecret(
	const void *identifier, size_t identifier_size, void *secret,
	size_t size);
__attribute__((weak)) extern size_t AVmPayload_getDiceAttestationChain(
	void *data, size_t size);
__attribute__((weak)) extern size_t AVmPayload_getDiceAttestationCdi(
	void *data, size_t size);

static enum status say(char *value, enum status status, const char *text)
{
	(void)snprintf(value, TEST_LINE_SIZE, "%s", text);
	return status;
}

static enum status say_bytes(char *value, const unsigned char *bytes, size_t n)
{
	if (n > MAX_BYTES)
		return say(value, ERROR, "too many bytes");
	for (size_t i = 0; i < n; i++)
		(void)snprintf(value + 2 * i, 3, "%02x", bytes[i]);
	return OK;
}

static enum status add_integer(char **args, char *value)
{
	long sum = strtol(args[0], NULL, 10) + strtol(args[1], NULL, 10);

	(void)snprintf(value, TEST_LINE_SIZE, "%ld", sum);
	return OK;
}

static enum status read_property(char **args, char *value)
{
	if (strcmp(args[0], "debug.microdroid.app.run") == 0)
		return say(value, OK, "true");
	if (strcmp(args[0], "debug.microdroid.app.sublib.run") == 0)
		return say(value, OK, sub_library_was_run());
	return OK;
}

static enum status instance_secret(char **args, char *value)
{
	static const char identifier[] = "1234";
	unsigned char secret[SECRET_SIZE] = {0};

	(void)args;
	if (!AVmPayload_getVmInstanceSecret)
		return say(value, UNSUPPORTED,
			   "libvm_payload.so has no VM instance secret");
	AVmPayload_getVmInstanceSecret(identifier, sizeof(identifier), secret,
				       sizeof(secret));
	return say_bytes(value, secret, sizeof(secret));
}

static enum status attestation_cdi(char **args, char *value)
{
	unsigned char cdi[64];

	(void)args;
	if (!AVmPayload_getDiceAttestationCdi)
		return say(value, UNSUPPORTED,
			   "libvm_payload.so has no attestation CDI");
	return say_bytes(value, cdi,
			 AVmPayload_getDiceAttestationCdi(cdi, sizeof(cdi)));
}

static enum status bcc(char **args, char *value)
{
	unsigned char chain[MAX_BYTES];

	(void)args;
	if (!AVmPayload_getDiceAttestationChain)
		return say(value, UNSUPPORTED,
			   "libvm_payload.so has no DICE chain");
	return say_bytes(
		value, chain,
		AVmPayload_getDiceAttestationChain(chain, sizeof(chain)));
}

static enum status apk_contents_path(char **args, char *value)
{
	(void)args;
	return say(value, OK, AVmPayload_getApkContentsPath());
}

static enum status encrypted_storage_path(char **args, char *value)
{
	const char *path = AVmPayload_getEncryptedStoragePath();

	(void)args;
	return say(value, OK, path ? path : "");
}

static void *echo_reverse(void *argument)
{
	const int listen_fd = *(int *)argument;
	char line[TEST_LINE_SIZE];
	int fd = accept4(listen_fd, NULL, NULL, SOCK_CLOEXEC);
	int n;

	(void)close(listen_fd);
	free(argument);
	while (fd >= 0 && (n = link_read_line(fd, line)) >= 0) {
		for (int i = 0; i < n / 2; i++) {
			char c = line[i];

			line[i] = line[n - 1 - i];
			line[n - 1 - i] = c;
		}
		line[n] = '\n';
		if (link_write(fd, line, (size_t)n + 1) < 0)
			break;
	}
	if (fd >= 0)
		(void)close(fd);
	return NULL;
}

static enum status run_echo_reverse_server(char **args, char *value)
{
	int *fd = malloc(sizeof(*fd));
	pthread_t thread;

	(void)args;
	if (!fd)
		return say(value, ERROR, "malloc");
	*fd = link_listen(TEST_ECHO_REVERSE_PORT);
	if (*fd < 0 || pthread_create(&thread, NULL, echo_reverse, fd) != 0) {
		free(fd);
		return say(value, ERROR, "cannot listen");
	}
	(void)pthread_detach(thread);
	return OK;
}

static enum status effective_capabilities(char **args, char *value)
{
	FILE *file = fopen("/proc/self/status", "r");
	char line[256];
	enum status status = say(value, ERROR, "no CapEff");

	(void)args;
	while (file && fgets(line, sizeof(line), file)) {
		if (sscanf(line, "CapEff: %16[0-9a-f]", value) == 1)
			status = OK;
	}
	if (file)
		(void)fclose(file);
	return status;
}

static enum status uid(char **args, char *value)
{
	(void)args;
	(void)snprintf(value, TEST_LINE_SIZE, "%u", (unsigned int)geteuid());
	return OK;
}

static enum status fails(char *value, const char *path)
{
	(void)snprintf(value, TEST_LINE_SIZE, "%s: %m", path);
	return ERROR;
}

static enum status write_to_file(char **args, char *value)
{
	const size_t size = strlen(args[0]);
	int fd = open(args[1], O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);
	ssize_t n;

	if (fd < 0)
		return fails(value, args[1]);
	n = write(fd, args[0], size);
	if (close(fd) < 0 || n != (ssize_t)size)
		return fails(value, args[1]);
	return OK;
}

static enum status read_from_file(char **args, char *value)
{
	int fd = open(args[0], O_RDONLY | O_CLOEXEC);
	ssize_t n;

	if (fd < 0)
		return fails(value, args[0]);
	n = read(fd, value, MAX_BYTES);
	(void)close(fd);
	if (n < 0)
		return fails(value, args[0]);
	value[n] = '\0';
	return OK;
}

static enum status file_permissions(char **args, char *value)
{
	struct stat st;

	if (stat(args[0], &st) < 0)
		return fails(value, args[0]);
	(void)snprintf(value, TEST_LINE_SIZE, "%o", (unsigned int)st.st_mode);
	return OK;
}

static enum status mount_flags(char **args, char *value)
{
	struct statvfs fs;

	if (statvfs(args[0], &fs) < 0)
		return fails(value, args[0]);
	(void)snprintf(value, TEST_LINE_SIZE, "%lu", fs.f_flag);
	return OK;
}

static enum status request_callback(char **args, char *value)
{
	(void)args;
	return say(value, UNSUPPORTED, "a callback object needs RPC");
}

static enum status read_line_from_console(char **args, char *value)
{
	FILE *console = fopen("/dev/console", "r");

	(void)args;
	if (!console)
		return fails(value, "/dev/console");
	if (!fgets(value, TEST_LINE_SIZE / 2, console)) {
		(void)fclose(console);
		return say(value, ERROR, "the console has no line");
	}
	(void)fclose(console);
	value[strcspn(value, "\r\n")] = '\0';
	return OK;
}

static enum status hostname(char **args, char *value)
{
	(void)args;
	return gethostname(value, TEST_LINE_SIZE) < 0 ? fails(value, "hostname")
						      : OK;
}

static enum status quit(char **args, char *value)
{
	(void)args;
	(void)value;
	return QUIT;
}

static const struct {
	const char *name;
	int n_args;
	function *call;
} functions[] = {
	{"addInteger", 2, add_integer},
	{"readProperty", 1, read_property},
	{"insecurelyExposeVmInstanceSecret", 0, instance_secret},
	{"insecurelyExposeAttestationCdi", 0, attestation_cdi},
	{"getBcc", 0, bcc},
	{"getApkContentsPath", 0, apk_contents_path},
	{"getEncryptedStoragePath", 0, encrypted_storage_path},
	{"runEchoReverseServer", 0, run_echo_reverse_server},
	{"getEffectiveCapabilities", 0, effective_capabilities},
	{"getUid", 0, uid},
	{"writeToFile", 2, write_to_file},
	{"readFromFile", 1, read_from_file},
	{"getFilePermissions", 1, file_permissions},
	{"getMountFlags", 1, mount_flags},
	{"requestCallback", 0, request_callback},
	{"readLineFromConsole", 0, read_line_from_console},
	{"getHostname", 0, hostname},
	{"quit", 0, quit},
};

/* Splits @line at its TABs. Returns the number of fields, or -1. */
static int split(char *line, char *fields[MAX_FIELDS])
{
	int n = 0;

	for (char *rest = line; rest;) {
		char *field = strsep(&rest, "\t");

		if (n == MAX_FIELDS)
			return -1;
		link_unescape(field);
		fields[n++] = field;
	}
	return n;
}

static enum status call(char *line, char value[TEST_LINE_SIZE])
{
	char *fields[MAX_FIELDS];
	const int n = split(line, fields);

	for (size_t i = 0; i < sizeof(functions) / sizeof(functions[0]); i++) {
		if (n >= 1 && strcmp(functions[i].name, fields[0]) == 0 &&
		    functions[i].n_args == n - 1)
			return functions[i].call(fields + 1, value);
	}
	return say(value, ERROR, "no such function, or other arguments");
}

/* Serves one connection. Returns whether to quit. */
static int serve(int fd)
{
	static const char *const words[] = {"ok\t", "error\t", "unsupported\t",
					    "ok\t"};
	static char line[TEST_LINE_SIZE];
	static char value[TEST_LINE_SIZE];
	enum status status;

	while (link_read_line(fd, line) >= 0) {
		value[0] = '\0';
		status = call(line, value);
		(void)snprintf(line, sizeof(line), "%s", words[status]);
		link_append(line, value);
		line[strlen(line) + 1] = '\0'; /* link_append() left room */
		line[strlen(line)] = '\n';
		if (link_write(fd, line, strlen(line)) < 0)
			return 0;
		if (status == QUIT)
			return 1;
	}
	return 0;
}

int AVmPayload_main(void)
{
	const int listen_fd = link_listen(TEST_SERVICE_PORT);
	int has_quit = 0;

	if (listen_fd < 0) {
		perror("listen");
		return 1;
	}
	printf("Hello Microdroid\n");
	(void)fflush(stdout);
	AVmPayload_notifyPayloadReady();
	while (!has_quit) {
		int fd = accept4(listen_fd, NULL, NULL, SOCK_CLOEXEC);

		if (fd < 0)
			return 2;
		has_quit = serve(fd);
		(void)close(fd);
	}
	return 0;
}
