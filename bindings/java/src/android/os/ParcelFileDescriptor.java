package android.os;

import avf.internal.Binders;
import avf.internal.Handle;
import avf.internal.Native;

import java.io.ByteArrayOutputStream;
import java.io.Closeable;
import java.io.File;
import java.io.FileDescriptor;
import java.io.FileInputStream;
import java.io.FileNotFoundException;
import java.io.FileOutputStream;
import java.io.IOException;
import java.io.OutputStream;
import java.io.RandomAccessFile;

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

    /* for open(), one of the first three */
    public static final int MODE_READ_ONLY = 0x10000000;
    public static final int MODE_WRITE_ONLY = 0x20000000;
    public static final int MODE_READ_WRITE = 0x30000000;
    public static final int MODE_CREATE = 0x08000000;
    public static final int MODE_TRUNCATE = 0x04000000;
    public static final int MODE_APPEND = 0x02000000;

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

    /** Duplicates what a stream or a file has. */
    public static ParcelFileDescriptor dup(FileDescriptor descriptor)
            throws IOException {
        return fromFd(Binders.numberOf(descriptor));
    }

    public ParcelFileDescriptor dup() throws IOException {
        return fromFd(getFd());
    }

    /** Opens a file; MODE_ constants say how. A new one gets the permissions
     * that the umask leaves. */
    public static ParcelFileDescriptor open(File file, int mode)
            throws FileNotFoundException {
        boolean writes = (mode & MODE_WRITE_ONLY) != 0;
        if (writes && (mode & MODE_CREATE) == 0 && !file.exists())
            throw new FileNotFoundException(file + ": it is not there, and "
                    + "MODE_CREATE is not set");
        try {
            return writes ? openToWrite(file, mode) : openToRead(file);
        } catch (FileNotFoundException e) {
            throw e;
        } catch (IOException e) {
            throw new FileNotFoundException(file + ": " + e.getMessage());
        }
    }

    private static ParcelFileDescriptor openToRead(File file)
            throws IOException {
        try (FileInputStream in = new FileInputStream(file)) {
            return dup(in.getFD());
        }
    }

    /* What appends is for writing alone: Java opens no other. */
    private static ParcelFileDescriptor openToWrite(File file, int mode)
            throws IOException {
        if ((mode & MODE_APPEND) != 0) {
            try (FileOutputStream out = new FileOutputStream(file, true)) {
                return dup(out.getFD());
            }
        }
        try (RandomAccessFile both = new RandomAccessFile(file, "rw")) {
            if ((mode & MODE_TRUNCATE) != 0)
                both.setLength(0);
            return dup(both.getFD());
        }
    }

    /** The end to read from, and the end to write to. */
    public static ParcelFileDescriptor[] createPipe() throws IOException {
        int[] fds = new int[2];
        if (!Binders.pipe(fds))
            throw new IOException("no pipe: too many open files");
        return new ParcelFileDescriptor[] {adoptFd(fds[0]), adoptFd(fds[1])};
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
