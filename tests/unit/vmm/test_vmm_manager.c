/*
 * The guest's manager, honest and hostile, against the VMM's end of its
 * session. An honest one runs on a thread of its own, as it waits for answers;
 * the loop is turned here. A hostile one sends bytes.
 */
#include <criterion/criterion.h>

#include <arpa/inet.h>
#include <poll.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/timerfd.h>
#include <unistd.h>

#include <android/binder_rpc_unstable.h>
#include <avf/vm.h>

#include "base/checked.h"
#include "base/fd.h"
#include "base/guest_protocol.h"
#include "support/manager_fixture.h"
#include "support/raw_peer.h"
#include "vmservice/aidl_end.h"
#include "vmservice/guest_agent.h"

static struct manager_fixture fixture;
static struct vmm *vmm;
static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER; /* the machine's */

static void setup(void)
{
	manager_fixture_init(&fixture);
	vmm = fixture.vmm;
	vmm->loop.lock = &lock;
	cr_assert_eq(manager_listen(&vmm->manager), 0);
}

static void teardown(void)
{
	manager_fixture_fini(&fixture);
}

TestSuite(vmm_manager, .init = setup, .fini = teardown, .timeout = 60);

/* A connection of the guest: its end, or an error. */
static int dial(void *param)
{
	int rc;

	(void)param;
	(void)pthread_mutex_lock(&lock);
	rc = manager_fixture_dial();
	(void)pthread_mutex_unlock(&lock);
	return rc;
}

static void turn(void)
{
	for (int i = 0; i < 8; i++)
		cr_assert_eq(loop_run_once(&vmm->loop, 0), 0);
}

/* The next event that is no log line, as "TYPE CODE TEXT"; "": none. */
static const char *next_event(void)
{
	static char text[512];
	struct wire_message message;
	struct wire_event event;

	while (wire_receive(fixture.app, &message) > 0) {
		cr_assert_eq(wire_body(&message, &event, sizeof(event)), 0);
		wire_message_fini(&message);
		if (le32_get(event.type) == AVF_EVENT_LOG)
			continue;
		(void)snprintf(text, sizeof(text), "%u %d %s",
			       le32_get(event.type), (int)le32_get(event.code),
			       event.text);
		return text;
	}
	return "";
}

static void expect_event(int type, int code, const char *text)
{
	char expected[512];

	(void)snprintf(expected, sizeof(expected), "%d %d %s", type, code,
		       text);
	cr_expect_str_eq(next_event(), expected);
}

/* ---- an honest manager ------------------------------------------------------
 */

struct guest {
	AIBinder *service, *host; /* owned */
	void (*run)(struct guest *guest);
	struct rpc_polled calls;
	struct guest_agent agent;
	unsigned int n_shutdowns;
	uint32_t max_frame; /* that it takes; 0: the default */
	bool done;          /* atomic */
};

static void count_shutdown(void *userdata)
{
	struct guest *guest = userdata;

	guest->n_shutdowns++;
}

static void connect_guest(struct guest *guest)
{
	ARpcSession *session = ARpcSession_new();

	if (guest->max_frame > 0)
		AvfRpcSession_setMaxFrameSize(session, guest->max_frame);
	guest->service =
		ARpcSession_setupPreconnectedClient(session, dial, NULL);
	ARpcSession_free(session);
	cr_assert_not_null(guest->service);
	cr_assert_eq(AIBinder_getExtension(guest->service, &guest->host), 0);
	cr_assert_not_null(guest->host);
}

static void register_agent(struct guest *guest)
{
	AIBinder *agent;

	guest->agent = (struct guest_agent){count_shutdown, guest};
	cr_assert_eq(rpc_polled_join(&guest->calls, guest->service, dial(NULL)),
		     0);
	/* else the host may hear of the agent before it can call it */
	cr_assert_eq(rpc_polled_wait(&guest->calls, -1), 0);
	agent = guest_agent_new(&guest->agent);
	cr_expect_eq(vm_service_register_guest_agent(guest->service, agent), 0);
	AIBinder_decStrong(agent);
}

/* What has come by now, the answer of the host among it. */
static void take_calls(struct guest *guest)
{
	while (fd_wait(guest->calls.conn->fd, POLLIN, 0) > 0 &&
	       rpc_polled_ready(&guest->calls) == RPC_POLLED_SERVES)
		;
}

