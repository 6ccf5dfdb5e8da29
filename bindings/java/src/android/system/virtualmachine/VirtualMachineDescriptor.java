package android.system.virtualmachine;

import android.os.Parcel;
import android.os.ParcelFileDescriptor;
import android.os.Parcelable;

import avf.internal.Handle;
import avf.internal.Native;
import avf.internal.NativeConstants;
import avf.internal.NativeException;

import java.io.IOException;

/** A stopped VM's files, from which another process can make a copy. */
public final class VirtualMachineDescriptor
        implements Parcelable, AutoCloseable {
    private static final int[] FILES = {
        NativeConstants.AVF_DESCRIPTOR_CONFIG,
        NativeConstants.AVF_DESCRIPTOR_INSTANCE_ID,
        NativeConstants.AVF_DESCRIPTOR_INSTANCE_IMAGE,
        NativeConstants.AVF_DESCRIPTOR_STORAGE,
    };

    public static final Parcelable.Creator<VirtualMachineDescriptor> CREATOR =
            new Parcelable.Creator<VirtualMachineDescriptor>() {
                @Override
                public VirtualMachineDescriptor createFromParcel(Parcel in) {
                    return read(in);
                }

                @Override
                public VirtualMachineDescriptor[] newArray(int size) {
                    return new VirtualMachineDescriptor[size];
                }
            };

    private final Handle handle;

    VirtualMachineDescriptor(long pointer) {
        handle = new Handle(pointer, Native::avf_descriptor_free,
                "Descriptor has been closed").cleanedWith(this);
    }

    private static VirtualMachineDescriptor read(Parcel in) {
        int[] fds = new int[FILES.length];
        ParcelFileDescriptor[] files = new ParcelFileDescriptor[FILES.length];
        long[] made = new long[1];
        try {
            for (int i = 0; i < files.length; i++) {
                files[i] = in.readParcelFileDescriptor();
                fds[i] = files[i].getFd();
            }
            Native.avf_descriptor_new(fds[0], fds[1], fds[2], fds[3], made);
        } catch (NativeException e) {
            throw new IllegalArgumentException("no descriptor of a VM: "
                    + e.getMessage(), e);
        } finally {
            for (ParcelFileDescriptor file : files)
                if (file != null)
                    file.close();
        }
        return new VirtualMachineDescriptor(made[0]);
    }

    @Override
    public int describeContents() {
        return CONTENTS_FILE_DESCRIPTOR;
    }

    @Override
    public void writeToParcel(Parcel dest, int flags) {
        long pointer = handle.acquire();
        try {
            for (int file : FILES) {
                int fd = Native.avf_descriptor_get_fd(pointer, file);
                try (ParcelFileDescriptor copy = fd < 0 ? null
                        : ParcelFileDescriptor.fromFd(fd)) {
                    dest.writeParcelFileDescriptor(copy);
                }
            }
        } catch (IOException e) {
            throw new IllegalStateException(e);
        } finally {
            handle.release();
        }
    }

    /** For a C function that takes it, also when it fails. */
    long steal() {
        return handle.steal();
    }

    @Override
    public void close() {
        handle.close();
    }
}
