package android.system.virtualmachine;

import avf.internal.NativeConstants;
import avf.internal.NativeException;

/** An operation on a VM failed. The message is the C library's. */
public class VirtualMachineException extends Exception {
    public static final int CODE_INTERNAL = 0;
    public static final int CODE_NAME_ALREADY_EXISTS = 1;
    public static final int CODE_VIRTUAL_MACHINE_RUNNING = 2;
    public static final int CODE_VIRTUAL_MACHINE_STOPPED = 3;
    public static final int CODE_VIRTUAL_MACHINE_DELETED = 4;
    public static final int CODE_CONFIG_INCOMPATIBLE = 5;

    private final int code;

    public VirtualMachineException(String message) {
        this(message, null, CODE_INTERNAL);
    }

    public VirtualMachineException(String message, Throwable cause) {
        this(message, cause, CODE_INTERNAL);
    }

    private VirtualMachineException(String message, Throwable cause,
            int code) {
        super(message, cause);
        this.code = code;
    }

    /** One of CODE_*. */
    public int getCode() {
        return code;
    }

    static VirtualMachineException deleted() {
        return new VirtualMachineException("VM has been deleted", null,
                CODE_VIRTUAL_MACHINE_DELETED);
    }

    static VirtualMachineException notRunning() {
        return new VirtualMachineException("VM is not running", null,
                CODE_VIRTUAL_MACHINE_STOPPED);
    }

    static VirtualMachineException of(NativeException e) {
        return new VirtualMachineException(e.getMessage(), e, codeOf(e));
    }

    private static int codeOf(NativeException e) {
        String text = e.getMessage();
        if (e.code == NativeConstants.AVF_ERR_EXISTS)
            return CODE_NAME_ALREADY_EXISTS;
        if (text.contains("incompatible config"))
            return CODE_CONFIG_INCOMPATIBLE;
        if (text.contains("VM has been deleted"))
            return CODE_VIRTUAL_MACHINE_DELETED;
        if (text.contains("VM is not in stopped state"))
            return CODE_VIRTUAL_MACHINE_RUNNING;
        if (text.contains("VM is not running")
                || text.contains("VM is not in running state"))
            return CODE_VIRTUAL_MACHINE_STOPPED;
        return CODE_INTERNAL;
    }
}
