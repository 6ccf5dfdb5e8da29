package android.os;

/** What a parcel holds is not what was read from it. */
public class BadParcelableException extends RuntimeException {
    public BadParcelableException(String message) {
        super(message);
    }

    public BadParcelableException(Exception cause) {
        super(cause);
    }
}
