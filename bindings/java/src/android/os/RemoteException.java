package android.os;

/** A call was not made, or its answer did not come. */
public class RemoteException extends Exception {
    public RemoteException() {}

    public RemoteException(String message) {
        super(message);
    }

    /** For where a checked exception has no place. */
    public RuntimeException rethrowAsRuntimeException() {
        throw new RuntimeException(this);
    }
}
