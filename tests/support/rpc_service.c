#include "support/rpc_service.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#define DESCRIPTOR "org.avf.test.IBinderRpcTest"
#define TEXT_MAX   65536

enum {
	SEND_STRING = FIRST_CALL_TRANSACTION,
	DOUBLE_STRING,
	PING_ME,
	REPEAT,
	HOLD,
	HELD,
	NEST,
	SAME,
	OPEN,
	COUNT_OPEN,
	MEET,
	WAIT_GATE,
	SEND_INT,
	CALL_BACK,
	CALL_HELD_LATER,
	RETURN_NULL,
	ECHO_FILE,
	CONCAT,
	SEND_FD,
	DIE,
	UNKNOWN = 1337,
};

static AIBinder_Class *service_class(void);

/* ---- strings
 * ------------------------------------------------------------------ */

static bool text_room(void *data, int32_t length, char **ret_buffer)
{
	char **text = data;

	if (length < 0)
		return false;
	*text = malloc((size_t)length);
	*ret_buffer = *text;
	return *text != NULL;
}

static binder_status_t read_text(const AParcel *in, char **ret_text)
{
	*ret_text = NULL;
	return AParcel_readString(in, ret_text, text_room);
}

static binder_status_t write_text(AParcel *out, const char *text)
{
	return AParcel_writeString(out, text, (int32_t)strlen(text));
}

static binder_status_t do_double_string(const AParcel *in, AParcel *out)
{
	char *text, *twice;
	size_t size;
	binder_status_t rc;

	rc = read_text(in, &text);
	if (rc != STATUS_OK)
		return rc;
	size = strlen(text);
	twice = malloc(2 * size + 1);
	if (!twice)
		abort();
	memcpy(twice, text, size);
	memcpy(twice + size, text, size + 1);
	rc = write_text(out, twice);
	free(text);
	free(twice);
	return rc;
}

/* ---- objects
 * -------------------------------------------------------------------- */

static binder_status_t do_ping_me(const AParcel *in, AParcel *out)
{
	AIBinder *callback;
	binder_status_t rc;

	rc = AParcel_readStrongBinder(in, &callback);
	if (rc != STATUS_OK)
		return rc;
	rc = AIBinder_ping(callback);
	AIBinder_decStrong(callback);
	return AParcel_writeInt32(out, rc);
}

static binder_status_t do_repeat(const AParcel *in, AParcel *out)
{
	AIBinder *binder;
	binder_status_t rc;

	rc = AParcel_readStrongBinder(in, &binder);
	if (rc != STATUS_OK)
		return rc;
	rc = AParcel_writeStrongBinder(out, binder);
	AIBinder_decStrong(binder);
	return rc;
}

/* Put @binder (taken) into @place (guarded by the lock), drop what was there.
 */
static void put(struct service *service, AIBinder **place, AIBinder *binder)
{
	AIBinder *old;

	pthread_mutex_lock(&service->lock);
	old = *place;
	*place = binder;
	pthread_mutex_unlock(&service->lock);
	AIBinder_decStrong(old);
}

static AIBinder *get(struct service *service, AIBinder *const *place)
{
	AIBinder *binder;

	pthread_mutex_lock(&service->lock);
	binder = *place;
	AIBinder_incStrong(binder);
	pthread_mutex_unlock(&service->lock);
	return binder;
}

static binder_status_t do_hold(struct service *service, const AParcel *in)
{
	AIBinder *binder;
	binder_status_t rc;

	rc = AParcel_readStrongBinder(in, &binder);
	if (rc == STATUS_OK)
		put(service, &service->held, binder);
	return rc;
}

static binder_status_t write_place(struct service *service,
				   AIBinder *const *place, AParcel *out)
{
	AIBinder *binder = get(service, place);
	binder_status_t rc;

	rc = AParcel_writeStrongBinder(out, binder);
	AIBinder_decStrong(binder);
	return rc;
}

