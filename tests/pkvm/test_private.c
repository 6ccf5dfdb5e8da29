/* A protected guest that points its devices at memory of its own alone: an
 * error for the device, nothing for the VMM. The same guest in a VM that is not
 * protected is served, and its secret gets around. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "support/vm_harness.h"

/* As in guest/bare/arm64/private.c. */
enum {
	HEADER = 1,
	STATUS,
	RINGS,
	DATA,
	ROOM,
	TABLE,
	OUTPUT,
	PACKET,
	SENT,
	RECEIVED,
};
#define PORT 5678U

static const char secret[] = "the secret of the guest";

static avf_config *make_config(int way, bool is_protected, int disk)
{
	const struct avf_disk_options writable = {sizeof(writable), true, NULL};
	avf_config *config = vmt_bare_config("private");
	char cmdline[32];

	(void)snprintf(cmdline, sizeof(cmdline), "case=%d", way);
	CHECK_OK(avf_config_set_cmdline(config, cmdline));
	CHECK_OK(avf_config_set_protected(config, is_protected));
	CHECK_OK(avf_config_add_disk_fd(config, disk, &writable));
	return config;
}

/* The application's part: it connects and sends; whether the secret comes. */
static bool use_vsock(struct vmt_vm *v)
{
	char bytes[64] = "";
	size_t n = 0;
	ssize_t got;
	int fd;

	CHECK_OK(avf_vm_connect(v->vm, PORT, VMT_PATIENCE_MS, &fd));
	if (fd < 0)
		return false;
	/* for whoever takes it */
	(void)!send(fd, bytes, sizeof(bytes), MSG_NOSIGNAL);
	while (n < sizeof(bytes) &&
	       (got = read(fd, bytes + n, sizeof(bytes) - n)) > 0)
		n += (size_t)got;
	(void)close(fd);
	return memmem(bytes, n, secret, sizeof(secret) - 1);
}

static bool disk_has_secret(int disk)
{
	char sectors[4096];

	CHECK(pread(disk, sectors, sizeof(sectors), 0) == sizeof(sectors));
	return memmem(sectors, sizeof(sectors), secret, sizeof(secret) - 1);
}

/*
 * What the guest said about its request, and at last. Returns whether its
 * secret got out: to the disk, the console or the application.
 */
static bool run(int way, bool is_protected, const char *answer, const char *end)
{
	int disk = vmt_memfd(4096, 'd');
	bool found = false;
	struct vmt_vm v;
	char *text;

	if (!vmt_new(&v, make_config(way, is_protected, disk)))
		return false;
	if (vmt_run(&v) && (way == SENT || way == RECEIVED))
		found = use_vsock(&v);
	CHECK(vmt_wait_stopped(&v));
	vmt_check_stopped(&v, AVF_STOP_REASON_SHUTDOWN, "");
	text = vmt_output(&v);
	if (!text || !vmt_contains(text, answer) || !vmt_contains(text, end))
		vmt_fail(__FILE__, __LINE__, "the guest says \"%s\"",
			 text ? text : "");
	found = found || (text && vmt_contains(text, secret)) ||
		disk_has_secret(disk);
	free(text);
	vmt_free(&v);
	(void)close(disk);
	return found;
}

static void refused(int way, const char *answer)
{
	CHECK(!run(way, true, answer, "dddddddd\nsurvived\n"));
}

static void header(void)
{
	refused(HEADER, "answered 1");
}

static void status(void)
{
	refused(STATUS, "answered 255");
}

static void rings(void)
{
	refused(RINGS, "needs reset");
}

static void data(void)
{
	refused(DATA, "answered 1");
}

static void room(void)
{
	refused(ROOM, "bytes 0");
}

static void table(void)
{
	refused(TABLE, "answered 0, bytes 513\nneeds reset");
}

static void output(void)
{
	refused(OUTPUT, "answered 255, bytes 0");
}

/* The one that came with it is answered, this one is not. */
static void packet(void)
{
	refused(PACKET, "answered 255, bytes 0\nrefused 2");
}

static void sent(void)
{
	refused(SENT, "needs reset\nrefused 3");
}

static void received(void)
{
	refused(RECEIVED, "needs reset\nrefused 3");
}

/* Where nothing is private, each of these requests is served: it reads, or
 * writes, just what it must not reach in a protected VM. */
