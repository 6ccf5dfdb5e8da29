package android.os;

/** Of a method that says so: EX_NETWORK_MAIN_THREAD. */
public class NetworkOnMainThreadException extends RuntimeException {
    public NetworkOnMainThreadException() {}

    NetworkOnMainThreadException(String message) {
        super(message);
    }
}
