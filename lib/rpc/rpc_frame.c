#include "rpc/rpc_frame.h"

#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"

void rpc_frame_fini(struct rpc_frame *frame)
{
	free(frame->body);
	rpc_fds_fini(&frame->fds);
	*frame = (struct rpc_frame){0};
}

static size_t reply_size(const struct rpc_session *session)
{
	return session->settings.version == 0 ? RPC_REPLY_SIZE_V0
					      : sizeof(struct rpc_wire_reply);
}

/* Whether a body of @size bytes may follow, before memory is taken for it. */
static binder_status_t check_size(const struct rpc_session *session,
				  uint32_t command, uint32_t size)
{
	size_t least, extra = 0;

	switch (command) {
	case RPC_TRANSACT:
		least = sizeof(struct rpc_wire_transaction);
		break;
	case RPC_REPLY:
		least = reply_size(session);
		extra = least; /* the limit is the parcel's */
		break;
	case RPC_DEC_STRONG:
		least = sizeof(struct rpc_wire_dec_strong);
		if (size != least)
			return STATUS_BAD_VALUE;
		break;
	default:
		return STATUS_BAD_TYPE;
	}
	if (size < least)
		return STATUS_BAD_VALUE;
	if (size > session->settings.max_frame + extra)
		return STATUS_NO_MEMORY;
	return STATUS_OK;
}

/* Read the body that @header announces. */
static binder_status_t read_body(const struct rpc_session *session,
				 struct rpc_conn *conn,
				 const struct rpc_wire_header *header,
				 struct rpc_frame *frame)
{
	uint32_t size = le32_get(header->body_size);
	binder_status_t rc;

	rc = check_size(session, le32_get(header->command), size);
	if (rc != STATUS_OK)
		return rc;
	frame->command = (enum rpc_command)le32_get(header->command);
	frame->size = size;
	if (frame->command == RPC_DEC_STRONG)
		return rpc_conn_read(conn, &frame->payment,
				     sizeof(frame->payment), NULL);
	frame->body = malloc(size);
	if (!frame->body)
		return STATUS_NO_MEMORY;
	return rpc_conn_read(conn, frame->body, size, NULL);
}

binder_status_t rpc_frame_read(const struct rpc_session *session,
			       struct rpc_conn *conn,
			       struct rpc_frame *ret_frame, bool *ret_eof)
{
	struct rpc_wire_header header;
	struct rpc_frame frame = {0};
	binder_status_t rc;

	rc = rpc_conn_read_with_fds(conn, &header, sizeof(header), &frame.fds,
				    ret_eof);
	if (rc == STATUS_OK)
		rc = read_body(session, conn, &header, &frame);
	if (rc != STATUS_OK) {
		rpc_frame_fini(&frame);
		return rc;
	}
	*ret_frame = frame;
	return STATUS_OK;
}

/* Copy the table at @table out. */
static binder_status_t take_positions(const uint8_t *table, size_t size,
				      struct parcel_frame *parcel)
{
	if (size % sizeof(uint32_t) != 0)
		return STATUS_BAD_VALUE;
	if (size == 0)
		return STATUS_OK;
	parcel->positions = malloc(size);
	if (!parcel->positions)
		return STATUS_NO_MEMORY;
	memcpy(parcel->positions, table, size);
	parcel->n_positions = size / sizeof(uint32_t);
	return STATUS_OK;
}

binder_status_t rpc_frame_split(const struct rpc_session *session,
				struct rpc_frame *frame, size_t offset,
				uint32_t parcel_size,
				struct parcel_frame *ret_parcel)
{
	struct parcel_frame parcel = {0};
	size_t left = frame->size - offset;
	binder_status_t rc;

	/* version 0 has nothing behind the parcel, and its field is not set */
	if (session->settings.version == 0)
		parcel_size = (uint32_t)left;
	if (parcel_size > left)
		return STATUS_BAD_VALUE;
	rc = take_positions(frame->body + offset + parcel_size,
			    left - parcel_size, &parcel);
	if (rc != STATUS_OK)
		return rc;
	parcel.block = TAKE_PTR(frame->body);
	parcel.offset = offset;
	parcel.size = parcel_size;
	parcel.lists_objects = session->base.lists_objects;
	parcel.fds = TAKE_PTR(frame->fds.fds);
	parcel.n_fds = frame->fds.count;
	frame->fds.count = 0;
	*ret_parcel = parcel;
	return STATUS_OK;
}

void rpc_frame_discard(struct rpc_session *session, struct parcel_frame *parcel)
{
	/* a parcel gives its unread objects back when it is deleted */
	if (parcel->lists_objects && parcel->n_positions > 0 &&
	    parcel_check_positions(parcel) == STATUS_OK)
		AParcel_delete(parcel_new_received(&session->base, parcel));
	else
		parcel_frame_fini(parcel);
}

binder_status_t rpc_frame_check(const struct rpc_session *session,
				AParcel *parcel)
{
	size_t table = parcel_table_length(parcel) * sizeof(uint32_t);
	size_t room =
		session->base.lists_objects ? RPC_MAX_SEND_V2 : RPC_MAX_SEND;

	room -= sizeof(struct rpc_wire_transaction);
	if (parcel->n_fds > RPC_MAX_FDS ||
	    (parcel->n_fds > 0 && session->settings.version == 0))
		return STATUS_BAD_VALUE;
	if (parcel->size > room || table > room - parcel->size)
		return STATUS_FAILED_TRANSACTION;
	return parcel_make_table(parcel);
}

