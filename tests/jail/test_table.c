/*
 * Each row of the table of system calls is needed, by each of its roles: a
 * VMM that lacks just that one dies by SIGSYS while its VM does what VMs do,
 * and the log names the call. The allocator's rows, which take a bad moment,
 * are shown by threads that make one (allocator.c).
 */
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "jail/allocator.h"
#include "jail/hole.h"
#include "vm/linux_vm.h"

#define LISTEN_PORT 9000U
/* where the tests find their own microguest */
#define IMAGE_VARIABLE "AVF_TEST_TABLE_IMAGE"

static const char *const role_names[] = {
	[SANDBOX_MAIN] = "main",
	[SANDBOX_VCPU] = "vcpu",
	[SANDBOX_DISK] = "disk",
	[SANDBOX_SUPERVISOR] = "supervisor",
};

/* What no test of this computer can show, and why it is a row all the same. */
static const struct {
	int number;
	unsigned int roles;
	const char *reason;
} exceptions[] = {
	{SYS_clock_gettime,
	 BIT(SANDBOX_MAIN) | BIT(SANDBOX_VCPU) | BIT(SANDBOX_DISK) |
		 BIT(SANDBOX_SUPERVISOR),
	 "the vDSO has a clock here; with another clock source it has none"},
	{SYS_sendmsg, BIT(SANDBOX_DISK),
	 "it carries the word of a violation, which the other rows check"},
};

/* Signals are blocked around them, or the socket for the word is what fails
 * or is closed: the process dies of them, but silently. */
static const int silent[] = {SYS_exit,   SYS_exit_group, SYS_madvise,
			     SYS_tgkill, SYS_getpid,     SYS_sendmsg,
			     SYS_close};

/* --- what VMs do -------------------------------------------------------- */

struct run {
	avf_vm *vm;
	int in;  /* console input, our end */
	int out; /* console output, our end */
};

static void use_echo(const struct run *r)
{
	char data[64] = "hello";
	int fd;

	if (avf_vm_connect(r->vm, ECHO_PORT, VMT_PATIENCE_MS, &fd) < 0)
		return;
	(void)!send(fd, data, sizeof(data), MSG_NOSIGNAL);
	(void)!recv(fd, data, sizeof(data), MSG_WAITALL);
	(void)shutdown(fd, SHUT_WR);
	(void)!recv(fd, data, 1, 0);
	(void)close(fd);
}

/* The other half of guest/bare/x86_64/devices.c. */
static void use_devices(const struct run *r)
{
	avf_listener *listener = NULL;
	char byte = 'x';
	int fd;

	(void)!write(r->in, &byte, 1);
	if (avf_vm_listen(r->vm, LISTEN_PORT, &listener) < 0)
		return;
	if (avf_listener_accept(listener, VMT_PATIENCE_MS, &fd) == 0) {
		(void)!recv(fd, &byte, 1, 0);
		(void)!recv(fd, &byte, 1, 0);
		(void)close(fd);
		/* the guest resets its device instead of answering */
		(void)!avf_vm_connect(r->vm, ECHO_PORT, VMT_PATIENCE_MS, &fd);
	}
	avf_listener_free(listener);
}

static void add_disks(avf_config *config)
{
	const struct avf_disk_options writable = {sizeof(writable), true, "w"};
	int fd = vmt_memfd(4096, 'x');

	CHECK_OK(avf_config_add_disk_fd(config, fd, NULL));
	(void)close(fd);
	fd = vmt_memfd(4096, 'x');
	CHECK_OK(avf_config_add_disk_fd(config, fd, &writable));
	(void)close(fd);
}

/* A microguest whose kernel is a bare guest: once for all runs. */
struct image {
	char dir[32], kernel[48], initrd[48];
};

