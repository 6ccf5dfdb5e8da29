package android.os;

/** How a method ended, at the head of what it returns. */
final class StatusHeader {
    static final int EX_NONE = 0;
    private static final int EX_SECURITY = -1;
    private static final int EX_BAD_PARCELABLE = -2;
    private static final int EX_ILLEGAL_ARGUMENT = -3;
    private static final int EX_NULL_POINTER = -4;
    private static final int EX_ILLEGAL_STATE = -5;
    private static final int EX_NETWORK_MAIN_THREAD = -6;
    private static final int EX_UNSUPPORTED_OPERATION = -7;
    private static final int EX_SERVICE_SPECIFIC = -8;
    private static final int EX_PARCELABLE = -9;
    private static final int EX_HAS_REPLY_HEADER = -128;

    private StatusHeader() {}

    private static int codeOf(Exception e) {
        if (e instanceof SecurityException)
            return EX_SECURITY;
        if (e instanceof BadParcelableException)
            return EX_BAD_PARCELABLE;
        if (e instanceof IllegalArgumentException)
            return EX_ILLEGAL_ARGUMENT;
        if (e instanceof NullPointerException)
            return EX_NULL_POINTER;
        if (e instanceof IllegalStateException)
            return EX_ILLEGAL_STATE;
        if (e instanceof NetworkOnMainThreadException)
            return EX_NETWORK_MAIN_THREAD;
        if (e instanceof UnsupportedOperationException)
            return EX_UNSUPPORTED_OPERATION;
        return e instanceof ServiceSpecificException
                ? EX_SERVICE_SPECIFIC : EX_NONE;
    }

    /** False: nothing was written; no peer would know what this is. */
    static boolean write(Parcel parcel, Exception e) {
        int code = codeOf(e);
        if (code == EX_NONE)
            return false;
        parcel.writeInt(code);
        parcel.writeString(e.getMessage());
        parcel.writeInt(0); /* no stack trace */
        if (code == EX_SERVICE_SPECIFIC)
            parcel.writeInt(((ServiceSpecificException) e).errorCode);
        return true;
    }

    /* A size that counts itself, and as many bytes of no interest. */
    private static void skipSized(Parcel parcel) {
        int start = parcel.dataPosition();
        int size = parcel.readInt();
        if (size < 0 || size > parcel.dataSize() - start)
            throw new BadParcelableException("a header of " + size
                    + " bytes");
        if (size > 4)
            parcel.setDataPosition(start + size);
    }

    /** Throws what the method threw. */
    static void read(Parcel parcel) {
        int code = parcel.readInt();
        if (code == EX_HAS_REPLY_HEADER) {
            skipSized(parcel);
            return;
        }
        if (code == EX_NONE)
            return;
        String message = parcel.readString();
        skipSized(parcel); /* the stack trace */
        if (code == EX_PARCELABLE)
            skipSized(parcel);
        throw exception(code, message,
                code == EX_SERVICE_SPECIFIC ? parcel.readInt() : 0);
    }

    private static RuntimeException exception(int code, String message,
            int error) {
        switch (code) {
        case EX_SECURITY:
            return new SecurityException(message);
        case EX_BAD_PARCELABLE:
            return new BadParcelableException(message);
        case EX_ILLEGAL_ARGUMENT:
            return new IllegalArgumentException(message);
        case EX_NULL_POINTER:
            return new NullPointerException(message);
        case EX_ILLEGAL_STATE:
            return new IllegalStateException(message);
        case EX_NETWORK_MAIN_THREAD:
            return new NetworkOnMainThreadException(message);
        case EX_UNSUPPORTED_OPERATION:
            return new UnsupportedOperationException(message);
        case EX_SERVICE_SPECIFIC:
            return new ServiceSpecificException(error, message);
        default:
            return new RuntimeException("Unknown exception code: " + code
                    + " msg " + message);
        }
    }
}
