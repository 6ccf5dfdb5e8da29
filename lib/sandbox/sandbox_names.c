#include "sandbox/sandbox.h"

#include <stddef.h>

#include "base/checked.h"

/* Made from the kernel's header by CMake: [number] = "name". */
static const char *const names[] = {
#include "sandbox_names.inc"
};

const char *sandbox_call_name(int number)
{
	if (number < 0 || (size_t)number >= ARRAY_SIZE(names) || !names[number])
		return "?";
	return names[number];
}
