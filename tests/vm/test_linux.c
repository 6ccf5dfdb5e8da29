/*
 * Linux guests: payloads in the microguest, from the first event to the last
 * one. On real KVM (label lab), and with AVF_TEST_EMULATED a shorter
 * selection under emulation. Times are printed for people to compare.
 */
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "vm/linux_vm.h"

#define BIG_OUTPUT_LINES (8 * 1024 * 1024 / 64)

/* --- payloads and how they end ---------------------------------------- */

static void echo_and_quit(void)
{
	char answer[5];
	struct vmt_vm v;
	char *log;
	int fd;

	if (!linux_start(&v, "echo"))
		return;
	printf("    ready after %llu ms\n",
	       (unsigned long long)(v.last_ns - v.run_ns) / 1000000);
	CHECK(v.acceleration == (is_emulated() ? 1 : 0));
	fd = linux_connect(&v, ECHO_PORT);
	CHECK(vmt_send(fd, "hello", 5) && vmt_recv(fd, answer, 5));
	CHECK(memcmp(answer, "hello", 5) == 0);
	CHECK(shutdown(fd, SHUT_WR) == 0);
	CHECK(recv(fd, answer, 1, 0) == 0);
	(void)close(fd);
	fd = linux_connect(&v, ECHO_PORT);
	CHECK(vmt_send(fd, "quit\n", 5));
	CHECK(vmt_wait_stopped(&v));
	(void)close(fd);
	vmt_check_stopped(&v, AVF_STOP_REASON_SHUTDOWN, "");
	CHECK(v.exit_code == 0);
	CHECK(strcmp(v.events, "STARTED PAYLOAD_STARTED PAYLOAD_READY "
			       "PAYLOAD_FINISHED STOPPED ") == 0);
	log = vmt_output(&v);
	CHECK(log && vmt_contains(log, "echo: hello from the payload"));
	CHECK(log && vmt_contains(log, "echo: bye"));
	free(log);
	vmt_free(&v);
}

/* Runs a payload to its end; the ERROR's text must have @error in it. */
static void run_config(avf_config *config, int exit_code, int reason,
		       const char *error)
{
	struct vmt_vm v;

	if (!vmt_new(&v, config))
		return;
	vmt_run_to(&v, reason);
	if (v.exit_code != exit_code)
		vmt_fail(__FILE__, __LINE__, "exit code %d, not %d; events %s",
			 v.exit_code, exit_code, v.events);
	if (!vmt_contains(v.error_text, error))
		vmt_fail(__FILE__, __LINE__, "ERROR \"%s\", not \"%s\"",
			 v.error_text, error);
	vmt_free(&v);
}

static void exit_code(void)
{
	run_config(linux_config("good", "exit_code"), 7,
		   AVF_STOP_REASON_SHUTDOWN, "");
}

#define RUNTIME_ERROR AVF_STOP_REASON_MICRODROID_UNKNOWN_RUNTIME_ERROR

static void crash(void)
{
	run_config(linux_config("good", "crash"), -1, RUNTIME_ERROR, "SIGSEGV");
}

/* A payload that attacks the guest's manager harms nobody, itself neither. */
static void noise(void)
{
	struct vmt_vm v;

	if (!linux_new(&v, "noise"))
		return;
	CHECK(vmt_run(&v) && vmt_wait_stopped(&v));
	vmt_check_stopped(&v, AVF_STOP_REASON_SHUTDOWN, "");
	CHECK(v.exit_code == 0);
	CHECK(strcmp(v.events, "STARTED PAYLOAD_STARTED PAYLOAD_READY "
			       "PAYLOAD_FINISHED STOPPED ") == 0);
	vmt_free(&v);
}

static void no_entry(void)
{
	run_config(linux_config("good", "no_entry"), 1,
		   AVF_STOP_REASON_SHUTDOWN, "AVmPayload_main");
}

#define INVALID_CONFIG AVF_STOP_REASON_MICRODROID_INVALID_PAYLOAD_CONFIG