static void *run_guest(void *userdata)
{
	struct guest *guest = userdata;

	connect_guest(guest);
	guest->run(guest);
	__atomic_store_n(&guest->done, true, __ATOMIC_RELEASE);
	loop_quit(&vmm->loop); /* wakes it */
	return NULL;
}

static void serve(struct guest *guest, void (*run)(struct guest *guest))
{
	pthread_t thread;

	guest->run = run;
	cr_assert_eq(pthread_create(&thread, NULL, run_guest, guest), 0);
	while (!__atomic_load_n(&guest->done, __ATOMIC_ACQUIRE))
		cr_assert_eq(loop_run_once(&vmm->loop, -1), 0);
	(void)pthread_join(thread, NULL);
}

static void hang_up(struct guest *guest)
{
	rpc_polled_fini(&guest->calls);
	AIBinder_decStrong(guest->host);
	AIBinder_decStrong(guest->service);
	turn();
	cr_expect_null(vmm->manager.session);
	cr_expect_null(vmm->manager.agent);
}

static void live(struct guest *guest)
{
	AIBinder *s = guest->service;

	cr_expect_eq(vm_service_payload_started(s), 0);
	cr_expect_eq(vm_service_payload_ready(s), 0);
	cr_expect_eq(vm_service_payload_finished(s, -7), 0);
}

Test(vmm_manager, passes_on_the_life_of_a_payload)
{
	struct guest guest = {.done = false};

	serve(&guest, live);
	expect_event(AVF_EVENT_PAYLOAD_STARTED, 0, "");
	expect_event(AVF_EVENT_PAYLOAD_READY, 0, "");
	expect_event(AVF_EVENT_PAYLOAD_FINISHED, -7, "");
	hang_up(&guest);
	cr_expect_str_eq(next_event(), "");
	cr_expect_not(vmm->stopped);
}

static void live_backwards(struct guest *guest)
{
	AIBinder *s = guest->service;

	cr_expect_eq(vm_service_payload_ready(s), AVF_ERR_STATE);
	cr_expect_eq(vm_service_payload_started(s), 0);
	cr_expect_eq(vm_service_payload_started(s), AVF_ERR_STATE);
	cr_expect_eq(vm_service_payload_finished(s, 1), 0);
	cr_expect_eq(vm_service_payload_ready(s), AVF_ERR_STATE);
	cr_expect_eq(vm_service_payload_finished(s, 2), AVF_ERR_STATE);
}

Test(vmm_manager, states_only_move_forward)
{
	struct guest guest = {.done = false};

	serve(&guest, live_backwards);
	expect_event(AVF_EVENT_PAYLOAD_STARTED, 0, "");
	expect_event(AVF_EVENT_PAYLOAD_FINISHED, 1, "");
	cr_expect_str_eq(next_event(), "");
	hang_up(&guest);
}

static void err(struct guest *guest)
{
	cr_expect_eq(vm_service_error(guest->service, 2, "a\nb \xc3\xbc"), 0);
	cr_expect_eq(guest_host_set_stop_reason(
			     guest->host, AVF_STOP_REASON_SHUTDOWN, "x\x1b"),
		     0);
	cr_expect_eq(guest_host_set_stop_reason(guest->host,
						AVF_STOP_REASON_CRASH, "later"),
		     0);
}

Test(vmm_manager, texts_are_cleaned_and_the_first_reason_counts)
{
	struct guest guest = {.done = false};

	serve(&guest, err);
	expect_event(AVF_EVENT_ERROR, 2, "a\\x0ab \xc3\xbc");
	cr_expect_eq(vmm->guest_reason, AVF_STOP_REASON_SHUTDOWN);
	cr_expect_str_eq(vmm->guest_text, "x\\x1b");
	hang_up(&guest);
}

static void too_long(struct guest *guest)
{
	char text[1025];

	memset(text, 'x', 1024);
	text[1024] = '\0';
	cr_expect_lt(vm_service_error(guest->service, 0, text), 0);
	cr_expect_lt(vm_service_payload_started(guest->service), 0);
}

Test(vmm_manager, a_message_beyond_the_buffer_ends_the_session)
{
	struct guest guest = {.done = false};

	serve(&guest, too_long);
	cr_expect_str_eq(next_event(), "");
	hang_up(&guest);
	cr_expect_not(vmm->stopped);
}

