#include "binder/object.h"

#include <stdlib.h>

/*
 * Counting: taking a reference needs no order, since the taker has one. Giving
 * one back releases what the thread did, and the last one acquires it.
 */
#define COUNT_UP(count)   __atomic_fetch_add((count), 1, __ATOMIC_RELAXED)
#define COUNT_DOWN(count) __atomic_fetch_sub((count), 1, __ATOMIC_ACQ_REL)

static AIBinder *new_object(void)
{
	AIBinder *binder = calloc(1, sizeof(*binder));

	if (!binder)
		return NULL;
	binder->strong = 1;
	binder->weak = 1;
	(void)pthread_mutex_init(&binder->lock, NULL); /* cannot fail */
	return binder;
}

AIBinder *AIBinder_new(const AIBinder_Class *clazz, void *args)
{
	AIBinder *binder;

	if (!clazz)
		return NULL;
	binder = new_object();
	if (!binder)
		return NULL;
	binder->clazz = clazz;
	binder->user_data = clazz->on_create(args);
	return binder;
}

AIBinder *object_new_remote(struct binder_session *session, uint64_t address,
			    int32_t stability)
{
	AIBinder *binder = new_object();

	if (!binder)
		return NULL;
	binder->session = session;
	binder->address = address;
	binder->stability = stability;
	session->ops->ref(session);
	return binder;
}

void object_ref_weak(AIBinder *binder)
{
	COUNT_UP(&binder->weak);
}

void object_unref_weak(AIBinder *binder)
{
	if (!binder || COUNT_DOWN(&binder->weak) != 1)
		return;
	(void)pthread_mutex_destroy(&binder->lock);
	free(binder);
}

bool object_promote(AIBinder *binder)
{
	uint32_t strong = __atomic_load_n(&binder->strong, __ATOMIC_RELAXED);

	while (strong != 0)
		if (__atomic_compare_exchange_n(
			    &binder->strong, &strong, strong + 1, true,
			    __ATOMIC_ACQUIRE, __ATOMIC_RELAXED))
			return true;
	return false;
}

void AIBinder_incStrong(AIBinder *binder)
{
	if (binder)
		COUNT_UP(&binder->strong);
}

/* The last strong reference is gone. */
static void end_object(AIBinder *binder)
{
	struct binder_session *session = binder->session;

	object_drop_links(binder);
	if (session) {
		session->ops->release(session, binder);
		session->ops->unref(session);
	} else {
		binder->clazz->on_destroy(binder->user_data);
	}
	AIBinder_decStrong(binder->extension);
	object_unref_weak(binder);
}

void AIBinder_decStrong(AIBinder *binder)
{
	if (binder && COUNT_DOWN(&binder->strong) == 1)
		end_object(binder);
}

int32_t AIBinder_debugGetRefCount(AIBinder *binder)
{
	if (!binder)
		return -1;
	return (int32_t)__atomic_load_n(&binder->strong, __ATOMIC_RELAXED);
}

bool AIBinder_isRemote(const AIBinder *binder)
{
	return binder && binder->session;
}

bool AIBinder_isAlive(const AIBinder *binder)
{
	if (!binder)
		return false;
	return !binder->session ||
	       binder->session->ops->is_alive(binder->session);
}

void *AIBinder_getUserData(AIBinder *binder)
{
	return binder ? binder->user_data : NULL;
}

bool AIBinder_lt(const AIBinder *lhs, const AIBinder *rhs)
{
	return (uintptr_t)lhs < (uintptr_t)rhs;
}

binder_status_t AIBinder_setExtension(AIBinder *binder, AIBinder *ext)
{
	if (!binder || !ext)
		return STATUS_UNEXPECTED_NULL;
	if (binder->session || binder->extension)
		return STATUS_INVALID_OPERATION;
	AIBinder_incStrong(ext);
	binder->extension = ext;
	return STATUS_OK;
}

/* ---- stability -------------------------------------------------------------
 */

/* The first mark counts, and a remote object has its owner's. */
static void mark(AIBinder *binder, int32_t stability)
{
	if (binder && !binder->session &&
	    binder->stability == STABILITY_UNDECLARED)
		binder->stability = stability;
}

void AIBinder_markSystemStability(AIBinder *binder)
{
	mark(binder, STABILITY_SYSTEM);
}

void AIBinder_markVendorStability(AIBinder *binder)
{
	mark(binder, STABILITY_VENDOR);
}

void AIBinder_markVintfStability(AIBinder *binder)
{
	mark(binder, STABILITY_VINTF);
}

static void downgrade(AIBinder *binder, int32_t stability)
{
	if (binder && !binder->session)
		binder->stability = stability;
}

void AIBinder_forceDowngradeToSystemStability(AIBinder *binder)
{
	downgrade(binder, STABILITY_SYSTEM);
}

void AIBinder_forceDowngradeToVendorStability(AIBinder *binder)
{
	downgrade(binder, STABILITY_VENDOR);
}

/* ---- weak references
 * --------------------------------------------------------- */

/* Its own object, since the NDK's type is one. */
struct AIBinder_Weak {
	AIBinder *binder; /* a weak reference */
};

AIBinder_Weak *AIBinder_Weak_new(AIBinder *binder)
{
	AIBinder_Weak *weak;

	if (!binder)
		return NULL;
	weak = malloc(sizeof(*weak));
	if (!weak)
		return NULL;
	object_ref_weak(binder);
	weak->binder = binder;
	return weak;
}

void AIBinder_Weak_delete(AIBinder_Weak *weak)
{
	if (!weak)
		return;
	object_unref_weak(weak->binder);
	free(weak);
}

AIBinder *AIBinder_Weak_promote(AIBinder_Weak *weak)
{
	if (!weak || !object_promote(weak->binder))
		return NULL;
	return weak->binder;
}

AIBinder_Weak *AIBinder_Weak_clone(const AIBinder_Weak *weak)
{
	return weak ? AIBinder_Weak_new(weak->binder) : NULL;
}

bool AIBinder_Weak_lt(const AIBinder_Weak *lhs, const AIBinder_Weak *rhs)
{
	return AIBinder_lt(lhs ? lhs->binder : NULL, rhs ? rhs->binder : NULL);
}
