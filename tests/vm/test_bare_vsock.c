/* The bare-metal echo server on KVM: vsock through the real device. */
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "support/vm_harness.h"

#define ECHO_PORT 5678U

static bool start_echo(struct vmt_vm *v)
{
	if (!vmt_new(v, vmt_bare_config("vsock")))
		return false;
	if (vmt_run(v) && vmt_wait_output(v, "listening"))
		return true;
	vmt_free(v);
	return false;
}

static bool connect_to(struct vmt_vm *v, int *ret_fd)
{
	int rc = avf_vm_connect(v->vm, ECHO_PORT, VMT_PATIENCE_MS, ret_fd);

	if (rc < 0)
		vmt_fail(__FILE__, __LINE__, "connect: %s: %s",
			 avf_error_name(rc), avf_last_error()->text);
	return rc == 0;
}

/* What is sent comes back, then the end of the stream after our own. */
static void echo_and_half_close(void)
{
	static const char question[] = "hello over vsock";
	char answer[sizeof(question)];
	struct vmt_vm v;
	int fd;

	if (!start_echo(&v))
		return;
	if (connect_to(&v, &fd)) {
		CHECK(vmt_send(fd, question, sizeof(question)));
		CHECK(vmt_recv(fd, answer, sizeof(answer)));
		CHECK(memcmp(answer, question, sizeof(answer)) == 0);
		CHECK(vmt_send(fd, question, sizeof(question)));
		CHECK(shutdown(fd, SHUT_WR) == 0);
		CHECK(vmt_recv(fd, answer, sizeof(answer)));
		CHECK(recv(fd, answer, 1, 0) == 0);
		(void)close(fd);
	}
	CHECK(vmt_wait_stopped(&v));
	vmt_check_stopped(&v, AVF_STOP_REASON_SHUTDOWN, "");
	vmt_free(&v);
}

/* More than the guest's credit and the socket's buffer hold together. */
static void bulk(void)
{
	static char block[16384], answer[sizeof(block)];
	struct vmt_vm v;
	int fd;

	if (!start_echo(&v))
		return;
	if (connect_to(&v, &fd)) {
		for (int i = 0; i < 8; i++) {
			for (size_t k = 0; k < sizeof(block); k++)
				block[k] = (char)((size_t)i * 31 + k * 7);
			CHECK(vmt_send(fd, block, sizeof(block)));
			CHECK(vmt_recv(fd, answer, sizeof(answer)));
			CHECK(memcmp(block, answer, sizeof(block)) == 0);
		}
		(void)close(fd);
	}
	CHECK(vmt_wait_stopped(&v));
	vmt_free(&v);
}

static void bad_ports(void)
{
	static const uint32_t ports[] = {0, 1, 1023};
	avf_listener *listener = NULL;
	struct vmt_vm v;
	int fd = -1;

	if (!start_echo(&v))
		return;
	for (size_t i = 0; i < sizeof(ports) / sizeof(ports[0]); i++) {
		CHECK_FAILS(avf_vm_connect(v.vm, ports[i], 1000, &fd),
			    AVF_ERR_INVALID, "port");
		CHECK_FAILS(avf_vm_listen(v.vm, ports[i], &listener),
			    AVF_ERR_INVALID, "port");
	}
	CHECK_FAILS(avf_vm_connect(v.vm, 1024, 10000, &fd), AVF_ERR_REFUSED,
		    "port 1024: the guest refused it");
	CHECK_FAILS(avf_vm_connect(v.vm, AVF_MAX_VSOCK_PORT, 10000, &fd),
		    AVF_ERR_REFUSED, "4294967295");
	CHECK(fd == -1 && !listener);
	vmt_free(&v);
}

static void not_running(void)
{
	avf_listener *listener = NULL;
	struct vmt_vm v;
	int fd = -1;

	if (!vmt_new(&v, vmt_bare_config("reset")))
		return;
	CHECK_FAILS(avf_vm_connect(v.vm, ECHO_PORT, 1000, &fd), AVF_ERR_STATE,
		    "running");
	CHECK_FAILS(avf_vm_listen(v.vm, 9000, &listener), AVF_ERR_STATE,
		    "running");
	vmt_run_to(&v, AVF_STOP_REASON_REBOOT);
	CHECK_FAILS(avf_vm_connect(v.vm, ECHO_PORT, 1000, &fd), AVF_ERR_STATE,
		    "running");
	vmt_free(&v);
}