static void get_orders(struct guest *guest)
{
	struct guest_orders orders = {.is_debuggable = false};

	cr_expect_eq(guest_host_get_orders(guest->host, &orders), 0);
	cr_expect_str_eq(orders.payload_name, "libx.so");
	cr_expect(orders.is_debuggable);
	cr_expect_str_eq(orders.vm_name, "my vm");
}

Test(vmm_manager, gives_the_orders)
{
	struct guest guest = {.done = false};

	vmm->config.debug_level = AVF_DEBUG_LEVEL_FULL;
	vmm->config.name = strdup("my vm");
	serve(&guest, get_orders);
	hang_up(&guest);
}

static int32_t other_protocol;

/* A guest of another build asks for its orders. */
static void ask_in_another_protocol(struct guest *guest)
{
	const struct aidl_call call = {.target = guest->host,
				       .descriptor =
					       "libvirtualization.IGuestHost",
				       .name = "getOrders",
				       .code = FIRST_CALL_TRANSACTION};
	AParcel *in = NULL;

	cr_assert_eq(aidl_begin(&call, &in), 0);
	cr_expect_eq(aidl_finish(&call, in,
				 AParcel_writeInt32(in, other_protocol), NULL),
		     AVF_ERR_UNSUPPORTED);
}

/* Its power-off alone would say nothing. */
Test(vmm_manager, names_the_versions_of_a_guest_of_another_build)
{
	static const int32_t protocols[] = {0, GUEST_PROTOCOL + 1, INT32_MAX};
	char expected[128];

	for (size_t i = 0; i < ARRAY_SIZE(protocols); i++) {
		struct guest guest = {.done = false};

		other_protocol = protocols[i];
		serve(&guest, ask_in_another_protocol);
		vmm_guest_ended(vmm, AVF_STOP_REASON_SHUTDOWN, "powered off");
		cr_expect_eq(
			vmm->guest_reason,
			AVF_STOP_REASON_MICRODROID_FAILED_TO_CONNECT_TO_VIRTUALIZATION_SERVICE);
		(void)snprintf(expected, sizeof(expected),
			       "speaks version %d of the protocol, this "
			       "library version %d",
			       protocols[i], GUEST_PROTOCOL);
		cr_expect_not_null(strstr(vmm->guest_text, expected), "%s",
				   vmm->guest_text);
		cr_expect_not_null(strstr(vmm->guest_text, "avf image build"),
				   "%s", vmm->guest_text);
		hang_up(&guest);
		teardown();
		setup();
	}
}

static void get_orders_in_vain(struct guest *guest)
{
	struct guest_orders orders = {.is_debuggable = true};

	cr_expect_eq(guest_host_get_orders(guest->host, &orders),
		     AVF_ERR_STATE);
	cr_expect(orders.is_debuggable, "was written to");
}

Test(vmm_manager, has_no_orders_for_a_guest_that_shall_stop)
{
	struct guest guest = {.done = false};

	vmm->stop_requested = true;
	serve(&guest, get_orders_in_vain);
	hang_up(&guest);
}

Test(vmm_manager, asks_the_agent_to_shut_down)
{
	struct guest guest = {.done = false};

	cr_expect(manager_is_expected(&vmm->manager));
	cr_expect_not(manager_ask_shutdown(&vmm->manager));
	serve(&guest, register_agent);
	cr_expect_not(manager_is_expected(&vmm->manager));
	cr_expect(manager_ask_shutdown(&vmm->manager));
	take_calls(&guest);
	cr_expect_eq(guest.n_shutdowns, 1);
	hang_up(&guest);
	cr_expect_not(manager_is_expected(&vmm->manager));
	cr_expect_not(manager_ask_shutdown(&vmm->manager));
}

Test(vmm_manager, asks_at_once_when_the_stop_came_before)
{
	struct guest guest = {.done = false};

	vmm->stop_requested = true;
	serve(&guest, register_agent);
	take_calls(&guest);
	cr_expect_eq(guest.n_shutdowns, 1);
	hang_up(&guest);
}

