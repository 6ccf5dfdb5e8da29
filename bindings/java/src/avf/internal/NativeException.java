package avf.internal;

/** A C call failed. JNI makes it; the public classes translate it. */
public final class NativeException extends RuntimeException {
    public final int code;
    public final String name;

    NativeException(int code, String name, byte[] text) {
        super(Text.fromNative(text));
        this.code = code;
        this.name = name;
    }
}
