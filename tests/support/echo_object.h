/* A local object for tests of calls: counts its lives and its calls. */
#pragma once

#include <android/binder_ibinder.h>
#include <android/binder_parcel.h>

/* Given to AIBinder_new() as arguments; becomes the user data. */
struct echo_object {
	int created, destroyed;
	int calls;
	binder_status_t result; /* what the methods return */
};

enum {
	ECHO_ADD = FIRST_CALL_TRANSACTION, /* int32 + int32 */
	ECHO_BINDER,                       /* an object comes back */
};

/** A new class of this name. Cannot fail. Never freed. */
AIBinder_Class *echo_class_new(const char *descriptor);
