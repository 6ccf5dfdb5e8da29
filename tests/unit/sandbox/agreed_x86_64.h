/* What of the table is x86-64's own. Included by the command line. */
#pragma once

#define AGREED_POLL       "poll"
#define AGREED_EPOLL_WAIT "epoll_wait"
#define AGREED_SIGRETURN  "v"
#define AGREED_ABORT      ""

/* Calls of AGREED_WORST that other architectures do not have. */
#define AGREED_WORST SYS_open, SYS_fork, SYS_vfork
