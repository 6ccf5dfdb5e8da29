#include "vmm/cmdline.h"

/*
 * A panic ends the VM instead of hanging it, by ACPI's reset register; slow
 * probing of what the machine does not have is left out. no_timer_check: on a
 * busy host an emulated CPU may see too few interrupts of its timer during the
 * kernel's test of it, which then panics; on KVM Linux leaves the test out by
 * itself.
 */
const char *const cmdline_x86_64 =
	"panic=-1 reboot=a,w i8042.noaux=1 i8042.nomux=1 8250.nr_uarts=1 "
	"no_timer_check";
