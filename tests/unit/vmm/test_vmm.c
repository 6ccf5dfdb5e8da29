/*
 * The process from its orders to its last word, with a backend of this test's:
 * what ends a run, which of several reasons counts, and what is told when.
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
enum step { NONE, CHOOSE, BUILD, LISTEN, START };
static struct {
	enum step failing;
	void (*guest)(struct vmm *vmm); /* what it does at once; or NULL */
	enum virtq_reach reach;
	bool emulated; /* it cannot be asked, as QEMU */
	struct vmm *vmm;
	unsigned int n_armed; /* the boot timer */
	unsigned int n_freed; /* the backend */
	int app;              /* the application's end */
	char events[128];     /* "STARTED STOPPED " */
	char started[WIRE_TEXT];
	int started_code;
	int reason;
	char text[WIRE_TEXT];
} run;

static int fail_in(enum step step)
{
	return run.failing == step
		       ? fail(AVF_ERR_IO, "step %d fails", (int)step)
		       : 0;
}

static int start(struct backend *backend)
{
	(void)backend;
	if (run.guest)
		run.guest(run.vmm);
	return fail_in(START);
}

static enum virtq_reach reach(struct backend *backend)
{
	(void)backend;
	return run.reach;
}

static const char *event_name(uint32_t type)
{
	if (type == AVF_EVENT_STARTED)
		return "STARTED";
	return type == AVF_EVENT_STOPPED ? "STOPPED" : "other";
}

static void read_events(void)
{
	struct wire_message message;
	struct wire_event e;
	size_t used = strlen(run.events);

	while (wire_receive(run.app, &message) > 0) {
		cr_assert_eq(wire_body(&message, &e, sizeof(e)), 0);
		wire_message_fini(&message);
		used += (size_t)snprintf(run.events + used,
					 sizeof(run.events) - used, "%s ",
					 event_name(le32_get(e.type)));
		if (le32_get(e.type) == AVF_EVENT_STARTED) {
			run.started_code = (int)le32_get(e.code);
			memcpy(run.started, e.text, sizeof(run.started));
		}
		if (le32_get(e.type) == AVF_EVENT_STOPPED) {
			run.reason = (int)le32_get(e.code);
			memcpy(run.text, e.text, sizeof(run.text));
		}
	}
}

/* Who hears STOPPED may use the disks again: not before. */
static void free_backend(struct backend *backend)
{
	(void)backend;
	run.n_freed++;
	read_events();
	cr_expect_eq(run.reason, -1, "STOPPED was said before");
}

static const struct backend_ops kvm_ops = {
	.start = start,
	.reach = reach,
	.free = free_backend,
};
static const struct backend_ops qemu_ops = {
	.start = start,
	.free = free_backend,
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
	return fail_in(CHOOSE);
}

int __wrap_backend_kvm_new(struct vmm *vmm, const char *cmdline,
			   struct backend **ret_backend)
{
	(void)cmdline;
	run.vmm = vmm;
	if (run.failing != BUILD)
		*ret_backend = &kvm;
	return fail_in(BUILD);
}

int __wrap_backend_qemu_new(struct vmm *vmm, const char *cmdline,
			    struct backend **ret_backend)
{
	(void)cmdline;
	run.vmm = vmm;
	if (run.failing != BUILD)
		*ret_backend = &qemu;
	return fail_in(BUILD);
}