static binder_status_t do_nest(AIBinder *self, const AParcel *in)
{
	AIBinder *other;
	int32_t depth;
	binder_status_t rc;

	rc = AParcel_readStrongBinder(in, &other);
	if (rc != STATUS_OK)
		return rc;
	rc = AParcel_readInt32(in, &depth);
	if (rc == STATUS_OK && depth > 0 && service_associate(other))
		rc = service_nest(other, self, depth - 1);
	AIBinder_decStrong(other);
	return rc;
}

static binder_status_t do_same(struct service *service, AParcel *out)
{
	AIBinder *fresh = service_new();

	pthread_mutex_lock(&service->lock);
	if (!service->same) {
		service->same = fresh;
		fresh = NULL;
	}
	pthread_mutex_unlock(&service->lock);
	AIBinder_decStrong(fresh);
	return write_place(service, &service->same, out);
}

static binder_status_t do_open(struct service *service, AParcel *out)
{
	AIBinder *child = service_new();
	binder_status_t rc;

	service_of(child)->parent = service;
	pthread_mutex_lock(&service->lock);
	service->n_children++;
	pthread_mutex_unlock(&service->lock);
	rc = AParcel_writeStrongBinder(out, child);
	AIBinder_decStrong(child);
	return rc;
}

/* ---- threads
 * ---------------------------------------------------------------------- */

static binder_status_t do_meet(struct service *service, const AParcel *in)
{
	int32_t count;
	size_t wanted;
	binder_status_t rc;

	rc = AParcel_readInt32(in, &count);
	if (rc != STATUS_OK)
		return rc;
	pthread_mutex_lock(&service->lock);
	/* those of one meeting agree about when it is complete */
	if (service->n_met == service->wanted)
		service->wanted += (size_t)count;
	wanted = service->wanted;
	service->n_met++;
	pthread_cond_broadcast(&service->changed);
	while (service->n_met < wanted)
		pthread_cond_wait(&service->changed, &service->lock);
	pthread_mutex_unlock(&service->lock);
	return STATUS_OK;
}

static binder_status_t do_wait_gate(struct service *service)
{
	pthread_mutex_lock(&service->lock);
	service->n_waiting++;
	while (!service->gate_open)
		pthread_cond_wait(&service->changed, &service->lock);
	service->n_waiting--;
	pthread_mutex_unlock(&service->lock);
	return STATUS_OK;
}

void service_open_gate(struct service *service)
{
	pthread_mutex_lock(&service->lock);
	service->gate_open = true;
	pthread_cond_broadcast(&service->changed);
	pthread_mutex_unlock(&service->lock);
}

static void enqueue(struct service *service, int32_t value)
{
	pthread_mutex_lock(&service->lock);
	if (service->n_queued < SERVICE_QUEUE)
		service->queue[service->n_queued] = value;
	service->n_queued++;
	pthread_cond_broadcast(&service->changed);
	pthread_mutex_unlock(&service->lock);
}

bool service_wait_queued(struct service *service, size_t count, int ms)
{
	struct timespec end;
	int rc = 0;
	bool there;

	clock_gettime(CLOCK_REALTIME, &end);
	end.tv_sec += ms / 1000;
	pthread_mutex_lock(&service->lock);
	while (service->n_queued < count && rc == 0)
		rc = pthread_cond_timedwait(&service->changed, &service->lock,
					    &end);
	there = service->n_queued >= count;
	pthread_mutex_unlock(&service->lock);
	return there;
}

static binder_status_t do_send_int(struct service *service, const AParcel *in)
{
	int32_t value;
	binder_status_t rc;

	rc = AParcel_readInt32(in, &value);
	if (rc == STATUS_OK)
		enqueue(service, value);
	return rc == STATUS_OK && value == SERVICE_STALL ? do_wait_gate(service)
							 : rc;
}

static binder_status_t begin(AIBinder *binder, AParcel **ret_in)
{
	return AIBinder_prepareTransaction(binder, ret_in);
}

