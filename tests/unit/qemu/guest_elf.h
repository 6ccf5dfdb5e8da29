/*
 * A guest of a few instructions for QEMU: an ELF with a PVH note
 * (Xen's docs/misc/pvh) whose code prints to the serial port and ends.
 */
#pragma once

/** How the guest ends. */
enum guest_end {
	GUEST_POWERS_OFF,
	GUEST_TRIPLE_FAULTS,
	GUEST_HANGS,
};

/** A memfd with the ELF, or -1. It prints "hello\n" first. */
int guest_elf_open(enum guest_end end);
