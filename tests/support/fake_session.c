#include "support/fake_session.h"

#include <stddef.h>
#include <stdio.h>

#include "base/checked.h"
#include "support/parcel_bytes.h"

static struct fake_session *to_fake(struct binder_session *session)
{
	return container_of(session, struct fake_session, session);
}

static void fake_ref(struct binder_session *session)
{
	to_fake(session)->refs++;
}

static void fake_unref(struct binder_session *session)
{
	to_fake(session)->refs--;
}

static binder_status_t fake_transact(struct binder_session *session,
				     AIBinder *target, uint32_t code,
				     AParcel *in, uint32_t flags,
				     AParcel **ret_out)
{
	struct fake_session *fake = to_fake(session);

	(void)target;
	fake->code = code;
	fake->flags = flags;
	for (size_t i = 0; i < in->size && i < 255; i++)
		(void)snprintf(fake->request + 2 * i, 3, "%02x", in->data[i]);
	in->sent = true;
	if (fake->status != STATUS_OK)
		return fake->status;
	if ((flags & FLAG_ONEWAY) == 0)
		*ret_out = parcel_from_hex(session, fake->reply);
	return STATUS_OK;
}

static binder_status_t fake_leave(struct binder_session *session,
				  AIBinder *binder, uint64_t *ret_address)
{
	struct fake_session *fake = to_fake(session);

	if (fake->refuse != STATUS_OK)
		return fake->refuse;
	if (binder->session && binder->session != session)
		return STATUS_INVALID_OPERATION;
	for (size_t i = 0; i < FAKE_OBJECTS; i++) {
		if (fake->sent[i] && fake->sent[i] != binder)
			continue;
		if (!fake->sent[i])
			AIBinder_incStrong(binder);
		fake->sent[i] = binder;
		fake->left++;
		*ret_address = i << 32 | 3;
		return STATUS_OK;
	}
	return STATUS_NO_MEMORY;
}

static void fake_undo_leave(struct binder_session *session, uint64_t address)
{
	(void)address;
	to_fake(session)->left--;
}

static binder_status_t fake_enter(struct binder_session *session,
				  uint64_t address, int32_t stability,
				  AIBinder **ret_binder)
{
	struct fake_session *fake = to_fake(session);

	if (fake->refuse != STATUS_OK)
		return fake->refuse;
	fake->entered++;
	*ret_binder = object_new_remote(session, address, stability);
	return *ret_binder ? STATUS_OK : STATUS_NO_MEMORY;
}

static void fake_release(struct binder_session *session, AIBinder *proxy)
{
	(void)proxy;
	to_fake(session)->released++;
}

static bool fake_is_alive(struct binder_session *session)
{
	return !to_fake(session)->dead;
}

static const struct binder_session_ops fake_ops = {
	.ref = fake_ref,
	.unref = fake_unref,
	.transact = fake_transact,
	.leave = fake_leave,
	.undo_leave = fake_undo_leave,
	.enter = fake_enter,
	.release = fake_release,
	.is_alive = fake_is_alive,
};

void fake_session_init(struct fake_session *fake)
{
	*fake = (struct fake_session){
		.session = {.ops = &fake_ops,
			    .allow_fds = true,
			    .notices_death = true},
		.reply = "",
	};
}

void fake_session_fini(struct fake_session *fake)
{
	for (size_t i = 0; i < FAKE_OBJECTS; i++)
		AIBinder_decStrong(fake->sent[i]);
}