/* Make the call and free its result, unless the caller wants it. */
static binder_status_t finish(AIBinder *binder, uint32_t code, AParcel *in,
			      binder_status_t rc, uint32_t flags,
			      AParcel **ret_out)
{
	AParcel *out = NULL;

	if (rc != STATUS_OK) {
		AParcel_delete(in);
		return rc;
	}
	rc = AIBinder_transact(binder, code, &in, &out, flags);
	if (rc == STATUS_OK && ret_out)
		*ret_out = out;
	else
		AParcel_delete(out);
	return rc;
}

static binder_status_t send_int(AIBinder *binder, int32_t value, uint32_t flags)
{
	AParcel *in;
	binder_status_t rc;

	rc = begin(binder, &in);
	if (rc != STATUS_OK)
		return rc;
	rc = AParcel_writeInt32(in, value);
	return finish(binder, SEND_INT, in, rc, flags, NULL);
}

static binder_status_t do_call_back(const AParcel *in)
{
	AIBinder *callback;
	bool oneway;
	int32_t value;
	binder_status_t rc;

	rc = AParcel_readStrongBinder(in, &callback);
	if (rc != STATUS_OK)
		return rc;
	rc = AParcel_readBool(in, &oneway);
	if (rc == STATUS_OK)
		rc = AParcel_readInt32(in, &value);
	if (rc == STATUS_OK && !service_associate(callback))
		rc = STATUS_BAD_TYPE;
	if (rc == STATUS_OK)
		rc = send_int(callback, value, oneway ? FLAG_ONEWAY : 0);
	AIBinder_decStrong(callback);
	return rc;
}

/* What a thread of the service's own calls. */
struct later {
	AIBinder *target; /* owned */
	int32_t value;
};

static void *run_later(void *data)
{
	struct later *later = data;

	if (service_associate(later->target))
		(void)send_int(later->target, later->value, 0);
	AIBinder_decStrong(later->target);
	free(later);
	return NULL;
}

static binder_status_t do_call_held_later(struct service *service,
					  const AParcel *in)
{
	struct later *later = malloc(sizeof(*later));
	pthread_t thread;

	if (!later || AParcel_readInt32(in, &later->value) != STATUS_OK)
		abort();
	later->target = get(service, &service->held);
	if (pthread_create(&thread, NULL, run_later, later) != 0)
		abort();
	pthread_detach(thread);
	return STATUS_OK;
}

/* ---- files
 * -------------------------------------------------------------------------- */

/* A file with this text, at its start. */
static int make_file(const char *text, size_t size)
{
	FILE *file = tmpfile();
	int fd;

	if (!file || fwrite(text, 1, size, file) != size || fflush(file) != 0)
		abort();
	rewind(file);
	fd = dup(fileno(file));
	fclose(file);
	return fd;
}

static binder_status_t write_file(AParcel *out, const char *text, size_t size)
{
	int fd = make_file(text, size);
	binder_status_t rc = AParcel_writeParcelFileDescriptor(out, fd);

	close(fd);
	return rc;
}

static binder_status_t do_echo_file(const AParcel *in, AParcel *out)
{
	char *text;
	binder_status_t rc;

	rc = read_text(in, &text);
	if (rc == STATUS_OK)
		rc = write_file(out, text, strlen(text));
	free(text);
	return rc;
}

static binder_status_t do_concat(const AParcel *in, AParcel *out)
{
	char *text = malloc(TEXT_MAX);
	size_t size = 0;
	int32_t count = 0;
	ssize_t n;
	int fd;
	binder_status_t rc;

	rc = AParcel_readInt32(in, &count);
	for (int32_t i = 0; text && rc == STATUS_OK && i < count; i++) {
		rc = AParcel_readParcelFileDescriptor(in, &fd);
		if (rc != STATUS_OK)
			break;
		n = pread(fd, text + size, TEXT_MAX - size, 0);
		size += n > 0 ? (size_t)n : 0;
		close(fd);
	}
	if (rc == STATUS_OK)
		rc = write_file(out, text, size);
	free(text);
	return rc;
}

