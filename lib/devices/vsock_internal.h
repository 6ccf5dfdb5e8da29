/*
 * Inside the vsock device.
 *
 *   virtio_vsock.c  the device: callbacks, listeners, connecting
 *   vsock_table.c   connections by their pair of ports
 *   vsock_conn.c    one connection: its life, its socket
 *   vsock_tx.c      packets from the guest
 *   vsock_rx.c      packets to the guest
 *
 * A connection that has something for the guest (a control packet, readable
 * data) is on the ready list, once. vsock_rx_run() takes connections off the
 * front, sends one burst of each, and puts those with more at the back: a
 * round robin in which nobody waits for anybody's slowness. Control packets
 * are bits of their connection, so no flood makes them pile up.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>
#include <sys/queue.h>

#include "base/checked.h"
#include "base/timer.h"
#include "devices/virtio_vsock.h"
#include "devices/vsock_buffer.h"
#include "devices/vsock_wire.h"

enum vsock_queue { VSOCK_RX = 0, VSOCK_TX = 1, VSOCK_EVENT = 2, VSOCK_QUEUES };

#define VSOCK_QUEUE_SIZE   256 /* entries */
#define VSOCK_BUCKETS_LOG2 11
#define VSOCK_BUCKETS      (1U << VSOCK_BUCKETS_LOG2)
#define VSOCK_MAX_RSTS     256 /* answers to strangers that wait; more: dropped */
#define VSOCK_TX_BUDGET    256  /* packets per turn of the loop */
#define VSOCK_RX_BUDGET    512  /* packets per turn of the loop */
#define VSOCK_RX_BURST     16   /* packets of one connection in a row */
#define VSOCK_RX_PARTS     1024 /* IOV_MAX: parts of one read */

/*
 * A driver needs to hear of a packet that was taken only to free it, and the
 * answer to the packet interrupts it anyway. So it hears of many at once: when
 * they hold a share of its ring or of its memory, or after a short time.
 */
#define VSOCK_TAKEN_PARTS(vq) MAX((vq)->size / 4, 1)
#define VSOCK_TAKEN_BYTES     (256U * 1024)
#define VSOCK_TAKEN_MS        5

enum vsock_state {
	VSOCK_CONNECTING, /* the guest has not answered yet */
	VSOCK_OPEN,
	VSOCK_CLOSING, /* over for the guest; an RST or a flush is left */
};

/* Packets that a connection owes to the guest. */
#define VSOCK_OWES_RST            BIT(0)
#define VSOCK_OWES_REQUEST        BIT(1)
#define VSOCK_OWES_RESPONSE       BIT(2)
#define VSOCK_OWES_CREDIT_UPDATE  BIT(3)
#define VSOCK_OWES_CREDIT_REQUEST BIT(4)
#define VSOCK_OWES_SHUTDOWN       BIT(5)

struct vsock_conn {
	struct virtio_vsock *vs; /* borrowed */
	TAILQ_ENTRY(vsock_conn) all;
	TAILQ_ENTRY(vsock_conn) ready;
	struct vsock_conn *next_in_bucket;
	uint32_t host_port, guest_port;
	enum vsock_state state;
	bool in_table;
	bool on_ready; /* on the ready list */
	uint32_t owes; /* VSOCK_OWES_* */

	/* The socket. */
	int fd; /* owned; -1 once nobody is at its other end */
	struct loop_source source;
	bool readable;     /* data or end of file was seen, not read yet */
	bool stalled;      /* readable twice: stop watching until it is read */
	bool hung_up;      /* the source is off: it would never be quiet */
	bool host_no_send; /* end of file was read */
	bool host_no_receive;
	unsigned int burst; /* packets that the next read tries to fill */

	/* From the guest to the application; counters wrap. */
	bool guest_no_send;
	uint32_t received;  /* bytes */
	uint32_t forwarded; /* bytes; received minus this is in @out */
	uint32_t announced; /* @forwarded as last told to the guest */
	struct vsock_buffer out;

	/* From the application to the guest; counters wrap. */
	bool guest_no_receive;
	bool credit_asked;
	uint32_t sent;           /* bytes */
	uint32_t peer_forwarded; /* bytes */
	uint32_t peer_buf_alloc; /* bytes */

	vsock_connected_fn *done; /* NULL: called, or the guest connected */
	void *done_userdata;      /* borrowed */
};

struct vsock_listener {
	uint32_t port;
	vsock_accept_fn *accept;
	void *userdata; /* borrowed */
};

/* An answer to a packet that belongs to no connection. */
struct vsock_stray {
	uint32_t host_port, guest_port;
	uint16_t type;
};

TAILQ_HEAD(vsock_list, vsock_conn);

