package avf.internal;

import java.io.FileDescriptor;
import java.util.HashMap;
import java.util.Map;
import java.util.function.IntSupplier;

/**
 * libvirtualization-binder's functions (bindings/java/native). Objects are
 * AIBinder pointers, of which callers count references as C programs do;
 * parcels are AParcel pointers. Results are values of binder_status.h; reads
 * throw BadParcelableException.
 */
public final class Binders {
    public static final int STATUS_OK = 0;
    public static final int STATUS_UNKNOWN_ERROR = 0x80000000;
    public static final int STATUS_NO_MEMORY = -12;
    public static final int STATUS_BAD_VALUE = -22;
    public static final int STATUS_DEAD_OBJECT = -32;
    public static final int STATUS_UNKNOWN_TRANSACTION = -74;

    /* AIBinder_Class by the interface's name; they are never freed. Guarded
     * by itself. */
    private static final Map<String, Long> CLASSES = new HashMap<>();

    static {
        NativeLoader.load();
    }

    private Binders() {}

    /** "DEAD_OBJECT", or a number. */
    public static native String statusName(int status);

    /* ---- objects ---- */

    private static native long defineClass(String descriptor);

    private static native long newObject(long clazz, Object self);

    /** A C object with one reference, whose calls come to Binder.dispatch(),
     * and which holds self. */
    public static long newLocal(String descriptor, Object self) {
        String name = descriptor == null ? "" : descriptor;
        long clazz;
        synchronized (CLASSES) {
            clazz = CLASSES.computeIfAbsent(name, Binders::defineClass);
        }
        return newObject(clazz, self);
    }

    /** What newLocal() was given; null for all other objects. */
    public static native Object localObject(long binder);

    public static native void incStrong(long binder);

    public static native void decStrong(long binder);

    public static native long weakNew(long binder);

    public static native void weakDelete(long weak);

    public static native long weakPromote(long weak);

    public static native boolean isAlive(long binder);

    public static native int ping(long binder);

    public static native int descriptor(long binder, String[] name);

    /** A call whose arguments are copied from data; out[0] is the caller's. */
    public static native int transact(long binder, int code, long data,
            int flags, long[] out);

    /** Run died once, when the peer is gone. link[0] ends it. */
    public static native int link(long binder, Runnable died, long[] link);

    public static native void unlink(long link);

    /* ---- parcels ---- */

    public static native long parcelNew();

    public static native void parcelDelete(long parcel);

    public static native void parcelReset(long parcel);

    public static native int parcelSize(long parcel);

    public static native int parcelPosition(long parcel);

    public static native int parcelSetPosition(long parcel, int position);

    public static native int parcelAppend(long from, long to, int start,
            int size);

    public static native int writeInt(long parcel, int v);

    public static native int readInt(long parcel);

    public static native int writeLong(long parcel, long v);

    public static native long readLong(long parcel);

    public static native int writeString(long parcel, String v);

    public static native String readString(long parcel);

    public static native int writeBytes(long parcel, byte[] v);

    public static native byte[] readBytes(long parcel);

    public static native int writeInts(long parcel, int[] v);

    public static native int[] readInts(long parcel);

    public static native int writeLongs(long parcel, long[] v);

    public static native long[] readLongs(long parcel);

    public static native int writeFloats(long parcel, float[] v);

    public static native float[] readFloats(long parcel);

    public static native int writeDoubles(long parcel, double[] v);

    public static native double[] readDoubles(long parcel);

    public static native int writeChars(long parcel, char[] v);

    public static native char[] readChars(long parcel);

    public static native int writeBinder(long parcel, long binder);

    /** The reference is the caller's. */
    public static native long readBinder(long parcel);

    /** A nullable ParcelFileDescriptor; null is -1. */
    public static native int writeFd(long parcel, int fd);

    public static native int readFd(long parcel);

    /** The same behind a flag that has been written, or read, already. */
    public static native int writeFdBody(long parcel, int fd);

    public static native int readFdBody(long parcel);

    /** A descriptor alone. */
    public static native int writeRawFd(long parcel, int fd);

    public static native int readRawFd(long parcel);

    /** Its number; -1 when it is closed. NullPointerException: it is null. */
    public static native int numberOf(FileDescriptor fd);

    /** The ends of a pipe, to read from and to write to. False: there are too
     * many open files. */
    public static native boolean pipe(int[] fds);

    /* ---- sessions ---- */

    public static native long sessionNew();

    public static native void sessionFree(long session);

    public static native void sessionSetUp(long session, int incomingThreads,
            boolean fds);

    public static native void sessionConnectTimeout(long session,
            int milliseconds);

    /** The root object, whose reference is the caller's, or 0. */
    public static native long sessionConnectUnix(long session, String path);

    /** connect gives a connected socket for each connection, or -1. */
    public static native long sessionConnect(long session,
            IntSupplier connect);

    public static native int sessionError(long session);

    public static native long sessionObjects(long session);

    public static native void sessionShutdown(long session);

    /** 0: the socket cannot be made. */
    public static native long serverUnix(long root, String path);

    public static native void serverSetUp(long server, int threads,
            boolean fds);

    public static native void serverStart(long server);

    public static native void serverFree(long server);
}
