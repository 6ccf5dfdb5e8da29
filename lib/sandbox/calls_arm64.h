/*
 * arm64 has only the newer forms of some system calls; the C library makes
 * them of the same functions. Included by the compiler's command line, so
 * that the table has one row for both.
 */
#pragma once

#define SYS_poll       SYS_ppoll
#define SYS_epoll_wait SYS_epoll_pwait