binder_status_t rpc_frame_drain(struct rpc_session *session,
				struct rpc_conn *conn)
{
	struct rpc_frame frame;
	bool eof;
	binder_status_t rc;

	do {
		rc = rpc_frame_read(session, conn, &frame, &eof);
		if (rc != STATUS_OK)
			return rc;
		if (frame.command == RPC_DEC_STRONG)
			rpc_apply_dec_strong(session, &frame);
		else
			rc = STATUS_BAD_TYPE;
		rpc_frame_fini(&frame);
	} while (rc == STATUS_OK && rpc_conn_in_time(conn) &&
		 rpc_conn_readable(conn));
	return rc;
}

/* While a call cannot be written, the peer may be writing as well: take the
 * references that it pays. Nothing else can come here. */
static binder_status_t drain(struct rpc_conn *conn, void *userdata)
{
	return rpc_frame_drain(userdata, conn);
}

static struct iovec part(const void *bytes, size_t size)
{
	union {
		const void *constant;
		void *iov;
	} u = {.constant = bytes};

	return (struct iovec){.iov_base = u.iov, .iov_len = size};
}

/* The message that pays references. */
struct dec_strong {
	struct rpc_wire_header header;
	struct rpc_wire_dec_strong body;
};

static struct dec_strong make_dec_strong(uint64_t address, uint32_t amount)
{
	return (struct dec_strong){
		.header = {.command = le32_make(RPC_DEC_STRONG),
			   .body_size = le32_make(
				   sizeof(struct rpc_wire_dec_strong))},
		.body = {.address = le64_make(address),
			 .amount = le32_make(amount)},
	};
}

static void add_part(struct rpc_output *output, const void *bytes, size_t size)
{
	if (size > 0)
		output->parts[output->n_parts++] = part(bytes, size);
}

/* Add @parcel, which was checked, with its table and descriptors; NULL:
 * nothing. */
static void add_parcel(struct rpc_output *output, const AParcel *parcel)
{
	if (!parcel)
		return;
	add_part(output, parcel->data, parcel->size);
	add_part(output, parcel_table(parcel),
		 parcel_table_length(parcel) * sizeof(uint32_t));
	output->fds = parcel->fds;
	output->n_fds = parcel->n_fds;
}

/* The header of a body of @fixed bytes and @parcel. */
static struct rpc_wire_header make_header(enum rpc_command command,
					  size_t fixed, const AParcel *parcel)
{
	size_t size = fixed;

	if (parcel)
		size += parcel->size +
			parcel_table_length(parcel) * sizeof(uint32_t);
	return (struct rpc_wire_header){
		.command = le32_make((uint32_t)command),
		.body_size = le32_make((uint32_t)size),
	};
}

binder_status_t rpc_frame_write_call(struct rpc_session *session,
				     struct rpc_conn *conn,
				     const struct rpc_wire_transaction *call,
				     AParcel *in)
{
	const struct rpc_wire_header header =
		make_header(RPC_TRANSACT, sizeof(*call), in);
	struct rpc_output output = {.n_parts = 0};
	binder_status_t rc;

	add_part(&output, &header, sizeof(header));
	add_part(&output, call, sizeof(*call));
	add_parcel(&output, in);
	rc = rpc_conn_write(conn, &output, drain, session);
	if (rc == STATUS_OK)
		in->sent = true;
	return rc;
}

binder_status_t rpc_frame_write_reply(struct rpc_session *session,
				      struct rpc_conn *conn,
				      binder_status_t status, AParcel *out,
				      const struct rpc_payment *payment)
{
	struct rpc_wire_reply reply = {0};
	struct rpc_output output = {.n_parts = 0};
	struct rpc_wire_header header;
	struct dec_strong dec;
	binder_status_t rc;

	if (out && status == STATUS_OK)
		status = rpc_frame_check(session, out);
	if (status != STATUS_OK)
		out = NULL;
	reply.status = le32_make((uint32_t)status);
	reply.parcel_size = le32_make(out ? (uint32_t)out->size : 0);
	header = make_header(RPC_REPLY, reply_size(session), out);
	if (payment) {
		dec = make_dec_strong(payment->address, payment->amount);
		add_part(&output, &dec, sizeof(dec));
	}
	add_part(&output, &header, sizeof(header));
	add_part(&output, &reply, reply_size(session));
	add_parcel(&output, out);
	rc = rpc_conn_write(conn, &output, NULL, NULL);
	if (rc == STATUS_OK && out)
		out->sent = true;
	return rc;
}

binder_status_t rpc_frame_write_dec_strong(struct rpc_conn *conn,
					   uint64_t address, uint32_t amount)
{
	const struct dec_strong dec = make_dec_strong(address, amount);
	struct rpc_output output = {.at_once = true};

	add_part(&output, &dec, sizeof(dec));
	return rpc_conn_write(conn, &output, NULL, NULL);
}

void rpc_apply_dec_strong(struct rpc_session *session,
			  const struct rpc_frame *frame)
{
	const struct rpc_wire_dec_strong *payment = &frame->payment;

	rpc_session_paid(session, le64_get(payment->address),
			 le32_get(payment->amount));
}
