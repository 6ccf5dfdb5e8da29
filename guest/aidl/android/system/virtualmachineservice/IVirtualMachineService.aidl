package android.system.virtualmachineservice;

import android.system.virtualizationcommon.IGuestAgent;

/**
 * What AVF's guest calls on its host, with AVF's numbers (Android 16). Methods
 * that are not here, 6 to 11 in AVF, are refused as unsupported.
 */
interface IVirtualMachineService {
	/** The host calls the agent when it wants something of the guest. */
	void registerGuestAgent(in IGuestAgent guestAgent) = 1;
	/** States only move forward: anything else is an illegal state. */
	void notifyPayloadStarted() = 2;
	void notifyPayloadReady() = 3;
	void notifyPayloadFinished(int exitCode) = 4;
	/** AVF's ErrorCode, an enum whose type is int, which Debian's aidl does
	 * not know: enum avf_error_code. */
	void notifyError(int errorCode, in String message) = 5;
}
