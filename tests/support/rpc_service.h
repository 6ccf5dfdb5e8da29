/*
 * The object that tests of RpcBinder call, after Android's IBinderRpcTest, and
 * its client's side. Each function makes one call; its result is the call's.
 */
#pragma once

#include <pthread.h>

#include <android/binder_ibinder.h>
#include <android/binder_parcel.h>

#define SERVICE_QUEUE 16384
/* A number whose receiver waits at the gate when it has queued it. */
#define SERVICE_STALL (-1)

/* The state of one object; lives as long as the object does. */
struct service {
	pthread_mutex_t lock;
	pthread_cond_t changed;
	/* guarded by @lock */
	AIBinder *held;   /* owned */
	AIBinder *same;   /* owned: one object for everybody */
	int n_children;   /* session objects that live */
	bool gate_open;   /* those who wait may go on */
	size_t n_waiting; /* at the gate */
	size_t n_met;     /* that have arrived at the meeting, ever */
	size_t wanted;    /* that meet */
	int32_t queue[SERVICE_QUEUE];
	size_t n_queued;
	struct service *parent; /* of a session object: borrowed */
};

/** An object with a state of its own, which service_of() gives. */
AIBinder *service_new(void);
struct service *service_of(AIBinder *binder);
/** Let it know the class, which asks a remote object for its name. */
bool service_associate(AIBinder *binder);

/** Wait up to @ms until @count numbers were sent to it. */
bool service_wait_queued(struct service *service, size_t count, int ms);
/** Let those go on who wait at the gate. */
void service_open_gate(struct service *service);

binder_status_t service_send_string(AIBinder *binder, const char *text);
/** The caller frees *@ret_text. */
binder_status_t service_double_string(AIBinder *binder, const char *text,
				      char **ret_text);
/** The object pings @callback; *@ret_status is what came of it. */
binder_status_t service_ping_me(AIBinder *binder, AIBinder *callback,
				int32_t *ret_status);
binder_status_t service_repeat(AIBinder *binder, AIBinder *sent,
			       AIBinder **ret_back);
binder_status_t service_hold(AIBinder *binder, AIBinder *held);
binder_status_t service_held(AIBinder *binder, AIBinder **ret_held);
/** Both objects call each other @depth times, within each other. */
binder_status_t service_nest(AIBinder *binder, AIBinder *other, int32_t depth);
binder_status_t service_same(AIBinder *binder, AIBinder **ret_same);
binder_status_t service_open(AIBinder *binder, AIBinder **ret_child);
binder_status_t service_count_open(AIBinder *binder, int32_t *ret_count);
/** Returns when @count calls are here at once. */
binder_status_t service_meet(AIBinder *binder, int32_t count);
/** Returns when the gate is open. */
binder_status_t service_wait_gate(AIBinder *binder, bool oneway);
binder_status_t service_send_int(AIBinder *binder, int32_t value);
/** The object sends @value to @callback, from the call itself. */
binder_status_t service_call_back(AIBinder *binder, AIBinder *callback,
				  bool oneway, bool oneway_callback,
				  int32_t value);
/** The object sends @value to what it holds, from a thread of its own. */
binder_status_t service_call_held_later(AIBinder *binder, int32_t value);
/** An object that is null where none is expected. */
binder_status_t service_null(AIBinder *binder);
binder_status_t service_echo_file(AIBinder *binder, const char *text,
				  int *ret_fd);
/** The concatenation of what is in @count times @fd's file, as a file. */
binder_status_t service_concat(AIBinder *binder, int fd, int32_t count,
			       int *ret_fd);
/** Put the number that is written in @fd's file into the queue. */
binder_status_t service_send_fd(AIBinder *binder, int fd);
/** The process of the object ends. */
binder_status_t service_die(AIBinder *binder, bool oneway);
/** A method that does not exist. */
binder_status_t service_unknown(AIBinder *binder);