static binder_status_t do_send_fd(struct service *service, const AParcel *in)
{
	char text[16] = "";
	int fd;
	binder_status_t rc;

	rc = AParcel_readParcelFileDescriptor(in, &fd);
	if (rc != STATUS_OK)
		return rc;
	if (pread(fd, text, sizeof(text) - 1, 0) > 0)
		enqueue(service, (int32_t)strtol(text, NULL, 10));
	close(fd);
	return STATUS_OK;
}

/* ---- the class
 * ------------------------------------------------------------------------ */

static binder_status_t on_transact(AIBinder *binder, transaction_code_t code,
				   const AParcel *in, AParcel *out)
{
	struct service *service = service_of(binder);
	char *text;
	int32_t count;

	switch (code) {
	case SEND_STRING:
		if (read_text(in, &text) == STATUS_OK)
			enqueue(service, (int32_t)strlen(text));
		free(text);
		return STATUS_OK;
	case DOUBLE_STRING:
		return do_double_string(in, out);
	case PING_ME:
		return do_ping_me(in, out);
	case REPEAT:
		return do_repeat(in, out);
	case HOLD:
		return do_hold(service, in);
	case HELD:
		return write_place(service, &service->held, out);
	case NEST:
		return do_nest(binder, in);
	case SAME:
		return do_same(service, out);
	case OPEN:
		return do_open(service, out);
	case COUNT_OPEN:
		pthread_mutex_lock(&service->lock);
		count = service->n_children;
		pthread_mutex_unlock(&service->lock);
		return AParcel_writeInt32(out, count);
	case MEET:
		return do_meet(service, in);
	case WAIT_GATE:
		return do_wait_gate(service);
	case SEND_INT:
		return do_send_int(service, in);
	case CALL_BACK:
		return do_call_back(in);
	case CALL_HELD_LATER:
		return do_call_held_later(service, in);
	case RETURN_NULL:
		return AParcel_writeStrongBinder(out, NULL);
	case ECHO_FILE:
		return do_echo_file(in, out);
	case CONCAT:
		return do_concat(in, out);
	case SEND_FD:
		return do_send_fd(service, in);
	case DIE:
		_exit(0);
	default:
		return STATUS_UNKNOWN_TRANSACTION;
	}
}

static void *on_create(void *args)
{
	struct service *service = calloc(1, sizeof(*service));

	(void)args;
	if (!service)
		abort();
	pthread_mutex_init(&service->lock, NULL);
	pthread_cond_init(&service->changed, NULL);
	return service;
}

static void on_destroy(void *user_data)
{
	struct service *service = user_data;

	if (service->parent) {
		pthread_mutex_lock(&service->parent->lock);
		service->parent->n_children--;
		pthread_mutex_unlock(&service->parent->lock);
	}
	AIBinder_decStrong(service->held);
	AIBinder_decStrong(service->same);
	pthread_cond_destroy(&service->changed);
	pthread_mutex_destroy(&service->lock);
	free(service);
}

static AIBinder_Class *the_class;

static void define_class(void)
{
	the_class = AIBinder_Class_define(DESCRIPTOR, on_create, on_destroy,
					  on_transact);
	if (!the_class)
		abort();
}

static AIBinder_Class *service_class(void)
{
	static pthread_once_t once = PTHREAD_ONCE_INIT;

	pthread_once(&once, define_class);
	return the_class;
}

AIBinder *service_new(void)
{
	return AIBinder_new(service_class(), NULL);
}

struct service *service_of(AIBinder *binder)
{
	return AIBinder_getUserData(binder);
}

bool service_associate(AIBinder *binder)
{
	return AIBinder_associateClass(binder, service_class());
}

/* ---- the client's side
 * -------------------------------------------------------------------- */

/* A call with one object as its argument. */
static binder_status_t call_with_object(AIBinder *binder, uint32_t code,
					AIBinder *argument, AParcel **ret_out)
{
	AParcel *in;
	binder_status_t rc;

	rc = begin(binder, &in);
	if (rc != STATUS_OK)
		return rc;
	rc = AParcel_writeStrongBinder(in, argument);
	return finish(binder, code, in, rc, 0, ret_out);
}