static void missing_library(void)
{
	run_config(linux_config("good", "nothing"), -1, RUNTIME_ERROR,
		   "libnothing.so");
}

/* A package of ours says what it is for; of others the guest finds out. */
static void foreign_library(void)
{
	avf_config *config = linux_config("foreign", "exit_code");
	avf_vm *vm;

	if (!config)
		return;
	CHECK(avf_vm_new(config, &vm) == AVF_ERR_INVALID);
	CHECK(vmt_contains(avf_last_error()->text, "but none for "));
	avf_config_free(config);
	run_config(linux_config("unmarked", "exit_code"), -1, RUNTIME_ERROR,
		   "libexit_code.so");
}

static void bad_manifest(void)
{
	run_config(linux_config("no_manifest", "exit_code"), -1, INVALID_CONFIG,
		   "manifest.json");
	run_config(linux_config("bad_manifest", "exit_code"), -1,
		   INVALID_CONFIG, "line ");
	run_config(linux_config("other_format", "exit_code"), -1,
		   INVALID_CONFIG,
		   "the package has format 2, the guest image knows 1");
}

/* The superblock is good, all else is not. */
static void damaged_package(void)
{
	avf_config *config = linux_config("good", "exit_code");
	int package = vmt_memfd(65536, 0xff);
	char head[2048];
	struct vmt_vm v;
	int fd = open(vmt_path("tests/packages/good.avfpkg"), O_RDONLY);

	CHECK(read(fd, head, sizeof(head)) == sizeof(head));
	CHECK(pwrite(package, head, sizeof(head), 0) == sizeof(head));
	(void)close(fd);
	CHECK_OK(avf_config_set_package_fd(config, package));
	(void)close(package);
	if (!vmt_new(&v, config))
		return;
	CHECK(vmt_run(&v) && vmt_wait_stopped(&v));
	printf("    %s: %s (%s)\n", avf_stop_reason_name(v.reason), v.text,
	       v.error_text);
	CHECK(v.reason != AVF_STOP_REASON_SHUTDOWN);
	CHECK(v.exit_code == -1);
	vmt_free(&v);
}

static void no_package(void)
{
	avf_config *config = linux_config("good", "exit_code");
	int zeros = vmt_memfd(65536, 0);

	CHECK_FAILS(avf_config_set_package_fd(config, zeros), AVF_ERR_FORMAT,
		    "EROFS");
	(void)close(zeros);
	avf_config_free(config);
}

/* --- what a payload can do -------------------------------------------- */

/* The log of a payload that ends by itself; free() it. */
static char *log_of(const char *payload)
{
	struct vmt_vm v;
	char *log;

	if (!linux_new(&v, payload))
		return strdup("");
	vmt_run_to(&v, AVF_STOP_REASON_SHUTDOWN);
	CHECK(v.exit_code == 0);
	log = vmt_output(&v);
	vmt_free(&v);
	return log ? log : strdup("");
}

static void expect_line(const char *log, const char *line)
{
	if (!vmt_contains(log, line))
		vmt_fail(__FILE__, __LINE__, "no \"%s\" in:\n%s", line, log);
}

/* What a payload may, and the pages of the kernel below it: 4 KiB but where a
 * kernel of others is tried. */
static void rights(void)
{
	const char *pages = getenv("AVF_TEST_PAGE_SIZE");
	char *log = log_of("rights");
	char line[64];

	(void)snprintf(line, sizeof(line), "page size: %s\n",
		       pages ? pages : "4096");
	expect_line(log, line);
	expect_line(log, "Uid:\t6000\t6000\t6000\t6000");
	expect_line(log, "CapInh:\t0000000000000000");
	expect_line(log, "CapPrm:\t0000000000000000");
	expect_line(log, "CapEff:\t0000000000000000");
	expect_line(log, "CapBnd:\t0000000000000000");
	expect_line(log, "CapAmb:\t0000000000000000");
	expect_line(log, "mount: refused");
	expect_line(log, "reboot: refused");
	expect_line(log, "disk: refused");
	expect_line(log, "root: refused");
	expect_line(log, "tmp: allowed");
	CHECK(!vmt_contains(log, "fd 3:"));
	free(log);
}

