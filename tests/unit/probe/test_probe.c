/* The rows of hosts that are made up: a root directory and programs. */
#include <criterion/criterion.h>

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/checked.h"
#include "base/fd.h"
#include "base/arch.h"
#include "probe/probe.h"

static char root[64];
static char vmm[96];

static void write_file(const char *path, const char *text, mode_t mode)
{
	int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);

	cr_assert_geq(fd, 0);
	cr_assert_eq(fd_write_all(fd, text, strlen(text)), 0);
	cr_assert_eq(fchmod(fd, mode), 0);
	fd_close(fd);
}

static void make_host(void)
{
	char path[96];

	(void)strcpy(root, "/tmp/avf-probe-XXXXXX");
	cr_assert_not_null(mkdtemp(root));
	cr_assert_eq(chmod(root, 0755), 0);
	(void)snprintf(path, sizeof(path), "%s/dev", root);
	cr_assert_eq(mkdir(path, 0755), 0);
}

static void remove_host(void)
{
	char command[128];

	(void)snprintf(command, sizeof(command), "rm -rf %s", root);
	cr_expect_eq(system(command), 0);
}

static void add_kvm(mode_t mode)
{
	char path[96];

	(void)snprintf(path, sizeof(path), "%s/dev/kvm", root);
	write_file(path, "", mode);
}

static void add_vmm(const char *script)
{
	char text[1024];

	(void)snprintf(vmm, sizeof(vmm), "%s/avf-vmm", root);
	(void)snprintf(text, sizeof(text), "#!/bin/sh\n%s\n", script);
	write_file(vmm, text, 0700);
}

static void ask(avf_probe *probe, bool with_vmm)
{
	const struct probe_env env = {
		.root = root,
		.vmm = with_vmm ? vmm : NULL,
		.qemu_dirs = "/nonexistent",
		.timeout_ms = 500,
	};

	memset(probe, 0, sizeof(*probe));
	probe_ask(probe, &env);
}

static void expect_row(const avf_probe *probe, const char *what,
		       enum avf_probe_state state, const char *reason)
{
	const struct probe_row *row = probe_find(probe, what);

	cr_assert(row, "no row %s", what);
	cr_expect_eq(row->state, state, "%s: %s, %s", what,
		     avf_probe_state_name(row->state), row->reason);
	cr_expect(strstr(row->reason, reason), "%s: %s", what, row->reason);
}

/* Of the architecture that is not the host's. */
static const struct arch *foreign(void)
{
	return arch_at(0) == arch_host() ? arch_at(1) : arch_at(0);
}

static const char *foreign_row(void)
{
	static char row[32];

	(void)snprintf(row, sizeof(row), "emulation.%s", foreign()->name);
	return row;
}

/* Both, or the one that is there: each is a program of its own. */
Test(probe, emulators, .init = make_host, .fini = remove_host)
{
	struct probe_env env = {.qemu_dirs = root, .timeout_ms = 5000};
	const char script[] = "#!/bin/sh\necho \"version of $0\"\n";
	const struct probe_row *row;
	char path[128];
	avf_probe probe;

	(void)snprintf(path, sizeof(path), "%s/%s", root, foreign()->qemu);
	write_file(path, script, 0700);
	memset(&probe, 0, sizeof(probe));
	probe_ask_emulation(&probe, &env);
	expect_row(&probe, foreign_row(), AVF_PROBE_YES, foreign()->qemu);
	expect_row(&probe, "emulation", AVF_PROBE_NO, arch_host()->qemu);
	row = probe_find(&probe, "emulation");
	cr_expect(strstr(row->hint, arch_host()->qemu_package), "%s",
		  row->hint);
	cr_assert_eq(unlink(path), 0);
	memset(&probe, 0, sizeof(probe));
	probe_ask_emulation(&probe, &env);
	expect_row(&probe, foreign_row(), AVF_PROBE_NO, foreign()->qemu);
}

Test(probe, no_device, .init = make_host, .fini = remove_host)
{
	avf_probe probe;

	ask(&probe, false);
	expect_row(&probe, "kvm.device", AVF_PROBE_NO, "there is no");
	expect_row(&probe, "kvm.vcpu", AVF_PROBE_NO, "no usable");
	expect_row(&probe, "linux_guest.kvm", AVF_PROBE_NO, "kvm.device: ");
	expect_row(&probe, "protected_vm", AVF_PROBE_NO, "");
	expect_row(&probe, "emulation", AVF_PROBE_NO, arch_host()->qemu);
	expect_row(&probe, foreign_row(), AVF_PROBE_NO, "there is no qemu-");
	expect_row(&probe, "vhost_vsock", AVF_PROBE_NO, "No such file");
	expect_row(&probe, "huge_pages", AVF_PROBE_NO, "no transparent");
	expect_row(&probe, "user_namespaces", AVF_PROBE_NO, "has none");
	cr_expect_eq(avf_probe_capabilities(&probe), 0);
	cr_expect_lt(probe.n_rows, PROBE_MAX_ROWS, "rows may be missing");
}

