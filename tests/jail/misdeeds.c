#include "jail/misdeeds.h"

#include <fcntl.h>
#include <netinet/in.h>
#include <signal.h>
#include <sys/mman.h>
#include <sys/mount.h>
#include <sys/ptrace.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <unistd.h>

static long open_file(int parent)
{
	(void)parent;
	return syscall(SYS_openat, AT_FDCWD, "/etc/passwd", O_RDONLY);
}

static long make_socket(int parent)
{
	(void)parent;
	return syscall(SYS_socket, AF_INET, SOCK_STREAM, 0);
}

static long connect_out(int parent)
{
	const struct sockaddr_in addr = {
		.sin_family = AF_INET,
		.sin_port = 80,
		.sin_addr.s_addr = INADDR_ANY,
	};

	(void)parent;
	return syscall(SYS_connect, 0, &addr, sizeof(addr));
}

static long fork_child(int parent)
{
	long pid = syscall(SYS_clone, SIGCHLD, 0, 0, 0, 0);

	(void)parent;
	if (pid == 0)
		_exit(0);
	return pid;
}

static long exec_shell(int parent)
{
	char path[] = "/bin/sh";
	char *argv[] = {path, NULL};

	(void)parent;
	return syscall(SYS_execve, path, argv, NULL);
}

static long trace_parent(int parent)
{
	return syscall(SYS_ptrace, PTRACE_ATTACH, parent, 0, 0);
}

static long read_parent(int parent)
{
	char byte;
	struct iovec local = {&byte, 1};
	struct iovec remote = {&byte, 1};

	return syscall(SYS_process_vm_readv, parent, &local, 1, &remote, 1, 0);
}

static long make_ring(int parent)
{
	char params[120] = {0};

	(void)parent;
	return syscall(SYS_io_uring_setup, 1, params);
}

static long mount_tmpfs(int parent)
{
	(void)parent;
	return syscall(SYS_mount, "x", "/", "tmpfs", 0, NULL);
}

static long kill_parent(int parent)
{
	return syscall(SYS_kill, parent, SIGTERM);
}

/* Never the caller, which may be number 1. */
static long signal_other(int parent)
{
	(void)parent;
	return syscall(SYS_tgkill, 2, 2, 0);
}

static long make_code(int parent)
{
	(void)parent;
	return syscall(SYS_mmap, NULL, 4096, PROT_READ | PROT_EXEC,
		       MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
}

static long create_vm(int parent)
{
	(void)parent;
	return syscall(SYS_ioctl, 0, 0xae01, 0);
}

static long leave_namespace(int parent)
{
	(void)parent;
	return syscall(SYS_unshare, 0x10000000);
}

static long other_abi(int parent)
{
	(void)parent;
	return syscall(0x40000000 | SYS_getpid);
}

const struct misdeed misdeeds[] = {
	{"openat", open_file},
	{"socket", make_socket},
	{"connect", connect_out},
	{"clone", fork_child},
	{"execve", exec_shell},
	{"ptrace", trace_parent},
	{"process_vm_readv", read_parent},
	{"io_uring_setup", make_ring},
	{"mount", mount_tmpfs},
	{"kill", kill_parent},
	{"tgkill", signal_other},
	{"mmap", make_code},
	{"ioctl", create_vm},
	{"unshare", leave_namespace},
	{NULL, other_abi},
};

const size_t n_misdeeds = sizeof(misdeeds) / sizeof(misdeeds[0]);
