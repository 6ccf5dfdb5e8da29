/*
 * Bytes of a QEMU that was taken over, on their way to a host that reads
 * slowly, late, or never.
 *
 * After a minute: cov: 149.
 */
#include "fuzz.h"

#include <signal.h>
#include <sys/socket.h>
#include <unistd.h>

#include "qemu/relay.h"

#define PERIOD 251U /* byte n of the stream is n % PERIOD */

struct rig {
	struct loop loop;
	struct sink sink;
	struct relay relay;
	int qemu, host; /* their ends; -1: closed */
	uint64_t sent, seen;
	unsigned int ended;
};

static void on_ended(void *userdata)
{
	FUZZ_ASSERT(++((struct rig *)userdata)->ended == 1);
}

static void on_sink_ready(void *userdata)
{
	relay_resume(&((struct rig *)userdata)->relay);
}

static void turn(struct rig *r)
{
	FUZZ_ASSERT(loop_run_once(&r->loop, 0) == 0);
}

/* Returns whether it all fitted. */
static bool qemu_sends(struct rig *r, size_t size)
{
	unsigned char data[8192];
	ssize_t n;

	for (size_t i = 0; i < sizeof(data); i++)
		data[i] = (unsigned char)((r->sent + i) % PERIOD);
	n = send(r->qemu, data, MIN(size, sizeof(data)),
		 MSG_DONTWAIT | MSG_NOSIGNAL);
	r->sent += n > 0 ? (uint64_t)n : 0;
	return n == (ssize_t)MIN(size, sizeof(data));
}

/* What arrives is what was sent, in its order. */
static ssize_t host_reads(struct rig *r, size_t size)
{
	unsigned char data[8192];
	ssize_t n = recv(r->host, data, MIN(size, sizeof(data)), MSG_DONTWAIT);

	for (ssize_t i = 0; i < n; i++)
		FUZZ_ASSERT(data[i] == r->seen++ % PERIOD);
	return n;
}

static void close_end(int *fd)
{
	fuzz_close(*fd);
	*fd = -1;
}

static void send_back(struct rig *r, size_t size)
{
	static const char data[8192];

	size = MIN(size, sizeof(data));
	FUZZ_ASSERT(relay_send(&r->relay, data, size) <= size);
}

static void act(struct rig *r, struct fuzz_input *in)
{
	uint8_t action = fuzz_u8(in);
	char buf[8192];

	switch (action & 7) {
	case 0:
		(void)qemu_sends(r, fuzz_u8(in) * 64U + 1);
		break;
	case 1:
		(void)host_reads(r, fuzz_u8(in) * 64U + 1);
		break;
	case 2:
		send_back(r, fuzz_u8(in) * 64U);
		break;
	case 3:
		(void)!recv(r->qemu, buf, sizeof(buf), MSG_DONTWAIT);
		break;
	case 4:
		(void)shutdown(r->qemu, fuzz_u8(in) % 3);
		break;
	case 5:
		close_end(action & 8 ? &r->qemu : &r->host);
		break;
	case 6:
		while (qemu_sends(r, sizeof(buf)))
			;
		break;
	default:
		turn(r);
		break;
	}
}

static void start(struct rig *r)
{
	int qemu[2], out[2];

	FUZZ_ASSERT(signal(SIGPIPE, SIG_IGN) != SIG_ERR);
	FUZZ_ASSERT(loop_init(&r->loop) == 0);
	fuzz_socketpair(SOCK_STREAM, qemu);
	fuzz_socketpair(SOCK_STREAM, out);
	r->qemu = qemu[1];
	r->host = out[0];
	sink_init(&r->sink, out[1], &r->loop);
	sink_on_ready(&r->sink, on_sink_ready, r);
	FUZZ_ASSERT(relay_init(&r->relay, qemu[0], &r->loop, &r->sink) == 0);
	r->relay.ended = on_ended;
	r->relay.userdata = r;
}

/* A host that reads on gets all of it, and the end is told. */
static void finish(struct rig *r)
{
	close_end(&r->qemu);
	for (unsigned int i = 0; i < 4096 && !r->ended; i++) {
		turn(r);
		(void)host_reads(r, SIZE_MAX);
	}
	FUZZ_ASSERT(r->ended == 1 && relay_has_ended(&r->relay));
	while (host_reads(r, SIZE_MAX) > 0)
		;
	FUZZ_ASSERT(r->host < 0 || r->seen == r->sent);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct fuzz_input in = {data, size};
	unsigned int n_fds = fuzz_count_fds();
	static struct rig r;

	memset(&r, 0, sizeof(r));
	start(&r);
	while (fuzz_more(&in))
		act(&r, &in);
	finish(&r);
	relay_fini(&r.relay);
	sink_fini(&r.sink);
	loop_fini(&r.loop);
	close_end(&r.host);
	FUZZ_ASSERT(fuzz_count_fds() == n_fds);
	return 0;
}
