package android.os;

import avf.internal.Binders;
import avf.internal.Native;

import java.io.FileDescriptor;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.function.Function;
import java.util.function.IntFunction;

/**
 * The arguments or the results of a call. One thread owns it. Reading what is
 * not there throws BadParcelableException; after recycle() everything throws
 * IllegalStateException.
 */
public final class Parcel extends ParcelData {
    /* how often the bytes of a parcel may be read, about */
    private static final int MAX_READS = 4;

    private int nested; /* parcelables that are being read */
    private long again; /* bytes that they went back over */

    private Parcel(long pointer, boolean owned) {
        super(pointer, owned);
    }

    public static Parcel obtain() {
        return new Parcel(Binders.parcelNew(), true);
    }

    /** For a call on binder; any parcel will do. */
    public static Parcel obtain(IBinder binder) {
        return obtain();
    }

    /** A parcel of JNI's, until it is recycled. */
    static Parcel lend(long pointer) {
        return new Parcel(pointer, false);
    }

    /**
     * Code of aidl goes on where a body says that it ends, though it may have
     * read more; the next body could read that too, and so on, without end.
     * BadParcelableException: bodies of a peer make it do so.
     */
    @Override
    public void setDataPosition(int position) {
        again = nested == 0 ? 0
                : again + Math.max(0, dataPosition() - position);
        if (again > (long) MAX_READS * dataSize())
            throw new BadParcelableException("parcelables that are longer "
                    + "than they say");
        super.setDataPosition(position);
    }

    <T> T create(Parcelable.Creator<T> creator) {
        nested++;
        try {
            return creator.createFromParcel(this);
        } finally {
            nested--;
        }
    }

    /* ---- arrays and lists of anything ---- */

    private interface Writer<T> {
        void write(T v);
    }

    private interface Reader<T> {
        T read();
    }

    private <T> void writeAll(List<T> all, Writer<T> writer) {
        writeInt(all == null ? -1 : all.size());
        if (all != null)
            for (T each : all)
                writer.write(each);
    }

    private <T> ArrayList<T> readAll(Reader<T> reader) {
        int n = readLength(4);
        /* no room for n: lists in lists could all say that they are long */
        ArrayList<T> all = n < 0 ? null : new ArrayList<>();
        for (int i = 0; i < n; i++)
            all.add(reader.read());
        return all;
    }

    private static <T> List<T> list(T[] array) {
        return array == null ? null : java.util.Arrays.asList(array);
    }

    private static <T> void refill(List<T> list, List<T> got) {
        list.clear();
        list.addAll(present(got));
    }

    private static <T> void refill(T[] array, List<T> got) {
        sameLength(present(got).size(), array.length);
        got.toArray(array);
    }

    public void writeStringArray(String[] v) {
        writeAll(list(v), this::writeString);
    }

    public String[] createStringArray() {
        List<String> all = readAll(this::readString);
        return all == null ? null : all.toArray(new String[0]);
    }

    public void readStringArray(String[] v) {
        refill(v, readAll(this::readString));
    }

    public void writeStringList(List<String> v) {
        writeAll(v, this::writeString);
    }

    public ArrayList<String> createStringArrayList() {
        return readAll(this::readString);
    }

    public void readStringList(List<String> v) {
        refill(v, readAll(this::readString));
    }

    public void writeBinderArray(IBinder[] v) {
        writeAll(list(v), this::writeStrongBinder);
    }

    public IBinder[] createBinderArray() {
        List<IBinder> all = readAll(this::readStrongBinder);
        return all == null ? null : all.toArray(new IBinder[0]);
    }

    public void readBinderArray(IBinder[] v) {
        refill(v, readAll(this::readStrongBinder));
    }

    public void writeBinderList(List<IBinder> v) {
        writeAll(v, this::writeStrongBinder);
    }

    public ArrayList<IBinder> createBinderArrayList() {
        return readAll(this::readStrongBinder);
    }

