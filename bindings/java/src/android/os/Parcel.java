package android.os;

import java.util.ArrayDeque;

/** A queue of descriptors within this process. */
public final class Parcel {
    private final ArrayDeque<ParcelFileDescriptor> fds = new ArrayDeque<>();

    private Parcel() {}

    public static Parcel obtain() {
        return new Parcel();
    }

    /** Takes fd. A missing one is adoptFd(-1). */
    public void writeParcelFileDescriptor(ParcelFileDescriptor fd) {
        fds.add(fd);
    }

    public ParcelFileDescriptor readParcelFileDescriptor() {
        if (fds.isEmpty())
            throw new IllegalStateException("the parcel is at its end");
        return fds.remove();
    }

    /** Close what nobody read. */
    public void recycle() {
        while (!fds.isEmpty())
            fds.remove().close();
    }
}
