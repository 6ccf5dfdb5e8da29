/*
 * A client of the QEMU Machine Protocol, as much of it as a supervisor needs:
 * greeting, capabilities, the SHUTDOWN and GUEST_PANICKED events, two commands.
 * QEMU runs a hostile guest, so what it says is checked: lines are bounded, and
 * what is out of turn ends the connection.
 */
#include "qemu/qmp.h"

#include <jansson.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>

#include "base/checked.h"
#include "base/cleanup.h"
#include "json/json_read.h"

enum state {
	WAIT_GREETING,
	WAIT_CAPABILITIES,
	READY,
	FAILED,
};

struct qmp {
	int fd;            /* owned */
	struct loop *loop; /* borrowed */
	struct loop_source source;
	const struct qmp_ops *ops; /* borrowed */
	void *userdata;            /* borrowed */
	enum state state;
	enum qmp_shutdown shutdown;
	bool draining; /* failures are not told */
	/* Callbacks may free the client: then this outlives it. */
	bool *freed;
	size_t used; /* bytes in @line */
	char line[QMP_MAX_LINE];
};

static int send_command(struct qmp *qmp, const char *command)
{
	size_t size = strlen(command);
	ssize_t n = send(qmp->fd, command, size, MSG_DONTWAIT | MSG_NOSIGNAL);

	if (n < 0)
		return fail_errno("QMP: send");
	/* commands are tiny: a QEMU that reads has room for them */
	if ((size_t)n != size)
		return fail(AVF_ERR_IO, "QMP: QEMU does not read");
	return 0;
}

static int on_greeting(struct qmp *qmp, const json_t *msg)
{
	if (!json_is_object(json_object_get(msg, "QMP")))
		return fail(AVF_ERR_PROTOCOL, "QMP: no greeting");
	qmp->state = WAIT_CAPABILITIES;
	return send_command(qmp, "{\"execute\":\"qmp_capabilities\"}\n");
}

/* "" for what is not there or no text: it then equals nothing. */
static const char *text_at(const json_t *object, const char *key)
{
	const char *text = json_string_value(json_object_get(object, key));

	return text ? text : "";
}

static enum qmp_shutdown shutdown_cause(const json_t *event)
{
	static const struct {
		const char *reason;
		enum qmp_shutdown cause;
	} causes[] = {
		{"guest-shutdown", QMP_SHUTDOWN_GUEST},
		{"guest-reset", QMP_SHUTDOWN_RESET},
		{"guest-panic", QMP_SHUTDOWN_PANIC},
		{"host-signal", QMP_SHUTDOWN_HOST},
		{"host-qmp-quit", QMP_SHUTDOWN_HOST},
		{"host-qmp-system-reset", QMP_SHUTDOWN_HOST},
	};
	const json_t *data = json_object_get(event, "data");
	const char *reason = text_at(data, "reason");

	for (size_t i = 0; i < ARRAY_SIZE(causes); i++) {
		if (strcmp(reason, causes[i].reason) == 0)
			return causes[i].cause;
	}
	return QMP_SHUTDOWN_UNKNOWN;
}

static void on_event(struct qmp *qmp, const json_t *event)
{
	const char *name = text_at(event, "event");
	enum qmp_shutdown cause = QMP_SHUTDOWN_NONE;

	if (strcmp(name, "SHUTDOWN") == 0)
		cause = shutdown_cause(event);
	else if (strcmp(name, "GUEST_PANICKED") == 0)
		cause = QMP_SHUTDOWN_PANIC;
	/* a panic is followed by a SHUTDOWN that adds nothing */
	if (cause == QMP_SHUTDOWN_NONE || qmp->shutdown != QMP_SHUTDOWN_NONE)
		return;
	qmp->shutdown = cause;
	if (qmp->ops->shutdown)
		qmp->ops->shutdown(qmp->userdata, cause);
}

static int on_answer(struct qmp *qmp, const json_t *msg)
{
	const json_t *error = json_object_get(msg, "error");

	if (qmp->state == READY)
		return 0; /* nothing that we ask has an answer to wait for */
	if (error)
		return fail(AVF_ERR_PROTOCOL, "QMP: %s",
			    text_at(error, "desc"));
	qmp->state = READY;
	if (qmp->ops->ready)
		qmp->ops->ready(qmp->userdata);
	return 0;
}

static int on_message(struct qmp *qmp, const json_t *msg)
{
	if (!json_is_object(msg))
		return fail(AVF_ERR_PROTOCOL, "QMP: not an object");
	if (qmp->state == WAIT_GREETING)
		return on_greeting(qmp, msg);
	if (json_object_get(msg, "event")) {
		on_event(qmp, msg);
		return 0;
	}
	if (json_object_get(msg, "return") || json_object_get(msg, "error"))
		return on_answer(qmp, msg);
	return fail(AVF_ERR_PROTOCOL, "QMP: neither event nor answer");
}