    public void readBinderList(List<IBinder> v) {
        refill(v, readAll(this::readStrongBinder));
    }

    public <T extends Parcelable> void writeTypedObject(T v, int flags) {
        writeInt(v == null ? 0 : 1);
        if (v != null)
            v.writeToParcel(this, flags);
    }

    public <T> T readTypedObject(Parcelable.Creator<T> creator) {
        return readInt() == 0 ? null : create(creator);
    }

    public <T extends Parcelable> void writeTypedArray(T[] v, int flags) {
        writeAll(list(v), each -> writeTypedObject(each, flags));
    }

    public <T> T[] createTypedArray(Parcelable.Creator<T> creator) {
        List<T> all = readAll(() -> readTypedObject(creator));
        return all == null ? null : all.toArray(creator.newArray(all.size()));
    }

    public <T> void readTypedArray(T[] v, Parcelable.Creator<T> creator) {
        refill(v, readAll(() -> readTypedObject(creator)));
    }

    public <T extends Parcelable> void writeTypedList(List<T> v) {
        writeTypedList(v, 0);
    }

    public <T extends Parcelable> void writeTypedList(List<T> v, int flags) {
        writeAll(v, each -> writeTypedObject(each, flags));
    }

    public <T> ArrayList<T> createTypedArrayList(
            Parcelable.Creator<T> creator) {
        return readAll(() -> readTypedObject(creator));
    }

    public <T> void readTypedList(List<T> v, Parcelable.Creator<T> creator) {
        refill(v, readAll(() -> readTypedObject(creator)));
    }

    /* asInterface: a stub's; a peer's object may have another interface,
     * which shows when it is called. */

    public <T extends IInterface> void writeInterfaceArray(T[] v) {
        writeAll(list(v), this::writeStrongInterface);
    }

    public <T extends IInterface> T[] createInterfaceArray(
            IntFunction<T[]> newArray, Function<IBinder, T> asInterface) {
        List<T> all = createInterfaceArrayList(asInterface);
        return all == null ? null : all.toArray(newArray.apply(all.size()));
    }

    public <T extends IInterface> void readInterfaceArray(T[] v,
            Function<IBinder, T> asInterface) {
        refill(v, createInterfaceArrayList(asInterface));
    }

    public <T extends IInterface> void writeInterfaceList(List<T> v) {
        writeAll(v, this::writeStrongInterface);
    }

    public <T extends IInterface> ArrayList<T> createInterfaceArrayList(
            Function<IBinder, T> asInterface) {
        return readAll(() -> asInterface.apply(readStrongBinder()));
    }

    public <T extends IInterface> void readInterfaceList(List<T> v,
            Function<IBinder, T> asInterface) {
        refill(v, createInterfaceArrayList(asInterface));
    }

    /* ---- arrays whose lengths the AIDL file says: int[2][3] ---- */

    /** Null when there is none. type: of the whole, as int[][].class. */
    public <T> T createFixedArray(Class<T> type, int... lengths) {
        return new FixedArrays(this, null).create(type, lengths);
    }

    public <T, S extends Parcelable> T createFixedArray(Class<T> type,
            Parcelable.Creator<S> creator, int... lengths) {
        return new FixedArrays(this, () -> readTypedObject(creator))
                .create(type, lengths);
    }

    public <T, S extends IInterface> T createFixedArray(Class<T> type,
            Function<IBinder, S> asInterface, int... lengths) {
        return new FixedArrays(this,
                () -> asInterface.apply(readStrongBinder()))
                .create(type, lengths);
    }

    /** Into an array that is there. */
    public <T> void readFixedArray(T v) {
        new FixedArrays(this, null).fill(v);
    }

    public <T, S extends Parcelable> void readFixedArray(T v,
            Parcelable.Creator<S> creator) {
        new FixedArrays(this, () -> readTypedObject(creator)).fill(v);
    }

    public <T, S extends IInterface> void readFixedArray(T v,
            Function<IBinder, S> asInterface) {
        new FixedArrays(this,
                () -> asInterface.apply(readStrongBinder())).fill(v);
    }

