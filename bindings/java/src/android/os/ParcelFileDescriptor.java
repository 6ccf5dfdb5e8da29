package android.os;

import avf.internal.Binders;
import avf.internal.Handle;
import avf.internal.Native;

import java.io.ByteArrayOutputStream;
import java.io.Closeable;
import java.io.FileDescriptor;
import java.io.FileInputStream;
import java.io.FileOutputStream;
import java.io.IOException;
import java.io.OutputStream;

/** A file descriptor with an owner: closed once, at the latest by the GC. */
public class ParcelFileDescriptor implements Parcelable, Closeable {
    public static final Creator<ParcelFileDescriptor> CREATOR =
            new Creator<ParcelFileDescriptor>() {
                @Override
                public ParcelFileDescriptor createFromParcel(Parcel in) {
                    return adoptFd(Binders.readFdBody(in.pointer()));
                }

                @Override
                public ParcelFileDescriptor[] newArray(int size) {
                    return new ParcelFileDescriptor[size];
                }
            };

    private static final String CLOSED = "Already closed";

    private final Handle handle;

    private ParcelFileDescriptor(int fd) {
        /* 0 is a descriptor but no handle */
        handle = new Handle(fd + 1L, value -> closeFd((int) (value - 1)),
                CLOSED).cleanedWith(this);
    }

    private static void closeFd(int fd) {
        if (fd >= 0)
            Native.close_fd(fd);
    }

    /** Takes fd. */
    public static ParcelFileDescriptor adoptFd(int fd) {
        return new ParcelFileDescriptor(fd);
    }

    /** Duplicates fd. */
    public static ParcelFileDescriptor fromFd(int fd) throws IOException {
        int copy = Native.dup_fd(fd);
        if (copy < 0)
            throw new IOException("cannot duplicate descriptor " + fd);
        return new ParcelFileDescriptor(copy);
    }

    /** Still owned by this object. */
    public int getFd() {
        int fd = (int) (handle.acquire() - 1);
        handle.release();
        return fd;
    }

    /** It belongs to the caller now. */
    public int detachFd() {
        return (int) (handle.steal() - 1);
    }

    /** Valid until this object is closed. */
    public FileDescriptor getFileDescriptor() {
        FileDescriptor descriptor = new FileDescriptor();
        Native.set_descriptor(descriptor, getFd());
        return descriptor;
    }

    @Override
    public void close() {
        handle.close();
    }

    @Override
    public int describeContents() {
        return CONTENTS_FILE_DESCRIPTOR;
    }

    /** A duplicate goes into the parcel; what a method returns is closed. */
    @Override
    public void writeToParcel(Parcel dest, int flags) {
        int status = Binders.writeFdBody(dest.pointer(), getFd());
        if (status != Binders.STATUS_OK)
            throw new IllegalStateException("the descriptor cannot be sent: "
                    + Binders.statusName(status));
        if ((flags & PARCELABLE_WRITE_RETURN_VALUE) != 0)
            close();
    }

    /** Closes the descriptor with the stream. */
    public static class AutoCloseInputStream extends FileInputStream {
        private final ParcelFileDescriptor owner;

        public AutoCloseInputStream(ParcelFileDescriptor pfd) {
            super(pfd.getFileDescriptor());
            owner = pfd;
        }

        /* FileInputStream's own ones seek, which pipes cannot. */

        @Override
        public byte[] readAllBytes() throws IOException {
            return readNBytes(Integer.MAX_VALUE);
        }

        @Override
        public byte[] readNBytes(int n) throws IOException {
            ByteArrayOutputStream out = new ByteArrayOutputStream();
            byte[] buffer = new byte[8192];
            while (out.size() < n) {
                int got = read(buffer, 0,
                        Math.min(buffer.length, n - out.size()));
                if (got < 0)
                    break;
                out.write(buffer, 0, got);
            }
            return out.toByteArray();
        }

        @Override
        public long transferTo(OutputStream out) throws IOException {
            byte[] buffer = new byte[8192];
            long total = 0;
            for (int got; (got = read(buffer)) >= 0; total += got)
                out.write(buffer, 0, got);
            return total;
        }

        @Override
        public void close() {
            owner.close();
        }
    }

    /** Closes the descriptor with the stream. */
    public static class AutoCloseOutputStream extends FileOutputStream {
        private final ParcelFileDescriptor owner;

        public AutoCloseOutputStream(ParcelFileDescriptor pfd) {
            super(pfd.getFileDescriptor());
            owner = pfd;
        }

        @Override
        public void close() {
            owner.close();
        }
    }
}
