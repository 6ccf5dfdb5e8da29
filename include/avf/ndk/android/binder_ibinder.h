/**
 * @file binder_ibinder.h
 * Objects that can be called: in this process, or in a peer behind a session
 * of binder_rpc_unstable.h.
 *
 * Source compatible with the NDK's header of this name, over RPC only: there
 * is no kernel binder and no service manager.
 *
 * Any thread may call these functions on any object; reference counts are
 * atomic. Where nothing else is said a function does not block and calls
 * nothing of the application's. Dropping the last reference calls onDestroy
 * of a local object, and tells the peer of a remote one, which writes to a
 * socket. NULL for an object gives STATUS_UNEXPECTED_NULL where a status is
 * returned, and is ignored elsewhere.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include <android/binder_status.h>

#ifdef __cplusplus
extern "C" {
#endif
#if defined(__GNUC__)
#pragma GCC visibility push(default)
#endif

/** A method of an interface: FIRST_CALL_TRANSACTION + its index. */
typedef uint32_t transaction_code_t;

enum {
	FIRST_CALL_TRANSACTION = 0x00000001,
	LAST_CALL_TRANSACTION = 0x00ffffff,
};

/** How a call is made. */
typedef uint32_t binder_flags_t;

enum {
	/** Do not wait: no result, calls on one object keep their order. */
	FLAG_ONEWAY = 0x01,
	/** Accepted: parcels of this call are cleared when they are freed. */
	FLAG_CLEAR_BUF = 0x20,
};

/** The description of an interface. Made once, never freed. */
typedef struct AIBinder_Class AIBinder_Class;
/** An object, with a count of strong references. There is one AIBinder per
 * object, and per session for a remote one: compare pointers. */
typedef struct AIBinder AIBinder;
/** A reference that does not keep an object alive. */
typedef struct AIBinder_Weak AIBinder_Weak;
/** Somebody who wants to know when a peer is gone. */
typedef struct AIBinder_DeathRecipient AIBinder_DeathRecipient;
/** The arguments or the results of a call: binder_parcel.h. */
typedef struct AParcel AParcel;

/* ---- interfaces ---------------------------------------------------------- */

/** AIBinder_new() was called; returns the object's user data. */
typedef void *(*AIBinder_Class_onCreate)(void *args);
/** The last strong reference is gone. Any thread. */
typedef void (*AIBinder_Class_onDestroy)(void *user_data);
/**
 * Somebody calls @code. @in and @out are valid during the call; what is
 * written to @out is lost when the result is not STATUS_OK. For a oneway call
 * @out goes nowhere. Any thread, several at once; no lock is held.
 */
typedef binder_status_t (*AIBinder_Class_onTransact)(AIBinder *binder,
						     transaction_code_t code,
						     const AParcel *in,
						     AParcel *out);

/**
 * Describe an interface. Copies @descriptor. The three functions must not be
 * NULL. Returns NULL without memory or with a NULL.
 */
AIBinder_Class *AIBinder_Class_define(const char *descriptor,
				      AIBinder_Class_onCreate on_create,
				      AIBinder_Class_onDestroy on_destroy,
				      AIBinder_Class_onTransact on_transact);

/** The name that was given to AIBinder_Class_define(). */
const char *AIBinder_Class_getDescriptor(const AIBinder_Class *clazz);

/** Write information for a person to @fd, which stays the caller's. */
typedef binder_status_t (*AIBinder_onDump)(AIBinder *binder, int fd,
					   const char **args,
					   uint32_t num_args);
/** Before the class is used. */
void AIBinder_Class_setOnDump(AIBinder_Class *clazz, AIBinder_onDump on_dump);

/** Serve a command line; the descriptors stay the caller's. */
typedef binder_status_t (*AIBinder_handleShellCommand)(AIBinder *binder, int in,
						       int out, int err,
						       const char **argv,
						       uint32_t argc);
/** Before the class is used. */
void AIBinder_Class_setHandleShellCommand(AIBinder_Class *clazz,
					  AIBinder_handleShellCommand handle);

/** Calls neither write nor expect the interface's name. Before the class is
 * used. */
void AIBinder_Class_disableInterfaceTokenHeader(AIBinder_Class *clazz);

/* ---- objects ------------------------------------------------------------- */

/** A local object with one strong reference; calls onCreate(@args). NULL
 * without memory or without a class. */
AIBinder *AIBinder_new(const AIBinder_Class *clazz, void *args);

/** One strong reference more. */
void AIBinder_incStrong(AIBinder *binder);

/** One strong reference less; the last one ends the object. */
void AIBinder_decStrong(AIBinder *binder);

/** The number of strong references, for tests. -1 for NULL. */
int32_t AIBinder_debugGetRefCount(AIBinder *binder);

/** Whether the object lives in a peer. */
bool AIBinder_isRemote(const AIBinder *binder);

/** Whether the object's session still exists; true for local objects. Says
 * nothing about the next moment. */
bool AIBinder_isAlive(const AIBinder *binder);

/** Ask the object for a sign of life. Blocks as a call does. Errors: those of
 * AIBinder_transact(). */
binder_status_t AIBinder_ping(AIBinder *binder);

/**
 * Have the object describe itself to @fd, which stays the caller's. Blocks as
 * a call does. A remote object needs a session with descriptors.
 * Errors: STATUS_FDS_NOT_ALLOWED, those of AIBinder_transact().
 */
binder_status_t AIBinder_dump(AIBinder *binder, int fd, const char **args,
			      uint32_t num_args);

