/* Payload VMs of the tests: which package, on what, and talking to them. */
#pragma once

#include "support/vm_harness.h"

#define ECHO_PORT 5678U

/** Whether this run is about emulation instead of KVM. */
bool is_emulated(void);

/** A payload configuration: lib@payload.so of tests/packages/@package. */
avf_config *linux_config(const char *package, const char *payload);

/** A VM of the good package. */
bool linux_new(struct vmt_vm *v, const char *payload);

/** The same, run until its payload is ready. */
bool linux_start(struct vmt_vm *v, const char *payload);

/** Connect; -1 after a failure that was said. */
int linux_connect(struct vmt_vm *v, uint32_t port);

/** Ask it to stop, and check that it shuts down. */
void linux_stop(struct vmt_vm *v);

/** Send @size bytes to an echo on @fd and compare what comes back. */
void linux_echo_bulk(int fd, uint64_t size);

/** End the program as skipped, with the reason, where no such VM can be. */
void linux_skip_without(void);
