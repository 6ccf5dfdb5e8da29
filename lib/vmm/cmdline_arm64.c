#include "vmm/cmdline.h"

/* A panic ends the VM instead of hanging it. */
const char *const cmdline_arm64 = "panic=-1 8250.nr_uarts=1";
