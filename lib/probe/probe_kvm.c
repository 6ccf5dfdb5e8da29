#include "probe/probe.h"

#include <fcntl.h>
#include <grp.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/types.h>

#include "base/checked.h"
#include "base/cleanup.h"
#include "base/protected_vm.h"
#include "probe/probe_cache.h"
#include "probe/probe_run.h"

/* All that the trial may print, in bytes. */
#define MAX_OUTPUT 8192U

/* What the trial answers, in its order. */
static const char *const trial_rows[] = {"kvm.api", "kvm.caps", "kvm.vm",
					 "kvm.vcpu", NULL};

static void say_denied(struct avf_probe *probe, const char *path)
{
	char hint[PROBE_HINT_SIZE];
	char buf[1024];
	struct group entry, *group = NULL;
	struct stat st;

	if (stat(path, &st) == 0)
		(void)getgrgid_r(st.st_gid, &entry, buf, sizeof(buf), &group);
	if (!group || group->gr_gid == 0) {
		probe_add(probe, "kvm.device", AVF_PROBE_NO,
			  "ask the administrator for access to it",
			  "no permission to open %s", path);
		return;
	}
	(void)snprintf(hint, sizeof(hint),
		       "sudo usermod -aG %.64s $USER, then log in again",
		       group->gr_name);
	probe_add(probe, "kvm.device", AVF_PROBE_NO, hint,
		  "no permission to open %s, which group %.64s may", path,
		  group->gr_name);
}

/* Returns whether it could be opened. */
static bool ask_device(struct avf_probe *probe, const struct probe_env *env)
{
	CLEANUP(close_p) int fd = -1;
	char path[PATH_MAX];

	(void)snprintf(path, sizeof(path), "%s/dev/kvm", env->root);
	fd = open(path, O_RDWR | O_CLOEXEC);
	if (fd >= 0) {
		probe_add(probe, "kvm.device", AVF_PROBE_YES, "",
			  "%s can be opened", path);
		return true;
	}
	if (errno == EACCES || errno == EPERM)
		say_denied(probe, path);
	else if (errno == ENOENT)
		probe_add(probe, "kvm.device", AVF_PROBE_NO,
			  "load kvm_intel or kvm_amd; in a VM, enable nested "
			  "virtualization; in a container, pass the device in",
			  "there is no %s", path);
	else
		probe_add(probe, "kvm.device", AVF_PROBE_NO, "", "open %s: %s",
			  path, strerrordesc_np(errno));
	return false;
}

/* Every row is there, whatever the trial said. */
static void fill_gaps(struct avf_probe *probe, enum avf_probe_state state,
		      const char *reason)
{
	for (size_t i = 0; trial_rows[i]; i++) {
		if (!probe_find(probe, trial_rows[i]))
			probe_add(probe, trial_rows[i], state, "", "%s",
				  reason);
	}
}

static bool has_no(const struct avf_probe *probe)
{
	const struct probe_row *row;

	for (size_t i = 0; trial_rows[i]; i++) {
		row = probe_find(probe, trial_rows[i]);
		if (row && row->state == AVF_PROBE_NO)
			return true;
	}
	return false;
}

static void run_trial(struct avf_probe *probe, const struct probe_env *env)
{
	char path[PATH_MAX];
	char option[] = "--probe";
	char *const argv[] = {path, option, NULL};
	char output[MAX_OUTPUT];
	char why[PROBE_REASON_SIZE] = "";
	size_t used;
	int rc;

	(void)snprintf(path, sizeof(path), "%s", env->vmm);
	rc = probe_run(argv, false, env->timeout_ms, output, sizeof(output),
		       &used);
	probe_parse_rows(probe, output, used, trial_rows);
	if (has_no(probe))
		fill_gaps(probe, AVF_PROBE_UNKNOWN, "not tried after that");
	else if (rc == AVF_ERR_TIMEOUT)
		fill_gaps(probe, AVF_PROBE_NO, "the trial guest hangs");
	else if (rc < 0)
		(void)snprintf(why, sizeof(why), "%s", error_record()->text);
	else
		(void)snprintf(why, sizeof(why), "the trial ended too early");
	fill_gaps(probe, AVF_PROBE_UNKNOWN, why);
}