static void assets(void)
{
	char *log = log_of("assets");

	expect_line(log, "assets: hello from the assets");
	expect_line(log, "assets: write: Read-only file system");
	free(log);
}

static void privileged_port(void)
{
	free(log_of("privileged_port"));
}

/* Every line of 8 MiB, in order, though the payload ends at once. */
static void big_output(void)
{
	char *log = log_of("big_output");
	const char *p = log;
	char line[65];
	int i;

	for (i = 0; i < BIG_OUTPUT_LINES; i++) {
		(void)snprintf(line, sizeof(line), "%0*d\n", 63, i);
		p = i == 0 ? strstr(p, line) : p + 64;
		if (!p || strncmp(p, line, 64) != 0)
			break;
	}
	if (i < BIG_OUTPUT_LINES)
		vmt_fail(__FILE__, __LINE__, "line %d is missing", i);
	free(log);
}

/* --- stopping --------------------------------------------------------- */

static void stop(void)
{
	struct vmt_vm v;

	if (!linux_start(&v, "idle"))
		return;
	linux_stop(&v);
	vmt_free(&v);
}

/* It ignores SIGTERM and is killed inside; the guest still shuts down. */
static void stop_a_stubborn_one(void)
{
	struct vmt_vm v;

	if (!linux_new(&v, "never_ready"))
		return;
	if (vmt_run(&v) && vmt_wait_output(&v, "never_ready: running")) {
		CHECK(!vmt_contains(v.events, "PAYLOAD_READY"));
		linux_stop(&v);
	}
	vmt_free(&v);
}

static void kill_and_run_again(void)
{
	struct vmt_vm v;

	if (!linux_start(&v, "idle"))
		return;
	CHECK_OK(avf_vm_kill(v.vm));
	CHECK(vmt_wait_stopped(&v));
	vmt_check_stopped(&v, AVF_STOP_REASON_KILLED, "");
	CHECK(vmt_run(&v) && vmt_wait_event(&v, AVF_EVENT_PAYLOAD_READY));
	linux_stop(&v);
	vmt_free(&v);
}

static void boot_timeout(void)
{
	avf_config *config = linux_config("good", "idle");
	struct vmt_vm v;

	CHECK_OK(avf_config_set_boot_timeout_ms(config, 20));
	if (!vmt_new(&v, config))
		return;
	vmt_run_to(&v, AVF_STOP_REASON_HANGUP);
	vmt_free(&v);
}

/* AVF's own tests take 170 MiB. A protected VM's pool comes on top. */
static void little_memory(void)
{
	avf_config *config = linux_config("good", "idle");
	const char *wish = getenv("AVF_TEST_MEMORY_MIB");
	struct vmt_vm v;

	CHECK_OK(avf_config_set_memory_mib(
		config, wish ? (uint32_t)strtoul(wish, NULL, 10) : 48));
	if (!vmt_new(&v, config))
		return;
	if (vmt_run(&v) && vmt_wait_event(&v, AVF_EVENT_PAYLOAD_READY))
		linux_stop(&v);
	vmt_free(&v);
}

/*
 * The stock kernel has no pKVM guest support; of whatever it does in a
 * protected VM, the boot's time-out is the end.
 */
static void foreign_kernel(void)
{
	avf_config *config = linux_config("good", "idle");
	struct vmt_vm v;

	if (access(vmt_path("guest-image/kernel"), R_OK) < 0) {
		vmt_skip("no image with a stock kernel");
		avf_config_free(config);
		return;
	}
	CHECK_OK(avf_config_set_guest_image(config, vmt_path("guest-image")));
	CHECK_OK(avf_config_set_boot_timeout_ms(config, 10000));
	if (!vmt_new(&v, config))
		return;
	CHECK(vmt_run(&v) && vmt_wait_stopped(&v));
	vmt_check_stopped(&v, AVF_STOP_REASON_HANGUP, "CONFIG_ARM_PKVM_GUEST");
	vmt_free(&v);
}

