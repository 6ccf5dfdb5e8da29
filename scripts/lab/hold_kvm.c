/*
 * Hold virtual machines for as long as the lab runs. The kernel patches its own
 * code with the first VM and with the end of the last one, and x86's with the
 * first and the last vCPU that has no local APIC in the kernel, and with those
 * whose APIC is not enabled; QEMU's TCG with several threads has been seen to
 * lose that race (Oops: int3). With one of each, whose vCPUs never run, the
 * code is patched once.
 */
#include <fcntl.h>
#include <linux/kvm.h>
#include <stdbool.h>
#include <sys/ioctl.h>
#include <unistd.h>

/* A CPU with an APIC in the kernel starts with it disabled. */
static bool hold_vm(int kvm, bool with_irqchip)
{
	int vm = ioctl(kvm, KVM_CREATE_VM, 0);

	if (vm < 0)
		return false;
	/* arm64's GICv3 is made in another way, and there is no such code */
	if (with_irqchip)
		(void)ioctl(vm, KVM_CREATE_IRQCHIP, 0);
	return ioctl(vm, KVM_CREATE_VCPU, 0) >= 0;
}

int main(void)
{
	int kvm = open("/dev/kvm", O_RDWR);

	if (kvm < 0 || !hold_vm(kvm, true) || !hold_vm(kvm, false))
		return 1;
	for (;;)
		(void)pause();
}