/* No guest comes here. */
int __wrap_virtio_vsock_listen(struct virtio_dev *dev, uint32_t port,
			       vsock_accept_fn *accept, void *userdata)
{
	(void)dev;
	(void)port;
	(void)accept;
	(void)userdata;
	return fail_in(LISTEN);
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

static void begin(int pair[2])
{
	run.vmm = NULL;
	run.n_armed = run.n_freed = 0;
	run.reason = run.started_code = -1;
	run.events[0] = run.started[0] = run.text[0] = '\0';
	cr_assert_eq(wire_socketpair(pair), 0);
	run.app = pair[0];
}

/* From the first message to the last. */
static void end(const int pair[2])
{
	cr_assert_eq(vmm_main(pair[1]), 0);
	read_events();
	fd_close(pair[0]);
}

/* A run with a boot time-out of a millisecond. An application that @leaves ends
 * it if nothing else has. */
static void run_vm(enum avf_config_kind kind, bool is_protected, bool leaves)
{
	struct vm_config config;
	int pair[2];

	begin(pair);
	vm_config_init(&config);
	config.kind = kind;
	config.is_protected = is_protected;
	config.boot_timeout_ms = 1;
	send_orders(pair[0], &config);
	if (leaves)
		cr_assert_eq(shutdown(pair[0], SHUT_WR), 0);
	end(pair);
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

/* --- orders and the start --------------------------------------------- */

/* The process ends, and says why to whoever still listens. */
Test(vmm, first_messages_that_are_no_orders)
{
	static const struct {
		const char *what;
		enum wire_type type;
		size_t size;
		const char *text;
	} rows[] = {
		{"another message", WIRE_STOP, 0, "no RUN"},
		{"orders that are empty", WIRE_RUN, 0, ""},
		{"orders of zeros", WIRE_RUN, 64, ""},
	};
	static const unsigned char zeros[64];
	int pair[2];

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		begin(pair);
		cr_assert_eq(wire_send(pair[0], rows[i].type, zeros,
				       rows[i].size, NULL, 0),
			     0);
		end(pair);
		cr_expect_eq(run.reason, AVF_STOP_REASON_START_FAILED, "%s",
			     rows[i].what);
		cr_expect(strstr(run.text, rows[i].text), "%s: %s",
			  rows[i].what, run.text);
		cr_expect_str_eq(run.events, "STOPPED ", "%s", rows[i].what);
	}
}

Test(vmm, an_application_that_leaves_without_orders)
{
	int pair[2];

	begin(pair);
	cr_assert_eq(shutdown(pair[0], SHUT_WR), 0);
	end(pair);
	cr_expect_eq(run.reason, AVF_STOP_REASON_START_FAILED);
	cr_expect_null(run.vmm, "nothing was built");
}

Test(vmm, each_step_of_the_start_may_fail)
{
	static const struct {
		enum step failing;
		unsigned int n_freed;
	} rows[] = {{CHOOSE, 0}, {BUILD, 0}, {LISTEN, 1}, {START, 1}};
	char text[32];

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		run.failing = rows[i].failing;
		(void)snprintf(text, sizeof(text), "step %d fails",
			       (int)run.failing);
		run_vm(AVF_CONFIG_PAYLOAD, false, false);
		cr_expect_eq(run.reason, AVF_STOP_REASON_START_FAILED, "%s",
			     text);
		cr_expect_str_eq(run.text, text);
		cr_expect_str_eq(run.events, "STOPPED ", "%s", text);
		cr_expect_eq(run.n_freed, rows[i].n_freed, "%s", text);
		cr_expect_eq(run.n_armed, 0, "%s", text);
	}
}

static void say_started(struct vmm *vmm)
{
	vmm_started(vmm, run.emulated);
	vmm_guest_ended(vmm, AVF_STOP_REASON_SHUTDOWN, "powered off");
}

/* ... with what runs the guest, and why that. */
Test(vmm, started_says_what_runs_the_guest)
{
	run.guest = say_started;
	for (int emulated = 0; emulated < 2; emulated++) {
		run.emulated = emulated;
		run_vm(AVF_CONFIG_PAYLOAD, false, false);
		cr_expect_str_eq(run.events, "STARTED STOPPED ");
		cr_expect_eq(run.started_code, emulated);
		cr_expect_str_eq(run.started, "as the test says");
		cr_expect_eq(run.reason, AVF_STOP_REASON_SHUTDOWN);
		cr_expect_eq(run.n_freed, 1);
	}
}

/* --- which reason counts ---------------------------------------------- */

static const char *words;

