/*
 * Death recipients. A link is in two lists, the object's and the recipient's,
 * and has a reference from each. Whoever ends it (death, unlink, the end of
 * the object or of the recipient) claims it first; the others find it claimed
 * and only drop their reference. So the two lists need no common lock.
 */
#include <stdlib.h>

#include "base/cleanup.h"
#include "binder/object.h"

struct AIBinder_DeathRecipient {
	AIBinder_DeathRecipient_onBinderDied on_died;
	AIBinder_DeathRecipient_onBinderUnlinked on_unlinked; /* may be NULL */
	uint32_t refs; /* atomic: its owner's, and one per link */
	pthread_mutex_t lock;
	struct death_link *links; /* guarded by @lock */
};

struct death_link {
	struct death_link *of_object; /* next, guarded by the object's lock */
	struct death_link *of_recipient;    /* next, by the recipient's */
	AIBinder_DeathRecipient *recipient; /* owned */
	const AIBinder *binder;             /* only compared */
	void *cookie;
	uint32_t refs; /* atomic */
	bool claimed;  /* atomic */
};

AIBinder_DeathRecipient *AIBinder_DeathRecipient_new(
	AIBinder_DeathRecipient_onBinderDied on_died)
{
	AIBinder_DeathRecipient *recipient;

	if (!on_died)
		return NULL;
	recipient = calloc(1, sizeof(*recipient));
	if (!recipient)
		return NULL;
	recipient->on_died = on_died;
	recipient->refs = 1;
	(void)pthread_mutex_init(&recipient->lock, NULL); /* cannot fail */
	return recipient;
}

void AIBinder_DeathRecipient_setOnUnlinked(
	AIBinder_DeathRecipient *recipient,
	AIBinder_DeathRecipient_onBinderUnlinked on_unlinked)
{
	if (recipient)
		recipient->on_unlinked = on_unlinked;
}

static void recipient_unref(AIBinder_DeathRecipient *recipient)
{
	if (__atomic_fetch_sub(&recipient->refs, 1, __ATOMIC_ACQ_REL) != 1)
		return;
	(void)pthread_mutex_destroy(&recipient->lock);
	free(recipient);
}

static void link_unref(struct death_link *link)
{
	if (__atomic_fetch_sub(&link->refs, 1, __ATOMIC_ACQ_REL) != 1)
		return;
	recipient_unref(link->recipient);
	free(link);
}

/* Whether the caller is the one who ends @link. */
static bool claim(struct death_link *link)
{
	return !__atomic_exchange_n(&link->claimed, true, __ATOMIC_ACQ_REL);
}

static bool is_claimed(struct death_link *link)
{
	return __atomic_load_n(&link->claimed, __ATOMIC_ACQUIRE);
}

static void tell_unlinked(const struct death_link *link)
{
	if (link->recipient->on_unlinked)
		link->recipient->on_unlinked(link->cookie);
}

/* Take what is claimed out of a list; the result is linked as the list is. */
static struct death_link *take_claimed_of_object(struct death_link **list)
{
	struct death_link *taken = NULL;
	struct death_link *link;

	while ((link = *list) != NULL) {
		if (!is_claimed(link)) {
			list = &link->of_object;
			continue;
		}
		*list = link->of_object;
		link->of_object = taken;
		taken = link;
	}
	return taken;
}

static struct death_link *take_claimed_of_recipient(struct death_link **list)
{
	struct death_link *taken = NULL;
	struct death_link *link;

	while ((link = *list) != NULL) {
		if (!is_claimed(link)) {
			list = &link->of_recipient;
			continue;
		}
		*list = link->of_recipient;
		link->of_recipient = taken;
		taken = link;
	}
	return taken;
}

static void unref_of_object(struct death_link *link)
{
	struct death_link *next;

	for (; link; link = next) {
		next = link->of_object;
		link_unref(link);
	}
}

static void unref_of_recipient(struct death_link *link)
{
	struct death_link *next;

	for (; link; link = next) {
		next = link->of_recipient;
		link_unref(link);
	}
}

/* Put @link into the recipient's list, and take out what is over, so that the
 * list does not grow with those that come and go. */
static void add_to_recipient(AIBinder_DeathRecipient *recipient,
			     struct death_link *link)
{
	struct death_link *over;

