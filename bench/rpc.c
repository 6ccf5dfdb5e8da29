/*
 * RPC binder over a Unix socket, beside a bare echo of as many bytes on the
 * same kind of socket, in the same run and in turns. As AVF's own benchmark:
 * 10,000 calls after 10 that do not count.
 *
 *	bench_rpc [CALLS]
 *
 * Samples are microseconds per call; the last lines are medians and ratios.
 */
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include <android/binder_parcel.h>
#include <android/binder_rpc_unstable.h>

#define WARM_UP   10
#define ROUNDS    9
#define MAX_BYTES 65536
/* What a call without arguments puts on the wire each way: a header and a
 * call; the reference that is paid, a header and a reply. */
#define CALL_BYTES  56
#define REPLY_BYTES 68

static int calls = 10000;
static AIBinder_Class *echo_class;

static void die(const char *what)
{
	perror(what);
	exit(1);
}

static double now_us(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return (double)ts.tv_sec * 1e6 + (double)ts.tv_nsec / 1e3;
}

/* ---- the service
 * --------------------------------------------------------------- */

static void *on_create(void *args)
{
	return args;
}

static void on_destroy(void *user_data)
{
	(void)user_data;
}

static bool take_bytes(void *data, int32_t length, int8_t **ret_buffer)
{
	*ret_buffer = data;
	return length <= MAX_BYTES;
}

/* An array of bytes is taken, and a small one comes back. */
static binder_status_t on_transact(AIBinder *binder, transaction_code_t code,
				   const AParcel *in, AParcel *out)
{
	static _Thread_local int8_t bytes[MAX_BYTES];
	binder_status_t rc;

	(void)binder;
	(void)code;
	rc = AParcel_readByteArray(in, bytes, take_bytes);
	return rc == STATUS_OK ? AParcel_writeByteArray(out, bytes, 4) : rc;
}

/* ---- a bare echo
 * ------------------------------------------------------------------ */

struct echo {
	int fd;
	size_t request, reply;
};

static void read_all(int fd, char *bytes, size_t size)
{
	if (recv(fd, bytes, size, MSG_WAITALL) != (ssize_t)size)
		die("recv");
}

static void write_all(int fd, const char *bytes, size_t size)
{
	ssize_t n;

	for (; size > 0; bytes += n, size -= (size_t)n) {
		n = send(fd, bytes, size, MSG_NOSIGNAL);
		if (n < 0)
			die("send");
	}
}

static void *serve_echo(void *data)
{
	const struct echo *echo = data;
	char *bytes = calloc(1, 2 * MAX_BYTES);

	while (bytes && recv(echo->fd, bytes, echo->request, MSG_WAITALL) ==
				(ssize_t)echo->request)
		write_all(echo->fd, bytes, echo->reply);
	free(bytes);
	return NULL;
}

/* Microseconds per round trip of so many bytes. */
static double measure_echo(size_t request, size_t reply, int count)
{
	char *bytes = calloc(1, 2 * MAX_BYTES);
	struct echo echo = {.request = request, .reply = reply};
	double start = 0;
	pthread_t thread;
	int fds[2];

	if (!bytes || socketpair(AF_UNIX, SOCK_STREAM, 0, fds) < 0)
		die("socketpair");
	echo.fd = fds[1];
	if (pthread_create(&thread, NULL, serve_echo, &echo) != 0)
		die("thread");
	for (int i = -WARM_UP; i < count; i++) {
		if (i == 0)
			start = now_us();
		write_all(fds[0], bytes, request);
		read_all(fds[0], bytes, reply);
	}
	start = (now_us() - start) / count;
	close(fds[0]);
	pthread_join(thread, NULL);
	close(fds[1]);
	free(bytes);
	return start;
}

/* ---- calls
 * ---------------------------------------------------------------------------
 */

struct caller {
	AIBinder *root;
	size_t size; /* of the argument; 0: ping */
	int count;
};

