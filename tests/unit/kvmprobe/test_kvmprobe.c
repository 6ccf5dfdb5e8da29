/* The trial guests, on whatever /dev/kvm this host has. */
#include <criterion/criterion.h>

#include <string.h>
#include <unistd.h>

#include "base/fd.h"
#include "kvmprobe/kvmprobe.h"

static void probe(const char *device, char *text, size_t size)
{
	int fds[2];
	ssize_t n;

	cr_assert_eq(pipe(fds), 0);
	cr_assert_eq(kvm_probe_device(device, fds[1]), 0);
	fd_close(fds[1]);
	n = fd_read_all(fds[0], text, size - 1);
	cr_assert_geq(n, 0);
	text[n] = '\0';
	fd_close(fds[0]);
}

Test(kvmprobe, no_device)
{
	char text[2048];

	probe("/nonexistent", text, sizeof(text));
	cr_expect_str_eq(text, "kvm.api\tno\t/nonexistent: No such file or "
			       "directory\t\n");
}

Test(kvmprobe, a_device_that_is_not_kvm)
{
	char text[2048];

	probe("/dev/null", text, sizeof(text));
	cr_expect(strstr(text, "kvm.api\tno\tit is not KVM: "), "%s", text);
	cr_expect_null(strstr(text, "kvm.vcpu"));
}

Test(kvmprobe, nobody_reads)
{
	cr_expect_eq(kvm_probe_device("/nonexistent", -1), 1);
}

Test(kvmprobe, this_host)
{
	const uint64_t start_ns = clock_now_ns();
	char text[4096], why[256] = "";
	const char *ring0;
	bool linux_runs;

	if (access(KVM_PROBE_DEVICE, R_OK | W_OK) != 0)
		cr_skip_test("no access to %s", KVM_PROBE_DEVICE);
	probe(KVM_PROBE_DEVICE, text, sizeof(text));
	cr_expect_lt(clock_now_ns() - start_ns, 2000000000U);
	cr_expect(strstr(text, "kvm.api\tyes\tversion 12\t\n"), "%s", text);
	ring0 = strstr(text, "kvm.vcpu\t");
	cr_assert(ring0, "%s", text);
	linux_runs = kvm_probe_linux(why, sizeof(why));
	cr_expect_eq(strncmp(ring0, "kvm.vcpu\tyes\t", 13) == 0, linux_runs,
		     "%s%s", text, why);
	cr_expect_eq(linux_runs, why[0] == '\0', "%s", why);
}
