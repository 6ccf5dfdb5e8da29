/*
 * The process from its orders to its last word, with a backend of this test's:
 * what the boot time-out says, and when there is one.
 */
#include <criterion/criterion.h>

#include <stdio.h>
#include <string.h>
#include <sys/socket.h>

#include <avf/vm.h>

#include "base/fd.h"
#include "devices/virtio_vsock.h"
#include "vmm/choose.h"
#include "vmm/vmm.h"
#include "vmm/vmm_internal.h"

/* The backend, and what became of the run. */
static struct {
	enum virtq_reach reach;
	bool emulated; /* it cannot be asked, as QEMU */
	struct vmm *vmm;
	unsigned int n_armed; /* the boot timer */
	int reason;
	char text[WIRE_TEXT];
} run;

static int start(struct backend *backend)
{
	(void)backend;
	return 0;
}

static enum virtq_reach reach(struct backend *backend)
{
	(void)backend;
	return run.reach;
}

static void free_nothing(struct backend *backend)
{
	(void)backend;
}

static const struct backend_ops kvm_ops = {
	.start = start,
	.reach = reach,
	.free = free_nothing,
};
static const struct backend_ops qemu_ops = {
	.start = start,
	.free = free_nothing,
};
static struct backend kvm = {.ops = &kvm_ops};
static struct backend qemu = {.ops = &qemu_ops};

int __wrap_choose_acceleration(const struct vm_config *config,
			       bool *ret_emulate, char *ret_text, size_t size);
int __wrap_backend_kvm_new(struct vmm *vmm, const char *cmdline,
			   struct backend **ret_backend);
int __wrap_backend_qemu_new(struct vmm *vmm, const char *cmdline,
			    struct backend **ret_backend);
int __wrap_virtio_vsock_listen(struct virtio_dev *dev, uint32_t port,
			       vsock_accept_fn *accept, void *userdata);
void __wrap_timer_set(struct timer *timer, uint32_t ms);
void __real_timer_set(struct timer *timer, uint32_t ms);

int __wrap_choose_acceleration(const struct vm_config *config,
			       bool *ret_emulate, char *ret_text, size_t size)
{
	(void)config;
	(void)snprintf(ret_text, size, "as the test says");
	*ret_emulate = run.emulated;
	return 0;
}

int __wrap_backend_kvm_new(struct vmm *vmm, const char *cmdline,
			   struct backend **ret_backend)
{
	(void)cmdline;
	run.vmm = vmm;
	*ret_backend = &kvm;
	return 0;
}

int __wrap_backend_qemu_new(struct vmm *vmm, const char *cmdline,
			    struct backend **ret_backend)
{
	(void)cmdline;
	run.vmm = vmm;
	*ret_backend = &qemu;
	return 0;
}

/* No guest comes here. */
int __wrap_virtio_vsock_listen(struct virtio_dev *dev, uint32_t port,
			       vsock_accept_fn *accept, void *userdata)
{
	(void)dev;
	(void)port;
	(void)accept;
	(void)userdata;
	return 0;
}

void __wrap_timer_set(struct timer *timer, uint32_t ms)
{
	run.n_armed += timer == &run.vmm->boot_timer;
	__real_timer_set(timer, ms);
}

TestSuite(vmm, .timeout = 60);

static void send_orders(int app, const struct vm_config *config)
{
	unsigned char body[VM_CONFIG_MAX_BYTES];
	int fds[VM_CONFIG_MAX_FDS];
	unsigned int n_fds;
	size_t used;

	cr_assert_eq(vm_config_encode(config, body, sizeof(body), &used, fds,
				      VM_CONFIG_MAX_FDS, &n_fds),
		     0);
	cr_assert_eq(wire_send(app, WIRE_RUN, body, used, fds, n_fds), 0);
}

static void read_last_word(int app)
{
	struct wire_message message;
	struct wire_event event;

	while (wire_receive(app, &message) > 0) {
		cr_assert_eq(wire_body(&message, &event, sizeof(event)), 0);
		wire_message_fini(&message);
		if (le32_get(event.type) != AVF_EVENT_STOPPED)
			continue;
		run.reason = (int)le32_get(event.code);
		memcpy(run.text, event.text, sizeof(run.text));
	}
}

/* A run with a boot time-out of a millisecond. An application that @leaves ends
 * it if nothing else has. */
static void run_vm(enum avf_config_kind kind, bool is_protected, bool leaves)
{
	struct vm_config config;
	int pair[2];

	run.vmm = NULL;
	run.n_armed = 0;
	run.reason = -1;
	vm_config_init(&config);
	config.kind = kind;
	config.is_protected = is_protected;
	config.boot_timeout_ms = 1;
	cr_assert_eq(wire_socketpair(pair), 0);
	send_orders(pair[0], &config);
	if (leaves)
		cr_assert_eq(shutdown(pair[0], SHUT_WR), 0);
	cr_assert_eq(vmm_main(pair[1]), 0);
	read_last_word(pair[0]);
	fd_close(pair[0]);
	vm_config_fini(&config);
}

/* Only a kernel whose devices do not work may be one without pKVM's side. */
Test(vmm, a_payload_that_is_late)
{
	static const struct {
		bool is_protected, emulated;
		enum virtq_reach reach;
		bool blames_kernel;
	} rows[] = {
		{false, false, VIRTQ_REACH_UNKNOWN, false},
		{false, true, VIRTQ_REACH_UNKNOWN, false},
		{true, false, VIRTQ_REACH_UNKNOWN, true},
		{true, false, VIRTQ_REACH_REFUSED, true},
		{true, false, VIRTQ_REACH_GOOD, false},
	};

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		run.emulated = rows[i].emulated;
		run.reach = rows[i].reach;
		run_vm(AVF_CONFIG_PAYLOAD, rows[i].is_protected, false);
		cr_expect_eq(run.reason, AVF_STOP_REASON_HANGUP, "row %zu", i);
		cr_expect(strstr(run.text, "boot_timeout_ms"), "row %zu: %s", i,
			  run.text);
		cr_expect_eq(strstr(run.text, "CONFIG_ARM_PKVM_GUEST") != NULL,
			     rows[i].blames_kernel, "row %zu: %s", i, run.text);
	}
}

Test(vmm, a_raw_vm_that_keeps_its_rings_to_itself)
{
	run.emulated = false;
	run.reach = VIRTQ_REACH_REFUSED;
	run_vm(AVF_CONFIG_RAW, true, false);
	cr_expect_eq(run.reason, AVF_STOP_REASON_HANGUP);
	cr_expect(strstr(run.text, "CONFIG_ARM_PKVM_GUEST"), "%s", run.text);
}

/* Others may run as long as they like, and nobody asks who cannot answer. */
Test(vmm, raw_vms_without_a_boot_timer)
{
	static const struct {
		bool is_protected, emulated;
		unsigned int n_armed;
	} rows[] = {
		{false, false, 0},
		{false, true, 0},
		{true, true, 0}, /* which choose.c refuses */
		{true, false, 1},
	};

	run.reach = VIRTQ_REACH_GOOD;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		run.emulated = rows[i].emulated;
		run_vm(AVF_CONFIG_RAW, rows[i].is_protected, true);
		cr_expect_eq(run.reason, AVF_STOP_REASON_KILLED, "row %zu: %s",
			     i, run.text);
		cr_expect_eq(run.n_armed, rows[i].n_armed, "row %zu", i);
	}
}
