/*
 * RPC binder between the host and a payload, over the VM's vsock. On real KVM
 * (label lab), and with AVF_TEST_EMULATED under emulation.
 */
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include <avf/rpc.h>

#include <android/binder_parcel.h>
#include <android/binder_rpc_unstable.h>

#include "vm/linux_vm.h"

#define RPC_PORT 5679U
#define NO_PORT  5680U
#define OUR_PORT 5681U
#define WAIT_MS  30000
#define N_CALLS  200

/* An object of ours, and what threads of the session do to it. */
struct mine {
	pthread_mutex_t lock;
	pthread_cond_t changed;
	int n_destroyed;
	int32_t number; /* that it was called with */
	bool heard;     /* of the payload's end */
};

static void *on_create(void *args)
{
	return args;
}

static void on_destroy(void *user_data)
{
	struct mine *mine = user_data;

	pthread_mutex_lock(&mine->lock);
	mine->n_destroyed++;
	pthread_cond_broadcast(&mine->changed);
	pthread_mutex_unlock(&mine->lock);
}

/* 1: here is a number. */
static binder_status_t on_transact(AIBinder *binder, transaction_code_t code,
				   const AParcel *in, AParcel *out)
{
	struct mine *mine = AIBinder_getUserData(binder);
	int32_t number;

	(void)out;
	if (code != 1)
		return STATUS_UNKNOWN_TRANSACTION;
	if (AParcel_readInt32(in, &number) != STATUS_OK)
		return STATUS_BAD_VALUE;
	pthread_mutex_lock(&mine->lock);
	mine->number = number;
	pthread_cond_broadcast(&mine->changed);
	pthread_mutex_unlock(&mine->lock);
	return STATUS_OK;
}

static void on_died(void *cookie)
{
	struct mine *mine = cookie;

	pthread_mutex_lock(&mine->lock);
	mine->heard = true;
	pthread_cond_broadcast(&mine->changed);
	pthread_mutex_unlock(&mine->lock);
}

/* Wait until @holds(@mine), as long as a test waits for a VM. */
static bool comes_true(struct mine *mine, bool (*holds)(const struct mine *))
{
	struct timespec limit;
	bool result;
	int rc = 0;

	clock_gettime(CLOCK_REALTIME, &limit);
	limit.tv_sec += VMT_PATIENCE_MS / 1000;
	pthread_mutex_lock(&mine->lock);
	while (!holds(mine) && rc == 0)
		rc = pthread_cond_timedwait(&mine->changed, &mine->lock,
					    &limit);
	result = holds(mine);
	pthread_mutex_unlock(&mine->lock);
	return result;
}

static bool was_called(const struct mine *mine)
{
	return mine->number == 42;
}

static bool was_destroyed(const struct mine *mine)
{
	return mine->n_destroyed == 1;
}

static bool has_heard(const struct mine *mine)
{
	return mine->heard;
}

/* Make a call of which an int comes back. */
static int32_t call_int(AIBinder *root, uint32_t code, AParcel *in)
{
	AParcel *out = NULL;
	int32_t value = -1;

	CHECK(AIBinder_transact(root, code, &in, &out, 0) == STATUS_OK);
	CHECK(out && AParcel_readInt32(out, &value) == STATUS_OK);
	AParcel_delete(out);
	return value;
}

static void add_numbers(AIBinder *root)
{
	AParcel *in = NULL;

	for (int32_t i = 0; i < N_CALLS; i++) {
		CHECK(AIBinder_prepareTransaction(root, &in) == STATUS_OK);
		CHECK(AParcel_writeInt32(in, i) == STATUS_OK);
		CHECK(AParcel_writeInt32(in, 1000) == STATUS_OK);
		CHECK(call_int(root, 1, in) == i + 1000);
	}
}

/* The arguments of a method that takes an object. */
static AParcel *send_object(AIBinder *root, AIBinder *mine)
{
	AParcel *in = NULL;

	CHECK(AIBinder_prepareTransaction(root, &in) == STATUS_OK);
	CHECK(AParcel_writeStrongBinder(in, mine) == STATUS_OK);
	return in;
}

static void call_back(AIBinder *root, AIBinder_Class *clazz)
{
	struct mine state = {.lock = PTHREAD_MUTEX_INITIALIZER,
			     .changed = PTHREAD_COND_INITIALIZER};
	AIBinder *mine = AIBinder_new(clazz, &state);

	CHECK(call_int(root, 2, send_object(root, mine)) == STATUS_OK);
	AIBinder_decStrong(mine);
	CHECK(comes_true(&state, was_destroyed));
}

/* By a thread of the payload's, while nobody here is in a call. */
static void call_back_later(AIBinder *root, AIBinder_Class *clazz)
{
	struct mine state = {.lock = PTHREAD_MUTEX_INITIALIZER,
			     .changed = PTHREAD_COND_INITIALIZER};
	AIBinder *mine = AIBinder_new(clazz, &state);
	AParcel *in = send_object(root, mine), *out = NULL;

	CHECK(AIBinder_transact(root, 3, &in, &out, 0) == STATUS_OK);
	AParcel_delete(out);
	AIBinder_decStrong(mine);
	CHECK(comes_true(&state, was_called));
	CHECK(comes_true(&state, was_destroyed));
}

