/*
 * The hypervisor copies the firmware, which the boot loader has left with it,
 * into the pages of this slot when the guest touches them first; we give it
 * empty ones, and never see it. It checks the kernel, which is in the guest's
 * memory, and enters that: the guest's owner, not the host, decides what runs.
 */
#include "hv/pkvm_android_arm64.h"

#include <inttypes.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <unistd.h>

/* Operations of the capability, in the flags of KVM_ENABLE_CAP. */
enum { SET_FIRMWARE = 0, INFO = 1 };

struct info {
	uint64_t firmware_size; /* bytes; 0: there is none */
	uint64_t reserved[7];
};

static int enable(const struct kvm_vm *vm, uint32_t operation, uint64_t value)
{
	const struct kvm_enable_cap cap = {
		.cap = (uint32_t)PKVM_ANDROID_CAP,
		.flags = operation,
		.args = {value},
	};

	return ioctl(vm->fd, KVM_ENABLE_CAP, &cap);
}

/*
 * Anonymous memory, as that of the guest: the hypervisor takes its pages. KVM
 * takes slots of whole pages of the host's kernel only, 64 KiB for some.
 */
static int map_room(struct kvm_vm *vm, uint64_t firmware_size)
{
	const uint64_t page = (uint64_t)sysconf(_SC_PAGESIZE);
	const uint64_t size = (firmware_size + page - 1) & ~(page - 1);
	void *room = mmap(NULL, (size_t)size, PROT_READ | PROT_WRITE,
			  MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);

	if (room == MAP_FAILED)
		return fail_errno("room for pvmfw");
	vm->firmware = room;
	vm->firmware_size = (size_t)size;
	return vm->hv.ops->add_memory(&vm->hv, PKVM_ANDROID_FIRMWARE_BASE, size,
				      room);
}

int pkvm_android_init(struct kvm_vm *vm, uint64_t *ret_entry)
{
	struct info info = {0};
	int rc;

	*ret_entry = 0;
	if (!vm->is_protected ||
	    ioctl(vm->fd, KVM_CHECK_EXTENSION, PKVM_ANDROID_CAP) <= 0)
		return 0;
	if (enable(vm, INFO, (uintptr_t)&info) < 0)
		return fail_errno("protected VM: size of pvmfw");
	if (info.firmware_size == 0)
		return 0;
	if (info.firmware_size > PKVM_ANDROID_FIRMWARE_MAX)
		return fail(AVF_ERR_LIMIT,
			    "protected VM: pvmfw of %" PRIu64 " bytes, there "
			    "is room for %llu",
			    info.firmware_size, PKVM_ANDROID_FIRMWARE_MAX);
	rc = map_room(vm, info.firmware_size);
	if (rc < 0)
		return rc;
	if (enable(vm, SET_FIRMWARE, PKVM_ANDROID_FIRMWARE_BASE) < 0)
		return fail_errno("protected VM: address of pvmfw");
	*ret_entry = PKVM_ANDROID_FIRMWARE_BASE;
	return 0;
}

void pkvm_android_fini(struct kvm_vm *vm)
{
	if (vm->firmware)
		(void)munmap(vm->firmware, vm->firmware_size);
	vm->firmware = NULL;
}
