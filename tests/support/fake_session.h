/* A session without a peer: it gives addresses out, counts, and answers calls
 * with what the test has prepared. */
#pragma once

#include "binder/object.h"
#include "binder/parcel.h"

#define FAKE_OBJECTS 8

struct fake_session {
	struct binder_session session;
	int refs;
	bool dead;
	int left;    /* leave() calls that were not undone */
	int entered; /* enter() calls */
	int released;
	binder_status_t refuse; /* what leave() and enter() say, if not OK */
	AIBinder *sent[FAKE_OBJECTS]; /* owned; its index is the address */
	/* calls */
	uint32_t code, flags;
	binder_status_t status;
	const char *reply; /* hexadecimal */
	char request[512]; /* hexadecimal */
};

void fake_session_init(struct fake_session *fake);
/** Give up the objects that were sent. */
void fake_session_fini(struct fake_session *fake);
