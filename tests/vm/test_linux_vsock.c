/*
 * Linux guests: what goes through their vsock, from the host and from the
 * payload. On real KVM (label lab), and a selection under emulation.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "vm/linux_vm.h"

#define BULK_MIB      64
#define BULK_MIB_SLOW 4 /* under emulation */
#define N_CONNECTIONS 200

static void reverse(void)
{
	char answer[7] = "";
	struct vmt_vm v;
	int fd;

	if (!linux_start(&v, "reverse"))
		return;
	fd = linux_connect(&v, 0x80000001U);
	CHECK(vmt_send(fd, "abcdef", 6) && vmt_recv(fd, answer, 6));
	CHECK(strcmp(answer, "fedcba") == 0);
	(void)close(fd);
	CHECK_FAILS(avf_vm_connect(v.vm, 4711, VMT_PATIENCE_MS, &fd),
		    AVF_ERR_REFUSED, "4711");
	vmt_free(&v);
}

static void dial(void)
{
	avf_listener *listener = NULL;
	char text[32] = "";
	struct vmt_vm v;
	int fd = -1;

	if (!linux_start(&v, "dial"))
		return;
	CHECK_OK(avf_vm_listen(v.vm, 9000, &listener));
	CHECK_OK(avf_listener_accept(listener, VMT_PATIENCE_MS, &fd));
	CHECK(vmt_recv(fd, text, strlen("hello from the guest\n")));
	CHECK(strcmp(text, "hello from the guest\n") == 0);
	CHECK(vmt_send(fd, "abc", 3) && vmt_recv(fd, text, 3));
	CHECK(memcmp(text, "abc", 3) == 0);
	(void)close(fd);
	avf_listener_free(listener);
	CHECK(vmt_wait_stopped(&v));
	vmt_check_stopped(&v, AVF_STOP_REASON_SHUTDOWN, "");
	CHECK(v.exit_code == 0);
	vmt_free(&v);
}

static void many_connections(void)
{
	static int fds[N_CONNECTIONS];
	struct vmt_vm v;
	int got;

	if (!linux_start(&v, "many"))
		return;
	for (int i = 0; i < N_CONNECTIONS; i++)
		fds[i] = linux_connect(&v, ECHO_PORT);
	for (int i = 0; i < N_CONNECTIONS; i++)
		CHECK(vmt_send(fds[i], &i, sizeof(i)));
	for (int i = N_CONNECTIONS - 1; i >= 0; i--) {
		CHECK(vmt_recv(fds[i], &got, sizeof(got)) && got == i);
		(void)close(fds[i]);
	}
	linux_stop(&v);
	vmt_free(&v);
}

static void bulk(void)
{
	const char *wish = getenv("AVF_TEST_BULK_MIB");
	uint64_t mib = is_emulated() ? BULK_MIB_SLOW : BULK_MIB;
	uint64_t start;
	struct vmt_vm v;
	int fd;

	if (wish)
		mib = strtoul(wish, NULL, 10);
	if (!linux_start(&v, "echo"))
		return;
	fd = linux_connect(&v, ECHO_PORT);
	start = vmt_now_ms();
	linux_echo_bulk(fd, mib << 20);
	printf("    %llu MiB both ways in %llu ms\n", (unsigned long long)mib,
	       (unsigned long long)(vmt_now_ms() - start));
	(void)close(fd);
	linux_stop(&v);
	vmt_free(&v);
}

static const struct vmt_test on_kvm[] = {
	{"reverse", reverse},
	{"dial", dial},
	{"many_connections", many_connections},
	{"bulk", bulk},
};

static const struct vmt_test emulated[] = {
	{"emulated_dial", dial},
	{"emulated_bulk", bulk},
};

int main(int argc, char **argv)
{
	linux_skip_without();
	if (is_emulated())
		return vmt_main(argc, argv, emulated,
				sizeof(emulated) / sizeof(emulated[0]));
	return vmt_main(argc, argv, on_kvm, sizeof(on_kvm) / sizeof(on_kvm[0]));
}