/* Everything under the machine's lock. */
struct virtio_vsock {
	struct virtio_dev dev;
	struct loop *loop; /* borrowed */
	uint64_t guest_cid;
	bool going;         /* being freed: nobody may connect */
	uint32_t next_port; /* of the host, for the next connect */

	/* Work that a turn's budget left over: an eventfd that is always
	 * readable, watched only when there is some. */
	int again_fd; /* owned */
	struct loop_source again;

	/* What the driver was not interrupted for yet. */
	struct timer taken_timer;
	bool taken_armed;
	uint32_t taken_parts;
	uint64_t taken_bytes;

	struct vsock_list all;
	struct vsock_list ready;
	unsigned int n_conns;
	uint64_t hash_key; /* random, odd: the guest chooses ports */
	struct vsock_conn *buckets[VSOCK_BUCKETS];
	uint64_t buffered; /* bytes, all buffers of connections */

	struct vsock_listener listeners[VSOCK_MAX_LISTENERS];
	unsigned int n_listeners;

	struct vsock_stray rsts[VSOCK_MAX_RSTS]; /* a ring */
	unsigned int first_rst, n_rsts;

	/* Too big for the stack; live during one run only. */
	struct virtq_chain tx_chain;
	struct virtq_chain rx_chains[VSOCK_RX_BURST];
	struct iovec rx_parts[VSOCK_RX_PARTS];
};

/* vsock_table.c */
struct vsock_conn *vsock_table_find(const struct virtio_vsock *vs,
				    uint32_t host_port, uint32_t guest_port);
void vsock_table_insert(struct virtio_vsock *vs, struct vsock_conn *conn);
/** No-op when it is not in the table. */
void vsock_table_remove(struct virtio_vsock *vs, struct vsock_conn *conn);

/* virtio_vsock.c */
struct vsock_listener *vsock_find_listener(struct virtio_vsock *vs,
					   uint32_t port);
/** Come back on the next turn of the loop. */
void vsock_schedule(struct virtio_vsock *vs);

/* vsock_conn.c */
/** New connection on @fd, taken also on failure; in the table and watched. */
int vsock_conn_new(struct virtio_vsock *vs, uint32_t host_port,
		   uint32_t guest_port, int fd,
		   struct vsock_conn **ret_conn) MUST_CHECK;
/** Free at once. Takes NULL. */
void vsock_conn_free(struct vsock_conn *conn);
/** Owe the guest a packet (VSOCK_OWES_*). */
void vsock_conn_owe(struct vsock_conn *conn, uint32_t what);
/** Put it on the ready list if it has something for the guest. */
void vsock_conn_make_ready(struct vsock_conn *conn);
/** The guest accepted, or was accepted. */
void vsock_conn_open(struct vsock_conn *conn);
/** Tell who waits for the connection, once; with an error the calling thread's
 * error record goes along. */
void vsock_conn_report(struct vsock_conn *conn, int rc);
/** The same, for a connection that there will not be: records why first. */
void vsock_conn_refuse(struct vsock_conn *conn, int code, const char *why);
/** Bytes that the guest has room for. */
uint32_t vsock_conn_credit(const struct vsock_conn *conn);
/** Whether data could be read for the guest now. */
bool vsock_conn_may_read(const struct vsock_conn *conn);
/** Watch the socket for what can be done with it now. */
void vsock_conn_watch(struct vsock_conn *conn);
/** Move waiting bytes into the socket, as many as it takes. */
void vsock_conn_flush(struct vsock_conn *conn);
/** @len bytes reached the application, or nobody wants them any more. */
void vsock_conn_forwarded(struct vsock_conn *conn, uint32_t len);
/** The application reads no more: drop what waits, tell the guest. */
void vsock_conn_stop_receive(struct vsock_conn *conn);
/** End of file was read. */
void vsock_conn_stop_send(struct vsock_conn *conn);
/** The guest announced that it stops sending, receiving (VSOCK_NO_*). */
void vsock_conn_guest_shutdown(struct vsock_conn *conn, uint32_t flags);
/** The guest is through: flush, then free. With @rst, tell it so. */
void vsock_conn_finish(struct vsock_conn *conn, bool rst);
/** Close now and send an RST; @why goes to the log, within the budget. */
void vsock_conn_abort(struct vsock_conn *conn, const char *why);
/** Free it if nothing is left to do. May free: do not touch it after. */
void vsock_conn_settle(struct vsock_conn *conn);

/* vsock_tx.c */
/** Take packets of the guest. Errors: AVF_ERR_PROTOCOL (broken ring). */
int vsock_tx_run(struct virtio_vsock *vs) MUST_CHECK;
/** Interrupt the driver for packets that it does not know to be taken. */
void vsock_tx_signal(struct virtio_vsock *vs);

/* vsock_rx.c */
/** Send what is ready into the guest's buffers. */
void vsock_rx_run(struct virtio_vsock *vs);
