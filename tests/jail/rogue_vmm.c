/*
 * avf-vmm with two ways to go wrong: a listener's port is the number of a
 * misdeed, and its table of system calls may have a hole (hole.h).
 */
#include <stdbool.h>
#include <stdint.h>
#include <unistd.h>

#include "jail/misdeeds.h"

struct vmm;

#define FIRST_PORT 2000U

/* In place of the function that a LISTEN message leads to. */
void __real_listener_open(struct vmm *vmm, uint32_t port, int fd);
void __wrap_listener_open(struct vmm *vmm, uint32_t port, int fd);

void __wrap_listener_open(struct vmm *vmm, uint32_t port, int fd)
{
	if (port < FIRST_PORT || port - FIRST_PORT >= n_misdeeds) {
		__real_listener_open(vmm, port, fd);
		return;
	}
	(void)misdeeds[port - FIRST_PORT].attempt(1);
	_exit(0); /* got away with it */
}

/* The guests of the tests are content with any KVM, payload VMs included. */
bool __wrap_kvm_probe_linux(char *ret_why, size_t size);

bool __wrap_kvm_probe_linux(char *ret_why, size_t size)
{
	(void)ret_why;
	(void)size;
	return true;
}
