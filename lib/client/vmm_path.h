/* Where the VMM program is. */
#pragma once

#include <stddef.h>

#include "base/error.h"

/**
 * The path of avf-vmm: $AVF_VMM, else ../libexec/libvirtualization/avf-vmm
 * beside the directory of the library (or of the program that it is linked
 * into), else where it is installed. Writes it to @buf.
 * Errors: AVF_ERR_NOT_FOUND (the places that were looked at), AVF_ERR_LIMIT.
 */
int vmm_path_find(char *buf, size_t size) MUST_CHECK;
