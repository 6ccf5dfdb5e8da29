package android.os;

/** The peer that has the object is gone. */
public class DeadObjectException extends RemoteException {
    public DeadObjectException() {}

    public DeadObjectException(String message) {
        super(message);
    }
}
