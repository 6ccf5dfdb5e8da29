package android.os;

/** For this library's own packages, and not of Android: the C objects behind
 * objects of Java. */
public final class BinderPointers {
    private BinderPointers() {}

    /** The object behind a C object, whose reference is taken; 0 is null. */
    public static IBinder take(long binder) {
        return BinderProxy.of(binder);
    }

    /** The C object, with a reference for the caller; null is 0. */
    public static long acquire(IBinder binder) {
        return BinderProxy.acquire(binder);
    }
}
