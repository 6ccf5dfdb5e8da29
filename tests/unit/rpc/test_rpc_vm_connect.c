/* Into a VM that is a socketpair: what a guest may do to the one who connects.
 * As in the host's program avf_vm_connect() is there. */
#include <criterion/criterion.h>

#include <errno.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <android/binder_rpc_unstable.h>
#include <avf/rpc.h>

#include "base/checked.h"
#include "support/raw_peer.h"

#define WELCOME    "01000000 00000000"
#define THREADS(n) RAW_REPLY("18000000", "00000000", "04000000") n
#define ID                                            \
	RAW_REPLY("38000000", "00000000", "24000000") \
	"20000000"                                    \
	"01010101 02020202 03030303 04040404"         \
	"05050505 06060606 07070707 08080808"
#define ROOT                                          \
	RAW_REPLY("24000000", "00000000", "10000000") \
	"01000000 " RAW_SERVER " 0c000000"
#define NO_ROOT                                       \
	RAW_REPLY("1c000000", "00000000", "08000000") \
	"00000000 00000000"

/* What the guest says, all at once, and whether it hangs up then: on the
 * connection that is called on, and on the one that it calls on. */
static struct {
	const char *says;
	bool hangs_up;
} on[2];
static int peers[2] = {-1, -1};
static unsigned int n_peers;
static int refuses;

static void close_peers(void)
{
	for (; n_peers > 0; n_peers--)
		close(peers[n_peers - 1]);
}

/* What it says then, again and again and without a pause, if anything. */
static unsigned char flood[64];
static size_t flood_size, flood_pos;

ssize_t recvmsg(int fd, struct msghdr *msg, int flags)
{
	ssize_t n = syscall(SYS_recvmsg, fd, msg,
			    flood_size > 0 ? flags | MSG_DONTWAIT : flags);
	unsigned char *bytes = msg->msg_iov->iov_base;

	if (n >= 0 || errno != EAGAIN || flood_size == 0)
		return n;
	for (size_t i = 0; i < msg->msg_iov->iov_len; i++)
		bytes[i] = flood[flood_pos++ % flood_size];
	return (ssize_t)msg->msg_iov->iov_len;
}

/* Have the guest flood whoever connects with @hex. */
static void set_flood(const char *hex)
{
	int pair[2];
	ssize_t n;

	cr_assert_eq(socketpair(AF_UNIX, SOCK_STREAM, 0, pair), 0);
	raw_send(pair[1], hex);
	n = read(pair[0], flood, sizeof(flood));
	cr_assert_gt(n, 0);
	flood_size = (size_t)n;
	flood_pos = 0;
	close(pair[0]);
	close(pair[1]);
}

int avf_vm_connect(avf_vm *vm, uint32_t port, int timeout_ms, int *ret_fd)
{
	int pair[2];

	(void)vm;
	cr_expect_eq(port, 5678);
	cr_expect_neq(timeout_ms, 0);
	if (refuses < 0)
		return refuses;
	cr_assert_eq(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair),
		     0);
	cr_assert_lt(n_peers, ARRAY_SIZE(peers));
	raw_send(pair[1], on[n_peers].says);
	if (on[n_peers].hangs_up)
		(void)shutdown(pair[1], SHUT_WR);
	peers[n_peers++] = pair[1];
	*ret_fd = pair[0];
	return 0;
}

TestSuite(vm_connect, .timeout = 60);

Test(vm_connect, what_guests_do)
{
	static const struct {
		const char *what, *says;
		bool hangs_up;
		int rc;
	} rows[] = {
		{"accepts and is silent", "", false, AVF_ERR_TIMEOUT},
		{"says half a word", "010000", false, AVF_ERR_TIMEOUT},
		{"is silent after the welcome", WELCOME, false,
		 AVF_ERR_TIMEOUT},
		{"does not say its id", WELCOME THREADS("01000000"), false,
		 AVF_ERR_TIMEOUT},
		{"does not say its root", WELCOME THREADS("01000000") ID, false,
		 AVF_ERR_TIMEOUT},
		{"pays and is silent",
		 WELCOME RAW_DEC(RAW_CLIENT, "01000000")
			 RAW_DEC(RAW_CLIENT, "01000000"),
		 false, AVF_ERR_TIMEOUT},
		{"hangs up", "", true, AVF_ERR_PROTOCOL},
		{"hangs up later", WELCOME THREADS("01000000"), true,
		 AVF_ERR_PROTOCOL},
		{"has a version of the future", "03000000 00000000", false,
		 AVF_ERR_PROTOCOL},
		{"has no thread", WELCOME THREADS("00000000"), false,
		 AVF_ERR_PROTOCOL},
		{"has fewer than none", WELCOME THREADS("ffffffff"), false,
		 AVF_ERR_PROTOCOL},
		{"has no root", WELCOME THREADS("01000000") ID NO_ROOT, false,
		 AVF_ERR_PROTOCOL},
		{"speaks HTTP", "48545450 2f312e31 20343030", false,
		 AVF_ERR_PROTOCOL},
		{"is good", WELCOME THREADS("01000000") ID ROOT, false, 0},
		{"says half a word at the end",
		 WELCOME THREADS("01000000") ID ROOT "020000", false, 0},
	};
	struct AIBinder *root;

	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		on[0].says = rows[i].says;
		on[0].hangs_up = rows[i].hangs_up;
		on[1].says = RAW_INIT;
		root = NULL;
		cr_expect_eq(avf_vm_connect_rpc(NULL, 5678, 50, &root),
			     rows[i].rc, "%s", rows[i].what);
		cr_expect_eq(root != NULL, rows[i].rc == 0, "%s", rows[i].what);
		AIBinder_decStrong(root);
		close_peers();
	}
}