Test(probe, no_permission, .init = make_host, .fini = remove_host)
{
	avf_probe probe;
	char path[96];

	add_kvm(0660);
	(void)snprintf(path, sizeof(path), "%s/dev/kvm", root);
	if (geteuid() != 0)
		cr_skip_test("only root can give a file to another group");
	cr_assert_eq(chown(path, 0, 8), 0); /* "mail" on every Debian */
	cr_assert_eq(seteuid(65534), 0);
	ask(&probe, false);
	cr_assert_eq(seteuid(0), 0);
	expect_row(&probe, "kvm.device", AVF_PROBE_NO, "which group mail may");
	cr_expect_str_eq(probe_find(&probe, "kvm.device")->hint,
			 "sudo usermod -aG mail $USER, then log in again");
}

#define API  "printf 'kvm.api\\tyes\\tversion 12\\t\\n';"
#define CAPS "printf 'kvm.caps\\tyes\\tall\\t\\n';"
#define VM   "printf 'kvm.vm\\tyes\\tok\\t\\n';"

static const struct {
	const char *what, *script;
	enum avf_probe_state ring0;
	const char *ring0_reason;
	enum avf_probe_state summary;
	uint32_t capabilities;
} trials[] = {
	{"all is well", API CAPS VM "printf 'kvm.vcpu\\tyes\\tfast\\t\\n'",
	 AVF_PROBE_YES, "fast", AVF_PROBE_YES, AVF_CAPABILITY_NON_PROTECTED_VM},
	{"ring 0 is emulated",
	 API CAPS VM "printf 'kvm.vcpu\\tlimited\\tslow\\t\\n'",
	 AVF_PROBE_LIMITED, "slow", AVF_PROBE_NO, 0},
	{"a capability is missing",
	 API "printf 'kvm.caps\\tno\\tmissing: IRQFD\\t\\n';" VM
	     "printf 'kvm.vcpu\\tyes\\tfast\\t\\n'",
	 AVF_PROBE_YES, "fast", AVF_PROBE_NO, 0},
	{"no VM can be made", API CAPS "printf 'kvm.vm\\tno\\tbusy\\t\\n'",
	 AVF_PROBE_UNKNOWN, "not tried", AVF_PROBE_NO, 0},
	{"the trial guest hangs", API CAPS VM "exec sleep 60", AVF_PROBE_NO,
	 "the trial guest hangs", AVF_PROBE_NO, 0},
	{"the trial crashes", API CAPS VM "kill -SEGV $$", AVF_PROBE_UNKNOWN,
	 "ended too early", AVF_PROBE_UNKNOWN, 0},
	{"it claims what it was not asked",
	 "printf 'linux_guest.kvm\\tyes\\tx\\t\\n'; "
	 "printf 'protected_vm\\tyes\\tx\\t\\n'",
	 AVF_PROBE_UNKNOWN, "ended too early", AVF_PROBE_UNKNOWN, 0},
	{"it says nothing", "exit 1", AVF_PROBE_UNKNOWN, "ended too early",
	 AVF_PROBE_UNKNOWN, 0},
};

Test(probe, trials, .init = make_host, .fini = remove_host)
{
	add_kvm(0600);
	for (size_t i = 0; i < ARRAY_SIZE(trials); i++) {
		avf_probe probe;

		add_vmm(trials[i].script);
		ask(&probe, true);
		cr_log_info("%s", trials[i].what);
		expect_row(&probe, "kvm.device", AVF_PROBE_YES, "");
		expect_row(&probe, "kvm.vcpu", trials[i].ring0,
			   trials[i].ring0_reason);
		expect_row(&probe, "linux_guest.kvm", trials[i].summary, "");
		expect_row(&probe, "protected_vm", AVF_PROBE_NO, "");
		cr_expect_eq(avf_probe_capabilities(&probe),
			     trials[i].capabilities, "%s", trials[i].what);
	}
}

Test(probe, no_vmm, .init = make_host, .fini = remove_host)
{
	avf_probe probe;

	add_kvm(0600);
	ask(&probe, false);
	expect_row(&probe, "kvm.vcpu", AVF_PROBE_UNKNOWN, "not installed");
	expect_row(&probe, "linux_guest.kvm", AVF_PROBE_UNKNOWN, "");
}

