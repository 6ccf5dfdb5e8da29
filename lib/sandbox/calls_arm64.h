/*
 * arm64 has only the newer forms of some system calls; the C library makes
 * them of the same functions. Included by the compiler's command line, so
 * that the table has one row for both.
 */
#pragma once

#define SYS_poll       SYS_ppoll
#define SYS_epoll_wait SYS_epoll_pwait

/*
 * Who touches guest memory with instructions of its own: with a protected
 * guest, such a touch may end in a signal and its handler
 * (gmem/guest_access.h). Disks' workers have system calls do it, which return
 * EFAULT, and vCPUs leave queues to the loop; both have these signals blocked,
 * so that one that touched guest memory all the same would end the process.
 */
#define GUEST_FAULTS MAIN

/* Who answers an access of the guest that KVM cannot describe to us. */
#define GUEST_ABORTS VCPU
