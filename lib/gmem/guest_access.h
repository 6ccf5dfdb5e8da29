/*
 * The loads and stores by which a VMM touches guest memory. Where a guest can
 * keep pages to itself (a protected VM on arm64), a touch of one of those
 * faults; here it is an error of the call, and of whatever device the guest
 * told to touch it, not a signal that ends the process.
 */
#pragma once

#include <stddef.h>
#include <stdint.h>

#include "base/error.h"

/**
 * Let such faults be errors: handlers for SIGSEGV and SIGBUS, which end the
 * process as before for any other fault. For a process that runs protected
 * VMs, once. AVF_ERR_UNSUPPORTED where no VM can be one.
 */
int guest_access_init(void) MUST_CHECK;

/**
 * Copy @size bytes, from or to guest memory; no overlap.
 * Errors: AVF_ERR_PROTOCOL; some bytes may have been copied.
 */
int guest_copy(void *to, const void *from, size_t size) MUST_CHECK;

/** One load with acquire, one store with release semantics. Errors: as above.
 */
int guest_load16(const uint16_t *from, uint16_t *ret_value) MUST_CHECK;
int guest_store16(uint16_t *to, uint16_t value) MUST_CHECK;
