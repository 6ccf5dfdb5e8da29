/*
 * What calls and sessions cost in memory: the allocations of a warm call, on
 * both sides together, and the bytes of a session besides its threads.
 * malloc() and its like are this program's, and count.
 */
#include <malloc.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>

#include <android/binder_parcel.h>

#include "base/checked.h"
#include "support/rpc_fixture.h"

#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
#define HAS_SANITIZER 1
#elif defined(__has_feature)
#if __has_feature(address_sanitizer) || __has_feature(thread_sanitizer)
#define HAS_SANITIZER 1
#endif
#endif

#ifdef HAS_SANITIZER
int main(void)
{
	puts("skip memory: a sanitizer has its own allocator");
	return 0;
}
#else

#define N_CALLS    100
#define N_SESSIONS 20
#define MAX_BYTES  (64 * 1024)

static atomic_ulong n_allocations;
static atomic_long n_bytes; /* that are in use */

void *__libc_malloc(size_t size);
void *__libc_calloc(size_t n, size_t size);
void *__libc_realloc(void *old, size_t size);
void __libc_free(void *p);

static void *count(void *p)
{
	atomic_fetch_add(&n_allocations, 1);
	if (p)
		atomic_fetch_add(&n_bytes, (long)malloc_usable_size(p));
	return p;
}

#pragma GCC visibility push(default)

void *malloc(size_t size)
{
	return count(__libc_malloc(size));
}

void *calloc(size_t n, size_t size)
{
	return count(__libc_calloc(n, size));
}

void *realloc(void *old, size_t size)
{
	if (old)
		atomic_fetch_sub(&n_bytes, (long)malloc_usable_size(old));
	return count(__libc_realloc(old, size));
}

void free(void *p)
{
	if (p)
		atomic_fetch_sub(&n_bytes, (long)malloc_usable_size(p));
	__libc_free(p);
}

#pragma GCC visibility pop

/* Each side has a parcel for what goes in and one for what comes out; a parcel
 * that was received has the message it came in, one that was written has a
 * block of bytes. */
#define OF_A_PING 6UL /* 4 parcels, 2 messages */
#define OF_A_CALL 8UL /* and 2 blocks */

static void ping(AIBinder *root)
{
	if (AIBinder_ping(root) != STATUS_OK)
		abort();
}

static void call(AIBinder *root)
{
	int32_t n;

	if (service_count_open(root, &n) != STATUS_OK)
		abort();
}

/* The allocations of @run, N_CALLS times, once warm. */
static unsigned long cost(AIBinder *root, void (*run)(AIBinder *root))
{
	unsigned long before;

	for (int i = 0; i < 10; i++)
		run(root);
	before = atomic_load(&n_allocations);
	for (int i = 0; i < N_CALLS; i++)
		run(root);
	return atomic_load(&n_allocations) - before;
}

static void WarmCalls(struct rpc_fixture *f)
{
	unsigned long of_ping = cost(f->roots[0], ping);
	unsigned long of_call = cost(f->roots[0], call);

	printf("# allocations, both sides: %d pings %lu, calls %lu\n", N_CALLS,
	       of_ping, of_call);
	/* in total: one that only some calls make is one too many */
	CHECK(f, of_ping <= OF_A_PING * N_CALLS);
	CHECK(f, of_call <= OF_A_CALL * N_CALLS);
}

/* Both sides of a session, each with its root, its connections and threads,
 * of which the C library keeps a little as well. */
static void SessionsAreSmall(struct rpc_fixture *f)
{
	const struct rpc_options options = {.client_version = 1,
					    .server.version = 1};
	ARpcSession *sessions[N_SESSIONS];
	AIBinder *roots[N_SESSIONS];
	long before = atomic_load(&n_bytes);
	long each;

	for (size_t i = 0; i < N_SESSIONS; i++) {
		sessions[i] = ARpcSession_new();
		roots[i] = rpc_fixture_connect(f, &options, sessions[i]);
		CHECK(f, roots[i] && AIBinder_ping(roots[i]) == STATUS_OK);
	}
	each = (atomic_load(&n_bytes) - before) / N_SESSIONS;
	printf("# bytes of a session, both sides: %ld\n", each);
	CHECK(f, each > 0 && each < MAX_BYTES);
	for (size_t i = 0; i < N_SESSIONS; i++) {
		AIBinder_decStrong(roots[i]);
		ARpcSession_free(sessions[i]);
	}
}

static const struct rpc_test tests[] = {
	RPC_ONE(WarmCalls, .server.threads = 1),
	RPC_ONE(SessionsAreSmall, .server.threads = 1),
};

int main(int argc, char **argv)
{
	return rpc_run_tests(tests, ARRAY_SIZE(tests), argc, argv);
}
#endif