static void register_more(struct guest *guest)
{
	AIBinder *again;

	/* the host's own object is no agent, nor is none */
	cr_expect_eq(
		vm_service_register_guest_agent(guest->service, guest->service),
		AVF_ERR_STATE);
	cr_expect_lt(vm_service_register_guest_agent(guest->service, NULL), 0);
	register_agent(guest);
	again = guest_agent_new(&guest->agent);
	cr_expect_eq(vm_service_register_guest_agent(guest->service, again),
		     AVF_ERR_STATE);
	AIBinder_decStrong(again);
	take_calls(guest);
}

Test(vmm_manager, has_one_agent)
{
	struct guest guest = {.done = false};

	serve(&guest, register_more);
	hang_up(&guest);
}

/* A guest that does not read the calls: the second is refused or waits in the
 * socket, the VMM never does. */
Test(vmm_manager, does_not_wait_for_an_agent_that_reads_nothing)
{
	struct guest guest = {.done = false};
	unsigned int n = 0;

	serve(&guest, register_agent);
	while (manager_ask_shutdown(&vmm->manager))
		n++;
	cr_expect_gt(n, 0);
	hang_up(&guest);
	cr_expect_not(vmm->stopped);
}

static void ask_orders(struct guest *guest)
{
	struct guest_orders orders;

	cr_expect_eq(guest_host_get_orders(guest->host, &orders), 0);
}

static void start_payload(struct guest *guest)
{
	cr_expect_eq(vm_service_payload_started(guest->service), 0);
}

static void fail_payload(struct guest *guest)
{
	cr_expect_eq(vm_service_error(guest->service, 1, "why"), 0);
}

static bool boot_timer_runs(void)
{
	struct itimerspec left;

	cr_assert_eq(timerfd_gettime(vmm->boot_timer.fd, &left), 0);
	return left.it_value.tv_sec > 0 || left.it_value.tv_nsec > 0;
}

/* Else every VM would be stopped, long after the other tests have ended. */
Test(vmm_manager, a_guest_that_reports_has_booted)
{
	static const struct {
		const char *what;
		void (*run)(struct guest *guest);
		bool runs;
	} reports[] = {
		{"asks for its orders", ask_orders, true},
		{"has started the payload", start_payload, false},
		{"could not", fail_payload, false},
	};

	for (size_t i = 0; i < ARRAY_SIZE(reports); i++) {
		struct guest guest = {.done = false};

		timer_set(&vmm->boot_timer, 100000);
		serve(&guest, reports[i].run);
		cr_expect_eq(boot_timer_runs(), reports[i].runs, "%s",
			     reports[i].what);
		hang_up(&guest);
		teardown();
		setup();
	}
}

#define HELLO   RAW_HELLO("01000000")
#define WELCOME "01000000 00000000 "
#define GREETED HELLO RAW_INIT

/* Whatever it says of the handshake, only a report ends the boot time-out: that
 * is the deadline of the handshake. */
Test(vmm_manager, a_guest_that_only_greets_has_not_booted)
{
	static const char *const words[] = {
		"", "0100", HELLO, GREETED,
		GREETED RAW_CALL(RAW_NONE, "00000000", "00000000", RAW_NONE)};

	for (size_t i = 0; i < ARRAY_SIZE(words); i++) {
		int fd = dial(NULL);
		int second = dial(NULL);

		timer_set(&vmm->boot_timer, 100000);
		raw_send(fd, words[i]);
		turn();
		cr_expect_not_null(vmm->manager.session, "%s", words[i]);
		cr_expect(boot_timer_runs(), "%s", words[i]);
		fd_close(fd);
		fd_close(second);
		teardown();
		setup();
	}
}

static char longest[GUEST_HOST_TEXT];

static void say_the_longest(struct guest *guest)
{
	struct guest_orders orders = {.is_debuggable = false};

	cr_expect_eq(guest_host_get_orders(guest->host, &orders), 0);
	cr_expect_str_eq(orders.payload_name, longest);
	cr_expect_str_eq(orders.vm_name,
			 longest + sizeof(longest) - GUEST_HOST_MAX_NAME - 1);
	cr_expect_eq(vm_service_error(guest->service, 1, longest), 0);
	cr_expect_eq(guest_host_set_stop_reason(guest->host,
						AVF_STOP_REASON_CRASH, longest),
		     0);
}

