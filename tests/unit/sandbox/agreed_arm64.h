/* What of the table is arm64's own. Included by the command line. */
#pragma once

/* The C library's poll() and epoll_wait() are made of these. */
#define AGREED_POLL       "ppoll"
#define AGREED_EPOLL_WAIT "epoll_pwait"
/* Main and disk threads come back from touching a protected guest's memory. */
#define AGREED_SIGRETURN "mv"
#define AGREED_ABORT     "v"

/* There is no older form of any of the worst. */
#define AGREED_WORST SYS_openat
