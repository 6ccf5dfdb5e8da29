/* A library of the package that the payload's library is linked to. */
#pragma once

#ifdef __cplusplus
extern "C"
#endif
	__attribute__((visibility("default"))) const char *
	sub_library_was_run(void);