static binder_status_t call_with_int(AIBinder *binder, uint32_t code,
				     int32_t argument, uint32_t flags)
{
	AParcel *in;
	binder_status_t rc;

	rc = begin(binder, &in);
	if (rc != STATUS_OK)
		return rc;
	rc = AParcel_writeInt32(in, argument);
	return finish(binder, code, in, rc, flags, NULL);
}

static binder_status_t call_for(AIBinder *binder, uint32_t code,
				AParcel **ret_out)
{
	AParcel *in;
	binder_status_t rc;

	rc = begin(binder, &in);
	return rc == STATUS_OK ? finish(binder, code, in, rc, 0, ret_out) : rc;
}

/* The object that a call has returned. Frees @out. */
static binder_status_t take_object(binder_status_t rc, AParcel *out,
				   AIBinder **ret_binder)
{
	if (rc != STATUS_OK)
		return rc;
	rc = AParcel_readStrongBinder(out, ret_binder);
	AParcel_delete(out);
	return rc;
}

static binder_status_t take_int(binder_status_t rc, AParcel *out,
				int32_t *ret_value)
{
	if (rc != STATUS_OK)
		return rc;
	rc = AParcel_readInt32(out, ret_value);
	AParcel_delete(out);
	return rc;
}

static binder_status_t take_fd_of(binder_status_t rc, AParcel *out, int *ret_fd)
{
	if (rc != STATUS_OK)
		return rc;
	rc = AParcel_readParcelFileDescriptor(out, ret_fd);
	AParcel_delete(out);
	return rc;
}

static binder_status_t call_with_text(AIBinder *binder, uint32_t code,
				      const char *text, uint32_t flags,
				      AParcel **ret_out)
{
	AParcel *in;
	binder_status_t rc;

	rc = begin(binder, &in);
	if (rc != STATUS_OK)
		return rc;
	rc = write_text(in, text);
	return finish(binder, code, in, rc, flags, ret_out);
}

binder_status_t service_send_string(AIBinder *binder, const char *text)
{
	return call_with_text(binder, SEND_STRING, text, FLAG_ONEWAY, NULL);
}

binder_status_t service_double_string(AIBinder *binder, const char *text,
				      char **ret_text)
{
	AParcel *out = NULL;
	binder_status_t rc;

	rc = call_with_text(binder, DOUBLE_STRING, text, 0, &out);
	if (rc == STATUS_OK)
		rc = read_text(out, ret_text);
	AParcel_delete(out);
	return rc;
}

binder_status_t service_ping_me(AIBinder *binder, AIBinder *callback,
				int32_t *ret_status)
{
	AParcel *out = NULL;
	binder_status_t rc = call_with_object(binder, PING_ME, callback, &out);

	return take_int(rc, out, ret_status);
}

binder_status_t service_repeat(AIBinder *binder, AIBinder *sent,
			       AIBinder **ret_back)
{
	AParcel *out = NULL;
	binder_status_t rc = call_with_object(binder, REPEAT, sent, &out);

	return take_object(rc, out, ret_back);
}

binder_status_t service_hold(AIBinder *binder, AIBinder *held)
{
	return call_with_object(binder, HOLD, held, NULL);
}

binder_status_t service_held(AIBinder *binder, AIBinder **ret_held)
{
	AParcel *out = NULL;
	binder_status_t rc = call_for(binder, HELD, &out);

	return take_object(rc, out, ret_held);
}

binder_status_t service_nest(AIBinder *binder, AIBinder *other, int32_t depth)
{
	AParcel *in;
	binder_status_t rc;

	rc = begin(binder, &in);
	if (rc != STATUS_OK)
		return rc;
	rc = AParcel_writeStrongBinder(in, other);
	if (rc == STATUS_OK)
		rc = AParcel_writeInt32(in, depth);
	return finish(binder, NEST, in, rc, 0, NULL);
}