/* --- machines --------------------------------------------------------- */

static void two_at_once(void)
{
	struct vmt_vm v[2];

	if (!linux_start(&v[0], "idle"))
		return;
	if (linux_start(&v[1], "idle")) {
		CHECK(avf_vm_get_pid(v[0].vm) != avf_vm_get_pid(v[1].vm));
		linux_stop(&v[1]);
		vmt_free(&v[1]);
	}
	CHECK(avf_vm_get_status(v[0].vm) == AVF_STATUS_RUNNING);
	linux_stop(&v[0]);
	vmt_free(&v[0]);
}

/* The payload has the disks of the configuration, as it says, and no more. */
static void two_vcpus_and_disks(void)
{
	const struct avf_disk_options writable = {sizeof(writable), true,
						  "data"};
	avf_config *config = linux_config("good", "disks");
	int disks[] = {vmt_memfd(1 << 20, 'w'), vmt_memfd(1 << 20, 'r')};
	char back[16] = "";
	struct vmt_vm v;
	char *log;

	CHECK_OK(avf_config_set_vcpus(config, 2));
	CHECK_OK(avf_config_add_disk_fd(config, disks[0], &writable));
	CHECK_OK(avf_config_add_disk_fd(config, disks[1], NULL));
	if (vmt_new(&v, config)) {
		vmt_run_to(&v, AVF_STOP_REASON_SHUTDOWN);
		log = vmt_output(&v);
		expect_line(log, "/dev/vda: read: Permission denied");
		expect_line(log, "/dev/vda: write: Permission denied");
		expect_line(log, "/dev/vdb: read: w");
		expect_line(log, "/dev/vdb: write: done");
		expect_line(log, "/sys/block/vdb/serial: data");
		expect_line(log, "/dev/vdc: read: r");
		expect_line(log, "/dev/vdc: write: Permission denied");
		free(log);
		vmt_free(&v);
	}
	CHECK(pread(disks[0], back, sizeof(back), 0) == sizeof(back));
	CHECK(memcmp(back, "from the payload", sizeof(back)) == 0);
	(void)close(disks[0]);
	(void)close(disks[1]);
}

/* The microguest's kernel without its initramfs: it says so, and panics. */
static void raw_kernel(void)
{
	const char *image = getenv("AVF_GUEST_IMAGE");
	avf_config *config = NULL;
	char path[4096];
	struct vmt_vm v;
	char *console;

	CHECK_OK(avf_config_new(AVF_CONFIG_RAW, &config));
	(void)snprintf(path, sizeof(path), "%s/kernel", image);
	CHECK_OK(avf_config_set_kernel(config, path));
	CHECK_OK(avf_config_set_cmdline(config, "console=ttyS0"));
	if (is_emulated())
		CHECK_OK(avf_config_set_acceleration(
			config, AVF_ACCELERATION_EMULATION));
	if (!vmt_new(&v, config))
		return;
	vmt_run_to(&v, AVF_STOP_REASON_REBOOT);
	console = vmt_output(&v);
	CHECK(console && vmt_contains(console, "Linux version"));
	CHECK(console && vmt_contains(console, "Kernel panic"));
	free(console);
	vmt_free(&v);
}

/* --- outside of the guest --------------------------------------------- */

/* The pid of a child of @parent, or 0. */
static int child_of(int parent)
{
	char path[64];
	FILE *file;
	int pid = 0;

	(void)snprintf(path, sizeof(path), "/proc/%d/task/%d/children", parent,
		       parent);
	file = fopen(path, "r");
	if (!file)
		return 0;
	if (fscanf(file, "%d", &pid) != 1)
		pid = 0;
	(void)fclose(file);
	return pid;
}

/* True when the process is gone within 5 s. */
static bool is_gone(int pid)
{
	for (int i = 0; i < 500; i++) {
		if (kill(pid, 0) < 0)
			return true;
		vmt_sleep_ms(10);
	}
	return false;
}

