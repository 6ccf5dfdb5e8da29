/*
 * A table of system calls with a hole: linked in with hole.c and the options
 * of CMakeLists.txt, filters lack the row that the environment names.
 */
#pragma once

#include "sandbox/sandbox_internal.h"

/* "ROLE": its threads get no filter at all; that is an error for the VM */
#define REFUSAL_VARIABLE "AVF_ROGUE_REFUSE"

/* "ROLE ROW" */
#define HOLE_VARIABLE "AVF_ROGUE_DROP"
