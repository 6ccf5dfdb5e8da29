/* Control messages out of an input, good and bad ones, with fds. */
#pragma once

#include "fuzz.h"

/**
 * Send one message to @sock: header and body may lie about each other. @kept
 * gets a duplicate of the other end of a pair that went along, or -1.
 */
void wire_input_send(int sock, struct fuzz_input *in, int *ret_kept);
