/*
 * An object that can be called. A local one has a class and user data; a
 * remote one is known to its session by an address.
 *
 * The memory lives as long as there is a weak reference; all strong ones
 * together hold one. Any thread. What is not atomic is immutable once the
 * object is shared, or guarded by @lock.
 */
#pragma once

#include <pthread.h>
#include <stdbool.h>
#include <stdint.h>

#include <android/binder_stability.h>

#include "binder/session.h"

/* Stability as it travels (rpcbinder: the word behind an address). */
#define STABILITY_UNDECLARED 0
#define STABILITY_VENDOR     0x03
#define STABILITY_SYSTEM     0x0c
#define STABILITY_VINTF      0x3f

/* Codes that every object understands. */
#define CODE_PING          0x5f504e47U /* _PNG */
#define CODE_INTERFACE     0x5f4e5446U /* _NTF */
#define CODE_DUMP          0x5f444d50U /* _DMP */
#define CODE_SHELL_COMMAND 0x5f434d44U /* _CMD */
#define CODE_EXTENSION     0x5f455854U /* _EXT */
#define CODE_DEBUG_PID     0x5f504944U /* _PID */
#define CODE_SYSPROPS      0x5f535052U /* _SPR */
#define CODE_SET_CLIENT    0x5f525043U /* _RPC */
#define CODE_RECORD_START  0x5f535244U /* _SRD */
#define CODE_RECORD_STOP   0x5f455244U /* _ERD */

struct AIBinder_Class {
	const char *descriptor; /* UTF-8; a class is never freed */
	AIBinder_Class_onCreate on_create;
	AIBinder_Class_onDestroy on_destroy;
	AIBinder_Class_onTransact on_transact;
	AIBinder_onDump on_dump;                      /* NULL: nothing to say */
	AIBinder_handleShellCommand on_shell_command; /* NULL: none */
	bool no_token; /* calls carry no interface name */
};

struct death_link;

struct AIBinder {
	uint32_t strong;             /* atomic */
	uint32_t weak;               /* atomic */
	const AIBinder_Class *clazz; /* atomic; NULL: not associated yet */
	int32_t stability;

	/* local */
	void *user_data;
	AIBinder *extension; /* owned; NULL: none */

	/* remote */
	struct binder_session *session; /* owned; NULL: the object is local */
	uint64_t address;

	pthread_mutex_t lock;
	struct death_link *links; /* guarded by @lock */
	bool dead;                /* guarded by @lock; recipients were called */
};

/** A remote object with one strong reference. Only its session makes it.
 * NULL: no memory. */
AIBinder *object_new_remote(struct binder_session *session, uint64_t address,
			    int32_t stability);

/** A strong reference, if the object has not ended. Needs a weak one. */
bool object_promote(AIBinder *binder);

/* A weak reference keeps the memory. */
void object_ref_weak(AIBinder *binder);
void object_unref_weak(AIBinder *binder);

/**
 * Run a call on a local object: user code for methods, ours for what every
 * object understands. Both parcels stay the caller's.
 */
binder_status_t object_execute(AIBinder *binder, uint32_t code,
			       const AParcel *in, AParcel *out);

/** Call any object with any code. Takes @taken. *@ret_out is NULL on failure
 * and after a oneway call. */
binder_status_t object_call(AIBinder *binder, uint32_t code, AParcel *taken,
			    uint32_t flags, AParcel **ret_out);

/** The session of @binder has ended: call the recipients, once. */
void object_announce_death(AIBinder *binder);

/** The object ends with these links: tell the recipients. */
void object_drop_links(AIBinder *binder);
