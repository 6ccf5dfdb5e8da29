/* The supervisor, with scripts in the place of QEMU and with a real one, where
 * it is installed. */
#include <criterion/criterion.h>

#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <avf/vm.h>

#include "base/arch.h"
#include "base/fd.h"
#include "base/program.h"
#include "qemu/qemu.h"
#include "qemu/qemu_process.h"
#include "guest_elf.h"

struct run {
	struct loop loop;
	struct vm_config config;
	struct qemu *qemu;
	int console[2]; /* pipe */
	uint32_t ready_timeout_ms;
	int started, stopped;
	int reason;
	char text[AVF_EVENT_TEXT_SIZE];
	char output[256];
};

static void on_started(void *userdata)
{
	((struct run *)userdata)->started++;
}

static void on_stopped(void *userdata, int reason, const char *text)
{
	struct run *run = userdata;

	run->stopped++;
	run->reason = reason;
	(void)snprintf(run->text, sizeof(run->text), "%s", text);
	/* the harshest thing that a callback may do */
	qemu_free(run->qemu);
	run->qemu = NULL;
}

static const struct qemu_ops ops = {on_started, on_stopped};

static void find_qemu(char *path, size_t size)
{
	if (program_find(arch_host()->qemu, QEMU_DIRS, path, size) < 0)
		cr_skip_test("%s is not installed", arch_host()->qemu);
}

static int begin(struct run *run, const char *program, int kernel_fd)
{
	struct qemu_params params = {
		.program = program,
		.config = &run->config,
		.kernel_fd = kernel_fd,
		.initrd_fd = -1,
		.cmdline = "console=ttyS0",
		.failure_fd = -1,
		.ready_timeout_ms = run->ready_timeout_ms,
		.loop = &run->loop,
		.ops = &ops,
		.userdata = run,
	};
	int rc;

	cr_assert_eq(pipe(run->console), 0);
	cr_assert_eq(loop_init(&run->loop), 0);
	run->config.console_out_fd = run->console[1];
	run->config.memory_mib = 64;
	rc = qemu_start(&params, &run->qemu);
	fd_close(run->console[1]);
	run->config.console_out_fd = -1;
	return rc;
}

static void run_until_stopped(struct run *run, int limit_ms)
{
	const uint64_t end = clock_now_ns() + (uint64_t)limit_ms * 1000000;

	while (!run->stopped && clock_now_ns() < end)
		cr_assert_eq(loop_run_once(&run->loop, 100), 0);
}

static void finish(struct run *run)
{
	ssize_t n;

	qemu_free(run->qemu);
	n = fd_read_all(run->console[0], run->output, sizeof(run->output) - 1);
	cr_assert_geq(n, 0);
	run->output[n] = '\0';
	fd_close(run->console[0]);
	loop_fini(&run->loop);
	vm_config_fini(&run->config);
	cr_expect_eq(waitpid(-1, NULL, WNOHANG), -1, "a child is left");
}

static void expect_end(enum guest_end end, int reason)
{
	struct run run = {0};
	char path[256];
	int kernel;

	find_qemu(path, sizeof(path));
	kernel = guest_elf_open(end);
	vm_config_init(&run.config);
	run.config.name = strdup("a,b=c");
	cr_assert_eq(begin(&run, path, kernel), 0, "%s", error_record()->text);
	fd_close(kernel);
	run_until_stopped(&run, 30000);
	finish(&run);
	cr_expect_eq(run.started, 1);
	cr_expect_eq(run.stopped, 1);
	cr_expect_eq(run.reason, reason, "%d: %s", run.reason, run.text);
	/* not a byte is lost, although QEMU was gone before we looked */
	cr_expect_str_eq(run.output, "hello\n");
}

Test(qemu_real, guest_that_powers_off)
{
	expect_end(GUEST_POWERS_OFF, AVF_STOP_REASON_SHUTDOWN);
}

Test(qemu_real, guest_that_triple_faults)
{
	expect_end(GUEST_TRIPLE_FAULTS, AVF_STOP_REASON_REBOOT);
}

Test(qemu_real, killed_qemu_is_a_crash)
{
	struct run run = {0};
	char path[256];
	int kernel;

	find_qemu(path, sizeof(path));
	kernel = guest_elf_open(GUEST_HANGS);
	vm_config_init(&run.config);
	cr_assert_eq(begin(&run, path, kernel), 0);
	fd_close(kernel);
	while (!run.started)
		cr_assert_eq(loop_run_once(&run.loop, 10000), 0);
	cr_assert_eq(qemu_power_down(run.qemu), 0);
	cr_assert_eq(kill(qemu_get_pid(run.qemu), SIGKILL), 0);
	run_until_stopped(&run, 10000);
	finish(&run);
	cr_expect_eq(run.reason, AVF_STOP_REASON_CRASH);
	cr_expect_str_eq(run.text, "QEMU was killed by signal 9 (KILL)");
}

