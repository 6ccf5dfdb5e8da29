package libvirtualization;

import libvirtualization.GuestOrders;

/**
 * The extension of IVirtualMachineService: what AVF's guest learns from disks
 * and writes to a serial port.
 */
interface IGuestHost {
	/** An illegal state: the guest shall not start, but power off. An
	 * unsupported operation: the host speaks another version than
	 * @protocol (lib/base/guest_protocol.h). */
	GuestOrders getOrders(int protocol);
	/** Why the guest is about to end: a number of enum avf_stop_reason. The
	 * first one counts. */
	void setStopReason(int reason, in String text);
}