static void make_image(struct image *image)
{
	(void)strcpy(image->dir, "/tmp/avf-table-XXXXXX");
	CHECK(mkdtemp(image->dir) != NULL);
	(void)snprintf(image->kernel, sizeof(image->kernel), "%s/kernel",
		       image->dir);
	(void)snprintf(image->initrd, sizeof(image->initrd), "%s/initrd",
		       image->dir);
	CHECK(symlink(vmt_path("guest/bare/devices.elf"), image->kernel) == 0);
	CHECK(symlink(vmt_path("guest/bare/devices.elf"), image->initrd) == 0);
	(void)setenv(IMAGE_VARIABLE, image->dir, 1);
}

static void remove_image(const struct image *image)
{
	(void)unlink(image->kernel);
	(void)unlink(image->initrd);
	(void)rmdir(image->dir);
}

static avf_config *make_payload(void)
{
	avf_config *config = NULL;

	CHECK_OK(avf_config_new(AVF_CONFIG_PAYLOAD, &config));
	CHECK_OK(avf_config_set_guest_image(config, getenv(IMAGE_VARIABLE)));
	CHECK_OK(avf_config_set_package(
		config, vmt_path("tests/packages/good.avfpkg")));
	CHECK_OK(avf_config_set_payload_name(config, "none.so"));
	return config;
}

/* Whether the VMM is dead; only looks. */
static bool has_ended(const struct run *r)
{
	siginfo_t info;

	memset(&info, 0, sizeof(info));
	return waitid(P_PID, (id_t)avf_vm_get_pid(r->vm), &info,
		      WEXITED | WNOHANG | WNOWAIT) < 0 ||
	       info.si_pid != 0;
}

/* A payload listens when it has booted. To take events would reap. */
static int connect_at_last(const struct run *r)
{
	int fd;

	while (!has_ended(r)) {
		if (avf_vm_connect(r->vm, ECHO_PORT, 1000, &fd) == 0)
			return fd;
	}
	return -1;
}

/* The payload "echo", until it is told to quit. */
static void use_payload(const struct run *r)
{
	char data[8] = "hello";
	int fd = connect_at_last(r);

	if (fd < 0)
		return;
	(void)!send(fd, data, 5, MSG_NOSIGNAL);
	(void)!recv(fd, data, 5, MSG_WAITALL);
	(void)shutdown(fd, SHUT_WR);
	(void)!recv(fd, data, 1, 0);
	(void)close(fd);
	fd = connect_at_last(r);
	if (fd < 0)
		return;
	(void)!send(fd, "quit\n", 5, MSG_NOSIGNAL);
	(void)!recv(fd, data, 1, 0);
	(void)close(fd);
}

/* The payload "dial", which connects to us. */
static void answer_payload(const struct run *r)
{
	avf_listener *listener = NULL;
	char data[64];
	int fd;

	if (avf_vm_listen(r->vm, LISTEN_PORT, &listener) < 0)
		return;
	if (avf_listener_accept(listener, VMT_PATIENCE_MS, &fd) == 0) {
		(void)!recv(fd, data, strlen("hello from the guest\n"),
			    MSG_WAITALL);
		(void)!send(fd, "abc", 3, MSG_NOSIGNAL);
		(void)!recv(fd, data, 3, MSG_WAITALL);
		(void)close(fd);
	}
	avf_listener_free(listener);
}

static const struct scenario {
	const char *guest; /* a bare one; under emulation a payload */
	void (*use)(const struct run *r);
	bool payload, disks, two_cpus, piped;
	bool hangs; /* no payload starts in its time: the VMM ends it */
} on_kvm[] = {
	{.guest = "devices", .use = use_devices},
	{.guest = "vsock", .use = use_echo, .piped = true},
	{.guest = "blk", .disks = true},
	{.guest = "smp", .two_cpus = true},
	{.guest = "devices", .use = use_devices, .payload = true},
};

/* The shortest one first, which shows most rows. */
static const struct scenario on_qemu[] = {
	{.guest = "echo", .payload = true, .hangs = true},
	{.guest = "echo", .use = use_payload, .payload = true, .piped = true},
	{.guest = "dial", .use = answer_payload, .payload = true},
};

