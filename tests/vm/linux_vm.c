#include "vm/linux_vm.h"

#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

bool is_emulated(void)
{
	return getenv("AVF_TEST_EMULATED") != NULL;
}

avf_config *linux_config(const char *package, const char *payload)
{
	avf_config *config = NULL;
	char name[64];

	CHECK_OK(avf_config_new(AVF_CONFIG_PAYLOAD, &config));
	CHECK_OK(avf_config_set_package(
		config, vmt_path("tests/packages/%s.avfpkg", package)));
	(void)snprintf(name, sizeof(name), "lib%s.so", payload);
	CHECK_OK(avf_config_set_payload_name(config, name));
	CHECK_OK(avf_config_set_memory_mib(config, 128));
	CHECK_OK(avf_config_set_boot_timeout_ms(config, VMT_PATIENCE_MS));
	CHECK_OK(avf_config_set_protected(config, vmt_wants_protected()));
	CHECK_OK(avf_config_set_acceleration(
		config, is_emulated() ? AVF_ACCELERATION_EMULATION
				      : AVF_ACCELERATION_KVM));
	return config;
}

bool linux_new(struct vmt_vm *v, const char *payload)
{
	return vmt_new(v, linux_config("good", payload));
}

bool linux_start(struct vmt_vm *v, const char *payload)
{
	if (!linux_new(v, payload))
		return false;
	if (vmt_run(v) && vmt_wait_event(v, AVF_EVENT_PAYLOAD_READY))
		return true;
	vmt_free(v);
	return false;
}

int linux_connect(struct vmt_vm *v, uint32_t port)
{
	int fd = -1;

	CHECK_OK(avf_vm_connect(v->vm, port, VMT_PATIENCE_MS, &fd));
	return fd;
}

void linux_stop(struct vmt_vm *v)
{
	CHECK_OK(avf_vm_stop(v->vm));
	if (vmt_wait_stopped(v))
		vmt_check_stopped(v, AVF_STOP_REASON_SHUTDOWN, "");
}

/* The byte at @at of the stream: no period that a buffer's size divides. */
static unsigned char stream_byte(uint64_t at)
{
	return (unsigned char)(at * 131 + (at >> 11) * 7 + (at >> 23));
}

static bool send_some(int fd, uint64_t size, uint64_t *at)
{
	unsigned char buf[32768];
	size_t n = 0;
	ssize_t sent;

	while (n < sizeof(buf) && *at + n < size) {
		buf[n] = stream_byte(*at + n);
		n++;
	}
	sent = send(fd, buf, n, MSG_NOSIGNAL | MSG_DONTWAIT);
	if (sent > 0)
		*at += (uint64_t)sent;
	return sent > 0;
}

static bool take_some(int fd, uint64_t *at)
{
	unsigned char buf[32768];
	ssize_t n = recv(fd, buf, sizeof(buf), MSG_DONTWAIT);

	for (ssize_t i = 0; i < n; i++) {
		if (buf[i] != stream_byte(*at + (uint64_t)i))
			return false;
	}
	if (n > 0)
		*at += (uint64_t)n;
	return n > 0;
}

void linux_echo_bulk(int fd, uint64_t size)
{
	struct pollfd pfd = {.fd = fd};
	uint64_t sent = 0, got = 0;
	bool good = true;

	while (got < size && good) {
		pfd.events = (short)(POLLIN | (sent < size ? POLLOUT : 0));
		good = poll(&pfd, 1, VMT_PATIENCE_MS) == 1;
		if (good && pfd.revents & POLLOUT)
			good = send_some(fd, size, &sent);
		if (good && pfd.revents & (POLLIN | POLLHUP))
			good = take_some(fd, &got);
	}
	if (!good)
		vmt_fail(__FILE__, __LINE__,
			 "the stream broke: sent %llu, got %llu of %llu",
			 (unsigned long long)sent, (unsigned long long)got,
			 (unsigned long long)size);
}

/* A small one (guest/kernel) is not there where it could not be built. */
static bool has_image(void)
{
	const char *image = getenv("AVF_GUEST_IMAGE");
	char path[4096];

	(void)snprintf(path, sizeof(path), "%s/kernel", image ? image : "");
	return access(path, R_OK) == 0;
}

void linux_skip_without(void)
{
	if (!has_image() && getenv("AVF_TEST_PAGE_SIZE"))
		vmt_skip_all("no image with a kernel of such pages; "
			     "docs/guest-kernel.md says how to have one");
	if (!has_image())
		vmt_skip_all("AVF_GUEST_IMAGE names no guest image");
	if (vmt_wants_protected() && !vmt_can_protect())
		vmt_skip_all("no protected VMs on this host's KVM");
	if (access(vmt_path("tests/packages/good.avfpkg"), R_OK) < 0)
		vmt_skip_all("no payload packages: mkfs.erofs was missing");
}
