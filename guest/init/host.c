#include "manager.h"

/* before the kernel's header, which needs sa_family_t */
#include <sys/socket.h>

#include <linux/sockios.h>
#include <linux/vm_sockets.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/utsname.h>
#include <unistd.h>

#include "base/cleanup.h"

#define CONNECT_LIMIT_NS   5000000000ULL
#define CONNECT_PAUSE_MS   20
#define START_LIMIT_MS     30000
#define FLUSH_LIMIT_NS     1000000000ULL
#define CLOSE_LIMIT_NS     250000000ULL
#define FLUSH_PAUSE_MS     10
#define RECEIVE_CHUNK_SIZE 512

/* Returns a connected socket or -1 with errno. */
static int try_connect(void)
{
	const struct sockaddr_vm address = {.svm_family = AF_VSOCK,
					    .svm_cid = VMADDR_CID_HOST,
					    .svm_port = GUESTLINK_PORT};
	CLEANUP(close_p)
	int fd = socket(AF_VSOCK, SOCK_STREAM | SOCK_CLOEXEC, 0);

	if (fd < 0 ||
	    connect(fd, (const struct sockaddr *)&address, sizeof(address)) < 0)
		return -1;
	return take_fd(&fd);
}

static int say_hello(struct manager *m)
{
	struct guestlink_msg hello = {.type = GUESTLINK_HELLO,
				      .version = GUESTLINK_VERSION,
				      .arch = GUEST_ELF_MACHINE};
	struct utsname name;

	if (uname(&name) == 0)
		(void)snprintf(hello.text, sizeof(hello.text),
			       "%.64s %.64s %.64s", name.sysname, name.release,
			       name.machine);
	return host_send(m, &hello);
}

int host_connect(struct manager *m)
{
	const uint64_t limit = clock_now_ns() + CONNECT_LIMIT_NS;

	guestlink_reader_init(&m->reader, GUESTLINK_HOST);
	for (;;) {
		m->link_fd = try_connect();
		if (m->link_fd >= 0)
			return say_hello(m);
		if (clock_now_ns() >= limit)
			return fail_errno("connect to the host's vsock port %u",
					  GUESTLINK_PORT);
		system_pause_ms(CONNECT_PAUSE_MS);
	}
}

int host_send(struct manager *m, const struct guestlink_msg *msg)
{
	unsigned char frame[GUESTLINK_MAX_FRAME];
	size_t size;
	int rc;

	rc = guestlink_encode(msg, frame, sizeof(frame), &size);
	if (rc < 0)
		return rc;
	return fd_write_all(m->link_fd, frame, size);
}

static void take_message(struct manager *m, const struct guestlink_msg *msg)
{
	if (msg->type == GUESTLINK_SHUTDOWN) {
		m->shutting_down = true;
	} else if (m->payload_name[0]) {
		return; /* a second START changes nothing */
	} else if (msg->type == GUESTLINK_NAME) {
		/* nothing depends on it */
		(void)sethostname(msg->text, strlen(msg->text));
	} else {
		memcpy(m->payload_name, msg->text, sizeof(msg->text));
		m->is_debuggable = msg->flags & GUESTLINK_START_DEBUG;
	}
}

void host_receive(struct manager *m)
{
	unsigned char chunk[RECEIVE_CHUNK_SIZE];
	struct guestlink_msg msg;
	ssize_t size;
	int rc;

	size = recv(m->link_fd, chunk, sizeof(chunk), MSG_DONTWAIT);
	if (size < 0 && (errno == EAGAIN || errno == EINTR))
		return;
	if (size <= 0) {
		m->shutting_down = true;
		return;
	}
	/* a chunk always fits: the reader holds no whole frame between calls,
	 * and what is left of one is drained before more is given */
	for (size_t done = 0; done < (size_t)size;) {
		done += guestlink_reader_feed(&m->reader, chunk + done,
					      (size_t)size - done);
		while ((rc = guestlink_reader_next(&m->reader, &msg)) > 0)
			take_message(m, &msg);
		if (rc < 0)
			m->shutting_down = true; /* nobody to trust is left */
	}
}

int host_wait_start(struct manager *m)
{
	const uint64_t limit = clock_now_ns() + START_LIMIT_MS * 1000000ULL;
	int rc;

	while (!m->payload_name[0] && !m->shutting_down) {
		if (clock_now_ns() >= limit)
			return fail(AVF_ERR_TIMEOUT,
				    "the host did not say what to run");
		rc = fd_wait(m->link_fd, POLLIN, START_LIMIT_MS);
		if (rc < 0)
			return rc;
		if (rc > 0)
			host_receive(m);
	}
	return 0;
}

/* Whether the host has closed its end, waiting for @ms. */
static bool host_has_closed(const struct manager *m, int ms)
{
	char byte;

	return fd_wait(m->link_fd, POLLIN, ms) > 0 &&
	       recv(m->link_fd, &byte, 1, MSG_DONTWAIT) <= 0;
}

/* Power-off stops the vsock device with whatever is still queued. A host
 * that has read everything closes its end; of another one we know at least
 * when the device has taken it all (SIOCOUTQ, Linux 6.11). */
void host_flush(struct manager *m)
{
	const uint64_t start = clock_now_ns();
	int unsent = 0;

	if (m->link_fd < 0)
		return;
	(void)shutdown(m->link_fd, SHUT_WR); /* it may be gone already */
	while (clock_now_ns() - start < FLUSH_LIMIT_NS) {
		if (host_has_closed(m, FLUSH_PAUSE_MS))
			return;
		if (clock_now_ns() - start >= CLOSE_LIMIT_NS &&
		    ioctl(m->link_fd, SIOCOUTQ, &unsent) == 0 && unsent == 0)
			return;
	}
}
