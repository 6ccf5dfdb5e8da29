package android.system.virtualizationcommon;

/** What the host calls in the guest, with AVF's number (Android 16). */
interface IGuestAgent {
	/** End the payload, and power off. */
	oneway void shutdownAsync() = 1;
}
