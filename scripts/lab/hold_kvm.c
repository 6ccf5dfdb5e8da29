/*
 * Hold one virtual machine for as long as the lab runs. With the first VM
 * the kernel patches its own code, and with the end of the last one it
 * patches it back; QEMU's TCG with several threads has been seen to lose
 * that race (Oops: int3). With this one the code is patched once.
 */
#include <fcntl.h>
#include <linux/kvm.h>
#include <sys/ioctl.h>
#include <unistd.h>

int main(void)
{
	int kvm = open("/dev/kvm", O_RDWR);

	if (kvm < 0 || ioctl(kvm, KVM_CREATE_VM, 0) < 0)
		return 1;
	for (;;)
		(void)pause();
}
