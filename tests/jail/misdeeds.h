/* What a VMM that its guest has taken over would try. */
#pragma once

#include <stddef.h>

struct misdeed {
	const char *call; /* what must be stopped; NULL: another ABI */
	/** @parent is a process outside. Returns what the call returned. */
	long (*attempt)(int parent);
};

extern const struct misdeed misdeeds[];
extern const size_t n_misdeeds;
