#include "rpc/rpc_server.h"

#include <linux/vm_sockets.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <time.h>
#include <unistd.h>

#include "base/checked.h"
#include "base/cleanup.h"

/* Without descriptors or memory nothing can be accepted for a while. */
#define ACCEPT_PAUSE_NS 10000000L

void rpc_server_ref(ARpcServer *server)
{
	__atomic_fetch_add(&server->refs, 1, __ATOMIC_RELAXED);
}

void rpc_server_unref(ARpcServer *server)
{
	if (__atomic_fetch_sub(&server->refs, 1, __ATOMIC_ACQ_REL) != 1)
		return;
	AIBinder_decStrong(server->root);
	rpc_transport_fini(&server->transport);
	fd_close(server->fd);
	fd_close(server->stop_fd);
	(void)pthread_cond_destroy(&server->changed);
	(void)pthread_mutex_destroy(&server->lock);
	free(server);
}

/* ---- sessions ---------------------------------------------------------------
 */

struct rpc_session *rpc_server_find_session(ARpcServer *server,
					    const uint8_t *id)
{
	struct rpc_session *session;

	(void)pthread_mutex_lock(&server->lock);
	for (session = server->sessions; session; session = session->next)
		if (rpc_session_has_id(session, id))
			break;
	if (session)
		rpc_session_ref(session);
	(void)pthread_mutex_unlock(&server->lock);
	return session;
}

/* The session has ended: take it off the list. */
static void session_ended(struct rpc_session *session, void *userdata)
{
	ARpcServer *server = userdata;
	struct rpc_session **link = &server->sessions;
	bool found;

	(void)pthread_mutex_lock(&server->lock);
	while (*link && *link != session)
		link = &(*link)->next;
	found = *link != NULL;
	if (found) {
		*link = session->next;
		server->n_sessions--;
	}
	(void)pthread_mutex_unlock(&server->lock);
	if (found)
		rpc_session_unref(session);
	rpc_server_unref(server);
}

bool rpc_server_add_session(ARpcServer *server, struct rpc_session *session)
{
	bool stopping;

	(void)pthread_mutex_lock(&server->lock);
	stopping = server->stopping;
	if (!stopping) {
		session->on_ended = session_ended;
		session->userdata = server;
		rpc_server_ref(server);
		rpc_session_ref(session);
		session->next = server->sessions;
		server->sessions = session;
		server->n_sessions++;
	}
	(void)pthread_mutex_unlock(&server->lock);
	return !stopping;
}

/* ---- connections ------------------------------------------------------------
 */

void rpc_server_worker_known(struct rpc_worker *worker)
{
	ARpcServer *server = worker->server;

	(void)pthread_mutex_lock(&server->lock);
	worker->fd = -1;
	if (worker->pending) {
		worker->pending = false;
		server->n_pending--;
	}
	(void)pthread_mutex_unlock(&server->lock);
}

static void *run_worker(void *argument)
{
	struct rpc_worker *worker = argument;
	ARpcServer *server = worker->server;
	struct rpc_worker **link = &server->workers;

	(void)pthread_mutex_lock(&server->lock);
	worker->thread = pthread_self();
	worker->running = true;
	(void)pthread_mutex_unlock(&server->lock);
	rpc_server_run_worker(worker);
	(void)pthread_mutex_lock(&server->lock);
	while (*link != worker)
		link = &(*link)->next;
	*link = worker->next;
	server->n_workers--;
	(void)pthread_cond_broadcast(&server->changed);
	(void)pthread_mutex_unlock(&server->lock);
	free(worker);
	rpc_server_unref(server);
	return NULL;
}

/* Put @worker on the list, if there is room for one more. From here on, who
 * stops the server may shut @fd down, so it is set with the lock held. */
