/*
 * Events wait here while the application does not read them. The queue is
 * bounded: log lines give way first, and a guest cannot fill it with errors;
 * room is kept for the events that there is one of each (STARTED, STOPPED).
 */
#include "vmm/event.h"

#include <avf/vm.h>

#include "base/fd.h"

void event_queue_init(struct event_queue *queue, int sock,
		      void (*blocked)(void *userdata), void *userdata)
{
	queue->sock = sock;
	queue->blocked = blocked;
	queue->userdata = userdata;
	queue->first = 0;
	queue->used = 0;
	queue->n_errors = 0;
	queue->dropped = 0;
}

/* Counts what it turns away. */
static bool is_welcome(struct event_queue *q, int type)
{
	if (type == AVF_EVENT_LOG &&
	    q->used >= EVENT_QUEUE_SIZE - EVENT_QUEUE_RESERVED) {
		q->dropped++;
		return false;
	}
	if (type == AVF_EVENT_ERROR && q->n_errors++ >= EVENT_MAX_ERRORS)
		return false;
	return q->used < EVENT_QUEUE_SIZE;
}

void event_emit(struct event_queue *queue, int type, int code, const char *text)
{
	struct wire_event *e;

	if (!is_welcome(queue, type))
		return;
	e = &queue->events[(queue->first + queue->used) % EVENT_QUEUE_SIZE];
	e->type = le32_make((uint32_t)type);
	e->code = le32_make((uint32_t)code);
	e->time_ns = le64_make(clock_now_ns());
	wire_text_set(e->text, text ? text : "");
	queue->used++;
	event_flush(queue);
}

void event_flush(struct event_queue *queue)
{
	int rc;

	while (queue->used > 0) {
		rc = wire_send(queue->sock, WIRE_EVENT,
			       &queue->events[queue->first],
			       sizeof(queue->events[0]), NULL, 0);
		if (rc == AVF_ERR_BUSY) {
			queue->blocked(queue->userdata);
			return;
		}
		/* sent, or there is nobody to send to any more */
		queue->first = (queue->first + 1) % EVENT_QUEUE_SIZE;
		queue->used--;
	}
}