/* Of all our fds QEMU has those that it was given. */
Test(qemu_real, stray_fds_stay_with_us)
{
	struct run run = {0};
	char path[256], link[64];
	int kernel;

	find_qemu(path, sizeof(path));
	kernel = guest_elf_open(GUEST_HANGS);
	vm_config_init(&run.config);
	cr_assert_eq(dup2(kernel, 200), 200); /* without close-on-exec */
	cr_assert_eq(begin(&run, path, kernel), 0);
	fd_close(kernel);
	while (!run.started)
		cr_assert_eq(loop_run_once(&run.loop, 10000), 0);
	(void)snprintf(link, sizeof(link), "/proc/%d/fd/200",
		       qemu_get_pid(run.qemu));
	cr_expect_neq(access(link, F_OK), 0);
	finish(&run);
	fd_close(200);
}

static void add_disk(struct vm_config *config, int flags, bool writable)
{
	char path[] = "/tmp/avf-disk-XXXXXX";
	int fd = mkstemp(path);

	cr_assert_geq(fd, 0);
	cr_assert_eq(ftruncate(fd, 1 << 20), 0);
	fd_close(fd);
	fd = open(path, flags | O_CLOEXEC);
	cr_assert_geq(fd, 0);
	cr_assert_eq(unlink(path), 0);
	config->disks[config->n_disks++] = (struct vm_disk){
		.fd = fd,
		.writable = writable,
		.id = strdup("a,b\"}"),
	};
}

/* QEMU refuses to start when it cannot open one as it is described. */
Test(qemu_real, disks_however_they_were_opened)
{
	struct run run = {0};
	char path[256];
	int kernel;

	find_qemu(path, sizeof(path));
	kernel = guest_elf_open(GUEST_POWERS_OFF);
	vm_config_init(&run.config);
	add_disk(&run.config, O_RDONLY, false);
	add_disk(&run.config, O_RDWR, true);
	add_disk(&run.config, O_RDWR, false);
	cr_assert_eq(begin(&run, path, kernel), 0);
	fd_close(kernel);
	run_until_stopped(&run, 30000);
	finish(&run);
	cr_expect_eq(run.reason, AVF_STOP_REASON_SHUTDOWN, "%s", run.text);
}

/* A script in the place of QEMU. */
static void run_fake(struct run *run, const char *script)
{
	char path[] = "/tmp/avf-fake-XXXXXX";
	int fd = mkstemp(path);
	int kernel = guest_elf_open(GUEST_HANGS);

	cr_assert_geq(fd, 0);
	cr_assert_eq(fd_write_all(fd, script, strlen(script)), 0);
	cr_assert_eq(fchmod(fd, 0700), 0);
	fd_close(fd);
	vm_config_init(&run->config);
	run->ready_timeout_ms = 300;
	cr_assert_eq(begin(run, path, kernel), 0, "%s", error_record()->text);
	fd_close(kernel);
	run_until_stopped(run, 10000);
	finish(run);
	cr_expect_eq(unlink(path), 0);
	cr_expect_eq(run->started, 0);
	cr_expect_eq(run->stopped, 1);
	cr_expect_eq(run->reason, AVF_STOP_REASON_START_FAILED);
}

Test(qemu_fake, never_answers)
{
	struct run run = {0};

	run_fake(&run, "#!/bin/sh\nexec sleep 60\n");
	cr_expect_str_eq(run.text, "QEMU did not answer");
}

Test(qemu_fake, dies_with_a_reason)
{
	struct run run = {0};

	run_fake(&run, "#!/bin/sh\necho first >&2\n"
		       "printf 'no \\033[1mluck' >&2\nexit 3\n");
	cr_expect_str_eq(run.text,
			 "QEMU exited with status 3: no \\x1b[1mluck");
}

Test(qemu_fake, no_such_program)
{
	struct run run = {0};
	int kernel = guest_elf_open(GUEST_HANGS);

	vm_config_init(&run.config);
	cr_expect_eq(begin(&run, "/nonexistent/qemu", kernel),
		     AVF_ERR_NOT_FOUND);
	fd_close(kernel);
	finish(&run);
	cr_expect_eq(run.stopped, 0);
}

Test(qemu_real, freed_while_it_runs)
{
	struct run run = {0};
	char path[256];
	int kernel;

	find_qemu(path, sizeof(path));
	kernel = guest_elf_open(GUEST_HANGS);
	vm_config_init(&run.config);
	cr_assert_eq(begin(&run, path, kernel), 0);
	fd_close(kernel);
	while (!run.started)
		cr_assert_eq(loop_run_once(&run.loop, 10000), 0);
	finish(&run);
	cr_expect_eq(run.stopped, 0);
}

Test(qemu_real, not_a_kernel)
{
	struct run run = {0};
	char path[256];
	int rubbish[2];

	find_qemu(path, sizeof(path));
	cr_assert_eq(pipe(rubbish), 0);
	fd_close(rubbish[1]);
	vm_config_init(&run.config);
	cr_assert_eq(begin(&run, path, rubbish[0]), 0);
	fd_close(rubbish[0]);
	run_until_stopped(&run, 30000);
	finish(&run);
	cr_expect_eq(run.started, 0);
	cr_expect_eq(run.reason, AVF_STOP_REASON_START_FAILED);
	cr_expect(strstr(run.text, "QEMU exited with status 1: "), "%s",
		  run.text);
}