/* ASCII, which is twice as long in a parcel. */
Test(vmm_manager, the_longest_messages_fit_into_the_buffer)
{
	struct guest guest = {.done = false, .max_frame = RPC_POLLED_MAX};

	memset(longest, 'x', sizeof(longest) - 1);
	free(vmm->config.payload_name);
	vmm->config.payload_name = strdup(longest);
	vmm->config.name =
		strdup(longest + sizeof(longest) - GUEST_HOST_MAX_NAME - 1);
	serve(&guest, say_the_longest);
	expect_event(AVF_EVENT_ERROR, 1, longest);
	cr_expect_str_eq(vmm->guest_text, longest);
	hang_up(&guest);
}

/* ---- bytes ------------------------------------------------------------------
 */

static const struct {
	const char *what, *bytes;
} rows[] = {
	{"the frame of an older manager",
	 "2f000000 0100 0000 4156474c 02000000 3e000000 4c696e7578"},
	{"a session that does not exist",
	 "01000000 00000000 00000000 00002000"},
	{"an id of another size", "01000000 00000000 00000000 00001000"},
	{"a connection to be called on, first",
	 "01000000 01000000 00000000 00000000"},
	{"descriptors", "01000000 00010000 00000000 00000000"},
	{"a wrong magic word", HELLO "63636a00 00000000"},
	{"a command that does not exist",
	 GREETED RAW_HEADER("03000000", "00000000")},
	{"a reply to nothing",
	 GREETED RAW_REPLY("14000000", "00000000", "00000000")},
	{"a body beyond the buffer",
	 GREETED RAW_HEADER("00000000", "00080000")},
	{"a body of all memory", GREETED RAW_HEADER("00000000", "ffffffff")},
	{"a call shorter than its fields",
	 GREETED RAW_HEADER("00000000", "04000000") "00000000"},
	{"a payment of another size",
	 GREETED RAW_HEADER("02000000", "08000000") RAW_NONE},
	{"a oneway call before its turn",
	 GREETED RAW_CALL(RAW_NONE, "00000000", "00000000", RAW_NONE) RAW_CALL(
		 RAW_SERVER, "03000000", "01000000", "05000000 00000000")},
};

Test(vmm_manager, hangs_up_on_what_is_no_session)
{
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		int fd = dial(NULL);

		cr_assert_geq(fd, 0, "%s", rows[i].what);
		raw_send(fd, rows[i].bytes);
		turn();
		cr_expect(raw_closed(fd), "%s", rows[i].what);
		cr_expect_null(vmm->manager.session, "%s", rows[i].what);
		cr_expect_eq(dial(NULL), AVF_ERR_BUSY, "%s", rows[i].what);
		cr_expect_not(vmm->stopped, "%s", rows[i].what);
		/* else it has greeted, and is of this build */
		cr_expect_eq(!strncmp(rows[i].bytes, GREETED, strlen(GREETED)),
			     vmm->guest_reason < 0, "%s", rows[i].what);
		fd_close(fd);
		teardown();
		setup();
	}
}

#define SPECIAL(code) RAW_CALL(RAW_NONE, code, "00000000", RAW_NONE)

/* Begins a session and gets the root. */
static int begin(void)
{
	int fd = dial(NULL);

	cr_assert_geq(fd, 0);
	raw_send(fd, GREETED SPECIAL("00000000"));
	turn();
	cr_assert(raw_expect(fd, WELCOME));
	return fd;
}

/* Skip what has come. */
static void skip(int fd)
{
	char bytes[4096];

	while (recv(fd, bytes, sizeof(bytes), MSG_DONTWAIT) > 0)
		;
}

Test(vmm_manager, tells_nothing_about_its_process)
{
	static const char *const codes[] = {
		"4449505f", /* _PID */
		"504d445f", /* _DMP */
		"444d435f", /* _CMD */
		"5250535f", /* _SPR */
	};
	int fd = begin();
	char call[256];

	for (size_t i = 0; i < ARRAY_SIZE(codes); i++) {
		skip(fd);
		(void)snprintf(call, sizeof(call),
			       RAW_HEADER("00000000", "28000000") RAW_SERVER
			       " %s 00000000 " RAW_NONE " 00000000 00000000 "
			       "00000000 00000000",
			       codes[i]);
		raw_send(fd, call);
		turn();
		/* the target is paid, then UNKNOWN_TRANSACTION (-74) */
		cr_expect(raw_expect(fd,
				     RAW_DEC(RAW_SERVER, "01000000")
					     RAW_REPLY("14000000", "b6ffffff",
						       "00000000")),
			  "%s", codes[i]);
	}
	fd_close(fd);
	turn();
	cr_expect_null(vmm->manager.session);
}

