/* See calls_arm64.h: x86-64 has every call of the table by its name, and no
 * guest keeps memory to itself. */
#pragma once

#define GUEST_FAULTS 0U
#define GUEST_ABORTS 0U