static bool admit(ARpcServer *server, struct rpc_worker *worker, int fd)
{
	bool room;

	(void)pthread_mutex_lock(&server->lock);
	room = !server->stopping && server->n_workers < RPC_MAX_WORKERS &&
	       server->n_pending < server->max_pending;
	if (room) {
		worker->next = server->workers;
		server->workers = worker;
		worker->fd = fd;
		worker->pending = true;
		server->n_workers++;
		server->n_pending++;
	}
	(void)pthread_mutex_unlock(&server->lock);
	return room;
}

/* The thread could not be started. */
static void dismiss(ARpcServer *server, struct rpc_worker *worker)
{
	struct rpc_worker **link = &server->workers;

	(void)pthread_mutex_lock(&server->lock);
	while (*link != worker)
		link = &(*link)->next;
	*link = worker->next;
	server->n_workers--;
	server->n_pending--;
	(void)pthread_mutex_unlock(&server->lock);
}

/* Whether the peer may connect at all. */
static bool welcome(const ARpcServer *server, const struct rpc_address *peer)
{
	struct sockaddr_vm vm;

	if (server->only_cid != VMADDR_CID_ANY) {
		if (peer->u.any.sa_family != AF_VSOCK)
			return false;
		memcpy(&vm, &peer->u, sizeof(vm));
		if (vm.svm_cid != server->only_cid)
			return false;
	}
	return !server->filter ||
	       server->filter(&peer->u.any, peer->size, server->filter_cookie);
}

/* Give the connection @fd a thread. Takes @fd. */
static void start_worker(ARpcServer *server, int taken)
{
	CLEANUP(close_p) int fd = taken;
	struct rpc_worker *worker;
	struct rpc_address peer = {.size = sizeof(peer.u)};

	if (getpeername(fd, &peer.u.any, &peer.size) < 0 ||
	    !welcome(server, &peer))
		return;
	worker = calloc(1, sizeof(*worker));
	if (!worker)
		return;
	worker->server = server;
	worker->peer = peer;
	rpc_socket_no_delay(fd);
	if (!admit(server, worker, fd)) {
		free(worker);
		return;
	}
	rpc_server_ref(server);
	if (rpc_thread_start(run_worker, worker) == STATUS_OK) {
		(void)take_fd(&fd); /* the thread's now */
		return;
	}
	dismiss(server, worker);
	free(worker);
	rpc_server_unref(server);
}

/* Accept one. *@ret_end: there will be no more. Returns the fd or -1. */
static int accept_one(const ARpcServer *server, bool *ret_end)
{
	const struct timespec pause = {.tv_nsec = ACCEPT_PAUSE_NS};
	int fd;

	if (server->bootstrap) {
		fd = rpc_socket_accept_bootstrap(server->fd);
		*ret_end = fd < 0 && fd != AVF_ERR_PROTOCOL;
		return fd < 0 ? -1 : fd;
	}
	fd = accept4(server->fd, NULL, NULL, SOCK_CLOEXEC);
	if (fd >= 0)
		return fd;
	switch (errno) {
	case EMFILE:
	case ENFILE:
	case ENOMEM:
	case ENOBUFS:
		(void)nanosleep(&pause, NULL); /* it will pass */
		break;
	case EINTR:
	case EAGAIN:
	case ECONNABORTED:
	case EPROTO:
		break; /* the peer has thought better of it */
	default:
		*ret_end = true;
	}
	return -1;
}

void rpc_server_accept(ARpcServer *server)
{
	struct pollfd fds[2] = {{.fd = server->fd, .events = POLLIN},
				{.fd = server->stop_fd, .events = POLLIN}};
	bool end = false;
	int fd;

	while (!end) {
		if (poll(fds, 2, -1) < 0 && errno != EINTR)
			break;
		if (fds[1].revents != 0)
			break;
		if (fds[0].revents == 0)
			continue;
		fd = accept_one(server, &end);
		if (fd >= 0)
			start_worker(server, fd);
	}
	(void)pthread_mutex_lock(&server->lock);
	server->accepting = false;
	(void)pthread_cond_broadcast(&server->changed);
	(void)pthread_mutex_unlock(&server->lock);
}
