/* The threads of a client, on which its server calls. */
#include "rpc/rpc_client.h"

struct worker {
	struct rpc_session *session; /* owned */
	struct rpc_conn *conn;       /* owned */
	pthread_mutex_t lock;
	pthread_cond_t changed;
	bool ready; /* guarded by @lock */
	binder_status_t status;
};

/* Tell the thread that sets the session up. @worker is its own afterwards. */
static void report(struct worker *worker, binder_status_t status)
{
	(void)pthread_mutex_lock(&worker->lock);
	worker->ready = true;
	worker->status = status;
	(void)pthread_cond_signal(&worker->changed);
	(void)pthread_mutex_unlock(&worker->lock);
}

static void *run_worker(void *argument)
{
	struct worker *worker = argument;
	struct rpc_session *session = worker->session;
	struct rpc_conn *conn = worker->conn;
	binder_status_t rc;

	rc = rpc_conn_read_init(conn);
	if (rc == STATUS_OK)
		rc = rpc_pool_add_incoming(session, conn);
	report(worker, rc);
	if (rc == STATUS_OK)
		rpc_serve(session, conn);
	else
		rpc_conn_free(conn);
	rpc_session_unref(session);
	return NULL;
}

binder_status_t rpc_client_start_thread(struct rpc_session *session,
					struct rpc_conn *conn)
{
	struct worker worker = {.session = session, .conn = conn};
	binder_status_t rc;

	(void)pthread_mutex_init(&worker.lock, NULL);   /* cannot fail */
	(void)pthread_cond_init(&worker.changed, NULL); /* cannot fail */
	rpc_session_ref(session);
	rc = rpc_thread_start(run_worker, &worker);
	if (rc == STATUS_OK) {
		(void)pthread_mutex_lock(&worker.lock);
		while (!worker.ready)
			(void)pthread_cond_wait(&worker.changed, &worker.lock);
		(void)pthread_mutex_unlock(&worker.lock);
		rc = worker.status;
	} else {
		rpc_conn_free(conn);
		rpc_session_unref(session);
	}
	(void)pthread_cond_destroy(&worker.changed);
	(void)pthread_mutex_destroy(&worker.lock);
	return rc;
}
