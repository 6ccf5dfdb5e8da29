/* The whole machine over a hypervisor whose vCPUs play a script. What differs
 * by architecture is in host_<arch>.h. */
#include <criterion/criterion.h>
#include <stdatomic.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <avf/vm.h>

#include "base/checked.h"
#include "base/fd.h"
#include "machine/machine.h"
#include "machine/machine_internal.h"
#include "support/fake_hv.h"
#include "support/fake_kernel.h"

#define MAX_STEPS 32

/* One exit; for reads @value is what the machine answered. */
struct step {
	enum hv_exit_kind kind;
	uint64_t addr;
	uint32_t size;
	uint64_t value;
};

struct script_hv {
	struct fake_hv fake;
	struct hv_ops ops;
	struct step steps[MAX_STEPS]; /* of vCPU 0; the others only wait */
	/* Steps that are string instructions: elements, and where they are. */
	struct {
		uint32_t count;
		void *data;
	} strings[MAX_STEPS];
	unsigned int n_steps;
	atomic_uint n_done;
	unsigned int failing_vcpu; /* index that cannot be made */
	bool boot_state_set;
};

struct script_vcpu {
	struct hv_vcpu vcpu;
	unsigned int index;
	unsigned int next;
	atomic_bool kicked;
};

static struct script_hv *hv;
static struct loop loop;
static struct vm_config config;
static struct machine *machine;
static unsigned int n_started;
static int stop_reason;
static char stop_text[AVF_ERROR_TEXT_SIZE];
static int console[2];

static int vcpu_new(struct hv *h, unsigned int index, struct hv_vcpu **ret)
{
	struct script_vcpu *v;

	if (index == hv->failing_vcpu)
		return fail(AVF_ERR_IO, "no vCPU %u today", index);
	v = calloc(1, sizeof(*v));
	cr_assert(v);
	v->vcpu.hv = h;
	v->index = index;
	*ret = &v->vcpu;
	return 0;
}

static void vcpu_free(struct hv_vcpu *vcpu)
{
	free(vcpu);
}

static int set_boot_state(struct hv_vcpu *vcpu,
			  const struct hv_boot_state *state)
{
	struct script_vcpu *v = (struct script_vcpu *)vcpu;

	hv->boot_state_set = v->index == 0 && state;
	return 0;
}

static void vcpu_run(struct hv_vcpu *vcpu, struct hv_exit *e)
{
	struct script_vcpu *v = (struct script_vcpu *)vcpu;
	struct step *s = &hv->steps[v->next];

	memset(e, 0, sizeof(*e));
	e->kind = HV_EXIT_INTERRUPTED;
	if (v->index == 0)
		atomic_store(&hv->n_done, v->next);
	if (v->index != 0 || v->next == hv->n_steps) {
		if (!atomic_exchange(&v->kicked, false))
			usleep(500);
		return;
	}
	v->next++;
	*e = (struct hv_exit){s->kind, s->addr, s->size, 1, &s->value};
	if (hv->strings[v->next - 1].data) {
		e->count = hv->strings[v->next - 1].count;
		e->data = hv->strings[v->next - 1].data;
	}
	if (s->kind == HV_EXIT_FAILED)
		(void)!fail(AVF_ERR_IO, "the hypervisor gave up");
}

static void vcpu_kick(struct hv_vcpu *vcpu)
{
	atomic_store(&((struct script_vcpu *)vcpu)->kicked, true);
}

static int add_line(struct hv *h, unsigned int line, int fd)
{
	(void)h;
	(void)fd;
	cr_expect_eq(line, HOST_SERIAL_LINE);
	return 0;
}

static void hv_free(struct hv *h)
{
	(void)h; /* the tests look at it afterwards */
}

static int started(void *userdata)
{
	(void)userdata;
	n_started++;
	return 0;
}

static void stopped(void *userdata, int reason, const char *text)
{
	(void)userdata;
	cr_expect_eq(stop_reason, -100, "told once");
	stop_reason = reason;
	(void)snprintf(stop_text, sizeof(stop_text), "%s", text);
	loop_quit(&loop);
}

static void failure(void *userdata, const void *data, size_t size)
{
	(void)userdata;
	(void)data;
	(void)size;
}

