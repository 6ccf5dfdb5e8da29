#include "sandbox/sandbox_internal.h"

const char *sandbox_call_name(int number)
{
	if (number < 0 || (size_t)number >= sandbox_n_names ||
	    !sandbox_names[number])
		return "?";
	return sandbox_names[number];
}