binder_status_t service_same(AIBinder *binder, AIBinder **ret_same)
{
	AParcel *out = NULL;
	binder_status_t rc = call_for(binder, SAME, &out);

	return take_object(rc, out, ret_same);
}

binder_status_t service_open(AIBinder *binder, AIBinder **ret_child)
{
	AParcel *out = NULL;
	binder_status_t rc = call_for(binder, OPEN, &out);

	return take_object(rc, out, ret_child);
}

binder_status_t service_count_open(AIBinder *binder, int32_t *ret_count)
{
	AParcel *out = NULL;
	binder_status_t rc = call_for(binder, COUNT_OPEN, &out);

	return take_int(rc, out, ret_count);
}

binder_status_t service_meet(AIBinder *binder, int32_t count)
{
	return call_with_int(binder, MEET, count, 0);
}

binder_status_t service_wait_gate(AIBinder *binder, bool oneway)
{
	return call_with_int(binder, WAIT_GATE, 0, oneway ? FLAG_ONEWAY : 0);
}

binder_status_t service_send_int(AIBinder *binder, int32_t value)
{
	return send_int(binder, value, FLAG_ONEWAY);
}

binder_status_t service_call_back(AIBinder *binder, AIBinder *callback,
				  bool oneway, bool oneway_callback,
				  int32_t value)
{
	AParcel *in;
	binder_status_t rc;

	rc = begin(binder, &in);
	if (rc != STATUS_OK)
		return rc;
	rc = AParcel_writeStrongBinder(in, callback);
	if (rc == STATUS_OK)
		rc = AParcel_writeBool(in, oneway_callback);
	if (rc == STATUS_OK)
		rc = AParcel_writeInt32(in, value);
	return finish(binder, CALL_BACK, in, rc, oneway ? FLAG_ONEWAY : 0,
		      NULL);
}

binder_status_t service_call_held_later(AIBinder *binder, int32_t value)
{
	return call_with_int(binder, CALL_HELD_LATER, value, 0);
}

binder_status_t service_null(AIBinder *binder)
{
	AIBinder *null = NULL;
	AParcel *out = NULL;
	binder_status_t rc = call_for(binder, RETURN_NULL, &out);

	rc = take_object(rc, out, &null);
	/* what generated code says about a null that the interface excludes */
	return rc == STATUS_OK && !null ? STATUS_UNEXPECTED_NULL : rc;
}

binder_status_t service_echo_file(AIBinder *binder, const char *text,
				  int *ret_fd)
{
	AParcel *out = NULL;
	binder_status_t rc = call_with_text(binder, ECHO_FILE, text, 0, &out);

	return take_fd_of(rc, out, ret_fd);
}

binder_status_t service_concat(AIBinder *binder, int fd, int32_t count,
			       int *ret_fd)
{
	AParcel *in, *out = NULL;
	binder_status_t rc;

	rc = begin(binder, &in);
	if (rc != STATUS_OK)
		return rc;
	rc = AParcel_writeInt32(in, count);
	for (int32_t i = 0; rc == STATUS_OK && i < count; i++)
		rc = AParcel_writeParcelFileDescriptor(in, fd);
	rc = finish(binder, CONCAT, in, rc, 0, &out);
	return take_fd_of(rc, out, ret_fd);
}

binder_status_t service_send_fd(AIBinder *binder, int fd)
{
	AParcel *in;
	binder_status_t rc;

	rc = begin(binder, &in);
	if (rc != STATUS_OK)
		return rc;
	rc = AParcel_writeParcelFileDescriptor(in, fd);
	return finish(binder, SEND_FD, in, rc, FLAG_ONEWAY, NULL);
}

binder_status_t service_die(AIBinder *binder, bool oneway)
{
	return call_with_int(binder, DIE, 0, oneway ? FLAG_ONEWAY : 0);
}

binder_status_t service_unknown(AIBinder *binder)
{
	return call_with_int(binder, UNKNOWN, 0, 0);
}