static void call_once(const struct caller *caller, const int8_t *bytes)
{
	AParcel *in, *out;

	if (caller->size == 0) {
		if (AIBinder_ping(caller->root) != STATUS_OK)
			die("ping");
		return;
	}
	if (AIBinder_prepareTransaction(caller->root, &in) != STATUS_OK ||
	    AParcel_writeByteArray(in, bytes, (int32_t)caller->size) !=
		    STATUS_OK ||
	    AIBinder_transact(caller->root, 1, &in, &out, 0) != STATUS_OK)
		die("call");
	AParcel_delete(out);
}

static void *run_caller(void *data)
{
	const struct caller *caller = data;
	int8_t *bytes = calloc(1, MAX_BYTES);

	for (int i = 0; bytes && i < caller->count; i++)
		call_once(caller, bytes);
	free(bytes);
	return NULL;
}

/* Microseconds per call with so many threads. */
static double measure_calls(AIBinder *root, size_t size, int threads, int count)
{
	struct caller caller = {.root = root, .size = size, .count = WARM_UP};
	pthread_t ids[8];
	double start;

	(void)run_caller(&caller);
	caller.count = count / threads;
	start = now_us();
	for (int i = 0; i < threads; i++)
		if (pthread_create(&ids[i], NULL, run_caller, &caller) != 0)
			die("thread");
	for (int i = 0; i < threads; i++)
		pthread_join(ids[i], NULL);
	return (now_us() - start) / (caller.count * threads);
}

/* ---- the table
 * ------------------------------------------------------------------------ */

static int compare(const void *a, const void *b)
{
	const double *x = a, *y = b;

	return (*x > *y) - (*x < *y);
}

/* The rounds of one row, each beside its echo. */
static void row(const char *name, AIBinder *root, size_t size, int threads)
{
	/* the interface's name, the array's length, the padding */
	size_t request = CALL_BYTES + (size > 0 ? 24 + 4 + size : 0);
	size_t reply = REPLY_BYTES + (size > 0 ? 8 : 0);
	double calls_us[ROUNDS], echo_us[ROUNDS], ratio[ROUNDS];
	int count = size > 4096 ? calls / 10 : calls;

	for (int i = 0; i < ROUNDS; i++) {
		calls_us[i] = measure_calls(root, size, threads, count);
		echo_us[i] = measure_echo(request, reply, count);
		ratio[i] = calls_us[i] / echo_us[i];
		printf("sample rpc_%s us %.3f\nsample echo_%s us %.3f\n", name,
		       calls_us[i], name, echo_us[i]);
	}
	qsort(calls_us, ROUNDS, sizeof(double), compare);
	qsort(echo_us, ROUNDS, sizeof(double), compare);
	qsort(ratio, ROUNDS, sizeof(double), compare);
	printf("%-20s %8.2f us, bare echo %8.2f us, ratio %.2f\n", name,
	       calls_us[ROUNDS / 2], echo_us[ROUNDS / 2], ratio[ROUNDS / 2]);
	fflush(stdout);
}

int main(int argc, char **argv)
{
	ARpcSession *session = ARpcSession_new();
	ARpcServer *server;
	AIBinder *local, *root;
	int pair[2];

	if (argc > 1)
		calls = (int)strtol(argv[1], NULL, 10);
	echo_class = AIBinder_Class_define("bench", on_create, on_destroy,
					   on_transact);
	local = AIBinder_new(echo_class, NULL);
	if (socketpair(AF_UNIX, SOCK_STREAM, 0, pair) < 0)
		die("socketpair");
	server = ARpcServer_newUnixDomainBootstrap(local, pair[0]);
	AvfRpcServer_setMaxThreads(server, 4);
	ARpcServer_start(server);
	root = ARpcSession_setupUnixDomainBootstrapClient(session, pair[1]);
	if (!root || !AIBinder_associateClass(root, echo_class))
		die("session");
	row("ping", root, 0, 1);
	row("4k", root, 4096, 1);
	row("4k_4_threads", root, 4096, 4);
	row("64k", root, 65536 - 256, 1);
	row("64k_4_threads", root, 65536 - 256, 4);
	AIBinder_decStrong(root);
	ARpcSession_free(session);
	ARpcServer_free(server);
	AIBinder_decStrong(local);
	close(pair[1]);
	return 0;
}