/* The same on the connection that it is given to call on. */
Test(vm_connect, what_guests_do_that_may_call)
{
	static const struct {
		const char *what, *says;
		bool hangs_up;
		int rc;
	} rows[] = {
		{"is silent", "", false, AVF_ERR_TIMEOUT},
		{"says half a word", "636369", false, AVF_ERR_TIMEOUT},
		{"says another word", "58585800 00000000", false,
		 AVF_ERR_PROTOCOL},
		{"hangs up", "", true, AVF_ERR_PROTOCOL},
		{"pays for nothing at once",
		 RAW_INIT RAW_DEC(RAW_CLIENT, "01000000"), false, 0},
	};
	struct AIBinder *root;

	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		on[0].says = WELCOME THREADS("01000000") ID ROOT;
		on[1].says = rows[i].says;
		on[1].hangs_up = rows[i].hangs_up;
		root = NULL;
		cr_expect_eq(avf_vm_connect_rpc(NULL, 5678, 200, &root),
			     rows[i].rc, "%s", rows[i].what);
		cr_expect_eq(root != NULL, rows[i].rc == 0, "%s", rows[i].what);
		AIBinder_decStrong(root);
		close_peers();
	}
}

/* The root's references are paid, and the thread goes with the session. */
Test(vm_connect, ends_with_its_objects)
{
	struct AIBinder *root = NULL;

	on[0].says = WELCOME THREADS("01000000") ID ROOT;
	on[1].says = RAW_INIT;
	cr_assert_eq(avf_vm_connect_rpc(NULL, 5678, 1000, &root), 0);
	AIBinder_decStrong(root);
	cr_expect(raw_closed(peers[0]));
	cr_expect(raw_closed(peers[1]));
	close_peers();
}

/* A session of the caller's has the threads and the version that it says. */
Test(vm_connect, over_a_session_of_the_callers)
{
	ARpcSession *session = ARpcSession_new();
	struct AIBinder *root = NULL;

	(void)AvfRpcSession_setProtocolVersion(session, 2);
	on[0].says = WELCOME THREADS("01000000") ID ROOT;
	cr_expect_eq(
		avf_vm_connect_rpc_session(NULL, 5678, 1000, session, &root),
		0);
	cr_expect_not_null(root);
	cr_expect_eq(n_peers, 1, "no thread was asked for");
	cr_expect(raw_expect(peers[0], RAW_HELLO("02000000")));
	cr_expect_eq(AvfRpcSession_getProtocolVersion(session), 1);
	cr_expect_eq(
		avf_vm_connect_rpc_session(NULL, 5678, 1000, session, &root),
		AVF_ERR_STATE, "it is connected");
	cr_expect_eq(avf_vm_connect_rpc_session(NULL, 5678, 1000, NULL, &root),
		     AVF_ERR_INVALID);
	AIBinder_decStrong(root);
	ARpcSession_free(session);
	close_peers();
}

Test(vm_connect, what_the_vm_says_is_passed_on)
{
	struct AIBinder *root = NULL;

	refuses = AVF_ERR_REFUSED;
	cr_expect_eq(avf_vm_connect_rpc(NULL, 5678, 50, &root),
		     AVF_ERR_REFUSED);
	refuses = AVF_ERR_STATE;
	cr_expect_eq(avf_vm_connect_rpc(NULL, 5678, -1, &root), AVF_ERR_STATE);
	cr_expect_null(root);
}

/* A guest that always has something to say has no more time than others. */
Test(vm_connect, floods)
{
	static const struct {
		const char *what, *message;
	} rows[] = {
		{"payments", RAW_DEC(RAW_CLIENT, "01000000")},
		{"calls, whose answers it does not read",
		 RAW_CALL(RAW_NONE, "01000000", "00000000", RAW_NONE)},
	};
	struct AIBinder *root = NULL;

	on[0].says = WELCOME;
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		set_flood(rows[i].message);
		cr_expect_eq(avf_vm_connect_rpc(NULL, 5678, 200, &root),
			     AVF_ERR_TIMEOUT, "%s", rows[i].what);
		close_peers();
	}
	cr_expect_null(root);
}
