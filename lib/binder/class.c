/* The description of an interface. */
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "binder/object.h"

AIBinder_Class *AIBinder_Class_define(const char *descriptor,
				      AIBinder_Class_onCreate on_create,
				      AIBinder_Class_onDestroy on_destroy,
				      AIBinder_Class_onTransact on_transact)
{
	CLEANUP(free_p) AIBinder_Class *clazz = NULL;

	if (!descriptor || !on_create || !on_destroy || !on_transact)
		return NULL;
	clazz = calloc(1, sizeof(*clazz));
	if (!clazz)
		return NULL;
	clazz->descriptor = strdup(descriptor);
	if (!clazz->descriptor)
		return NULL;
	clazz->on_create = on_create;
	clazz->on_destroy = on_destroy;
	clazz->on_transact = on_transact;
	return TAKE_PTR(clazz);
}

const char *AIBinder_Class_getDescriptor(const AIBinder_Class *clazz)
{
	return clazz->descriptor;
}

void AIBinder_Class_setOnDump(AIBinder_Class *clazz, AIBinder_onDump on_dump)
{
	clazz->on_dump = on_dump;
}

void AIBinder_Class_setHandleShellCommand(AIBinder_Class *clazz,
					  AIBinder_handleShellCommand handle)
{
	clazz->on_shell_command = handle;
}

void AIBinder_Class_disableInterfaceTokenHeader(AIBinder_Class *clazz)
{
	clazz->no_token = true;
}

const AIBinder_Class *AIBinder_getClass(AIBinder *binder)
{
	if (!binder)
		return NULL;
	return __atomic_load_n(&binder->clazz, __ATOMIC_ACQUIRE);
}
