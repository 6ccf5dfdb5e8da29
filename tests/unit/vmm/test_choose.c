#include <criterion/criterion.h>

#include <stdio.h>
#include <string.h>

#include "base/arch.h"
#include "vmm/choose.h"

/* What KVM is said to be, instead of this host's. */
static struct {
	bool usable;
	unsigned int n_asked;
} kvm;

bool __wrap_kvm_probe_linux(char *ret_why, size_t size);

bool __wrap_kvm_probe_linux(char *ret_why, size_t size)
{
	kvm.n_asked++;
	if (!kvm.usable)
		(void)snprintf(ret_why, size, "kvm.vcpu: it crawls");
	return kvm.usable;
}

/* Another architecture than the host's. KVM is not asked about it. */
static const struct arch *foreign(void)
{
	return arch_at(0) == arch_host() ? arch_at(1) : arch_at(0);
}

static int choose(enum avf_acceleration acceleration, bool *ret_emulate,
		  char *ret_text, size_t size)
{
	struct vm_config config;
	int rc;

	vm_config_init(&config);
	config.architecture = foreign()->id;
	config.acceleration = acceleration;
	rc = choose_acceleration(&config, ret_emulate, ret_text, size);
	vm_config_fini(&config);
	return rc;
}

Test(choose, a_foreign_guest_is_emulated)
{
	static const enum avf_acceleration allowed[] = {
		AVF_ACCELERATION_KVM_OR_EMULATION, AVF_ACCELERATION_EMULATION};
	char text[256];
	bool emulate;

	for (size_t i = 0; i < 2; i++) {
		emulate = false;
		cr_assert_eq(choose(allowed[i], &emulate, text, sizeof(text)),
			     0);
		cr_expect(emulate);
		cr_expect(strstr(text, foreign()->name), "%s", text);
		cr_expect(strstr(text, arch_host()->name), "%s", text);
	}
}

Test(choose, a_foreign_guest_on_kvm_is_an_error)
{
	char text[256] = "";
	bool emulate = false;

	cr_expect_eq(choose(AVF_ACCELERATION_KVM, &emulate, text, sizeof(text)),
		     AVF_ERR_UNSUPPORTED);
	cr_expect(strstr(error_record()->text, foreign()->name));
	cr_expect(strstr(error_record()->text, "emulation"), "what to do");
	cr_expect_not(emulate, "no output on failure");
}

Test(choose, the_hosts_own_by_its_name_is_not_foreign)
{
	struct vm_config config;
	bool emulate = false;
	char text[256];

	vm_config_init(&config);
	config.architecture = arch_host()->id;
	config.acceleration = AVF_ACCELERATION_EMULATION;
	cr_assert_eq(choose_acceleration(&config, &emulate, text, sizeof(text)),
		     0);
	cr_expect(emulate);
	cr_expect(strstr(text, "as configured"), "%s", text);
	vm_config_fini(&config);
}

/* What is asked for, on this host's architecture. */
struct wish {
	enum avf_config_kind kind;
	enum avf_acceleration acceleration;
	bool is_protected;
	bool usable; /* KVM */
};

static int wish_for(const struct wish *w, bool *ret_emulate, char *ret_text,
		    size_t size)
{
	struct vm_config config;
	int rc;

	kvm.usable = w->usable;
	kvm.n_asked = 0;
	vm_config_init(&config);
	config.kind = w->kind;
	config.acceleration = w->acceleration;
	config.is_protected = w->is_protected;
	rc = choose_acceleration(&config, ret_emulate, ret_text, size);
	vm_config_fini(&config);
	return rc;
}

Test(choose, kvm_where_it_can_else_emulation)
{
	static const struct {
		struct wish wish;
		bool emulate;
		unsigned int n_asked;
		const char *text;
	} rows[] = {
		{{AVF_CONFIG_PAYLOAD, AVF_ACCELERATION_KVM, false, true},
		 false,
		 1,
		 "KVM"},
		{{AVF_CONFIG_RAW, AVF_ACCELERATION_KVM, false, false},
		 false,
		 0,
		 "KVM"},
		{{AVF_CONFIG_RAW, AVF_ACCELERATION_KVM_OR_EMULATION, false,
		  true},
		 false,
		 1,
		 "KVM"},
		{{AVF_CONFIG_PAYLOAD, AVF_ACCELERATION_KVM_OR_EMULATION, false,
		  false},
		 true,
		 1,
		 "emulated by QEMU: kvm.vcpu: it crawls"},
		/* a protected one is KVM's, whatever else is allowed */
		{{AVF_CONFIG_PAYLOAD, AVF_ACCELERATION_KVM, true, true},
		 false,
		 1,
		 "KVM"},
		{{AVF_CONFIG_PAYLOAD, AVF_ACCELERATION_KVM_OR_EMULATION, true,
		  true},
		 false,
		 1,
		 "KVM"},
		{{AVF_CONFIG_RAW, AVF_ACCELERATION_KVM_OR_EMULATION, true,
		  false},
		 false,
		 0,
		 "KVM"},
	};
	char text[256];
	bool emulate;

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		emulate = !rows[i].emulate;
		cr_expect_eq(
			wish_for(&rows[i].wish, &emulate, text, sizeof(text)),
			0, "row %zu", i);
		cr_expect_eq(emulate, rows[i].emulate, "row %zu", i);
		cr_expect_eq(kvm.n_asked, rows[i].n_asked, "row %zu", i);
		cr_expect_str_eq(text, rows[i].text, "row %zu", i);
	}
}

/* Each would give the host the memory of a VM that it shall not read. */
Test(choose, a_protected_vm_is_never_emulated)
{
	static const struct {
		struct wish wish;
		const char *part;
	} rows[] = {
		{{AVF_CONFIG_PAYLOAD, AVF_ACCELERATION_EMULATION, true, true},
		 "acceleration: "},
		{{AVF_CONFIG_RAW, AVF_ACCELERATION_EMULATION, true, true},
		 "a protected VM needs KVM"},
		{{AVF_CONFIG_PAYLOAD, AVF_ACCELERATION_KVM_OR_EMULATION, true,
		  false},
		 "protected: KVM cannot run a Linux guest here: kvm.vcpu: it "
		 "crawls; emulation would not protect it"},
		{{AVF_CONFIG_PAYLOAD, AVF_ACCELERATION_KVM, true, false},
		 "kvm.vcpu: it crawls"},
	};
	char text[256];
	bool emulate;

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		emulate = false;
		cr_expect_eq(
			wish_for(&rows[i].wish, &emulate, text, sizeof(text)),
			AVF_ERR_UNSUPPORTED, "row %zu", i);
		cr_expect_not(emulate, "row %zu", i);
		cr_expect(strstr(error_record()->text, rows[i].part),
			  "row %zu: %s", i, error_record()->text);
	}
}

Test(choose, a_foreign_guest_is_never_protected)
{
	struct vm_config config;
	bool emulate = false;
	char text[256];

	vm_config_init(&config);
	config.architecture = foreign()->id;
	config.acceleration = AVF_ACCELERATION_KVM_OR_EMULATION;
	config.is_protected = true;
	cr_expect_eq(choose_acceleration(&config, &emulate, text, sizeof(text)),
		     AVF_ERR_UNSUPPORTED);
	cr_expect_not(emulate);
	cr_expect(strstr(error_record()->text, "protected: a guest for "));
	vm_config_fini(&config);
}
