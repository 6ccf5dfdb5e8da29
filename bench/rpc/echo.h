/* The bare echo beside the calls: who connects says two sizes, and then sends
 * so many bytes and gets so many back, again and again. */
#pragma once

#include <stdint.h>

#define ECHO_PORT 5680U
#define RPC_PORT  5679U
#define ECHO_MAX  (128U << 10)

/* The first bytes of a connection; both sides have the same byte order. */
struct echo_order {
	uint32_t request, reply; /* bytes */
};

#ifdef __cplusplus
extern "C" {
#endif

/** Serve whoever connects to @listen_fd, each on a thread of its own, until
 * the process ends. Returns at once; -1 with errno. */
int echo_serve(int listen_fd);

#ifdef __cplusplus
}
#endif
