/*
 * A client that keeps to every rule, in any order: calls, oneway calls whose
 * numbers come late, objects that are sent, got back and paid for. What the
 * protocol allows must be answered, so each call that waits gets its reply,
 * the session lives until the client hangs up, and what the client has paid
 * for is forgotten.
 *
 * After five minutes: cov: 509.
 */
#include "fuzz.h"

#include <sys/socket.h>
#include <unistd.h>

#include "binder/object.h"
#include "rpc/rpc_server.h"
#include "rpc_input.h"

#include <android/binder_parcel.h>

#define MAX_STEPS  64
#define MAX_EARLY  6
#define N_OBJECTS  4
#define MAX_ANSWER (1 << 16)

enum {
	TAKE = FIRST_CALL_TRANSACTION, /* an object, dropped at once */
	KEEP,                          /* an object, in place of the last */
	NOTHING,                       /* whatever there is, unread */
	MAKE,                          /* returns a new object */
};

/* What the client knows. */
struct client {
	int fd;
	uint32_t version;
	uint32_t replies; /* that are owed to it */
	uint64_t next;    /* number of oneway calls */
	uint64_t early[MAX_EARLY];
	size_t n_early; /* numbers that were left out, and come later */
};

static AIBinder_Class *the_class;
static AIBinder *kept; /* of one input */

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
	AIBinder *object = NULL;
	binder_status_t rc = STATUS_OK;

	(void)binder;
	if (code == TAKE || code == KEEP)
		rc = AParcel_readStrongBinder(in, &object);
	if (code == MAKE) {
		object = AIBinder_new(the_class, NULL);
		rc = AParcel_writeStrongBinder(out, object);
	}
	if (code == KEEP && rc == STATUS_OK) {
		AIBinder_decStrong(kept);
		kept = object;
		object = NULL;
	}
	AIBinder_decStrong(object);
	return rc;
}

static void send_words(const struct client *c, const uint32_t *words,
		       size_t count)
{
	FUZZ_ASSERT(send(c->fd, words, count * 4, MSG_NOSIGNAL) ==
		    (ssize_t)count * 4);
}

/* A call on the root; with an object of the client's when @object. */
static void call(struct client *c, uint32_t code, const uint32_t *object,
		 bool oneway, uint64_t number)
{
	uint32_t words[4 + 10 + 4 + 1] = {
		0, 40, 0, 0, 3, 0, code, oneway, (uint32_t)number, 0};
	size_t count = 14;

	if (object) {
		words[10] = 16;
		words[14] = 1;
		words[15] = 1;
		words[16] = *object;
		words[17] = STABILITY_SYSTEM;
		count = 18;
		if (c->version == 2)
			words[count++] = 0; /* the table */
	}
	words[1] = (uint32_t)(count - 4) * 4;
	send_words(c, words, count);
	c->replies += oneway ? 0 : 1;
}

static void special(struct client *c, uint32_t code)
{
	const uint32_t words[14] = {0, 40, 0, 0, 0, 0, code};

	send_words(c, words, 14);
	c->replies++;
}

/* Pay for what does not exist, or too much: ignored. */
static void pay(const struct client *c, uint8_t b)
{
	const uint32_t words[8] = {2, 16, 0, 0, 3, 100U + b, 1U + b, 0};

	send_words(c, words, 8);
}

/* A oneway call: in turn, one that is left out, or one that was. */
static void oneway_call(struct client *c, uint8_t b, const uint32_t *object)
{
	uint64_t number = c->next;

	if ((b & 1) && c->n_early < MAX_EARLY) {
		c->early[c->n_early++] = c->next++;
		number = c->next;
	}
	if ((b & 2) && c->n_early > 0)
		number = c->early[--c->n_early];
	else
		c->next = number + 1;
	call(c, NOTHING, object, true, number);
}