    public <T> void writeFixedArray(T v, int flags, int... lengths) {
        new FixedArrays(this, null).write(v, flags, lengths);
    }

    /* ---- anything, as AIDL's Map and List without a type have it ---- */

    /** Null, Boolean, Byte, Character, Short, Integer, Long, Float, Double,
     * CharSequence, IBinder, Parcelable, List, Map, Object[], and arrays of
     * String, boolean, byte, char, int, long, float or double. Nothing else:
     * a Serializable is refused. */
    public void writeValue(Object v) {
        Anything.write(this, v);
    }

    public Object readValue(ClassLoader loader) {
        return Anything.read(this, loader, 0);
    }

    public void writeList(List<?> v) {
        Anything.writeList(this, v);
    }

    public ArrayList<Object> readArrayList(ClassLoader loader) {
        return Anything.readList(this, loader, 0);
    }

    /** Adds to v. */
    @SuppressWarnings({"unchecked", "rawtypes"})
    public void readList(List v, ClassLoader loader) {
        List<Object> got = readArrayList(loader);
        if (got != null)
            v.addAll(got);
    }

    public void writeMap(Map<?, ?> v) {
        Anything.writeMap(this, v);
    }

    public HashMap<Object, Object> readHashMap(ClassLoader loader) {
        return Anything.readMap(this, loader, 0);
    }

    /** Adds to v. */
    @SuppressWarnings({"unchecked", "rawtypes"})
    public void readMap(Map v, ClassLoader loader) {
        Map<Object, Object> got = readHashMap(loader);
        if (got != null)
            v.putAll(got);
    }

    /** The name of its class, and it. */
    public void writeParcelable(Parcelable v, int flags) {
        writeString(v == null ? null : v.getClass().getName());
        if (v != null)
            v.writeToParcel(this, flags);
    }

    /** A peer says which class: one that loader finds and that has a
     * CREATOR, or BadParcelableException. */
    @SuppressWarnings("unchecked")
    public <T extends Parcelable> T readParcelable(ClassLoader loader) {
        return (T) Anything.readParcelable(this, loader);
    }

    /* ---- objects and file descriptors ---- */

    public void writeStrongBinder(IBinder v) {
        long binder = BinderProxy.acquire(v);
        try {
            write(Binders.writeBinder(pointer(), binder));
        } finally {
            Binders.decStrong(binder);
        }
    }

    public IBinder readStrongBinder() {
        return BinderProxy.of(Binders.readBinder(pointer()));
    }

    public void writeStrongInterface(IInterface v) {
        writeStrongBinder(v == null ? null : v.asBinder());
    }

    /** Null and adoptFd(-1) are null. The descriptor stays the caller's. */
    public void writeParcelFileDescriptor(ParcelFileDescriptor v) {
        write(Binders.writeFd(pointer(), v == null ? -1 : v.getFd()));
    }

    /** A descriptor alone, which cannot be null. It stays the caller's. */
    public void writeRawFileDescriptor(FileDescriptor v) {
        write(Binders.writeRawFd(pointer(), Binders.numberOf(v)));
    }

    /** The caller's to close, with a stream for instance. */
    public FileDescriptor readRawFileDescriptor() {
        FileDescriptor v = new FileDescriptor();
        Native.set_descriptor(v, Binders.readRawFd(pointer()));
        return v;
    }

    /** Null is adoptFd(-1). */
    public ParcelFileDescriptor readParcelFileDescriptor() {
        return ParcelFileDescriptor.adoptFd(Binders.readFd(pointer()));
    }

    /* ---- how a method ended ---- */

    public void writeNoException() {
        writeInt(StatusHeader.EX_NONE);
    }

    public void writeException(Exception e) {
        if (!StatusHeader.write(this, e))
            throw new RuntimeException(e);
    }

    public void readException() {
        StatusHeader.read(this);
    }
}
