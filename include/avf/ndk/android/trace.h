/**
 * @file trace.h
 * Trace points in code that is generated with --trace. They do nothing: there
 * is no trace buffer to write to.
 */
#pragma once

#include <stdbool.h>

static inline bool ATrace_isEnabled(void)
{
	return false;
}

/** Begin of a section of this thread, which ATrace_endSection() ends. */
static inline void ATrace_beginSection(const char *name)
{
	(void)name;
}

static inline void ATrace_endSection(void)
{
}
