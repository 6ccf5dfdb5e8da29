/*
 * Answers and events of a QEMU that was taken over, in pieces.
 *
 * After a minute: cov: 227.
 */
#include "fuzz.h"

#include <sys/socket.h>

#include "base/loop.h"
#include "qemu/qmp.h"

#define GREETING "{\"QMP\":{}}\n{\"return\":{}}\n"

struct peer {
	struct qmp *qmp;
	unsigned int ready, shutdowns, failures;
	bool free_in_callback;
};

static void release(struct peer *p)
{
	if (!p->free_in_callback)
		return;
	qmp_free(p->qmp);
	p->qmp = NULL;
}

static void on_ready(void *userdata)
{
	struct peer *p = userdata;

	FUZZ_ASSERT(++p->ready == 1);
	(void)!qmp_system_powerdown(p->qmp);
}

static void on_shutdown(void *userdata, enum qmp_shutdown cause)
{
	struct peer *p = userdata;

	(void)cause;
	FUZZ_ASSERT(++p->shutdowns == 1);
	release(p);
}

static void on_failed(void *userdata, int rc)
{
	struct peer *p = userdata;

	FUZZ_ASSERT(rc < 0 && ++p->failures == 1);
	release(p);
}

/* Its callbacks must not free the client. */
static void drain(struct peer *p)
{
	p->free_in_callback = false;
	qmp_drain(p->qmp);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const struct qmp_ops ops = {on_ready, on_shutdown, on_failed};
	struct fuzz_input in = {data, size};
	uint8_t how = fuzz_u8(&in);
	struct peer p = {.free_in_callback = how & 1};
	struct loop loop;
	char piece[256];
	int pair[2];

	FUZZ_ASSERT(loop_init(&loop) == 0);
	fuzz_socketpair(SOCK_STREAM, pair);
	FUZZ_ASSERT(qmp_new(pair[0], &loop, &ops, &p, &p.qmp) == 0);
	if (how & 2)
		(void)!send(pair[1], GREETING, strlen(GREETING), MSG_DONTWAIT);
	while (fuzz_more(&in)) {
		size_t n = fuzz_bytes(&in, piece, how & 4 ? 7 : sizeof(piece));

		(void)!send(pair[1], piece, n, MSG_DONTWAIT | MSG_NOSIGNAL);
		FUZZ_ASSERT(loop_run_once(&loop, 0) == 0);
	}
	fuzz_close(pair[1]);
	if (p.qmp && how & 8)
		drain(&p);
	qmp_free(p.qmp);
	loop_fini(&loop);
	return 0;
}
