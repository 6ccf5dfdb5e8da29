#include <criterion/criterion.h>

#include "support/echo_object.h"
#include "support/fake_session.h"

Test(object, lives_as_long_as_its_references)
{
	struct echo_object state = {0};
	AIBinder *binder = AIBinder_new(echo_class_new("echo"), &state);
	AIBinder_Weak *weak = AIBinder_Weak_new(binder);
	AIBinder_Weak *other = AIBinder_Weak_clone(weak);
	AIBinder *promoted;

	cr_expect_eq(state.created, 1);
	cr_expect_eq(AIBinder_getUserData(binder), &state);
	cr_expect_not(AIBinder_isRemote(binder));
	cr_expect(AIBinder_isAlive(binder));
	cr_expect_eq(AIBinder_debugGetRefCount(binder), 1);
	promoted = AIBinder_Weak_promote(weak);
	cr_expect_eq(promoted, binder);
	cr_expect_eq(AIBinder_debugGetRefCount(binder), 2);
	AIBinder_decStrong(binder);
	cr_expect_eq(state.destroyed, 0);
	AIBinder_decStrong(promoted);
	cr_expect_eq(state.destroyed, 1);
	cr_expect_null(AIBinder_Weak_promote(weak), "there is no way back");
	cr_expect_not(AIBinder_Weak_lt(weak, other));
	cr_expect_not(AIBinder_Weak_lt(other, weak));
	AIBinder_Weak_delete(weak);
	cr_expect_null(AIBinder_Weak_promote(other));
	AIBinder_Weak_delete(other);
}

Test(object, null_is_nobody)
{
	AIBinder_decStrong(NULL);
	AIBinder_incStrong(NULL);
	AIBinder_Weak_delete(NULL);
	cr_expect_null(AIBinder_new(NULL, NULL));
	cr_expect_null(AIBinder_Weak_new(NULL));
	cr_expect_null(AIBinder_Weak_promote(NULL));
	cr_expect_null(AIBinder_Weak_clone(NULL));
	cr_expect_null(AIBinder_getUserData(NULL));
	cr_expect_null(AIBinder_getClass(NULL));
	cr_expect_not(AIBinder_isAlive(NULL));
	cr_expect_not(AIBinder_isRemote(NULL));
	cr_expect_eq(AIBinder_debugGetRefCount(NULL), -1);
}

Test(object, a_remote_one_tells_its_session_when_it_ends)
{
	struct fake_session fake;
	AIBinder *proxy;

	fake_session_init(&fake);
	proxy = object_new_remote(&fake.session, 3, STABILITY_SYSTEM);
	cr_expect(AIBinder_isRemote(proxy));
	cr_expect(AIBinder_isAlive(proxy));
	fake.dead = true;
	cr_expect_not(AIBinder_isAlive(proxy));
	cr_expect_null(AIBinder_getUserData(proxy));
	cr_expect_eq(fake.refs, 1);
	AIBinder_decStrong(proxy);
	cr_expect_eq(fake.released, 1);
	cr_expect_eq(fake.refs, 0);
}

Test(object, extensions)
{
	struct echo_object state = {0}, more = {0};
	AIBinder_Class *clazz = echo_class_new("echo");
	AIBinder *binder = AIBinder_new(clazz, &state);
	AIBinder *ext = AIBinder_new(clazz, &more);
	AIBinder *found;

	cr_assert_eq(AIBinder_getExtension(binder, &found), STATUS_OK);
	cr_expect_null(found);
	cr_assert_eq(AIBinder_setExtension(binder, ext), STATUS_OK);
	cr_expect_eq(AIBinder_setExtension(binder, ext),
		     STATUS_INVALID_OPERATION);
	cr_expect_eq(AIBinder_setExtension(binder, NULL),
		     STATUS_UNEXPECTED_NULL);
	cr_assert_eq(AIBinder_getExtension(binder, &found), STATUS_OK);
	cr_expect_eq(found, ext);
	AIBinder_decStrong(found);
	AIBinder_decStrong(ext);
	cr_expect_eq(more.destroyed, 0);
	AIBinder_decStrong(binder);
	cr_expect_eq(more.destroyed, 1);
}

Test(object, the_first_mark_counts)
{
	struct echo_object state = {0};
	AIBinder *binder = AIBinder_new(echo_class_new("echo"), &state);

	cr_expect_eq(binder->stability, STABILITY_UNDECLARED);
	AIBinder_markVendorStability(binder);
	AIBinder_markSystemStability(binder);
	cr_expect_eq(binder->stability, STABILITY_VENDOR);
	AIBinder_markSystemStability(NULL);
	AIBinder_decStrong(binder);
}