static void setup(void)
{
	free(hv); /* of the machine before, in tests of several */
	hv = calloc(1, sizeof(*hv));
	cr_assert(hv);
	fake_hv_init(&hv->fake);
	hv->failing_vcpu = UINT32_MAX;
	hv->ops = *hv->fake.hv.ops;
	hv->ops.vcpu_new = vcpu_new;
	hv->ops.vcpu_free = vcpu_free;
	hv->ops.vcpu_set_boot_state = set_boot_state;
	hv->ops.vcpu_run = vcpu_run;
	hv->ops.vcpu_kick = vcpu_kick;
	hv->ops.add_line = add_line;
	hv->ops.free = hv_free;
	hv->fake.hv.ops = &hv->ops;
	vm_config_init(&config);
	config.memory_mib = 64;
	config.kernel_fd = host_kernel();
	cr_assert_eq(pipe(console), 0);
	config.console_out_fd = console[1];
	stop_reason = -100;
	cr_assert_eq(loop_init(&loop), 0);
}

static int build(void)
{
	const struct machine_params params = {
		.config = &config,
		.cmdline = "test",
		.guest_cid = 3,
		.hv = &hv->fake.hv,
		.loop = &loop,
		.started = started,
		.stopped = stopped,
		.failure = failure,
	};

	return machine_new(&params, &machine);
}

static void add_step(enum hv_exit_kind kind, uint64_t addr, uint32_t size,
		     uint64_t value)
{
	hv->steps[hv->n_steps++] = (struct step){kind, addr, size, value};
}

static void add_string(enum hv_exit_kind kind, uint64_t addr, uint32_t size,
		       uint32_t count, void *data)
{
	hv->strings[hv->n_steps].count = count;
	hv->strings[hv->n_steps].data = data;
	add_step(kind, addr, size, 0);
}

/* Build, run the script to the machine's end, and tear down. */
static void run(void)
{
	cr_assert_eq(build(), 0, "%s", error_record()->text);
	cr_assert_eq(machine_start(machine), 0);
	cr_assert_eq(loop_run(&loop), 0);
	machine_free(machine);
	cr_expect_eq(loop.lock, NULL);
}

TestSuite(machine, .init = setup);

Test(machine, the_ways_to_end_have_their_reasons)
{
	static const struct {
		const char *what;
		struct step step;
		int reason;
		const char *text;
	} rows[] = {{"triple fault",
		     {HV_EXIT_SHUTDOWN, 0, 0, 0},
		     AVF_STOP_REASON_CRASH,
		     "triple fault"},
		    {"firmware call: power off",
		     {HV_EXIT_POWER_OFF, 0, 0, 0},
		     AVF_STOP_REASON_SHUTDOWN,
		     "powered off"},
		    {"firmware call: reset",
		     {HV_EXIT_RESET, 0, 0, 0},
		     AVF_STOP_REASON_REBOOT,
		     "reset"},
		    {"the hypervisor gives up",
		     {HV_EXIT_FAILED, 0, 0, 0},
		     AVF_STOP_REASON_CRASH,
		     "the hypervisor gave up"},
		    HOST_ENDS};

	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		setup();
		hv->steps[0] = rows[i].step;
		hv->n_steps = 1;
		run();
		cr_expect_eq(stop_reason, rows[i].reason, "%s", rows[i].what);
		cr_expect(strstr(stop_text, rows[i].text), "%s: %s",
			  rows[i].what, stop_text);
	}
	cr_expect_eq(n_started, ARRAY_SIZE(rows));
}

Test(machine, the_first_end_counts)
{
	add_step(HV_EXIT_RESET, 0, 0, 0);
	add_step(HV_EXIT_SHUTDOWN, 0, 0, 0);
	run();
	cr_expect_eq(stop_reason, AVF_STOP_REASON_REBOOT);
	cr_expect_leq(atomic_load(&hv->n_done), 1, "and it runs no further");
}

Test(machine, every_device_answers_on_the_bus)
{
	/* host bridge, then disk, console, rng, vsock: virtio ids + 0x1040 */
	static const uint32_t ids[] = {0x00081b36, 0x10421af4, 0x10431af4,
				       0x10441af4, 0x10531af4, 0xffffffff};
	static char sectors[1024];

	config.disks[0].fd = fake_file(sectors, sizeof(sectors));
	config.n_disks = 1;
	for (uint64_t slot = 0; slot < ARRAY_SIZE(ids); slot++)
		add_step(HV_EXIT_MMIO_READ, MACHINE_ECAM_BASE + (slot << 15), 4,
			 0);
	add_step(HV_EXIT_POWER_OFF, 0, 0, 0);
	run();
	for (size_t slot = 0; slot < ARRAY_SIZE(ids); slot++)
		cr_expect_eq((uint32_t)hv->steps[slot].value, ids[slot],
			     "slot %zu: 0x%x", slot,
			     (uint32_t)hv->steps[slot].value);
	cr_expect(hv->boot_state_set);
}

