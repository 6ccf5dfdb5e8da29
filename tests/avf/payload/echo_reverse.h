/* AVF's echo over plain vsock, which turns lines around. */
#pragma once

/** Serve the first connection to port 0x80000001 on a thread: each line is
 * answered by its bytes in reverse. Returns 0, or -1 with errno set. */
int echo_reverse_start();
