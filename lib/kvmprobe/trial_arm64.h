/* Addresses of the trial guest; also read by the assembler. */
#pragma once

#define TRIAL_CODE   0x80000000
#define TRIAL_MEMORY 0x10000 /* bytes */

/* No memory: the guest writes a byte there, what it reached. */
#define TRIAL_PORT_STEP 0x1000

#define TRIAL_STEP_BEGIN 1
#define TRIAL_STEP_DONE  2