/**
 * Say which interface @binder has. On a remote object this asks the peer for
 * the name once (blocks as a call does). Returns whether it fits: false when
 * the names differ, the peer does not answer, or a local object has another
 * class, even one of the same name.
 */
bool AIBinder_associateClass(AIBinder *binder, const AIBinder_Class *clazz);

/** The class of a local object, or the associated one. NULL: none yet. */
const AIBinder_Class *AIBinder_getClass(AIBinder *binder);

/** What onCreate returned. NULL for remote objects. */
void *AIBinder_getUserData(AIBinder *binder);

/** An order of objects, for maps. */
bool AIBinder_lt(const AIBinder *lhs, const AIBinder *rhs);

/**
 * The object behind @binder that extends it, or NULL in *@ret_ext; the caller
 * owns a reference. Blocks as a call does for a remote object.
 */
binder_status_t AIBinder_getExtension(AIBinder *binder, AIBinder **ret_ext);

/** Give a local object an extension, before others can call it; keeps a
 * reference. Errors: STATUS_INVALID_OPERATION (a remote object, or it has
 * one). */
binder_status_t AIBinder_setExtension(AIBinder *binder, AIBinder *ext);

/* ---- who calls -----------------------------------------------------------
 */

/** (uid_t)-1: a session does not say who its peer is, as RPC on Android does
 * not. What a server knows of a peer is its address, when it connects:
 * AvfRpcServer_setPerSessionRoot() of binder_rpc_unstable.h. */
uid_t AIBinder_getCallingUid(void);
/** 0, for the same reason. */
pid_t AIBinder_getCallingPid(void);
/** False: it asks about kernel binder, on Android, too. */
bool AIBinder_isHandlingTransaction(void);

/* ---- calls --------------------------------------------------------------- */

/**
 * Start a call: *@ret_in is an empty parcel for the arguments that has the
 * interface's name in it. Give it to AIBinder_transact(), or free it.
 * Errors: STATUS_INVALID_OPERATION (no class is associated), STATUS_NO_MEMORY,
 * STATUS_DEAD_OBJECT.
 */
binder_status_t AIBinder_prepareTransaction(AIBinder *binder, AParcel **ret_in);

/**
 * Make a call. Takes *@in, which becomes NULL, also on failure. *@out is the
 * result, which the caller frees with AParcel_delete(); NULL on failure.
 *
 * Blocks until the peer has answered (with FLAG_ONEWAY: until the call is
 * written); meanwhile it serves calls that the peer makes back.
 * Errors: STATUS_UNKNOWN_TRANSACTION (@code is outside of the methods' range,
 * or the object does not know it), STATUS_BAD_VALUE (flags that do not exist,
 * a parcel of another object), STATUS_DEAD_OBJECT, STATUS_WOULD_BLOCK (no
 * connection exists on which it could be made), STATUS_FAILED_TRANSACTION
 * (too large, or nested too deeply), STATUS_TIMED_OUT, and any status that
 * the object returns.
 */
binder_status_t AIBinder_transact(AIBinder *binder, transaction_code_t code,
				  AParcel **in, AParcel **out,
				  binder_flags_t flags);

/* ---- weak references ----------------------------------------------------- */

/** A weak reference. Free it with AIBinder_Weak_delete(). */
AIBinder_Weak *AIBinder_Weak_new(AIBinder *binder);
/** Free @weak. */
void AIBinder_Weak_delete(AIBinder_Weak *weak);
/** The object with a strong reference for the caller, NULL when it ended. */
AIBinder *AIBinder_Weak_promote(AIBinder_Weak *weak);
/** Another weak reference to the same object. */
AIBinder_Weak *AIBinder_Weak_clone(const AIBinder_Weak *weak);
/** An order, stable while the references exist, for maps. */
bool AIBinder_Weak_lt(const AIBinder_Weak *lhs, const AIBinder_Weak *rhs);

/* ---- death --------------------------------------------------------------- */

/** The peer that has the object is gone. Any thread; no lock is held. */
typedef void (*AIBinder_DeathRecipient_onBinderDied)(void *cookie);
/** The link is no more; the last that is heard of @cookie. Any thread. */
typedef void (*AIBinder_DeathRecipient_onBinderUnlinked)(void *cookie);

/** Free it with AIBinder_DeathRecipient_delete(). NULL without memory. */
AIBinder_DeathRecipient *AIBinder_DeathRecipient_new(
	AIBinder_DeathRecipient_onBinderDied on_died);

/** Before the first link. */
void AIBinder_DeathRecipient_setOnUnlinked(
	AIBinder_DeathRecipient *recipient,
	AIBinder_DeathRecipient_onBinderUnlinked on_unlinked);

/** End all its links, and free it. */
void AIBinder_DeathRecipient_delete(AIBinder_DeathRecipient *recipient);

/**
 * Call @recipient once with @cookie when the session of @binder ends.
 * Errors: STATUS_INVALID_OPERATION (a local object, or a session without
 * incoming threads, which would not notice), STATUS_DEAD_OBJECT (it ended
 * already), STATUS_NO_MEMORY.
 */
binder_status_t AIBinder_linkToDeath(AIBinder *binder,
				     AIBinder_DeathRecipient *recipient,
				     void *cookie);

/** End a link. Errors: STATUS_NAME_NOT_FOUND (there is none),
 * STATUS_DEAD_OBJECT (the session has ended, the recipient was called). */
binder_status_t AIBinder_unlinkToDeath(AIBinder *binder,
				       AIBinder_DeathRecipient *recipient,
				       void *cookie);

#if defined(__GNUC__)
#pragma GCC visibility pop
#endif
#ifdef __cplusplus
}
#endif
