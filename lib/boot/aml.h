/*
 * A writer of ACPI Machine Language, just the terms that our DSDT needs
 * (ACPI 6.4 chapter 20; resource descriptors: section 6.4).
 *
 * It writes into the caller's buffer. Running out of room is remembered, not
 * reported by each call: check aml_overflowed() once, at the end.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "boot/boot.h"

struct aml {
	unsigned char *data; /* borrowed */
	size_t capacity;
	size_t size;
	bool overflowed;
};

void aml_init(struct aml *a, void *data, size_t capacity);

/** Whether something did not fit; the bytes are then worthless. */
bool aml_overflowed(const struct aml *a);

/** Raw bytes, for instance a table header. */
void aml_bytes(struct aml *a, const void *data, size_t size);

/** An integer constant in its shortest encoding. */
void aml_integer(struct aml *a, uint64_t value);

/** Name(@name, ...): the value follows. @name: 1 to 4 characters. */
void aml_name(struct aml *a, const char *name);

/** EISAID(@id), @id like "PNP0A08". */
void aml_eisaid(struct aml *a, const char *id);

/*
 * Blocks. Each returns the place that aml_close() needs; they nest.
 */
size_t aml_open_scope(struct aml *a, const char *name) MUST_CHECK;
size_t aml_open_device(struct aml *a, const char *name) MUST_CHECK;
size_t aml_open_package(struct aml *a, unsigned char n_elements) MUST_CHECK;
void aml_close(struct aml *a, size_t opened);

/** A ResourceTemplate: descriptors follow, aml_close_resources() ends it. */
size_t aml_open_resources(struct aml *a) MUST_CHECK;
void aml_close_resources(struct aml *a, size_t opened);

/* Resource descriptors */
void aml_io(struct aml *a, uint16_t base, uint8_t len);
void aml_irq(struct aml *a, unsigned int irq); /* 0 to 15, edge */
void aml_bus_numbers(struct aml *a, uint16_t first, uint16_t last);
void aml_memory_fixed(struct aml *a, uint32_t base, uint32_t size);

/** A window of a host bridge; 32-bit form where the range allows it. */
void aml_memory_window(struct aml *a, struct boot_range range);
