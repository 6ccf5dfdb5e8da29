package android.system.virtualization.payload;

/**
 * What a payload calls on the guest's manager, through libvm_payload.so; the
 * first method of AVF's interface. The others are refused as unsupported.
 */
interface IVmPayloadService {
	const String VM_PAYLOAD_SERVICE_SOCKET_NAME = "vm_payload_service";
	const String VM_APK_CONTENTS_PATH = "/mnt/apk";

	/** Only the first call has an effect. */
	void notifyPayloadReady() = 0;
}
