/*
 * ACPI tables of a hardware-reduced PC (ACPI 6.4): RSDP, XSDT, FADT, MADT,
 * MCFG, DSDT. No SMM, no PM timer, no FACS: power goes through three ports.
 */
#pragma once

#include <stddef.h>

#include "boot/aml.h"
#include "boot/boot.h"

/**
 * Write the tables of @input as they must stand at @base into @data, with
 * the RSDP first. Sets *@ret_size to the bytes used.
 * Errors: AVF_ERR_LIMIT when @capacity is too little.
 */
int acpi_build(const struct boot_input *input, gpa_t base, void *data,
	       size_t capacity, size_t *ret_size) MUST_CHECK;

/** The DSDT's terms (its body), for acpi.c. */
void acpi_write_dsdt(struct aml *a, const struct boot_input *input);
