/*
 * Every system call of a running VMM, by thread role, with its reason. What
 * is not here kills the process. A new row needs its line in
 * tests/unit/sandbox/test_sandbox_table.c.
 *
 * EQUALS and OWN_PID compare 32 bits, which is all that the kernel takes of
 * those arguments.
 */
#include <fcntl.h>
#include <linux/kvm.h>
#include <signal.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/uio.h>

#include "sandbox/sandbox_internal.h"

#define MAIN  BIT(SANDBOX_MAIN)
#define VCPU  BIT(SANDBOX_VCPU)
#define DISK  BIT(SANDBOX_DISK)
#define SUPER BIT(SANDBOX_SUPERVISOR)
#define ALL   (MAIN | VCPU | DISK | SUPER)
#define LOOPS (MAIN | SUPER)
/* A vCPU thread carries the guest's accesses to device registers, so it does
 * what follows from them: a reset ends connections, interrupts get routes.
 * Queues are the loop's work. */
#define DEVICES (MAIN | SUPER | VCPU)
#define WORKERS (VCPU | DISK)

#define ANY(roles, name, reason)                                 \
	{                                                        \
		(roles), SYS_##name, CHECK_NONE, 0, 0, (reason), \
	}
#define IF(roles, name, check, arg, value, reason)                            \
	{                                                                     \
		(roles), SYS_##name, CHECK_##check, (arg), (value), (reason), \
	}

/* clang-format off */
const struct sandbox_rule sandbox_table[] = {
	/* the C library and its allocator, which has one arena (sandbox.c) */
	ANY(MAIN | WORKERS, futex, "mutexes and condition variables"),
	ANY(VCPU | GUEST_FAULTS, rt_sigreturn,
	    "return from the handlers of the kick and of guest memory's faults"),
	ANY(MAIN | WORKERS, rt_sigprocmask,
	    "threads end, and signal, with all blocked"),
	ANY(LOOPS, restart_syscall, "poll() that a stop signal interrupted"),
	ANY(WORKERS, exit, "end of a thread"),
	ANY(LOOPS, exit_group, "end of the process"),
	ANY(WORKERS, madvise, "a thread that ends gives its stack back"),
	ANY(ALL, munmap, "freed memory"),
	ANY(ALL, brk, "malloc"),
	IF(ALL, mmap, NO_BITS, 2, PROT_EXEC, "malloc; never code"),
	ANY(ALL, clock_gettime, "where the vDSO has no clock"),
	/* reports */
	ANY(DEVICES, sendmsg, "control socket: events, fds of connections"),
	IF(DISK, sendmsg, EQUALS, 0, 3, "says which call was forbidden"),
	/* eventfds, consoles and connections */
	ANY(LOOPS, read, "eventfds, timers, console input, QEMU's pipes"),
	ANY(DEVICES, write, "eventfds, console output"),
	IF(DISK, write, NO_BITS, 2, ~8ULL, "eventfd: a request is done"),
	ANY(DEVICES, close, "ended connections, queues, machine"),
	ANY(MAIN, readv, "console input"),
	ANY(LOOPS, recvfrom, "the guest's manager"),
	ANY(LOOPS, sendto, "console on a socket; QMP"),
	ANY(LOOPS, recvmsg, "control socket; vsock"),
	ANY(LOOPS, shutdown, "vsock: one direction has ended"),
	IF(LOOPS, socketpair, EQUALS, 0, AF_UNIX, "vsock: a guest connects"),
	ANY(DEVICES, epoll_ctl, "what the loop waits for"),
	ANY(LOOPS, epoll_wait, "the loop"),
	ANY(LOOPS, poll, "the last word; whether a console has room"),
	ANY(LOOPS, timerfd_settime, "boot and stop time-outs"),
	ANY(MAIN | VCPU, eventfd2, "an interrupt's first delivery"),
	IF(SUPER, newfstatat, EQUALS, 3, AT_EMPTY_PATH,
	   "fstat(): whether QEMU's fds are of the right kind"),
	IF(LOOPS, fcntl, EQUALS, 1, F_GETFL, "whether a socket blocks"),
	IF(LOOPS, fcntl, EQUALS, 1, F_SETFL, "sockets must not block"),
	ANY(MAIN, getrandom, "virtio-rng"),
	/* disks */
	ANY(DISK, preadv, "reads of the image"),
	IF(MAIN, preadv2, EQUALS, 5, RWF_NOWAIT,
	   "reads of the image that are in memory"),
	ANY(DISK, pwritev, "writes of the image"),
	ANY(DISK, fdatasync, "flushes of the image"),
	/* KVM */
	IF(VCPU, ioctl, EQUALS, 1, KVM_RUN, "the guest runs"),
	IF(GUEST_ABORTS, ioctl, EQUALS, 1, KVM_SET_VCPU_EVENTS,
	   "the guest takes an abort for an access that nobody can carry out"),
	IF(MAIN | VCPU, ioctl, EQUALS, 1, KVM_IOEVENTFD,
	   "queue notifications, where the guest puts them"),
	IF(MAIN | VCPU, ioctl, EQUALS, 1, KVM_IRQFD, "queue interrupts"),
	IF(MAIN | VCPU, ioctl, EQUALS, 1, KVM_SET_GSI_ROUTING,
	   "MSI-X vectors that the guest changes"),
	IF(MAIN, tgkill, OWN_PID, 0, 0, "stops a vCPU's thread"),
	ANY(MAIN, getpid, "pthread_kill()"),
	/* QEMU */
	IF(SUPER, pidfd_send_signal, EQUALS, 1, SIGKILL,
	   "ends QEMU, the only process that it has a pidfd of"),
	ANY(SUPER, wait4, "how QEMU ended"),
	IF(SUPER, fcntl, EQUALS, 1, F_GET_SEALS, "vhost-user: guest memory"),
};
/* clang-format on */

const size_t sandbox_table_size = ARRAY_SIZE(sandbox_table);
