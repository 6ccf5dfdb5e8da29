/*
 * avf-vmm: one virtual machine monitor process per VM, started by the
 * library with its control socket as fd 3. Not for use by hand.
 */
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "kvmprobe/kvmprobe.h"
#include "vmm/jail.h"
#include "vmm/vmm.h"

#define CONTROL_FD 3

int main(int argc, char **argv)
{
	if (argc == 2 && strcmp(argv[1], "--probe") == 0)
		return kvm_probe_main(STDOUT_FILENO);
	if (argc == 2 && strcmp(argv[1], "--jail") == 0)
		return jail_probe_main(STDOUT_FILENO);
	if (argc == 1 && fcntl(CONTROL_FD, F_GETFD) >= 0) {
		/* whatever the caller leaves open is not for a VMM; every
		 * kernel that runs us has the call */
		(void)!close_range(CONTROL_FD + 1, ~0U, 0);
		return vmm_main(CONTROL_FD);
	}
	(void)fputs("avf-vmm is started by libvirtualization; use `avf run` "
		    "to run a virtual machine.\n",
		    stderr);
	return EXIT_FAILURE;
}