/* Malformed text is QEMU's fault, lack of memory is ours. */
static int on_line(struct qmp *qmp, const char *line, size_t size)
{
	json_t *msg;
	int rc = jtext_read(line, size, &msg);

	if (rc == AVF_ERR_NO_MEMORY)
		return rc;
	if (rc < 0)
		return fail(AVF_ERR_PROTOCOL, "QMP: malformed line");
	rc = on_message(qmp, msg);
	json_decref(msg);
	return rc;
}

/*
 * Handle the whole lines of the buffer, keep the rest. @freed: the client
 * is gone after a callback.
 */
static int on_bytes(struct qmp *qmp, const bool *freed)
{
	size_t start = 0;
	char *end;
	int rc;

	for (;;) {
		end = memchr(qmp->line + start, '\n', qmp->used - start);
		if (!end)
			break;
		rc = on_line(qmp, qmp->line + start,
			     (size_t)(end - (qmp->line + start)));
		if (*freed || rc < 0)
			return rc;
		start = (size_t)(end + 1 - qmp->line);
	}
	qmp->used -= start;
	memmove(qmp->line, qmp->line + start, qmp->used);
	if (qmp->used == sizeof(qmp->line))
		return fail(AVF_ERR_PROTOCOL, "QMP: line is too long");
	return 0;
}

/* Returns 1 when more may be there, 0 when there is nothing now. */
static int receive(struct qmp *qmp, const bool *freed)
{
	ssize_t n = recv(qmp->fd, qmp->line + qmp->used,
			 sizeof(qmp->line) - qmp->used, MSG_DONTWAIT);
	int rc;

	if (n < 0 && (errno == EAGAIN || errno == EINTR))
		return 0;
	if (n < 0)
		return fail_errno("QMP: receive");
	if (n == 0)
		return fail(AVF_ERR_CLOSED, "QMP: QEMU closed the connection");
	qmp->used += (size_t)n;
	rc = on_bytes(qmp, freed);
	return rc < 0 ? rc : 1;
}

/* The connection is of no use any more; told once. */
static void give_up(struct qmp *qmp, int rc)
{
	loop_remove(qmp->loop, &qmp->source);
	qmp->state = FAILED;
	if (!qmp->draining && qmp->ops->failed)
		qmp->ops->failed(qmp->userdata, rc);
}

static void on_readable(struct loop_source *source, uint32_t events)
{
	struct qmp *qmp = container_of(source, struct qmp, source);
	bool freed = false;
	int rc;

	(void)events; /* an error or a hang-up shows in recv() */
	qmp->freed = &freed;
	rc = receive(qmp, &freed);
	if (freed)
		return;
	qmp->freed = NULL;
	if (rc < 0)
		give_up(qmp, rc);
}

/* After QEMU's death: its last words may hold the cause. */
void qmp_drain(struct qmp *qmp)
{
	const bool freed = false; /* not allowed here */
	int rc = 1;

	if (qmp->state == FAILED)
		return;
	qmp->draining = true;
	while (rc > 0)
		rc = receive(qmp, &freed);
	give_up(qmp, rc);
}

int qmp_new(int fd, struct loop *loop, const struct qmp_ops *ops,
	    void *userdata, struct qmp **ret_qmp)
{
	CLEANUP(close_p) int owned = fd;
	CLEANUP(free_p) struct qmp *qmp = calloc(1, sizeof(*qmp));
	int rc;

	if (!qmp)
		return fail(AVF_ERR_NO_MEMORY, "QMP client");
	/* now, while /dev/urandom is in reach: the first object would do it,
	 * and by then the process is in its jail */
	json_object_seed(0);
	rc = loop_add(loop, &qmp->source, fd, EPOLLIN, on_readable);
	if (rc < 0)
		return rc;
	qmp->loop = loop;
	qmp->ops = ops;
	qmp->userdata = userdata;
	qmp->fd = take_fd(&owned);
	*ret_qmp = TAKE_PTR(qmp);
	return 0;
}

void qmp_free(struct qmp *qmp)
{
	if (!qmp)
		return;
	if (qmp->freed)
		*qmp->freed = true;
	loop_remove(qmp->loop, &qmp->source);
	fd_close(qmp->fd);
	free(qmp);
}

static int command(struct qmp *qmp, const char *text)
{
	if (qmp->state != READY)
		return fail(AVF_ERR_STATE, "QEMU does not take commands");
	return send_command(qmp, text);
}

int qmp_system_powerdown(struct qmp *qmp)
{
	return command(qmp, "{\"execute\":\"system_powerdown\"}\n");
}

int qmp_quit(struct qmp *qmp)
{
	return command(qmp, "{\"execute\":\"quit\"}\n");
}

enum qmp_shutdown qmp_get_shutdown(const struct qmp *qmp)
{
	return qmp->shutdown;
}