static void control(void)
{
	static const char survived[] = "dddddddd\nsurvived\n";
	static const char changed[] = "the host changed what is ours";

	(void)run(HEADER, false, "answered 0, bytes 513", survived);
	/* the answer is where the guest does not look */
	(void)run(STATUS, false, "answered 255, bytes 513", survived);
	(void)run(RINGS, false, "answered 0, bytes 513", survived);
	CHECK(run(DATA, false, "answered 0, bytes 1", survived));
	(void)run(ROOM, false, "bytes 4096", changed);
	(void)run(TABLE, false, "bytes 513\nanswered 0, bytes 513", survived);
	CHECK(run(OUTPUT, false, "answered 255, bytes 0", survived));
	(void)run(PACKET, false, "answered 255, bytes 0\nrefused 1", survived);
	CHECK(run(SENT, false, "answered 255, bytes 0\nrefused 3", survived));
	(void)run(RECEIVED, false, "answered 255, bytes 108", changed);
}

/* What `avf info` says is what the other tests here show, no more. */
static void guarantees_are_named(void)
{
	static const struct {
		const char *what;
		enum avf_probe_state state;
		const char *reason;
	} rows[] = {
		{"protected_vm", AVF_PROBE_YES, "pKVM of the Linux kernel"},
		{"protected_vm.memory", AVF_PROBE_YES, "DMA"},
		{"protected_vm.cpu_state", AVF_PROBE_NO, "registers"},
		{"protected_vm.dma", AVF_PROBE_NO, "no IOMMU"},
		{"protected_vm.boot", AVF_PROBE_NO, "chooses the kernel"},
	};
	avf_probe *probe = NULL;

	CHECK_OK(avf_probe_new(&probe));
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		int row = avf_probe_find(probe, rows[i].what);
		const char *reason =
			row < 0 ? "" : avf_probe_reason(probe, (size_t)row);

		if (row < 0 ||
		    avf_probe_get_state(probe, (size_t)row) != rows[i].state ||
		    !strstr(reason, rows[i].reason))
			vmt_fail(__FILE__, __LINE__, "%s: %s", rows[i].what,
				 reason);
	}
	avf_probe_free(probe);
}

/* --- the limit of locked memory --------------------------------------- */

#define NOBODY 65534

/* As somebody who may not raise it. */
static void run_as_nobody(rlim_t limit, bool is_enough)
{
	const struct rlimit memlock = {limit, limit};
	struct vmt_vm v;
	avf_config *config;

	CHECK(setrlimit(RLIMIT_MEMLOCK, &memlock) == 0);
	CHECK(setgid(NOBODY) == 0 && setuid(NOBODY) == 0);
	config = vmt_bare_config("hello");
	CHECK_OK(avf_config_set_protected(config, true));
	if (!vmt_new(&v, config))
		return;
	if (is_enough)
		vmt_run_to(&v, AVF_STOP_REASON_SHUTDOWN);
	else
		CHECK_FAILS(avf_vm_run(v.vm), AVF_ERR_LIMIT,
			    "raise the limit for locked memory");
	vmt_free(&v);
}

static void in_a_child(rlim_t limit, bool is_enough)
{
	int status = -1;
	pid_t pid;

	(void)fflush(stdout);
	pid = fork();
	if (pid == 0) {
		run_as_nobody(limit, is_enough);
		(void)fflush(stdout);
		_exit(vmt_has_failed());
	}
	CHECK(pid > 0 && waitpid(pid, &status, 0) == pid && status == 0);
}

/* The same user runs it with a limit that is high enough. */
static void memory_beyond_the_limit(void)
{
	if (!getenv("AVF_LAB") || geteuid() != 0) {
		vmt_skip("it lets others use /dev/kvm: only in the lab");
		return;
	}
	CHECK(chmod("/dev/kvm", 0666) == 0);
	in_a_child(64 << 20, true);
	in_a_child(1 << 20, false);
}

static const struct vmt_test tests[] = {
	{"guarantees_are_named", guarantees_are_named},
	{"control", control},
	{"header", header},
	{"status", status},
	{"rings", rings},
	{"data", data},
	{"room", room},
	{"table", table},
	{"output", output},
	{"packet", packet},
	{"sent", sent},
	{"received", received},
	{"memory_beyond_the_limit", memory_beyond_the_limit},
};

int main(int argc, char **argv)
{
	if (!vmt_can_protect())
		vmt_skip_all("no protected VMs on this host's KVM");
	return vmt_main(argc, argv, tests, sizeof(tests) / sizeof(tests[0]));
}
