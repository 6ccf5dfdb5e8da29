/*
 * A Linux kernel on our machine, in a VM that is protected and in one that is
 * not: its devices work, and the host finds its secret only where nothing
 * protects it. The kernel is that of the guest image, which must have
 * everything built in (guest/kernel).
 */
#include <fcntl.h>
#include <inttypes.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <time.h>
#include <unistd.h>

#include "support/vm_harness.h"

#define WORD_SIZE 16U
#define PAGE      4096U

/* How often the VMM looks whether the guest shares what its devices need. */
#define BOOT_TIMEOUT_MS 2000

/* The clock device has whole seconds, and the kernel rounds. */
#define CLOCK_SLACK_S 2

/* What one test needs. The word is known to the host, the secret is the next
 * letter of each. */
struct run {
	bool is_protected;
	int disk, second;
	char word[WORD_SIZE + 1], secret[WORD_SIZE + 1];
	struct vmt_vm v;
};

static const char *kernel_path(void)
{
	static char path[4096];
	const char *image = getenv("AVF_GUEST_IMAGE");

	(void)snprintf(path, sizeof(path), "%s/kernel", image ? image : "");
	return path;
}

static avf_config *make_config(const struct run *r, bool wait)
{
	const struct avf_disk_options writable = {sizeof(writable), true,
						  "second"};
	avf_config *config = NULL;
	char cmdline[128];

	(void)snprintf(cmdline, sizeof(cmdline),
		       "console=ttyS0 quiet rdinit=/init word=%s%s", r->word,
		       wait ? " wait=1" : "");
	CHECK_OK(avf_config_new(AVF_CONFIG_RAW, &config));
	CHECK_OK(avf_config_set_kernel(config, kernel_path()));
	CHECK_OK(
		avf_config_set_initrd(config, vmt_path("tests/kernel_initrd")));
	CHECK_OK(avf_config_set_cmdline(config, cmdline));
	CHECK_OK(avf_config_set_memory_mib(config, 96));
	CHECK_OK(avf_config_set_protected(config, r->is_protected));
	CHECK_OK(avf_config_add_disk_fd(config, r->disk, NULL));
	CHECK_OK(avf_config_add_disk_fd(config, r->second, &writable));
	return config;
}

static void make_word(struct run *r)
{
	unsigned char raw[WORD_SIZE];

	CHECK(getrandom(raw, sizeof(raw), 0) == (ssize_t)sizeof(raw));
	for (unsigned int i = 0; i < WORD_SIZE; i++) {
		r->word[i] = (char)('a' + raw[i] % 25);
		r->secret[i] = (char)(r->word[i] + 1);
	}
}

static bool run_init(struct run *r, bool is_protected, bool wait)
{
	memset(r, 0, sizeof(*r));
	r->is_protected = is_protected;
	r->disk = vmt_memfd(PAGE, 0);
	r->second = vmt_memfd(PAGE, 'x');
	make_word(r);
	CHECK(pwrite(r->disk, "first sector", 12, 0) == 12);
	return vmt_new(&r->v, make_config(r, wait));
}

static void run_fini(struct run *r)
{
	vmt_free(&r->v);
	(void)close(r->disk);
	(void)close(r->second);
}

static void expect_line(const char *text, const char *line)
{
	if (!vmt_contains(text, line))
		vmt_fail(__FILE__, __LINE__, "no \"%s\" in \"%s\"", line, text);
}

/* The guest's time is ours, of the run that began at @start: its kernel has
 * read it from the machine's clock. */
static void expect_time(const char *text, time_t start)
{
	const char *said = strstr(text, "clock: ");
	long long clock = said ? strtoll(said + 7, NULL, 10) : -1;

	if (clock < start - CLOCK_SLACK_S || clock > time(NULL) + CLOCK_SLACK_S)
		vmt_fail(__FILE__, __LINE__,
			 "the guest's time is %lld, not %lld", clock,
			 (long long)start);
}

static void use_devices(bool is_protected)
{
	const time_t start = time(NULL);
	const char *interrupts;
	char back[16], *text;
	struct run r;

	if (!run_init(&r, is_protected, false))
		return;
	vmt_run_to(&r.v, AVF_STOP_REASON_SHUTDOWN);
	text = vmt_output(&r.v);
	CHECK(text);
	if (text) {
		expect_line(text, "disk: first sector");
		expect_line(text, "entropy: 16");
		expect_line(text, "console: through the device");
		expect_line(text, "secret: kept");
		expect_time(text, start);
		/* two disks, console, entropy and vsock: two each at least */
		interrupts = strstr(text, "interrupts: ");
		CHECK(interrupts && atoi(interrupts + 12) >= 10);
	}
	free(text);
	CHECK(pread(r.second, back, sizeof(back), 0) == sizeof(back));
	CHECK(memcmp(back, "from the guest\n", 15) == 0);
	run_fini(&r);
}

static void devices(void)
{
	use_devices(false);
}

static void protected_devices(void)
{
	use_devices(true);
}

