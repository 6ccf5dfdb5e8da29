/* What an arm64 guest finds: its CPU, its clock, and what becomes of accesses
 * that the CPU does not describe. */
#include <fcntl.h>
#include <libfdt.h>
#include <linux/kvm.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <time.h>
#include <unistd.h>

#include "support/vm_harness.h"

/* Documentation/virt/kvm/arm/pkvm.rst of Linux */
#define VM_TYPE_PROTECTED (1UL << 31)
/* Arm ARM D17.2.37: data abort taken at the same level, external */
#define SYNDROME_CLASS(esr) ((esr) >> 26)
#define DATA_ABORT          0x25
#define SYNDROME_FAULT(esr) ((esr)&0x3f)
#define EXTERNAL_ABORT      0x10

/* Whether KVM has it for VMs such as ours. */
static bool kvm_has(unsigned long cap)
{
	const unsigned long type =
		vmt_wants_protected() ? VM_TYPE_PROTECTED : 0;
	int kvm = open("/dev/kvm", O_RDWR | O_CLOEXEC);
	int vm = ioctl(kvm, KVM_CREATE_VM, type);
	bool has = ioctl(vm, KVM_CHECK_EXTENSION, cap) > 0;

	CHECK(vm >= 0);
	(void)close(vm);
	(void)close(kvm);
	return has;
}

static char *run(const char *cmdline)
{
	avf_config *config = vmt_bare_config("platform");
	struct vmt_vm v;
	char *text;

	CHECK_OK(avf_config_set_cmdline(config, cmdline));
	if (!vmt_new(&v, config))
		return NULL;
	vmt_run_to(&v, AVF_STOP_REASON_SHUTDOWN);
	text = vmt_output(&v);
	vmt_free(&v);
	return text;
}

static void expect_feature(const char *text, const char *name, bool wanted)
{
	char line[32];

	(void)snprintf(line, sizeof(line), "%s %d gives ", name, wanted);
	if (!text || !vmt_contains(text, line) ||
	    (wanted && vmt_contains(strstr(text, line), "gives 0\n")))
		vmt_fail(__FILE__, __LINE__, "KVM %s %s, the guest says \"%s\"",
			 wanted ? "has" : "has no", name, text ? text : "");
}

/* A guest has what KVM has for it, no more and no less. */
static void features(void)
{
	char *text = run("");

	expect_feature(text, "sve", kvm_has(KVM_CAP_ARM_SVE));
	expect_feature(text, "pauth",
		       kvm_has(KVM_CAP_ARM_PTRAUTH_ADDRESS) &&
			       kvm_has(KVM_CAP_ARM_PTRAUTH_GENERIC));
	free(text);
}

/* The host's time of day, in a clock that a stock kernel looks for. */
static void time_of_day(void)
{
	static const char word[] = "time ";
	const time_t before = time(NULL);
	char *text = run("");
	const char *at = text ? strstr(text, word) : NULL;
	const long now = at ? strtol(at + sizeof(word) - 1, NULL, 10) : 0;

	if (now < before || now > time(NULL))
		vmt_fail(__FILE__, __LINE__,
			 "the host says %lld, the guest %ld", (long long)before,
			 now);
	free(text);
}

/* As dtc would make it: the command line is another one. */
static int make_overlay(void)
{
	static unsigned char tree[1024];
	int fd = vmt_memfd(0, 0);

	CHECK(fdt_create(tree, sizeof(tree)) == 0 &&
	      fdt_finish_reservemap(tree) == 0 &&
	      fdt_begin_node(tree, "") == 0 &&
	      fdt_begin_node(tree, "fragment@0") == 0 &&
	      fdt_property(tree, "target-path", "/chosen", 8) == 0 &&
	      fdt_begin_node(tree, "__overlay__") == 0 &&
	      fdt_property(tree, "bootargs", "of the overlay", 15) == 0 &&
	      fdt_end_node(tree) == 0 && fdt_end_node(tree) == 0 &&
	      fdt_end_node(tree) == 0 && fdt_finish(tree) == 0);
	CHECK(write(fd, tree, fdt_totalsize(tree)) > 0);
	return fd;
}

static void device_tree_overlay(void)
{
	avf_config *config = vmt_bare_config("hello");
	int fd = make_overlay();
	struct vmt_vm v;
	char *text;

	CHECK_OK(avf_config_set_cmdline(config, "of the configuration"));
	CHECK_OK(avf_config_set_device_tree_overlay_fd(config, fd));
	(void)close(fd);
	if (!vmt_new(&v, config))
		return;
	vmt_run_to(&v, AVF_STOP_REASON_SHUTDOWN);
	text = vmt_output(&v);
	if (!text || strcmp(text, "of the overlay\n") != 0)
		vmt_fail(__FILE__, __LINE__, "\"%s\"", text ? text : "");
	free(text);
	vmt_free(&v);
}

/* An error of the run, with the field and the next step. */
static void overlay_that_does_not_apply(void)
{
	avf_config *config = vmt_bare_config("hello");
	int fd = vmt_memfd(512, 'x');
	struct vmt_vm v;

	CHECK_OK(avf_config_set_device_tree_overlay_fd(config, fd));
	(void)close(fd);
	if (!vmt_new(&v, config))
		return;
	if (vmt_run(&v) && vmt_wait_stopped(&v))
		vmt_check_stopped(&v, AVF_STOP_REASON_START_FAILED,
				  "device_tree_overlay: no compiled device "
				  "tree");
	CHECK(strcmp(v.events, "STOPPED ") == 0);
	vmt_free(&v);
}

/* The guest takes the abort of a bus, goes on in its handler, and ends as it
 * likes to; the VMM does not. */
static void accesses_without_a_description(void)
{
	static const char syndrome[] = "exception, syndrome ";

	for (int way = 1; way <= 4; way++) {
		unsigned long esr = 0;
		const char *at;
		char cmdline[16];
		char *text;

		(void)snprintf(cmdline, sizeof(cmdline), "odd=%d", way);
		text = run(cmdline);
		at = text ? strstr(text, syndrome) : NULL;
		if (at)
			esr = strtoul(at + sizeof(syndrome) - 1, NULL, 10);
		if (SYNDROME_CLASS(esr) != DATA_ABORT ||
		    SYNDROME_FAULT(esr) != EXTERNAL_ABORT)
			vmt_fail(__FILE__, __LINE__, "way %d: \"%s\"", way,
				 text ? text : "");
		free(text);
	}
}

static const struct vmt_test tests[] = {
	{"features", features},
	{"time_of_day", time_of_day},
	{"device_tree_overlay", device_tree_overlay},
	{"overlay_that_does_not_apply", overlay_that_does_not_apply},
	{"accesses_without_a_description", accesses_without_a_description},
};

int main(int argc, char **argv)
{
	if (access("/dev/kvm", R_OK | W_OK) < 0)
		vmt_skip_all("no /dev/kvm that this user may use");
	if (vmt_wants_protected() && !vmt_can_protect())
		vmt_skip_all("no protected VMs on this host's KVM");
	return vmt_main(argc, argv, tests, sizeof(tests) / sizeof(tests[0]));
}