static const struct scenario *scenario(size_t i)
{
	if (is_emulated())
		return i < ARRAY_SIZE(on_qemu) ? &on_qemu[i] : NULL;
	return i < ARRAY_SIZE(on_kvm) ? &on_kvm[i] : NULL;
}

static avf_config *make_any(const struct scenario *s)
{
	if (is_emulated())
		return linux_config("good", s->guest);
	return s->payload ? make_payload() : vmt_bare_config(s->guest);
}

static avf_config *make_config(const struct scenario *s)
{
	avf_config *config = make_any(s);

	CHECK_OK(avf_config_set_debug_level(config, AVF_DEBUG_LEVEL_FULL));
	if (s->disks)
		add_disks(config);
	if (s->two_cpus)
		CHECK_OK(avf_config_set_vcpus(config, 2));
	if (s->hangs)
		CHECK_OK(avf_config_set_boot_timeout_ms(config, 1));
	return config;
}

/* The console's ends: pipes, or a socket for its output. */
static bool begin(const struct scenario *s, struct run *r)
{
	avf_config *config = make_config(s);
	int in[2], out[2];

	CHECK(pipe2(in, O_CLOEXEC) == 0);
	if (s->piped)
		CHECK(pipe2(out, O_CLOEXEC) == 0);
	else
		CHECK(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, out) ==
		      0);
	r->in = in[1];
	r->out = out[0];
	CHECK_OK(avf_config_set_console_input(config, in[0]));
	CHECK_OK(avf_config_set_console_output(config, out[1]));
	(void)close(in[0]);
	(void)close(out[1]);
	r->vm = NULL;
	CHECK_OK(avf_vm_new(config, &r->vm));
	avf_config_free(config);
	return r->vm && avf_vm_run(r->vm) == 0;
}

static void end(struct run *r)
{
	avf_vm_free(r->vm);
	(void)close(r->in);
	(void)close(r->out);
}

/* What it said to whom it ended by. The library does not reap the process
 * before it is asked for events, so its end is ours to see. */
static void watch_end(const struct run *r, siginfo_t *ret_end, char *ret_log,
		      size_t size)
{
	struct avf_event event = AVF_EVENT_INIT;
	const id_t pid = (id_t)avf_vm_get_pid(r->vm);

	memset(ret_end, 0, sizeof(*ret_end));
	ret_log[0] = '\0';
	CHECK(waitid(P_PID, pid, ret_end, WEXITED | WNOWAIT) == 0);
	while (avf_vm_wait_event(r->vm, VMT_PATIENCE_MS, &event) == 1 &&
	       event.type != AVF_EVENT_STOPPED) {
		if (event.type == AVF_EVENT_LOG &&
		    vmt_contains(event.text, "the jail forbids"))
			(void)snprintf(ret_log, size, "%s", event.text);
	}
}

/* --- with a hole in the table --------------------------------------------- */

static bool is_silent(int number)
{
	for (size_t i = 0; i < ARRAY_SIZE(silent); i++) {
		if (silent[i] == number)
			return true;
	}
	return false;
}

/* Whether the VMM dies of it; then the log must name it. */
static bool dies(const struct scenario *s, const struct sandbox_rule *rule)
{
	char log[AVF_EVENT_TEXT_SIZE], name[64];
	siginfo_t ended;
	struct run r;
	bool violated = false;

	if (begin(s, &r)) {
		if (s->use)
			s->use(&r);
		watch_end(&r, &ended, log, sizeof(log));
		violated = ended.si_code != CLD_EXITED &&
			   ended.si_status == SIGSYS;
	}
	end(&r);
	(void)snprintf(name, sizeof(name), "(%s)",
		       sandbox_call_name(rule->number));
	if (violated && !vmt_contains(log, name) &&
	    !(log[0] == '\0' && is_silent(rule->number)))
		vmt_fail(__FILE__, __LINE__, "%s: log \"%s\"", name, log);
	return violated;
}