Test(machine, accesses_to_nowhere_read_ones_and_harm_nothing)
{
	static const uint64_t nowhere[] = {0x80, 0x3e8, 0xcfd, 0xffff};

	for (size_t i = 0; i < ARRAY_SIZE(nowhere); i++) {
		add_step(HV_EXIT_PIO_WRITE, nowhere[i], 1, 0xaa);
		add_step(HV_EXIT_PIO_READ, nowhere[i] & 0xff, 4, 0);
	}
	add_step(HV_EXIT_MMIO_READ, 0xd1234560, 8, 0);
	add_step(HV_EXIT_MMIO_WRITE, UINT64_MAX - 3, 8, 1);
	add_step(HV_EXIT_MMIO_READ, UINT64_MAX, 8, 0);
	add_step(HV_EXIT_POWER_OFF, 0, 0, 0);
	run();
	cr_expect_eq(stop_reason, AVF_STOP_REASON_SHUTDOWN);
	cr_expect_eq(hv->steps[8].value, UINT64_MAX);
	cr_expect_eq(hv->steps[10].value, UINT64_MAX);
}

/* CMOS, debug ports, a floppy, PCI's reset: there is none of it, in any
 * width and as a string; no byte beside the string's own is written. */
Test(machine, string_instructions_to_ports_that_are_not_there)
{
	static const uint16_t ports[] = {0x70, 0x71, 0xe9, 0x402, 0x3f0, 0xcf9};
	static unsigned char strings[6][4098];

	for (size_t i = 0; i < ARRAY_SIZE(ports); i++) {
		add_string(HV_EXIT_PIO_READ, ports[i], 4, 1024, strings[i]);
		add_string(HV_EXIT_PIO_WRITE, ports[i], 1, 4096, strings[i]);
	}
	add_step(HV_EXIT_POWER_OFF, 0, 0, 0);
	run();
	cr_expect_eq(stop_reason, AVF_STOP_REASON_SHUTDOWN);
	for (size_t i = 0; i < ARRAY_SIZE(ports); i++) {
		cr_expect_eq(strings[i][0], 0xff, "port %x", ports[i]);
		cr_expect_eq(strings[i][4095], 0xff, "port %x", ports[i]);
		cr_expect_eq(strings[i][4096], 0, "port %x", ports[i]);
	}
}

/* A page of output at once, and as much input as nobody typed. */
Test(machine, string_instructions_to_the_serial_port)
{
	static char page[4096], got[8192];

	memset(page, 'p', sizeof(page));
	add_string(HOST_SERIAL_WRITE, HOST_SERIAL, 1, sizeof(page), page);
	add_string(HOST_SERIAL_READ, HOST_SERIAL, 1, sizeof(got) / 2, got);
	memset(got, 'g', sizeof(got));
	add_step(HV_EXIT_POWER_OFF, 0, 0, 0);
	run();
	cr_expect_eq(got[sizeof(got) / 2 - 1], 0);
	cr_expect_eq(got[sizeof(got) / 2], 'g', "beyond the string");
	cr_expect_eq(read(console[0], got, sizeof(got)), sizeof(page));
	cr_expect_eq(memcmp(got, page, sizeof(page)), 0);
}

/* The pieces of accesses that cross pages: nobody has registers of 3, 5, 6 or
 * 7 bytes, and reads of them are ones. */
Test(machine, accesses_of_odd_sizes)
{
	static const uint32_t sizes[] = {3, 5, 6, 7};
	const uint64_t at = MACHINE_ECAM_BASE + 0x1000 - 4;

	for (size_t i = 0; i < ARRAY_SIZE(sizes); i++) {
		add_step(HV_EXIT_MMIO_WRITE, at, sizes[i], 0);
		add_step(HV_EXIT_MMIO_READ, at, sizes[i], 0);
	}
	add_step(HV_EXIT_POWER_OFF, 0, 0, 0);
	run();
	for (size_t i = 0; i < ARRAY_SIZE(sizes); i++)
		cr_expect_eq(hv->steps[2 * i + 1].value,
			     (1ULL << 8 * sizes[i]) - 1, "%u bytes", sizes[i]);
}