/* A stock kernel: it has no pKVM guest support, so it shares nothing. Its
 * console driver gives the device a ring in its own memory. */
static avf_config *foreign_config(bool is_protected)
{
	avf_config *config = NULL;

	CHECK_OK(avf_config_new(AVF_CONFIG_RAW, &config));
	CHECK_OK(avf_config_set_kernel(config, vmt_path("guest-image/kernel")));
	CHECK_OK(
		avf_config_set_initrd(config, vmt_path("tests/kernel_initrd")));
	CHECK_OK(avf_config_set_cmdline(config,
					"console=ttyS0 quiet rdinit=/init"));
	CHECK_OK(avf_config_set_protected(config, is_protected));
	return config;
}

static bool has_foreign_kernel(void)
{
	if (access(vmt_path("guest-image/kernel"), R_OK) == 0)
		return true;
	vmt_skip("no image with a stock kernel");
	return false;
}

static void foreign_kernel(void)
{
	const time_t start = time(NULL);
	struct vmt_vm v;
	char *text;

	if (!has_foreign_kernel() || !vmt_new(&v, foreign_config(false)))
		return;
	vmt_run_to(&v, AVF_STOP_REASON_SHUTDOWN);
	text = vmt_output(&v);
	CHECK(text && vmt_contains(text, "console: through the device"));
	if (text)
		expect_time(text, start);
	free(text);
	vmt_free(&v);
}

/* Without a word of ours it would wait for its console for ever. */
static void protected_foreign_kernel(void)
{
	avf_config *config;
	struct vmt_vm v;

	if (!has_foreign_kernel())
		return;
	config = foreign_config(true);
	CHECK_OK(avf_config_set_boot_timeout_ms(config, BOOT_TIMEOUT_MS));
	if (!vmt_new(&v, config))
		return;
	CHECK(vmt_run(&v) && vmt_wait_stopped(&v));
	vmt_check_stopped(&v, AVF_STOP_REASON_HANGUP, "CONFIG_ARM_PKVM_GUEST");
	vmt_free(&v);
}

/* Whether [@from, @to) of the process's memory has @text in it. Pages that
 * cannot be read are stepped over, one at a time. */
static bool range_has(int mem, uint64_t from, uint64_t to, const char *text)
{
	static char buf[1 << 20];
	ssize_t n;

	while (from < to) {
		size_t want = to - from < sizeof(buf) ? (size_t)(to - from)
						      : sizeof(buf);

		n = pread(mem, buf, want, (off_t)from);
		if (n > 0 && memmem(buf, (size_t)n, text, WORD_SIZE))
			return true;
		/* one that lies across two reads has others beside it */
		from += n > 0 ? (uint64_t)n : PAGE;
	}
	return false;
}

static bool process_has(int pid, const char *text)
{
	char path[64], line[512];
	uint64_t from, to;
	bool found = false;
	FILE *maps;
	int mem;

	(void)snprintf(path, sizeof(path), "/proc/%d/mem", pid);
	mem = open(path, O_RDONLY | O_CLOEXEC);
	(void)snprintf(path, sizeof(path), "/proc/%d/maps", pid);
	maps = fopen(path, "re");
	CHECK(mem >= 0 && maps);
	while (mem >= 0 && maps && !found && fgets(line, sizeof(line), maps)) {
		if (sscanf(line, "%" SCNx64 "-%" SCNx64, &from, &to) == 2)
			found = range_has(mem, from, to, text);
	}
	if (maps)
		(void)fclose(maps);
	if (mem >= 0)
		(void)close(mem);
	return found;
}

/*
 * The VMM stands still meanwhile: the search takes pages away from the guest,
 * which ends then, and with it the memory that is still to be searched.
 */
static void look_for_secret(bool is_protected)
{
	struct run r;
	int pid;

	if (!run_init(&r, is_protected, true))
		return;
	if (vmt_run(&r.v) && vmt_wait_output(&r.v, "secret: kept")) {
		pid = avf_vm_get_pid(r.v.vm);
		CHECK(kill(pid, SIGSTOP) == 0);
		/* the VMM was given the word: the search does see memory */
		CHECK(process_has(pid, r.word));
		CHECK(process_has(pid, r.secret) == !is_protected);
	}
	run_fini(&r);
}

static void secret(void)
{
	look_for_secret(false);
}

static void protected_secret(void)
{
	look_for_secret(true);
}

static const struct vmt_test tests[] = {
	{"devices", devices},
	{"protected_devices", protected_devices},
	{"foreign_kernel", foreign_kernel},
	{"protected_foreign_kernel", protected_foreign_kernel},
	{"secret", secret},
	{"protected_secret", protected_secret},
};

int main(int argc, char **argv)
{
	if (access(kernel_path(), R_OK) < 0)
		vmt_skip_all("AVF_GUEST_IMAGE names no image of guest/kernel");
	if (!vmt_can_protect())
		vmt_skip_all("no protected VMs on this host's KVM");
	return vmt_main(argc, argv, tests, sizeof(tests) / sizeof(tests[0]));
}
