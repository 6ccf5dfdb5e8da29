/* The records of an encoded configuration. Numbers never change meaning. */
#pragma once

#include <stddef.h>
#include <stdint.h>

#include "base/checked.h"
#include "config/vm_config.h"

enum vm_config_tag {
	VM_CONFIG_TAG_KIND = 1,
	VM_CONFIG_TAG_MEMORY_MIB = 2,
	VM_CONFIG_TAG_VCPUS = 3,
	VM_CONFIG_TAG_ACCELERATION = 4,
	VM_CONFIG_TAG_PROTECTED = 5,
	VM_CONFIG_TAG_HUGEPAGES = 6,
	VM_CONFIG_TAG_DEBUG_LEVEL = 7,
	VM_CONFIG_TAG_BOOT_TIMEOUT_MS = 8,
	VM_CONFIG_TAG_NAME = 9,
	VM_CONFIG_TAG_CMDLINE = 10,
	VM_CONFIG_TAG_PAYLOAD_NAME = 11,
	VM_CONFIG_TAG_GUEST_IMAGE = 12,
	VM_CONFIG_TAG_KERNEL = 13,
	VM_CONFIG_TAG_INITRD = 14,
	VM_CONFIG_TAG_PACKAGE = 15,
	VM_CONFIG_TAG_CONSOLE_OUT = 16,
	VM_CONFIG_TAG_CONSOLE_IN = 17,
	VM_CONFIG_TAG_LOG = 18,
	VM_CONFIG_TAG_DISK = 19,
	VM_CONFIG_TAG_JAIL = 20,
	VM_CONFIG_TAG_OVERLAY = 21,
	VM_CONFIG_TAG_PAYLOAD_CONFIG_PATH = 22,
	VM_CONFIG_TAG_END,
};

/* A disk's value: le16 fd index, one byte of flags, then its id. */
#define VM_CONFIG_DISK_FIXED    3U
#define VM_CONFIG_DISK_WRITABLE 1U

#define VM_CONFIG_RECORD_HEADER 4U

_Static_assert(4 + VM_CONFIG_TAG_END * (VM_CONFIG_RECORD_HEADER + 4) +
			       AVF_MAX_NAME + AVF_MAX_CMDLINE +
			       VM_CONFIG_MAX_PAYLOAD_NAME +
			       VM_CONFIG_MAX_CONFIG_PATH + VM_CONFIG_MAX_PATH +
			       AVF_MAX_DISKS * (VM_CONFIG_RECORD_HEADER +
						VM_CONFIG_DISK_FIXED +
						VM_CONFIG_MAX_DISK_ID) <=
		       VM_CONFIG_MAX_BYTES,
	       "the largest configuration fits");
