#include "vmm/cmdline.h"

/*
 * A panic ends the VM instead of hanging it, by ACPI's reset register; slow
 * probing of what the machine does not have is left out.
 */
const char *const cmdline_platform =
	"panic=-1 reboot=a,w i8042.noaux=1 i8042.nomux=1 8250.nr_uarts=1";