/* The failure port brings them in pieces. */
static void write_words(struct vmm *vmm)
{
	const size_t n = strlen(words), half = n / 2;

	vmm_failure_bytes(vmm, words, half);
	vmm_failure_bytes(vmm, words + half, n - half);
	vmm_guest_ended(vmm, AVF_STOP_REASON_CRASH, "as the machine ended");
}

Test(vmm, what_the_guest_said_of_its_end_counts_more_than_how_it_ended)
{
	static const struct {
		enum avf_config_kind kind;
		const char *words;
		int reason;
		const char *text;
	} rows[] = {
		{AVF_CONFIG_PAYLOAD, "MICRODROID_PAYLOAD_HAS_CHANGED|the hash",
		 AVF_STOP_REASON_MICRODROID_PAYLOAD_HAS_CHANGED, "the hash"},
		{AVF_CONFIG_PAYLOAD, "", AVF_STOP_REASON_CRASH,
		 "as the machine ended"},
		{AVF_CONFIG_PAYLOAD, "nonsense", AVF_STOP_REASON_CRASH,
		 "as the machine ended"},
		/* it may not blame the host */
		{AVF_CONFIG_PAYLOAD, "KILLED|by you", AVF_STOP_REASON_CRASH,
		 "as the machine ended"},
		/* a raw guest has no such words */
		{AVF_CONFIG_RAW, "MICRODROID_PAYLOAD_HAS_CHANGED|the hash",
		 AVF_STOP_REASON_CRASH, "as the machine ended"},
	};

	run.guest = write_words;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		words = rows[i].words;
		run_vm(rows[i].kind, false, false);
		cr_expect_eq(run.reason, rows[i].reason, "row %zu: %d", i,
			     run.reason);
		cr_expect_str_eq(run.text, rows[i].text, "row %zu: %s", i,
				 run.text);
	}
}

/* Of more than there is room for, the beginning. */
static void write_too_much(struct vmm *vmm)
{
	static char flood[3 * WIRE_TEXT];

	memset(flood, 'x', sizeof(flood));
	(void)snprintf(flood, sizeof(flood), "%s",
		       "MICRODROID_INVALID_PAYLOAD_CONFIG|");
	flood[strlen(flood)] = 'x';
	for (int i = 0; i < 3; i++)
		vmm_failure_bytes(vmm, flood, sizeof(flood));
	vmm_guest_ended(vmm, AVF_STOP_REASON_CRASH, "as the machine ended");
}

Test(vmm, a_guest_with_too_much_to_say)
{
	run.guest = write_too_much;
	run_vm(AVF_CONFIG_PAYLOAD, false, false);
	cr_expect_eq(run.reason,
		     AVF_STOP_REASON_MICRODROID_INVALID_PAYLOAD_CONFIG);
	/* with the word before it, it filled a text */
	cr_expect_eq(strlen(run.text) +
			     strlen("MICRODROID_INVALID_PAYLOAD_CONFIG|"),
		     WIRE_TEXT - 1);
	cr_expect_eq(run.text[strlen(run.text) - 1], 'x');
}

static void give_reasons(struct vmm *vmm)
{
	vmm_guest_reason(vmm, -1, "none");
	vmm_guest_reason(vmm, AVF_STOP_REASON_MICRODROID_UNKNOWN_RUNTIME_ERROR,
			 "the manager's");
	vmm_guest_reason(vmm, AVF_STOP_REASON_CRASH, "another");
	words = "MICRODROID_PAYLOAD_HAS_CHANGED|the port's";
	write_words(vmm);
	vmm_stop(vmm, AVF_STOP_REASON_KILLED, "too late");
}

Test(vmm, the_first_reason_counts)
{
	run.guest = give_reasons;
	run_vm(AVF_CONFIG_PAYLOAD, false, true);
	cr_expect_eq(run.reason,
		     AVF_STOP_REASON_MICRODROID_UNKNOWN_RUNTIME_ERROR);
	cr_expect_str_eq(run.text, "the manager's");
	cr_expect_str_eq(run.events, "STOPPED ");
}
