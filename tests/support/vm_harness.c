#include "support/vm_harness.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/kvm.h>
#include <poll.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define NO_REASON (-100)
#define BARE_MIB  16 /* memory of a bare guest */

/* The test that runs. One process, one test at a time. */
static const char *current;
static unsigned int n_problems;
static const char *skipped;

bool vmt_contains(const char *text, const char *part)
{
	return strstr(text, part) != NULL;
}

void vmt_fail(const char *file, int line, const char *format, ...)
{
	va_list args;

	n_problems++;
	printf("    %s:%d: ", file, line);
	va_start(args, format);
	vprintf(format, args);
	va_end(args);
	printf("\n");
}

bool vmt_has_failed(void)
{
	return n_problems > 0;
}

void vmt_skip(const char *reason)
{
	skipped = reason;
}

_Noreturn void vmt_skip_all(const char *reason)
{
	printf("SKIP: %s\n", reason);
	exit(77);
}

static void run_once(const struct vmt_test *test)
{
	unsigned int n_fds = vmt_count_fds();

	current = test->name;
	n_problems = 0;
	skipped = NULL;
	test->run();
	if (vmt_count_fds() != n_fds)
		vmt_fail(__FILE__, __LINE__, "%u open descriptors, %u before",
			 vmt_count_fds(), n_fds);
	if (vmt_has_child())
		vmt_fail(__FILE__, __LINE__, "a child is left");
}

/*
 * In the lab a test has a second chance, and says that it took it: QEMU's
 * emulation of a CPU with SVM now and then crashes a Linux guest under load
 * (one run in seven of the 64 MiB transfer). What fails twice is a failure.
 */
static void run_test(const struct vmt_test *test)
{
	uint64_t start = vmt_now_ms();

	run_once(test);
	if (n_problems > 0 && getenv("AVF_LAB")) {
		printf("    %s failed, once more\n", current);
		run_once(test);
	}
	if (n_problems > 0)
		printf("not ok %s\n", current);
	else if (skipped)
		printf("skip %s: %s\n", current, skipped);
	else
		printf("ok %s: %llu ms\n", current,
		       (unsigned long long)(vmt_now_ms() - start));
}

static bool is_wanted(const char *name, int argc, char **argv)
{
	for (int i = 1; i < argc; i++) {
		if (strcmp(argv[i], name) == 0)
			return true;
	}
	return argc < 2;
}

void vmt_keep_a_vm(void)
{
	int kvm;

	if (!getenv("AVF_LAB"))
		return;
	kvm = open("/dev/kvm", O_RDWR | O_CLOEXEC);
	if (kvm >= 0)
		(void)ioctl(kvm, KVM_CREATE_VM, 0);
}

int vmt_main(int argc, char **argv, const struct vmt_test *tests,
	     size_t n_tests)
{
	unsigned int n_failed = 0;

	vmt_keep_a_vm();

	/* in order with what a sanitizer prints, and not lost in a crash */
	(void)setvbuf(stdout, NULL, _IOLBF, 0);
	for (size_t i = 0; i < n_tests; i++) {
		if (!is_wanted(tests[i].name, argc, argv))
			continue;
		run_test(&tests[i]);
		n_failed += n_problems > 0;
	}
	return n_failed > 0;
}

/* --- one VM ----------------------------------------------------------- */

const char *vmt_path(const char *format, ...)
{
	static char path[4096];
	int n = snprintf(path, sizeof(path), "%s/", AVF_TEST_BUILD_DIR);
	va_list args;

	va_start(args, format);
	(void)vsnprintf(path + n, sizeof(path) - (size_t)n, format, args);
	va_end(args);
	return path;
}

const char *vmt_bare_path(const char *guest)
{
	return vmt_path("guest/bare/%s" AVF_TEST_BARE_SUFFIX, guest);
}

bool vmt_bare_is_elf(void)
{
	return strcmp(AVF_TEST_BARE_SUFFIX, ".elf") == 0;
}