static void step(struct client *c, struct fuzz_input *in)
{
	uint8_t b = fuzz_u8(in);
	uint32_t object = (b >> 3) % N_OBJECTS;

	switch (b & 7) {
	case 0:
		special(c, object % 3);
		break;
	case 1:
		call(c, CODE_INTERFACE, NULL, false, 0);
		break;
	case 2:
	case 3:
		call(c, (b & 1) ? TAKE : KEEP, &object, false, 0);
		break;
	case 4:
		call(c, NOTHING, c->version == 2 ? &object : NULL, false, 0);
		break;
	case 5:
		call(c, b & 8 ? MAKE : CODE_EXTENSION, NULL, false, 0);
		break;
	case 6:
		oneway_call(c, b >> 3, NULL);
		break;
	default:
		pay(c, b);
	}
}

/* The replies among what the server has said. */
static uint32_t count_replies(int fd)
{
	static uint32_t words[MAX_ANSWER / 4];
	ssize_t n = recv(fd, words, sizeof(words), MSG_DONTWAIT | MSG_WAITALL);
	size_t count = n < 0 ? 0 : (size_t)n / 4;
	uint32_t replies = 0;

	FUZZ_ASSERT(n < 0 || n % 4 == 0);
	/* behind the welcome */
	for (size_t at = 2; at < count; at += 4 + words[at + 1] / 4) {
		FUZZ_ASSERT(count - at >= 4 && words[at + 1] / 4 <= count - at);
		FUZZ_ASSERT(words[at] == RPC_REPLY ||
			    words[at] == RPC_DEC_STRONG);
		replies += words[at] == RPC_REPLY;
	}
	return replies;
}

static void play(struct client *c, struct fuzz_input *in)
{
	const uint32_t hello[4] = {c->version};
	const uint32_t init[2] = {0x00696363};

	send_words(c, hello, 4);
	send_words(c, init, 2);
	special(c, RPC_GET_ROOT);
	for (int i = 0; i < MAX_STEPS && fuzz_more(in); i++)
		step(c, in);
	/* what was left out comes at last, in any order */
	while (c->n_early > 0)
		call(c, NOTHING, NULL, true, c->early[--c->n_early]);
	special(c, RPC_GET_MAX_THREADS);
	(void)shutdown(c->fd, SHUT_WR);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	unsigned int fds = fuzz_count_fds();
	struct fuzz_input in = {data, size};
	struct rpc_worker worker = {.pending = true};
	struct client c = {0};
	int pair[2], bootstrap[2];
	ARpcServer *server;
	AIBinder *root;

	if (!the_class) {
		the_class = AIBinder_Class_define("x", on_create, on_destroy,
						  on_transact);
		FUZZ_ASSERT(the_class);
		AIBinder_Class_disableInterfaceTokenHeader(the_class);
	}
	root = AIBinder_new(the_class, NULL);
	fuzz_socketpair(SOCK_STREAM, bootstrap);
	server = ARpcServer_newUnixDomainBootstrap(root, bootstrap[0]);
	FUZZ_ASSERT(server && AvfRpcServer_setProtocolVersion(server, 2));
	server->n_pending = 1;
	rpc_input_pair(pair);
	c.fd = pair[1];
	c.version = fuzz_u8(&in) % 3;
	play(&c, &in);
	worker.server = server;
	worker.fd = pair[0];
	rpc_server_run_worker(&worker);
	FUZZ_ASSERT(count_replies(c.fd) == c.replies);
	AIBinder_decStrong(kept);
	kept = NULL;
	FUZZ_ASSERT(AvfRpcServer_countSessions(server) == 0);
	ARpcServer_free(server);
	FUZZ_ASSERT(AIBinder_debugGetRefCount(root) == 1);
	AIBinder_decStrong(root);
	fuzz_close(pair[1]);
	fuzz_close(bootstrap[1]);
	FUZZ_ASSERT(fuzz_count_fds() == fds);
	return 0;
}