	(void)pthread_mutex_lock(&recipient->lock);
	over = take_claimed_of_recipient(&recipient->links);
	link->of_recipient = recipient->links;
	recipient->links = link;
	(void)pthread_mutex_unlock(&recipient->lock);
	unref_of_recipient(over);
}

/* The same for the object. False: it is dead. */
static bool add_to_object(AIBinder *binder, struct death_link *link)
{
	struct death_link *over = NULL;
	bool dead;

	(void)pthread_mutex_lock(&binder->lock);
	dead = binder->dead;
	if (!dead) {
		over = take_claimed_of_object(&binder->links);
		link->of_object = binder->links;
		binder->links = link;
	}
	(void)pthread_mutex_unlock(&binder->lock);
	unref_of_object(over);
	return !dead;
}

binder_status_t AIBinder_linkToDeath(AIBinder *binder,
				     AIBinder_DeathRecipient *recipient,
				     void *cookie)
{
	struct death_link *link;

	if (!binder || !recipient)
		return STATUS_UNEXPECTED_NULL;
	if (!binder->session || !binder->session->notices_death)
		return STATUS_INVALID_OPERATION;
	if (!AIBinder_isAlive(binder))
		return STATUS_DEAD_OBJECT;
	link = calloc(1, sizeof(*link));
	if (!link)
		return STATUS_NO_MEMORY;
	link->recipient = recipient;
	link->binder = binder;
	link->cookie = cookie;
	link->refs = 2;
	__atomic_fetch_add(&recipient->refs, 1, __ATOMIC_RELAXED);
	add_to_recipient(recipient, link);
	if (add_to_object(binder, link))
		return STATUS_OK;
	/* it died meanwhile: nobody will be told */
	(void)claim(link);
	link_unref(link);
	return STATUS_DEAD_OBJECT;
}

/* Find a living link and claim it. The object's list keeps it until the next
 * one is added. */
static struct death_link *claim_link(AIBinder *binder,
				     const AIBinder_DeathRecipient *recipient,
				     const void *cookie)
{
	struct death_link *link;

	for (link = binder->links; link; link = link->of_object)
		if (link->recipient == recipient && link->cookie == cookie &&
		    claim(link))
			return link;
	return NULL;
}

binder_status_t AIBinder_unlinkToDeath(AIBinder *binder,
				       AIBinder_DeathRecipient *recipient,
				       void *cookie)
{
	struct death_link *link;
	bool dead;

	if (!binder || !recipient)
		return STATUS_UNEXPECTED_NULL;
	(void)pthread_mutex_lock(&binder->lock);
	dead = binder->dead;
	link = claim_link(binder, recipient, cookie);
	if (link)
		__atomic_fetch_add(&link->refs, 1, __ATOMIC_RELAXED);
	(void)pthread_mutex_unlock(&binder->lock);
	if (!link)
		return dead ? STATUS_DEAD_OBJECT : STATUS_NAME_NOT_FOUND;
	tell_unlinked(link);
	link_unref(link);
	return STATUS_OK;
}

void AIBinder_DeathRecipient_delete(AIBinder_DeathRecipient *recipient)
{
	struct death_link *list, *link;

	if (!recipient)
		return;
	(void)pthread_mutex_lock(&recipient->lock);
	list = TAKE_PTR(recipient->links);
	(void)pthread_mutex_unlock(&recipient->lock);
	for (link = list; link; link = link->of_recipient)
		if (claim(link))
			tell_unlinked(link);
	unref_of_recipient(list);
	recipient_unref(recipient);
}

/* End all links of @binder; @died: because its session did. */
static void end_links(AIBinder *binder, bool died)
{
	struct death_link *list, *link;

	(void)pthread_mutex_lock(&binder->lock);
	list = TAKE_PTR(binder->links);
	binder->dead = true;
	(void)pthread_mutex_unlock(&binder->lock);
	for (link = list; link; link = link->of_object) {
		if (!claim(link))
			continue;
		if (died)
			link->recipient->on_died(link->cookie);
		tell_unlinked(link);
	}
	unref_of_object(list);
}

void object_announce_death(AIBinder *binder)
{
	end_links(binder, true);
}

void object_drop_links(AIBinder *binder)
{
	end_links(binder, false);
}