bool vmt_has_bare(const char *guest)
{
	return access(vmt_bare_path(guest), R_OK) == 0;
}

bool vmt_can_protect(void)
{
	uint32_t capabilities = 0;
	avf_probe *probe = NULL;

	if (avf_probe_new(&probe) == 0)
		capabilities = avf_probe_capabilities(probe);
	avf_probe_free(probe);
	return capabilities & AVF_CAPABILITY_PROTECTED_VM;
}

bool vmt_wants_protected(void)
{
	return getenv("AVF_TEST_PROTECTED") != NULL;
}

avf_config *vmt_bare_config(const char *guest)
{
	avf_config *config = NULL;

	CHECK_OK(avf_config_new(AVF_CONFIG_RAW, &config));
	CHECK_OK(avf_config_set_kernel(config, vmt_bare_path(guest)));
	CHECK_OK(avf_config_set_memory_mib(config, BARE_MIB));
	CHECK_OK(avf_config_set_protected(config, vmt_wants_protected()));
	return config;
}

/* A payload VM gives its log away, a raw VM its console. */
static int set_output(avf_config *config, int fd)
{
	if (avf_config_get_kind(config) == AVF_CONFIG_PAYLOAD)
		return avf_config_set_log_output(config, fd);
	return avf_config_set_console_output(config, fd);
}

bool vmt_new(struct vmt_vm *v, avf_config *config)
{
	int rc;

	memset(v, 0, sizeof(*v));
	v->reason = NO_REASON;
	v->output = vmt_memfd(0, 0);
	rc = set_output(config, v->output);
	if (rc == 0)
		rc = avf_vm_new(config, &v->vm);
	if (rc < 0)
		vmt_fail(__FILE__, __LINE__, "avf_vm_new: %s: %s",
			 avf_error_name(rc), avf_last_error()->text);
	avf_config_free(config);
	if (rc < 0)
		(void)close(v->output);
	return rc == 0;
}

static size_t output_size(const struct vmt_vm *v)
{
	off_t end = lseek(v->output, 0, SEEK_END);

	return end < 0 ? 0 : (size_t)end;
}

bool vmt_run(struct vmt_vm *v)
{
	int rc;

	v->start = output_size(v);
	v->n_stopped = 0;
	v->reason = NO_REASON;
	v->error_code = -1;
	v->exit_code = -1;
	v->acceleration = -1;
	v->n_log = 0;
	v->events[0] = '\0';
	v->text[0] = '\0';
	v->error_text[0] = '\0';
	v->run_ns = vmt_now_ms() * 1000000;
	rc = avf_vm_run(v->vm);
	if (rc < 0)
		vmt_fail(__FILE__, __LINE__, "avf_vm_run: %s: %s",
			 avf_error_name(rc), avf_last_error()->text);
	return rc == 0;
}

static void remember(struct vmt_vm *v, const struct avf_event *event)
{
	size_t used = strlen(v->events);

	v->last_ns = event->time_ns;
	if (event->type == AVF_EVENT_LOG) {
		v->n_log++;
		return;
	}
	(void)snprintf(v->events + used, sizeof(v->events) - used, "%s ",
		       avf_event_type_name(event->type));
	if (event->type == AVF_EVENT_STARTED)
		v->acceleration = event->code;
	else if (event->type == AVF_EVENT_PAYLOAD_FINISHED)
		v->exit_code = event->code;
	else if (event->type == AVF_EVENT_ERROR) {
		v->error_code = event->code;
		memcpy(v->error_text, event->text, sizeof(v->error_text));
	} else if (event->type == AVF_EVENT_STOPPED) {
		v->n_stopped++;
		v->reason = event->code;
		memcpy(v->text, event->text, sizeof(v->text));
	}
}

