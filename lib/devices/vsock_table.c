#include "devices/vsock_internal.h"

/* Multiply-shift with a secret key: the guest cannot aim at one bucket. */
static unsigned int bucket_of(const struct virtio_vsock *vs, uint32_t host_port,
			      uint32_t guest_port)
{
	uint64_t key = (uint64_t)host_port << 32 | guest_port;

	/* fold once more: a single product keeps low bits out of the top */
	key = (key ^ (key >> 29)) * vs->hash_key;
	key = (key ^ (key >> 32)) * vs->hash_key;
	return (unsigned int)(key >> (64 - VSOCK_BUCKETS_LOG2));
}

struct vsock_conn *vsock_table_find(const struct virtio_vsock *vs,
				    uint32_t host_port, uint32_t guest_port)
{
	unsigned int bucket = bucket_of(vs, host_port, guest_port);
	struct vsock_conn *c;

	for (c = vs->buckets[bucket]; c; c = c->next_in_bucket) {
		if (c->host_port == host_port && c->guest_port == guest_port)
			return c;
	}
	return NULL;
}

void vsock_table_insert(struct virtio_vsock *vs, struct vsock_conn *conn)
{
	unsigned int bucket = bucket_of(vs, conn->host_port, conn->guest_port);

	conn->next_in_bucket = vs->buckets[bucket];
	vs->buckets[bucket] = conn;
	conn->in_table = true;
}

void vsock_table_remove(struct virtio_vsock *vs, struct vsock_conn *conn)
{
	struct vsock_conn **p;

	if (!conn->in_table)
		return;
	p = &vs->buckets[bucket_of(vs, conn->host_port, conn->guest_port)];
	while (*p != conn)
		p = &(*p)->next_in_bucket;
	*p = conn->next_in_bucket;
	conn->in_table = false;
}