/* What KVM can do on a CPU stays as it is until the next boot, or until the
 * module is loaded anew, which makes a new device file. */
static void ask_trial(struct avf_probe *probe, const struct probe_env *env)
{
	struct probe_key key;
	char device[PATH_MAX];

	if (!env->vmm) {
		fill_gaps(probe, AVF_PROBE_UNKNOWN, "avf-vmm is not installed");
		return;
	}
	(void)snprintf(device, sizeof(device), "%s/dev/kvm", env->root);
	probe_key_init(&key, env);
	probe_key_add_file(&key, device);
	probe_key_add_file(&key, env->vmm);
	if (probe_cache_load(env, "probe-kvm", &key, probe, trial_rows))
		return;
	run_trial(probe, env);
	probe_cache_store(env, "probe-kvm", &key, probe, trial_rows);
}

/* Yes when all that a Linux guest needs is there, else the first reason. */
static void add_summary(struct avf_probe *probe)
{
	static const char *const needed[] = {"kvm.device", "kvm.api",
					     "kvm.caps",   "kvm.vm",
					     "kvm.vcpu",   NULL};
	const struct probe_row *row;

	for (size_t i = 0; needed[i]; i++) {
		row = probe_find(probe, needed[i]);
		if (row && row->state == AVF_PROBE_YES)
			continue;
		probe_add(probe, "linux_guest.kvm",
			  row && row->state == AVF_PROBE_UNKNOWN
				  ? AVF_PROBE_UNKNOWN
				  : AVF_PROBE_NO,
			  row ? row->hint : "", "%s: %.250s", needed[i],
			  row ? row->reason : "?");
		return;
	}
	probe_add(probe, "linux_guest.kvm", AVF_PROBE_YES, "",
		  "KVM runs Linux guests");
}

/* What upstream's pKVM gives and what not (docs/protected-vms.md). Each word is
 * of the stable names. */
static const struct {
	const char *what;
	enum avf_probe_state state;
	const char *reason;
} guarantees[] = {
	{"protected_vm.memory", AVF_PROBE_YES,
	 "the host's CPUs cannot read or change what a guest has touched, and "
	 "get it back wiped; DMA is not kept out"},
	{"protected_vm.cpu_state", AVF_PROBE_NO,
	 "the host's kernel, and who has the VM's descriptors, can read and "
	 "change a guest's registers"},
	{"protected_vm.dma", AVF_PROBE_NO,
	 "no IOMMU is in the hypervisor's hands: devices reach a guest's "
	 "memory, whoever drives them (direct I/O, VFIO)"},
	{"protected_vm.boot", AVF_PROBE_NO,
	 "the host chooses the kernel, its command line and initramfs; no "
	 "firmware checks them"},
};

/* Of Android's we know what it promises, and have seen nothing. */
static void add_guarantees(struct avf_probe *probe, enum protected_vm_kind kind)
{
	if (kind == PROTECTED_VM_NONE)
		return;
	for (size_t i = 0; i < ARRAY_SIZE(guarantees); i++) {
		if (kind == PROTECTED_VM_PKVM)
			probe_add(probe, guarantees[i].what,
				  guarantees[i].state, "", "%s",
				  guarantees[i].reason);
		else
			probe_add(probe, guarantees[i].what, AVF_PROBE_UNKNOWN,
				  "", "Android promises it; not tried");
	}
}

/* A VM that the host can read is not called protected. */
static void add_protected(struct avf_probe *probe, const struct probe_env *env)
{
	char path[PATH_MAX], reason[PROBE_REASON_SIZE];
	enum protected_vm_kind kind;

	(void)snprintf(path, sizeof(path), "%s/dev/kvm", env->root);
	kind = protected_vm_find(path, reason, sizeof(reason));
	probe_add(probe, "protected_vm",
		  kind == PROTECTED_VM_NONE ? AVF_PROBE_NO : AVF_PROBE_YES, "",
		  "%s", reason);
	add_guarantees(probe, kind);
}

void probe_ask_kvm(struct avf_probe *probe, const struct probe_env *env)
{
	if (ask_device(probe, env))
		ask_trial(probe, env);
	else
		fill_gaps(probe, AVF_PROBE_NO, "there is no usable /dev/kvm");
	add_summary(probe);
	add_protected(probe, env);
}