/* The VMM has it from the environment (rogue_vmm.c). */
static void drop(enum sandbox_role role, size_t row)
{
	char text[32];

	(void)snprintf(text, sizeof(text), "%u %zu", role, row);
	(void)setenv(HOLE_VARIABLE, text, 1);
}

static bool is_shown(enum sandbox_role role, size_t row)
{
	drop(role, row);
	if (allocator_dies(role))
		return true;
	for (size_t i = 0; scenario(i); i++) {
		if (dies(scenario(i), &sandbox_table[row]))
			return true;
	}
	return false;
}

static const char *exception(enum sandbox_role role, int number)
{
	for (size_t i = 0; i < ARRAY_SIZE(exceptions); i++) {
		if (exceptions[i].number == number &&
		    exceptions[i].roles & BIT(role))
			return exceptions[i].reason;
	}
	return NULL;
}

static void needs_each_row(enum sandbox_role role)
{
	for (size_t i = 0; i < sandbox_table_size; i++) {
		const struct sandbox_rule *rule = &sandbox_table[i];
		const char *name = sandbox_call_name(rule->number);
		const char *why = exception(role, rule->number);

		if (!(rule->roles & BIT(role)) || is_shown(role, i))
			continue;
		if (why)
			(void)printf("    %s.%s is not shown: %s\n",
				     role_names[role], name, why);
		else
			vmt_fail(__FILE__, __LINE__,
				 "%s does not need %s (row %zu)",
				 role_names[role], name, i);
	}
	(void)unsetenv(HOLE_VARIABLE);
}

/* What dies of a hole must live without one. */
static void all_end_well_without_a_hole(void)
{
	char log[AVF_EVENT_TEXT_SIZE];
	siginfo_t ended;
	struct run r;

	for (size_t i = 0; scenario(i); i++) {
		CHECK(begin(scenario(i), &r));
		if (scenario(i)->use)
			scenario(i)->use(&r);
		watch_end(&r, &ended, log, sizeof(log));
		if (ended.si_code != CLD_EXITED || ended.si_status != 0)
			vmt_fail(__FILE__, __LINE__, "%s: %d, %d",
				 scenario(i)->guest, ended.si_code,
				 ended.si_status);
		end(&r);
	}
	for (int role = 0; role < SANDBOX_N_ROLES; role++)
		CHECK(!allocator_dies((enum sandbox_role)role));
}

static void main_needs_each_row(void)
{
	needs_each_row(SANDBOX_MAIN);
}

static void vcpu_needs_each_row(void)
{
	needs_each_row(SANDBOX_VCPU);
}

static void disk_needs_each_row(void)
{
	needs_each_row(SANDBOX_DISK);
}

static void supervisor_needs_each_row(void)
{
	needs_each_row(SANDBOX_SUPERVISOR);
}

int main(int argc, char **argv)
{
	static const struct vmt_test kvm_tests[] = {
		{"all_end_well_without_a_hole", all_end_well_without_a_hole},
		{"main_needs_each_row", main_needs_each_row},
		{"vcpu_needs_each_row", vcpu_needs_each_row},
		{"disk_needs_each_row", disk_needs_each_row},
	};
	static const struct vmt_test qemu_tests[] = {
		{"all_end_well_without_a_hole", all_end_well_without_a_hole},
		{"supervisor_needs_each_row", supervisor_needs_each_row},
	};
	struct image image;
	int rc;

	if (!is_emulated() && access("/dev/kvm", R_OK | W_OK) < 0)
		vmt_skip_all("there is no usable /dev/kvm");
	if (is_emulated() && !getenv("AVF_GUEST_IMAGE"))
		vmt_skip_all("AVF_GUEST_IMAGE names no guest image");
	(void)setenv("AVF_VMM", vmt_path("tests/rogue_vmm"), 1);
	if (is_emulated())
		return vmt_main(argc, argv, qemu_tests, ARRAY_SIZE(qemu_tests));
	make_image(&image);
	rc = vmt_main(argc, argv, kvm_tests, ARRAY_SIZE(kvm_tests));
	remove_image(&image);
	return rc;
}
