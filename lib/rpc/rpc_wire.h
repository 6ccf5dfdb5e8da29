/*
 * What travels: Android's RPC binder, wire versions 0 (Android 13), 1 (14 and
 * 15) and 2 (16), the last one only where it was asked for. Little-endian, no
 * padding. A message is a header and a body; a reply has no number, it answers
 * the innermost call on its connection.
 */
#pragma once

#include <stdint.h>

#include "base/byteorder.h"

#define RPC_VERSION_DEFAULT 1U
/* Parcels list their objects, and bodies may be larger. */
#define RPC_VERSION_OBJECTS 2U
#define RPC_VERSION_MAX     RPC_VERSION_OBJECTS

#define RPC_SESSION_ID_SIZE 32U

/* Limits. A peer that goes beyond loses its session. */
#define RPC_MAX_FRAME_DEFAULT (600U * 1024U) /* bytes of a body */
#define RPC_MAX_SEND          100000U        /* what Android 13 to 15 take */
#define RPC_MAX_SEND_V2       (600U * 1024U - 17U) /* and 16 */
#define RPC_MAX_FDS           253U    /* per message; Linux's own limit */
#define RPC_MAX_NODES         100000U /* objects of a session */
#define RPC_MAX_DEPTH         32U     /* calls within calls */
#define RPC_MAX_QUEUED        10000U  /* oneway calls that wait, per object */
#define RPC_MAX_QUEUED_BYTES  (64U * 1024U * 1024U) /* per session */
#define RPC_MAX_QUEUED_FDS    1024U                 /* per session */
#define RPC_MAX_CALLBACKS     64U   /* connections that a server calls on */
#define RPC_MAX_WORKERS       1024U /* connections of a server */

/* The first thing on each connection, from the one who connects. */
struct rpc_wire_hello {
	le32 version;
	uint8_t options; /* RPC_HELLO_INCOMING */
	uint8_t fd_mode;
	uint8_t reserved[8];
	le16 session_id_size; /* 0: a new session; the id follows */
};
_Static_assert(sizeof(struct rpc_wire_hello) == 16, "no padding");

#define RPC_HELLO_INCOMING 0x01U /* the server is to call on it */

#define RPC_FD_MODE_NONE 0U
#define RPC_FD_MODE_UNIX 1U

/* The server's answer to a new session. */
struct rpc_wire_welcome {
	le32 version;
	uint8_t reserved[4];
};
_Static_assert(sizeof(struct rpc_wire_welcome) == 8, "no padding");

/* From the one who will call on the connection. */
struct rpc_wire_init {
	char magic[4]; /* RPC_INIT_MAGIC */
	uint8_t reserved[4];
};
_Static_assert(sizeof(struct rpc_wire_init) == 8, "no padding");

#define RPC_INIT_MAGIC "cci"

struct rpc_wire_header {
	le32 command;
	le32 body_size;
	le32 reserved[2];
};
_Static_assert(sizeof(struct rpc_wire_header) == 16, "no padding");

enum rpc_command {
	RPC_TRANSACT = 0,
	RPC_REPLY = 1,
	RPC_DEC_STRONG = 2,
};

struct rpc_wire_transaction {
	le64 address; /* 0: of the session itself */
	le32 code;
	le32 flags;
	le64 async_number;
	le32 parcel_size; /* from version 1 on; the table is behind it */
	le32 reserved[3];
};
_Static_assert(sizeof(struct rpc_wire_transaction) == 40, "no padding");

/* Version 0 has the status alone. */
struct rpc_wire_reply {
	le32 status;
	le32 parcel_size;
	le32 reserved[3];
};
_Static_assert(sizeof(struct rpc_wire_reply) == 20, "no padding");

#define RPC_REPLY_SIZE_V0 4U

struct rpc_wire_dec_strong {
	le64 address;
	le32 amount;
	le32 reserved;
};
_Static_assert(sizeof(struct rpc_wire_dec_strong) == 16, "no padding");

/* Calls of the session itself. */
#define RPC_GET_ROOT        0U
#define RPC_GET_MAX_THREADS 1U
#define RPC_GET_SESSION_ID  2U

/* An address: options in the low half, a number in the high one. */
#define RPC_ADDRESS_CREATED    0x01U
#define RPC_ADDRESS_FOR_SERVER 0x02U /* the server made it */
#define RPC_ADDRESS_KNOWN      (RPC_ADDRESS_CREATED | RPC_ADDRESS_FOR_SERVER)
