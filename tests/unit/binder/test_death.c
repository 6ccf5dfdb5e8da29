#include <criterion/criterion.h>

#include "support/echo_object.h"
#include "support/fake_session.h"

/* What became of one link. */
struct news {
	int died, unlinked;
};

static void on_died(void *cookie)
{
	((struct news *)cookie)->died++;
}

static void on_unlinked(void *cookie)
{
	((struct news *)cookie)->unlinked++;
}

static struct fake_session fake;
static AIBinder *proxy;
static AIBinder_DeathRecipient *recipient;
static struct news news;

static void set_up(void)
{
	fake_session_init(&fake);
	proxy = object_new_remote(&fake.session, 3, STABILITY_SYSTEM);
	recipient = AIBinder_DeathRecipient_new(on_died);
	AIBinder_DeathRecipient_setOnUnlinked(recipient, on_unlinked);
}

static void check(int died, int unlinked)
{
	cr_expect_eq(news.died, died);
	cr_expect_eq(news.unlinked, unlinked);
}

TestSuite(death, .init = set_up);

Test(death, is_told_once)
{
	cr_assert_eq(AIBinder_linkToDeath(proxy, recipient, &news), STATUS_OK);
	object_announce_death(proxy);
	check(1, 1);
	object_announce_death(proxy);
	AIBinder_decStrong(proxy);
	AIBinder_DeathRecipient_delete(recipient);
	check(1, 1);
}

Test(death, unlinking)
{
	struct news other = {0};

	cr_assert_eq(AIBinder_linkToDeath(proxy, recipient, &news), STATUS_OK);
	cr_assert_eq(AIBinder_linkToDeath(proxy, recipient, &other), STATUS_OK);
	cr_expect_eq(AIBinder_unlinkToDeath(proxy, recipient, &fake),
		     STATUS_NAME_NOT_FOUND);
	cr_expect_eq(AIBinder_unlinkToDeath(proxy, recipient, &news),
		     STATUS_OK);
	check(0, 1);
	cr_expect_eq(AIBinder_unlinkToDeath(proxy, recipient, &news),
		     STATUS_NAME_NOT_FOUND);
	object_announce_death(proxy);
	check(0, 1);
	cr_expect(other.died == 1 && other.unlinked == 1);
	cr_expect_eq(AIBinder_unlinkToDeath(proxy, recipient, &other),
		     STATUS_DEAD_OBJECT);
	AIBinder_DeathRecipient_delete(recipient);
	AIBinder_decStrong(proxy);
}

Test(death, the_end_of_the_object_is_no_death)
{
	cr_assert_eq(AIBinder_linkToDeath(proxy, recipient, &news), STATUS_OK);
	AIBinder_decStrong(proxy);
	check(0, 1);
	AIBinder_DeathRecipient_delete(recipient);
	check(0, 1);
}

Test(death, the_end_of_the_recipient_unlinks)
{
	cr_assert_eq(AIBinder_linkToDeath(proxy, recipient, &news), STATUS_OK);
	AIBinder_DeathRecipient_delete(recipient);
	check(0, 1);
	object_announce_death(proxy);
	check(0, 1);
	AIBinder_decStrong(proxy);
}

Test(death, links_that_come_and_go_do_not_pile_up)
{
	for (int i = 0; i < 1000; i++) {
		cr_assert_eq(AIBinder_linkToDeath(proxy, recipient, &news),
			     STATUS_OK);
		cr_assert_eq(AIBinder_unlinkToDeath(proxy, recipient, &news),
			     STATUS_OK);
	}
	check(0, 1000);
	AIBinder_DeathRecipient_delete(recipient);
	AIBinder_decStrong(proxy);
}

Test(death, that_nobody_would_notice)
{
	struct echo_object state = {0};
	AIBinder *local = AIBinder_new(echo_class_new("echo"), &state);

	cr_expect_eq(AIBinder_linkToDeath(local, recipient, &news),
		     STATUS_INVALID_OPERATION);
	fake.session.notices_death = false;
	cr_expect_eq(AIBinder_linkToDeath(proxy, recipient, &news),
		     STATUS_INVALID_OPERATION);
	fake.session.notices_death = true;
	fake.dead = true;
	cr_expect_eq(AIBinder_linkToDeath(proxy, recipient, &news),
		     STATUS_DEAD_OBJECT);
	fake.dead = false;
	object_announce_death(proxy);
	cr_expect_eq(AIBinder_linkToDeath(proxy, recipient, &news),
		     STATUS_DEAD_OBJECT);
	cr_expect_eq(AIBinder_linkToDeath(NULL, recipient, &news),
		     STATUS_UNEXPECTED_NULL);
	cr_expect_eq(AIBinder_linkToDeath(proxy, NULL, &news),
		     STATUS_UNEXPECTED_NULL);
	cr_expect_eq(AIBinder_unlinkToDeath(proxy, NULL, &news),
		     STATUS_UNEXPECTED_NULL);
	cr_expect_null(AIBinder_DeathRecipient_new(NULL));
	AIBinder_DeathRecipient_delete(NULL);
	check(0, 0);
	AIBinder_DeathRecipient_delete(recipient);
	AIBinder_decStrong(local);
	AIBinder_decStrong(proxy);
}