int vmt_event(struct vmt_vm *v, int timeout_ms)
{
	struct avf_event event = AVF_EVENT_INIT;
	int rc = avf_vm_wait_event(v->vm, timeout_ms, &event);

	if (rc < 0)
		vmt_fail(__FILE__, __LINE__, "avf_vm_wait_event: %s: %s",
			 avf_error_name(rc), avf_last_error()->text);
	if (rc <= 0)
		return -1;
	remember(v, &event);
	return event.type;
}

bool vmt_wait_event(struct vmt_vm *v, int type)
{
	int got;

	do {
		got = vmt_event(v, VMT_PATIENCE_MS);
		if (got == type)
			return true;
	} while (got >= 0 && got != AVF_EVENT_STOPPED);
	vmt_fail(__FILE__, __LINE__, "no %s; events: %s(%s %s)",
		 avf_event_type_name(type), v->events,
		 avf_stop_reason_name(v->reason), v->text);
	return false;
}

bool vmt_wait_stopped(struct vmt_vm *v)
{
	if (v->n_stopped == 0 && !vmt_wait_event(v, AVF_EVENT_STOPPED))
		return false;
	CHECK(vmt_event(v, 0) == -1);
	CHECK(v->n_stopped == 1);
	CHECK(avf_vm_get_status(v->vm) == AVF_STATUS_STOPPED);
	CHECK(avf_vm_get_pid(v->vm) == 0);
	return true;
}

char *vmt_output(const struct vmt_vm *v)
{
	size_t size = output_size(v) - v->start;
	char *text = calloc(1, size + 1);

	if (text && pread(v->output, text, size, (off_t)v->start) < 0)
		text[0] = '\0';
	return text;
}

bool vmt_wait_output(struct vmt_vm *v, const char *text)
{
	const uint64_t deadline = vmt_now_ms() + VMT_PATIENCE_MS;
	bool found = false;
	char *output;

	while (!found && vmt_now_ms() < deadline && v->n_stopped == 0) {
		(void)vmt_event(v, 10);
		output = vmt_output(v);
		found = output && vmt_contains(output, text);
		free(output);
	}
	if (!found)
		vmt_fail(__FILE__, __LINE__, "\"%s\" was not printed", text);
	return found;
}

void vmt_check_stopped(const struct vmt_vm *v, int reason, const char *part)
{
	if (v->reason != reason || !vmt_contains(v->text, part))
		vmt_fail(__FILE__, __LINE__,
			 "stopped for %s (\"%s\"), not %s (\"%s\")",
			 avf_stop_reason_name(v->reason), v->text,
			 avf_stop_reason_name(reason), part);
}

void vmt_run_to(struct vmt_vm *v, int reason)
{
	if (vmt_run(v) && vmt_wait_stopped(v))
		vmt_check_stopped(v, reason, "");
}

void vmt_free(struct vmt_vm *v)
{
	avf_vm_free(v->vm);
	(void)close(v->output);
	memset(v, 0, sizeof(*v));
}

/* --- this process ----------------------------------------------------- */

static unsigned int count_entries(const char *path)
{
	DIR *dir = opendir(path);
	unsigned int n = 0;

	if (!dir)
		return 0;
	while (readdir(dir))
		n++;
	(void)closedir(dir);
	return n;
}

unsigned int vmt_count_fds(void)
{
	return count_entries("/proc/self/fd");
}

unsigned int vmt_count_threads(void)
{
	return count_entries("/proc/self/task");
}

bool vmt_has_child(void)
{
	siginfo_t info;

	return waitid(P_ALL, 0, &info, WEXITED | WNOHANG | WNOWAIT) == 0 ||
	       errno != ECHILD;
}

long vmt_rss_kib(void)
{
	FILE *file = fopen("/proc/self/statm", "r");
	long size, pages = 0;

	if (!file)
		return 0;
	if (fscanf(file, "%ld %ld", &size, &pages) != 2)
		pages = 0;
	(void)fclose(file);
	return pages * (sysconf(_SC_PAGESIZE) / 1024);
}

