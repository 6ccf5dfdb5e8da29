/* A library of the package that the payload's library is linked to. */
#include "sub.h"

const char *sub_library_was_run(void)
{
	return "true";
}