Test(machine, the_serial_port_prints_to_the_console)
{
	char text[8] = {0};

	add_step(HOST_SERIAL_WRITE, HOST_SERIAL, 1, 'h');
	add_step(HOST_SERIAL_WRITE, HOST_SERIAL, 1, 'i');
	add_step(HV_EXIT_POWER_OFF, 0, 0, 0);
	run();
	cr_expect_eq(read(console[0], text, sizeof(text)), 2);
	cr_expect_str_eq(text, "hi");
}

Test(machine, memory_is_around_what_is_not)
{
	config.memory_mib = 5120;
	add_step(HV_EXIT_POWER_OFF, 0, 0, 0);
	run();
	cr_expect_eq(hv->fake.n_memory, HOST_REGIONS);
	cr_expect_eq(hv->fake.memory_size, 5120ULL << 20);
}

/* Two disks besides the console, the entropy device, vsock and the package,
 * 2 MiB each; the memory that was asked for is the guest's own. */
Test(machine, the_pool_of_a_protected_one_comes_on_top)
{
	static char sectors[512];

	for (unsigned int i = 0; i < 2; i++)
		config.disks[i].fd = fake_file(sectors, sizeof(sectors));
	config.n_disks = 2;
	config.is_protected = true;
	cr_assert_eq(build(), 0, "%s", error_record()->text);
	cr_expect_eq(hv->fake.memory_size, (64ULL << 20) + HOST_POOL(2));
	cr_expect_eq(machine_memory_size(&config), hv->fake.memory_size);
	machine_free(machine);
}

/* Without the bit, its driver would give them memory that nobody else reads. */
Test(machine, only_a_protected_one_s_devices_are_told_what_they_reach)
{
	static char sectors[512];
	uint64_t offered;

	for (int is_protected = 0; is_protected < 2; is_protected++) {
		setup();
		config.disks[0].fd = fake_file(sectors, sizeof(sectors));
		config.n_disks = 1;
		config.package_fd = fake_file(sectors, sizeof(sectors));
		config.is_protected = is_protected;
		cr_assert_eq(build(), 0, "%s", error_record()->text);
		/* package, disk, console, entropy, vsock */
		cr_assert_eq(machine->n_devices, 5);
		for (unsigned int i = 0; i < machine->n_devices; i++) {
			offered = virtio_pci_dev(machine->devices[i])
					  ->features_offered;
			cr_expect_eq(!!(offered & VIRTIO_F_ACCESS_PLATFORM),
				     is_protected, "device %u", i);
		}
		machine_free(machine);
	}
}

/* One ring that was read is enough to know that the guest shares some. */
Test(machine, the_best_of_all_rings_counts)
{
	struct virtq *queues;

	cr_assert_eq(build(), 0);
	queues = machine_vsock(machine)->queues;
	cr_expect_eq(machine_reach(machine), VIRTQ_REACH_UNKNOWN);
	queues[1].reach = VIRTQ_REACH_REFUSED;
	cr_expect_eq(machine_reach(machine), VIRTQ_REACH_REFUSED);
	queues[0].reach = VIRTQ_REACH_GOOD;
	cr_expect_eq(machine_reach(machine), VIRTQ_REACH_GOOD);
	machine_free(machine);
}

Test(machine, a_vcpu_that_cannot_be_made_fails_the_start)
{
	config.vcpus = 4;
	hv->failing_vcpu = 2;
	cr_assert_eq(build(), 0);
	cr_expect_eq(machine_start(machine), AVF_ERR_IO);
	cr_expect_str_eq(error_record()->text, "no vCPU 2 today");
	cr_expect_eq(n_started, 0);
	machine_free(machine);
	cr_expect_eq(atomic_load(&hv->n_done), 0, "nothing ran");
}

Test(machine, freed_before_it_starts_and_while_it_runs)
{
	config.vcpus = 3;
	cr_assert_eq(build(), 0);
	machine_free(machine);
	setup();
	config.vcpus = 3;
	cr_assert_eq(build(), 0);
	cr_assert_eq(machine_start(machine), 0);
	machine_free(machine);
	machine_free(NULL);
}

Test(machine, what_cannot_be_built_says_which_part)
{
	static char odd[1000];

	config.disks[0].fd = fake_file(odd, sizeof(odd));
	config.n_disks = 1;
	cr_expect_lt(build(), 0);
	cr_expect(strstr(error_record()->text, "disks[0]"), "%s",
		  error_record()->text);
	setup();
	config.kernel_fd = fake_file("not a kernel", 12);
	cr_expect_lt(build(), 0);
	cr_expect(strstr(error_record()->text, "kernel"), "%s",
		  error_record()->text);
}