long vmt_cpu_ms(pid_t pid)
{
	unsigned long user = 0, kernel = 0;
	char path[64];
	FILE *file;
	int n;

	(void)snprintf(path, sizeof(path), "/proc/%d/stat", (int)pid);
	file = fopen(path, "r");
	if (!file)
		return -1;
	/* fields 14 and 15; the name has no space */
	n = fscanf(file,
		   "%*s %*s %*s %*s %*s %*s %*s %*s %*s %*s %*s %*s %*s "
		   "%lu %lu",
		   &user, &kernel);
	(void)fclose(file);
	if (n != 2)
		return -1;
	return (long)((user + kernel) * 1000 /
		      (unsigned long)sysconf(_SC_CLK_TCK));
}

/* Guest memory is as large as a bare guest's at least, and the one large
 * mapping that is not accounted for, or should be of huge pages (proc(5)). */
static bool is_guest_memory(long size_kib, const char *flags)
{
	return size_kib >= BARE_MIB * 1024L &&
	       (strstr(flags, " nr") || strstr(flags, " hg"));
}

static long read_own_memory(pid_t pid)
{
	long size = 0, dirty = 0, total = 0;
	char line[512];
	FILE *file;

	(void)snprintf(line, sizeof(line), "/proc/%d/smaps", (int)pid);
	file = fopen(line, "r");
	if (!file)
		return -1;
	/* for each mapping in this order; the flags are its last line */
	while (fgets(line, sizeof(line), file)) {
		(void)sscanf(line, "Size: %ld", &size);
		(void)sscanf(line, "Private_Dirty: %ld", &dirty);
		if (strncmp(line, "VmFlags:", 8) == 0 &&
		    !is_guest_memory(size, line))
			total += dirty;
	}
	(void)fclose(file);
	return total;
}

long vmt_own_memory_kib(const struct vmt_vm *v)
{
	long kib = read_own_memory(avf_vm_get_pid(v->vm));

#ifdef __SANITIZE_ADDRESS__
	/* what is freed stays in its quarantine */
	kib = -1;
#endif
	if (kib < 0)
		printf("    the VMM's memory is not compared: %s\n",
		       geteuid() == 0 ? "a sanitizer keeps what is freed"
				      : "only root may look at it");
	return kib;
}

int vmt_memfd(size_t size, int fill)
{
	int fd = memfd_create("test", MFD_CLOEXEC);
	char block[512];

	memset(block, fill, sizeof(block));
	for (size_t at = 0; at < size; at += sizeof(block)) {
		if (pwrite(fd, block, sizeof(block), (off_t)at) < 0)
			vmt_fail(__FILE__, __LINE__, "memfd");
	}
	if (ftruncate(fd, (off_t)size) < 0)
		vmt_fail(__FILE__, __LINE__, "memfd of %zu bytes", size);
	return fd;
}

uint64_t vmt_now_ms(void)
{
	struct timespec t;

	(void)clock_gettime(CLOCK_MONOTONIC, &t);
	return (uint64_t)t.tv_sec * 1000 + (uint64_t)t.tv_nsec / 1000000;
}

void vmt_sleep_ms(unsigned int ms)
{
	const struct timespec pause = {ms / 1000, ms % 1000 * 1000000L};

	(void)nanosleep(&pause, NULL);
}

bool vmt_wait_readable(int fd, int timeout_ms)
{
	struct pollfd p = {.fd = fd, .events = POLLIN};

	return poll(&p, 1, timeout_ms) > 0;
}

bool vmt_send(int fd, const void *data, size_t size)
{
	const char *p = data;
	ssize_t n;

	for (size_t done = 0; done < size; done += (size_t)n) {
		n = send(fd, p + done, size - done, MSG_NOSIGNAL);
		if (n < 0)
			return false;
	}
	return true;
}

bool vmt_recv(int fd, void *data, size_t size)
{
	return recv(fd, data, size, MSG_WAITALL) == (ssize_t)size;
}