/* What the host serves at a port. */
struct door {
	avf_listener *listener; /* borrowed */
	int bootstrap;          /* borrowed: where servers get connections */
};

static bool send_fd(int socket, int fd)
{
	union {
		struct cmsghdr head;
		char space[CMSG_SPACE(sizeof(int))];
	} control = {.head = {.cmsg_len = CMSG_LEN(sizeof(int)),
			      .cmsg_level = SOL_SOCKET,
			      .cmsg_type = SCM_RIGHTS}};
	uint32_t zero = 0;
	struct iovec iov = {&zero, sizeof(zero)};
	struct msghdr msg = {.msg_iov = &iov,
			     .msg_iovlen = 1,
			     .msg_control = &control,
			     .msg_controllen = sizeof(control.space)};

	memcpy(CMSG_DATA(&control.head), &fd, sizeof(fd));
	return sendmsg(socket, &msg, MSG_NOSIGNAL) == (ssize_t)sizeof(zero);
}

/* Let the two connections of a client with a thread in. */
static void *let_in(void *data)
{
	const struct door *door = data;
	bool fine = true;
	int fd;

	for (int i = 0; fine && i < 2; i++) {
		fine = avf_listener_accept(door->listener, VMT_PATIENCE_MS,
					   &fd) == 0;
		if (fine) {
			fine = send_fd(door->bootstrap, fd);
			close(fd);
		}
	}
	return fine ? data : NULL;
}

static int32_t ask_to_call(AIBinder *root, uint32_t port)
{
	AParcel *in = NULL;

	CHECK(AIBinder_prepareTransaction(root, &in) == STATUS_OK);
	CHECK(AParcel_writeInt32(in, (int32_t)port) == STATUS_OK);
	return call_int(root, 4, in);
}

/* The payload connects to the host, as a client of its own. */
static void serve_payload(avf_vm *vm, AIBinder *root, AIBinder_Class *clazz)
{
	struct mine state = {.lock = PTHREAD_MUTEX_INITIALIZER,
			     .changed = PTHREAD_COND_INITIALIZER};
	AIBinder *mine = AIBinder_new(clazz, &state);
	int pair[2];
	struct door door;
	ARpcServer *server;
	pthread_t thread;
	void *fine = NULL;

	CHECK(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair) == 0);
	server = ARpcServer_newUnixDomainBootstrap(mine, pair[0]);
	ARpcServer_start(server);
	door.bootstrap = pair[1];
	CHECK_OK(avf_vm_listen(vm, OUR_PORT, &door.listener));
	CHECK(pthread_create(&thread, NULL, let_in, &door) == 0);
	CHECK(ask_to_call(root, OUR_PORT) == STATUS_OK);
	CHECK(was_called(&state));
	pthread_join(thread, &fine);
	CHECK(fine);
	avf_listener_free(door.listener);
	CHECK(ask_to_call(root, OUR_PORT) != STATUS_OK);
	ARpcServer_free(server);
	AIBinder_decStrong(mine);
	CHECK(comes_true(&state, was_destroyed));
	close(pair[1]);
}

/* The VM goes, and the object with it. */
static void stop(struct vmt_vm *v, AIBinder *root)
{
	struct mine state = {.lock = PTHREAD_MUTEX_INITIALIZER,
			     .changed = PTHREAD_COND_INITIALIZER};
	AIBinder_DeathRecipient *recipient =
		AIBinder_DeathRecipient_new(on_died);

	CHECK(AIBinder_linkToDeath(root, recipient, &state) == STATUS_OK);
	linux_stop(v);
	CHECK(comes_true(&state, has_heard));
	CHECK(AIBinder_ping(root) == STATUS_DEAD_OBJECT);
	AIBinder_DeathRecipient_delete(recipient);
}

static void rpc_payload(void)
{
	static AIBinder_Class *clazz;
	AIBinder *root = NULL, *none = NULL;
	struct vmt_vm v;

	clazz = AIBinder_Class_define("org.avf.test.IPayload", on_create,
				      on_destroy, on_transact);
	if (!linux_start(&v, "rpc"))
		return;
	CHECK(avf_vm_connect_rpc(v.vm, NO_PORT, WAIT_MS, &none) ==
	      AVF_ERR_REFUSED);
	CHECK(!none);
	CHECK_OK(avf_vm_connect_rpc(v.vm, RPC_PORT, WAIT_MS, &root));
	CHECK(AIBinder_ping(root) == STATUS_OK);
	CHECK(AIBinder_associateClass(root, clazz));
	add_numbers(root);
	call_back(root, clazz);
	call_back_later(root, clazz);
	serve_payload(v.vm, root, clazz);
	stop(&v, root);
	AIBinder_decStrong(root);
	vmt_free(&v);
}

static const struct vmt_test tests[] = {
	{"rpc_payload", rpc_payload},
};

int main(int argc, char **argv)
{
	if (!getenv("AVF_GUEST_IMAGE"))
		vmt_skip_all("AVF_GUEST_IMAGE names no guest image");
	if (access(vmt_path("tests/packages/good.avfpkg"), R_OK) < 0)
		vmt_skip_all("no payload packages: mkfs.erofs was missing");
	return vmt_main(argc, argv, tests, sizeof(tests) / sizeof(tests[0]));
}