/* This host, whatever it is. */
Test(probe, this_host)
{
	avf_probe *probe;

	cr_expect_eq(avf_probe_new(NULL), AVF_ERR_INVALID);
	cr_assert_eq(avf_probe_new(&probe), 0);
	for (size_t i = 0; i < avf_probe_count(probe); i++) {
		const char *what = avf_probe_what(probe, i);

		cr_expect_eq(avf_probe_find(probe, what), (int)i, "%s", what);
		cr_expect_neq(avf_probe_reason(probe, i)[0], '\0', "%s", what);
		cr_expect_not_null(avf_probe_hint(probe, i), "%s", what);
	}
	cr_expect_null(avf_probe_what(probe, avf_probe_count(probe)));
	cr_expect_null(avf_probe_reason(probe, SIZE_MAX));
	cr_expect_eq(avf_probe_get_state(probe, SIZE_MAX), AVF_PROBE_UNKNOWN);
	cr_expect_eq(avf_probe_find(probe, "nonsense"), -1);
	avf_probe_free(probe);
	avf_probe_free(NULL);
	cr_expect_eq(avf_probe_count(NULL), 0);
	cr_expect_eq(avf_probe_capabilities(NULL), 0);
}

/* --- remembered ---------------------------------------------------------- */

#define WHOLE_TRIAL                                                      \
	"echo x >> ${0%/*}/runs; "                                       \
	"for q in api caps vm; do printf 'kvm.%s\\tyes\\tok\\t\\n' $q; " \
	"done; printf 'kvm.vcpu\\tlimited\\tslow\\thint\\n'"

static long count_runs(void)
{
	char path[96];
	struct stat st;

	(void)snprintf(path, sizeof(path), "%s/runs", root);
	return stat(path, &st) == 0 ? (long)st.st_size / 2 : 0;
}

/* With a cache in the host's directory. */
static void ask_again(avf_probe *probe, bool fresh)
{
	const struct probe_env env = {
		.root = root,
		.vmm = vmm,
		.qemu_dirs = "/nonexistent",
		.timeout_ms = 5000,
		.cache_dir = root,
		.fresh = fresh,
	};

	memset(probe, 0, sizeof(*probe));
	probe_ask(probe, &env);
}

static void add_boot_id(void)
{
	char command[256];

	(void)snprintf(command, sizeof(command),
		       "mkdir -p %s/proc/sys/kernel/random && "
		       "echo boot > %s/proc/sys/kernel/random/boot_id",
		       root, root);
	cr_assert_eq(system(command), 0);
}

Test(probe, a_trial_runs_once_per_boot, .init = make_host, .fini = remove_host)
{
	avf_probe probe;

	add_kvm(0600);
	add_vmm(WHOLE_TRIAL);
	add_boot_id();
	for (int i = 0; i < 3; i++) {
		ask_again(&probe, false);
		expect_row(&probe, "kvm.vcpu", AVF_PROBE_LIMITED, "slow");
		expect_row(&probe, "linux_guest.kvm", AVF_PROBE_NO, "slow");
		cr_expect_eq(count_runs(), 1, "round %d", i);
	}
	ask_again(&probe, true);
	cr_expect_eq(count_runs(), 2, "asked to");
	add_vmm(WHOLE_TRIAL "; true");
	ask_again(&probe, false);
	cr_expect_eq(count_runs(), 3, "another VMM");
	ask_again(&probe, false);
	cr_expect_eq(count_runs(), 3);
}

/* The device is looked at each time. */
Test(probe, what_is_remembered_is_no_device, .init = make_host,
     .fini = remove_host)
{
	avf_probe probe;
	char path[96];

	add_kvm(0600);
	add_vmm(WHOLE_TRIAL);
	add_boot_id();
	ask_again(&probe, false);
	(void)snprintf(path, sizeof(path), "%s/dev/kvm", root);
	cr_assert_eq(unlink(path), 0);
	ask_again(&probe, false);
	expect_row(&probe, "kvm.device", AVF_PROBE_NO, "there is no");
	expect_row(&probe, "kvm.vcpu", AVF_PROBE_NO, "no usable");
	cr_expect_eq(count_runs(), 1);
}

Test(probe, a_trial_that_fails_runs_again, .init = make_host,
     .fini = remove_host)
{
	avf_probe probe;

	add_kvm(0600);
	add_vmm("echo x >> ${0%/*}/runs; "
		"printf 'kvm.api\\tyes\\t\\t\\nkvm.caps\\tno\\told\\t\\n'");
	add_boot_id();
	ask_again(&probe, false);
	ask_again(&probe, false);
	expect_row(&probe, "kvm.caps", AVF_PROBE_NO, "old");
	cr_expect_eq(count_runs(), 2);
}
