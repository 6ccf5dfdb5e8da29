/* The type of a VM, for those who do not care how many addresses it has. */
#pragma once

/**
 * What KVM_CREATE_VM takes for a VM of the usual address size, or of the
 * largest that @kvm_fd, an open /dev/kvm, has if that is smaller. Never an
 * error: what cannot be asked for is refused when the VM is made.
 */
unsigned long kvm_type_usual(int kvm_fd);
