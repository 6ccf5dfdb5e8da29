/*
 * bench_rpc_c PLACE WHAT CALLS: the calls from C, each row beside a bare echo
 * of as many bytes on a connection of the same kind.
 */
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

#include <android/binder_parcel.h>
#include <android/binder_rpc_unstable.h>

#include "bench.h"
#include "echo.h"
#include "place.h"

/* A header and a call; the interface's name; two numbers, or an array. */
#define REQUEST_BYTES 56
#define TOKEN_BYTES   48
#define ARGS_BYTES    8
/* The reference that is paid, a header and a reply; the status, a number. */
#define REPLY_BYTES 76

static int8_t bytes[ECHO_MAX];

/* ---- a bare echo ----------------------------------------------------------
 */

static struct echo_order order;

static void echo_once(void *data, uint32_t size)
{
	const int *fd = data;

	(void)size;
	if (send(*fd, bytes, order.request, MSG_NOSIGNAL) !=
		    (ssize_t)order.request ||
	    recv(*fd, bytes, order.reply, MSG_WAITALL) != (ssize_t)order.reply)
		die("echo");
}

/* One connection, and so one thread: more threads have no more of it. */
static double measure_echo(struct place *place, const struct work *work,
			   int count)
{
	struct work alone = *work;
	int fd = place_dial_echo(place);
	double us;

	alone.threads = 1;
	order.request = REQUEST_BYTES + TOKEN_BYTES +
			(work->size > 0 ? 4 + work->size : ARGS_BYTES);
	order.reply = REPLY_BYTES;
	if (send(fd, &order, sizeof(order), MSG_NOSIGNAL) < 0)
		die("echo");
	us = measure(&alone, count, echo_once, &fd);
	(void)close(fd);
	return us;
}

/* ---- calls ------------------------------------------------------------------
 */

static void *on_create(void *args)
{
	return args;
}

static void on_destroy(void *user_data)
{
	(void)user_data;
}

static binder_status_t on_transact(AIBinder *binder, transaction_code_t code,
				   const AParcel *in, AParcel *out)
{
	(void)binder;
	(void)code;
	(void)in;
	(void)out;
	return STATUS_UNKNOWN_TRANSACTION;
}

static binder_status_t write_args(AParcel *in, uint32_t size)
{
	binder_status_t rc;

	if (size > 0)
		return AParcel_writeByteArray(in, bytes, (int32_t)size);
	rc = AParcel_writeInt32(in, 123);
	return rc == STATUS_OK ? AParcel_writeInt32(in, 321) : rc;
}

static void call_once(void *data, uint32_t size)
{
	AIBinder *root = data;
	AParcel *in = NULL, *out = NULL;
	int32_t status = -1, result = 0;

	if (AIBinder_prepareTransaction(root, &in) != STATUS_OK ||
	    write_args(in, size) != STATUS_OK ||
	    AIBinder_transact(root, size > 0 ? 2 : 1, &in, &out, 0) !=
		    STATUS_OK ||
	    AParcel_readInt32(out, &status) != STATUS_OK || status != 0 ||
	    AParcel_readInt32(out, &result) != STATUS_OK ||
	    result != (size > 0 ? (int32_t)size : 444))
		die("call");
	AParcel_delete(out);
}

int main(int argc, char **argv)
{
	AIBinder_Class *clazz = AIBinder_Class_define(
		"org.avf.bench.IBench", on_create, on_destroy, on_transact);
	ARpcSession *session = ARpcSession_new();
	struct place place;
	AIBinder *root;
	int calls;

	if (argc != 4)
		die("usage: bench_rpc_c PLACE WHAT CALLS");
	calls = (int)strtol(argv[3], NULL, 10);
	place_open(&place, argv[1], argv[2]);
	root = ARpcSession_setupPreconnectedClient(session, place_dial, &place);
	if (!root || !AIBinder_associateClass(root, clazz))
		die("session");
	for (int i = 0; i < N_WORKS * N_SLICES; i++) {
		const struct work *work = &works[i / N_SLICES];

		place_sample(&place, "echo", work->what,
			     measure_echo(&place, work, calls / N_SLICES));
		place_sample(&place, "c", work->what,
			     measure(work, calls / N_SLICES, call_once, root));
	}
	AIBinder_decStrong(root);
	ARpcSession_free(session);
	place_close(&place);
	return 0;
}
