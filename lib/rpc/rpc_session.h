/*
 * One relation between two processes: a table of objects, connections to call
 * on (outgoing) and connections to be called on (incoming). Client and server
 * differ in who connects, and in who has the root object.
 *
 * References: the server's list, each thread, and all users together. Users:
 * the handle of a client, each remote object, each parcel. A client's session
 * ends when it has no users and the peer has no object of ours: nobody can
 * call anybody any more, whatever each side still owes the other. A server's
 * ends with its connections. One that has ended keeps its memory and nothing
 * else.
 */
#pragma once

#include <pthread.h>

#include "binder/session.h"
#include "rpc/rpc_conn.h"
#include "rpc/rpc_debt.h"
#include "rpc/rpc_table.h"
#include "rpc/rpc_wire.h"

/* What both sides can set. Immutable once there are connections. */
struct rpc_settings {
	uint32_t version;         /* the highest one to agree to */
	uint32_t max_frame;       /* bytes of a body */
	uint32_t call_timeout_ms; /* 0: none */
	size_t max_threads;       /* incoming connections */
	/* The peer calls methods, and asks for names and extensions; what
	 * every object tells about its process is not for it. */
	bool methods_only;
};

struct rpc_session {
	struct binder_session base; /* the first member: to_rpc_session() */
	uint32_t refs;              /* atomic */
	uint32_t users;             /* atomic */
	bool is_server;
	struct rpc_settings settings; /* with the version agreed on */
	uint8_t id[RPC_SESSION_ID_SIZE];
	/* of a client: until then it must be connected; 0: no limit, or it is.
	 * The connecting thread's. */
	uint64_t connect_by_ns;

	/** The session has ended; called once, on any thread. May be NULL. */
	void (*on_ended)(struct rpc_session *session, void *userdata);
	void *userdata;

	struct rpc_table table;
	struct rpc_debts debts;

	pthread_mutex_t lock;
	pthread_cond_t changed; /* a connection is free, a thread has ended */
	/* guarded by @lock */
	bool ended;
	AIBinder *root; /* owned by a server's session until it ends */
	struct rpc_conn *outgoing; /* owned */
	struct rpc_conn *incoming; /* owned by the threads that serve them */
	size_t n_outgoing, n_incoming;
	size_t turn;              /* of the next oneway call */
	size_t n_threads;         /* that serve */
	size_t n_waiters;         /* of them: wait for the others */
	bool incoming_ended;      /* one was closed: no more are let in */
	struct rpc_session *next; /* in the server's list, by its lock */
};

/** A session with one reference. NULL: no memory. */
struct rpc_session *rpc_session_new(bool is_server,
				    const struct rpc_settings *settings);
void rpc_session_ref(struct rpc_session *session);
void rpc_session_unref(struct rpc_session *session);

/** One user more, by who has a reference or is a user. */
void rpc_session_use(struct rpc_session *session);
void rpc_session_unuse(struct rpc_session *session);

struct rpc_session *to_rpc_session(struct binder_session *base);

/** The peer pays @amount references for @address, or what was counted was not
 * sent. May end the session. With no lock held. */
void rpc_session_paid(struct rpc_session *session, uint64_t address,
		      uint64_t amount);

/**
 * End the session, once: close its connections, tell the recipients of its
 * objects, empty its table. With no lock held. Any thread, also one that
 * serves it.
 */
void rpc_session_end(struct rpc_session *session);
/** Whether @id is its own. Takes the same time for every wrong one. */
bool rpc_session_has_id(const struct rpc_session *session, const uint8_t *id);
/** The root object with a reference, NULL: none, or it has ended. */
AIBinder *rpc_session_root(struct rpc_session *session);
bool rpc_session_ended(struct rpc_session *session);

/** Wait until no thread but the calling one serves the session, or only those
 * that wait here as well: they would wait for each other. */
void rpc_session_wait(struct rpc_session *session);

/* What a connection is wanted for. */
enum rpc_use {
	RPC_USE_CALL,
	RPC_USE_ONEWAY,
	RPC_USE_REFCOUNT,
};

/**
 * A connection for this thread, which owns it until rpc_pool_put(): the one
 * whose call it is serving, one that is free, or one that becomes free; for
 * RPC_USE_REFCOUNT, only one that can be used now. Errors: STATUS_WOULD_BLOCK
 * (there is none, or none that ever could be free: those who have them all
 * wait as well), and STATUS_DEAD_OBJECT.
 */
binder_status_t rpc_pool_get(struct rpc_session *session, enum rpc_use use,
			     struct rpc_conn **ret_conn);
void rpc_pool_put(struct rpc_session *session, struct rpc_conn *conn);

/** The same, and pay what others could not pay meanwhile. May end the session.
 */
void rpc_put_and_pay(struct rpc_session *session, struct rpc_conn *conn);

/** Whether references would be paid on @conn, which this thread has. */
bool rpc_pool_pays_on(struct rpc_session *session, const struct rpc_conn *conn);

/** A free connection on which something has come, if only something of its
 * layer, or NULL. */
struct rpc_conn *rpc_pool_get_readable(struct rpc_session *session);

/** Have @conn, which nobody else knows yet, belong to this thread. */
void rpc_pool_own(struct rpc_conn *conn);

/** Add a connection to call on; who owns it puts it later. Takes @conn, also on
 * failure. Errors: STATUS_DEAD_OBJECT, STATUS_BAD_VALUE (there are @max). */
binder_status_t rpc_pool_add_outgoing(struct rpc_session *session,
				      struct rpc_conn *conn, size_t max);

/** Add a connection that this thread serves. Does not take @conn on failure.
 * Errors: STATUS_DEAD_OBJECT, STATUS_BAD_VALUE (enough of them). */
binder_status_t rpc_pool_add_incoming(struct rpc_session *session,
				      struct rpc_conn *conn);

/** No more is read from an incoming connection. Returns whether it was the
 * last one. */
bool rpc_pool_incoming_done(struct rpc_session *session);

/** The thread that has served @conn ends: the last that it does here. Frees
 * @conn. */
void rpc_pool_thread_ended(struct rpc_session *session, struct rpc_conn *conn);

/** Serve @conn until it or the session ends, then free it. */
void rpc_serve(struct rpc_session *session, struct rpc_conn *conn);

/** The same message by message, for a loop: serve the next one, all of which
 * has come. An error, and the end of the connection, call for
 * rpc_serve_end(); @eof: the peer has closed it between two messages. */
binder_status_t rpc_serve_next(struct rpc_session *session,
			       struct rpc_conn *conn);
void rpc_serve_end(struct rpc_session *session, struct rpc_conn *conn,
		   bool eof);

/** Read what has come on connections that nobody uses: a client without
 * threads of its own sees so what the server has paid. Waits for nothing but
 * the rest of a message, for three seconds; who lets it wait so long, or sends
 * something else, loses the session. */
void rpc_drain_idle(struct rpc_session *session);

/** Call the session itself: RPC_GET_*. The caller frees *@ret_out. */
binder_status_t rpc_call_special(struct rpc_session *session, uint32_t code,
				 AParcel **ret_out);

/** Pay @amount references for @address, now or, where no connection can be had
 * without waiting, by whoever has one next. */
void rpc_pay(struct rpc_session *session, uint64_t address, uint64_t amount);

/** binder/session.h's transact(). */
binder_status_t rpc_transact(struct binder_session *base, AIBinder *target,
			     uint32_t code, AParcel *in, uint32_t flags,
			     AParcel **ret_out);

/** Run @run(@argument) on a detached thread that takes no signals. */
binder_status_t rpc_thread_start(void *(*run)(void *argument), void *argument);