/* Each byte by itself: the loop never waits for the next one. */
Test(vmm_manager, takes_bytes_one_by_one)
{
	static const unsigned char hello[] = {1,   0,   0,   0, 0, 0, 0, 0,
					      0,   0,   0,   0, 0, 0, 0, 0,
					      'c', 'c', 'i', 0, 0, 0, 0, 0};
	int fd = dial(NULL);

	for (size_t i = 0; i < sizeof(hello); i++) {
		cr_assert_eq(send(fd, hello + i, 1, 0), 1);
		turn();
	}
	cr_expect(raw_expect(fd, WELCOME));
	raw_send(fd, SPECIAL("01000000"));
	turn();
	cr_expect(raw_expect(
		fd, RAW_REPLY("18000000", "00000000", "04000000") "01000000"));
	fd_close(fd);
	turn();
}

Test(vmm_manager, does_not_wait_for_a_guest_that_reads_no_answers)
{
	int fd = begin();

	/* more answers than any socket's buffer has room for */
	for (int i = 0; i < 100000 && vmm->manager.session; i++) {
		raw_send(fd, SPECIAL("02000000"));
		cr_assert_eq(loop_run_once(&vmm->loop, 0), 0);
	}
	cr_expect_null(vmm->manager.session);
	cr_expect_not(vmm->stopped);
	fd_close(fd);
}

Test(vmm_manager, a_second_connection_needs_the_id_of_the_session)
{
	int fd = begin();
	int second = dial(NULL);

	cr_assert_geq(second, 0);
	cr_expect_eq(dial(NULL), AVF_ERR_BUSY, "a third one");
	raw_send(second, "01000000 01000000 00000000 00002000"
			 "00000000 00000000 00000000 00000000"
			 "00000000 00000000 00000000 00000000");
	turn();
	cr_expect(raw_closed(second));
	cr_expect(raw_closed(fd));
	cr_expect_null(vmm->manager.session);
	fd_close(second);
	fd_close(fd);
}

#define SERVICE "android.system.virtualmachineservice.IVirtualMachineService"

/* A oneway registerGuestAgent() of the guest's object @n, in its turn. */
static void offer_agent(int fd, unsigned int n)
{
	char token[sizeof(SERVICE) * 4] = "";
	char call[1024];
	size_t used = 0;

	/* UTF-16 with a NUL */
	for (const char *p = SERVICE; *p; p++)
		used += (size_t)snprintf(token + used, sizeof(token) - used,
					 "%02x00", (unsigned char)*p);
	(void)snprintf(call, sizeof(call),
		       RAW_HEADER("00000000", "b4000000") RAW_SERVER
		       " 02000000 01000000 %08x 00000000 8c000000 00000000 "
		       "00000000 00000000 3b000000 %s 0000 01000000 01000000 "
		       "%08x 0c000000",
		       htonl(n), token, htonl(n));
	raw_send(fd, call);
}

/* Each of them has a reference that it is to get back. */
Test(vmm_manager, owes_little_to_a_guest_that_reads_nothing)
{
	uint64_t address, amount;
	unsigned int n = 0, owed = 0;
	int fd = begin();

	for (; n < 120000 && vmm->manager.session; n++) {
		offer_agent(fd, n);
		cr_assert_eq(loop_run_once(&vmm->loop, 0), 0);
	}
	cr_assert_not_null(vmm->manager.session);
	while (rpc_debts_take(&vmm->manager.session->debts, &address, &amount))
		owed++;
	cr_expect_eq(owed, RPC_MAX_NODES);
	fd_close(fd);
}

/* The number of an enum avf_stop_reason comes from the guest. */
static void wild_reasons(struct guest *guest)
{
	cr_expect_eq(guest_host_set_stop_reason(guest->host, -5, ""), 0);
	cr_expect_eq(guest_host_set_stop_reason(guest->host, 12345, ""), 0);
}

Test(vmm_manager, takes_any_number_for_a_reason)
{
	struct guest guest = {.done = false};

	serve(&guest, wild_reasons);
	cr_expect_eq(vmm->guest_reason, 12345);
	hang_up(&guest);
}