static void vmm_killed(void)
{
	struct vmt_vm v;
	int qemu;

	if (!linux_start(&v, "idle"))
		return;
	qemu = child_of(avf_vm_get_pid(v.vm));
	CHECK(!is_emulated() || qemu > 0);
	CHECK(kill(avf_vm_get_pid(v.vm), SIGKILL) == 0);
	CHECK(vmt_wait_stopped(&v));
	vmt_check_stopped(&v, AVF_STOP_REASON_KILLED, "signal 9");
	if (qemu > 0)
		CHECK(is_gone(qemu));
	vmt_free(&v);
}

static void qemu_killed(void)
{
	struct vmt_vm v;
	int qemu;

	if (!linux_start(&v, "idle"))
		return;
	qemu = child_of(avf_vm_get_pid(v.vm));
	CHECK(qemu > 0);
	if (qemu > 0) {
		CHECK(kill(qemu, SIGKILL) == 0);
		CHECK(vmt_wait_stopped(&v));
		vmt_check_stopped(&v, AVF_STOP_REASON_CRASH, "");
	}
	vmt_free(&v);
}

/* It has to fail at once: such a guest would not even get as far as a panic,
 * and end with its time-out. */
static void too_little_memory(void)
{
	avf_config *config = linux_config("good", "idle");
	struct vmt_vm v;

	CHECK_OK(avf_config_set_memory_mib(config, 10));
	if (!vmt_new(&v, config))
		return;
	if (vmt_run(&v) && vmt_wait_stopped(&v))
		vmt_check_stopped(&v, AVF_STOP_REASON_START_FAILED, "MiB");
	vmt_free(&v);
}

static const struct vmt_test on_kvm[] = {
	{"echo_and_quit", echo_and_quit},
	{"exit_code", exit_code},
	{"crash", crash},
	{"noise", noise},
	{"no_entry", no_entry},
	{"missing_library", missing_library},
	{"foreign_library", foreign_library},
	{"bad_manifest", bad_manifest},
	{"damaged_package", damaged_package},
	{"no_package", no_package},
	{"rights", rights},
	{"assets", assets},
	{"privileged_port", privileged_port},
	{"big_output", big_output},
	{"stop", stop},
	{"stop_a_stubborn_one", stop_a_stubborn_one},
	{"kill_and_run_again", kill_and_run_again},
	{"boot_timeout", boot_timeout},
	{"too_little_memory", too_little_memory},
	{"two_at_once", two_at_once},
	{"two_vcpus_and_disks", two_vcpus_and_disks},
	{"raw_kernel", raw_kernel},
	{"vmm_killed", vmm_killed},
};

/* Of the small kernels, and of protected VMs: what crosses the machine. */
static const struct vmt_test on_small[] = {
	{"echo_and_quit", echo_and_quit},
	{"exit_code", exit_code},
	{"crash", crash},
	{"rights", rights},
	{"assets", assets},
	{"stop", stop},
	{"two_vcpus_and_disks", two_vcpus_and_disks},
	{"little_memory", little_memory},
	{"raw_kernel", raw_kernel},
	{"foreign_kernel", foreign_kernel},
};

static const struct vmt_test emulated[] = {
	{"emulated_echo_and_quit", echo_and_quit},
	{"emulated_two_vcpus_and_disks", two_vcpus_and_disks},
	{"emulated_raw_kernel", raw_kernel},
	{"emulated_crash", crash},
	{"emulated_noise", noise},
	{"emulated_stop", stop},
	{"emulated_boot_timeout", boot_timeout},
	{"emulated_too_little_memory", too_little_memory},
	{"emulated_vmm_killed", vmm_killed},
	{"emulated_qemu_killed", qemu_killed},
};

int main(int argc, char **argv)
{
	linux_skip_without();
	if (is_emulated())
		return vmt_main(argc, argv, emulated,
				sizeof(emulated) / sizeof(emulated[0]));
	if (getenv("AVF_TEST_SMALL"))
		return vmt_main(argc, argv, on_small,
				sizeof(on_small) / sizeof(on_small[0]));
	return vmt_main(argc, argv, on_kvm, sizeof(on_kvm) / sizeof(on_kvm[0]));
}