/* A guest that has no driver yet does not answer; the caller's time ends. */
static void no_answer(void)
{
	struct vmt_vm v;
	int fd = -1;
	int rc;

	if (!vmt_new(&v, vmt_bare_config("spin")))
		return;
	CHECK(vmt_run(&v) && vmt_wait_event(&v, AVF_EVENT_STARTED));
	rc = avf_vm_connect(v.vm, ECHO_PORT, 200, &fd);
	CHECK(rc == AVF_ERR_TIMEOUT || rc == AVF_ERR_REFUSED);
	vmt_free(&v);
}

/* A channel outlives its VM, and tells its end. */
static void killed_under_a_channel(void)
{
	struct vmt_vm v;
	char byte = 'x';
	int fd;

	if (!start_echo(&v))
		return;
	if (connect_to(&v, &fd)) {
		CHECK(vmt_send(fd, &byte, 1) && vmt_recv(fd, &byte, 1));
		CHECK_OK(avf_vm_kill(v.vm));
		CHECK(recv(fd, &byte, 1, 0) <= 0);
		CHECK(vmt_wait_stopped(&v));
		vmt_free(&v);
		CHECK(recv(fd, &byte, 1, 0) <= 0);
		(void)close(fd);
		return;
	}
	vmt_free(&v);
}

static void listeners(void)
{
	avf_listener *first = NULL, *second = NULL;
	struct pollfd pfd;
	struct vmt_vm v;
	int fd = -1;

	if (!start_echo(&v))
		return;
	CHECK_OK(avf_vm_listen(v.vm, 9000, &first));
	CHECK_FAILS(avf_vm_listen(v.vm, 9000, &second), AVF_ERR_BUSY, "9000");
	CHECK_OK(avf_vm_listen(v.vm, 9001, &second));
	CHECK_FAILS(avf_listener_accept(first, 0, &fd), AVF_ERR_TIMEOUT, "");
	CHECK_FAILS(avf_listener_accept(first, 50, &fd), AVF_ERR_TIMEOUT, "");
	avf_listener_free(second);
	second = NULL;
	CHECK_OK(avf_vm_kill(v.vm));
	CHECK(vmt_wait_stopped(&v));
	pfd = (struct pollfd){.fd = avf_listener_get_fd(first),
			      .events = POLLIN};
	CHECK(poll(&pfd, 1, 1000) == 1);
	CHECK_FAILS(avf_listener_accept(first, -1, &fd), AVF_ERR_CLOSED, "");
	avf_listener_free(first);
	vmt_free(&v);
}

/* A port is free again after its listener; the VMM needs a moment to see. */
static void listen_again(void)
{
	avf_listener *listener = NULL;
	struct vmt_vm v;
	int rc = 0;

	if (!start_echo(&v))
		return;
	for (int i = 0; i < 20 && rc == 0; i++) {
		for (int tries = 0; tries < 1000; tries++) {
			rc = avf_vm_listen(v.vm, 9000, &listener);
			if (rc != AVF_ERR_BUSY)
				break;
			vmt_sleep_ms(1);
		}
		CHECK_OK(rc);
		if (rc == 0)
			avf_listener_free(listener);
	}
	vmt_free(&v);
}

static const struct vmt_test tests[] = {
	{"echo_and_half_close", echo_and_half_close},
	{"bulk", bulk},
	{"bad_ports", bad_ports},
	{"not_running", not_running},
	{"no_answer", no_answer},
	{"killed_under_a_channel", killed_under_a_channel},
	{"listeners", listeners},
	{"listen_again", listen_again},
};

int main(int argc, char **argv)
{
	if (access("/dev/kvm", R_OK | W_OK) < 0)
		vmt_skip_all("no /dev/kvm that this user may use");
	if (vmt_wants_protected() && !vmt_can_protect())
		vmt_skip_all("no protected VMs on this host's KVM");
	return vmt_main(argc, argv, tests, sizeof(tests) / sizeof(tests[0]));
}
