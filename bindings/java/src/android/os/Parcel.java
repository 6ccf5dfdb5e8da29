package android.os;

import avf.internal.Binders;

import java.lang.ref.Cleaner;
import java.util.ArrayList;
import java.util.List;

/**
 * The arguments or the results of a call. One thread owns it. Reading what is
 * not there throws BadParcelableException; after recycle() everything throws
 * IllegalStateException.
 */
public final class Parcel {
    private static final Cleaner CLEANER = Cleaner.create();

    /* The C parcel. Apart from us, for the Cleaner. */
    private static final class Owner implements Runnable {
        private long pointer;
        private final boolean owned;

        Owner(long pointer, boolean owned) {
            this.pointer = pointer;
            this.owned = owned;
        }

        @Override
        public void run() {
            if (owned && pointer != 0)
                Binders.parcelDelete(pointer);
            pointer = 0;
        }
    }

    private final Owner owner;
    private final Cleaner.Cleanable cleanable; /* null: lent */

    private Parcel(long pointer, boolean owned) {
        owner = new Owner(pointer, owned);
        cleanable = owned ? CLEANER.register(this, owner) : null;
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

    /** Free it. */
    public void recycle() {
        if (cleanable != null)
            cleanable.clean();
        else
            owner.run();
    }

    long pointer() {
        if (owner.pointer == 0)
            throw new IllegalStateException("the parcel is recycled");
        return owner.pointer;
    }

    /** Become what C has made, which is taken. */
    void adopt(long parcel) {
        pointer();
        owner.run();
        owner.pointer = parcel;
    }

    void reset() {
        Binders.parcelReset(pointer());
    }

    public int dataSize() {
        return Binders.parcelSize(pointer());
    }

    public int dataPosition() {
        return Binders.parcelPosition(pointer());
    }

    public int dataAvail() {
        return dataSize() - dataPosition();
    }

    public void setDataPosition(int position) {
        if (Binders.parcelSetPosition(pointer(), position)
                != Binders.STATUS_OK)
            throw new IllegalArgumentException("position " + position + " of "
                    + dataSize());
    }

    public void appendFrom(Parcel from, int offset, int length) {
        write(Binders.parcelAppend(from.pointer(), pointer(), offset,
                length));
    }

    /** For stubs: nothing may be left to read. */
    public void enforceNoDataAvail() {
        if (dataAvail() > 0)
            throw new BadParcelableException("Parcel data not fully consumed,"
                    + " unread size: " + dataAvail());
    }

    private static void write(int status) {
        if (status == Binders.STATUS_OK)
            return;
        if (status == Binders.STATUS_NO_MEMORY)
            throw new OutOfMemoryError("parcel");
        throw new IllegalStateException("the parcel cannot be written: "
                + Binders.statusName(status));
    }

    /* ---- the name of the interface ---- */

    public void writeInterfaceToken(String name) {
        writeString(name);
    }

    public void enforceInterface(String name) {
        String got = readString();
        if (!name.equals(got))
            throw new SecurityException("Binder invocation to an incorrect "
                    + "interface: " + got + ", not " + name);
    }

    /* ---- numbers and text ---- */

    public void writeInt(int v) {
        write(Binders.writeInt(pointer(), v));
    }

    public int readInt() {
        return Binders.readInt(pointer());
    }

    public void writeLong(long v) {
        write(Binders.writeLong(pointer(), v));
    }

    public long readLong() {
        return Binders.readLong(pointer());
    }

    public void writeFloat(float v) {
        writeInt(Float.floatToRawIntBits(v));
    }

    public float readFloat() {
        return Float.intBitsToFloat(readInt());
    }

    public void writeDouble(double v) {
        writeLong(Double.doubleToRawLongBits(v));
    }

    public double readDouble() {
        return Double.longBitsToDouble(readLong());
    }

    public void writeByte(byte v) {
        writeInt(v);
    }

    public byte readByte() {
        return (byte) readInt();
    }

    public void writeBoolean(boolean v) {
        writeInt(v ? 1 : 0);
    }

    public boolean readBoolean() {
        return readInt() != 0;
    }

    public void writeString(String v) {
        write(Binders.writeString(pointer(), v));
    }

    public String readString() {
        return Binders.readString(pointer());
    }

    /* ---- arrays of numbers ---- */

    public void writeByteArray(byte[] v) {
        write(Binders.writeBytes(pointer(), v));
    }

    public byte[] createByteArray() {
        return Binders.readBytes(pointer());
    }

    public void writeIntArray(int[] v) {
        write(Binders.writeInts(pointer(), v));
    }

    public int[] createIntArray() {
        return Binders.readInts(pointer());
    }

    public void writeLongArray(long[] v) {
        write(Binders.writeLongs(pointer(), v));
    }

    public long[] createLongArray() {
        return Binders.readLongs(pointer());
    }

    public void writeFloatArray(float[] v) {
        write(Binders.writeFloats(pointer(), v));
    }

    public float[] createFloatArray() {
        return Binders.readFloats(pointer());
    }

    public void writeDoubleArray(double[] v) {
        write(Binders.writeDoubles(pointer(), v));
    }

    public double[] createDoubleArray() {
        return Binders.readDoubles(pointer());
    }

    public void writeCharArray(char[] v) {
        write(Binders.writeChars(pointer(), v));
    }

    public char[] createCharArray() {
        return Binders.readChars(pointer());
    }

    public void writeBooleanArray(boolean[] v) {
        writeInt(v == null ? -1 : v.length);
        for (int i = 0; v != null && i < v.length; i++)
            writeBoolean(v[i]);
    }

    public boolean[] createBooleanArray() {
        int n = readLength(4);
        boolean[] v = n < 0 ? null : new boolean[n];
        for (int i = 0; i < n; i++)
            v[i] = readBoolean();
        return v;
    }

    /* "out" arrays: as many as the caller has room for */

    private static void sameLength(int got, int want) {
        if (got != want)
            throw new BadParcelableException("bad array lengths: " + got
                    + ", not " + want);
    }

    private static <T> T present(T array) {
        if (array == null)
            throw new BadParcelableException("null, not an array");
        return array;
    }

    public void readByteArray(byte[] v) {
        byte[] got = present(createByteArray());
        sameLength(got.length, v.length);
        System.arraycopy(got, 0, v, 0, v.length);
    }

    public void readIntArray(int[] v) {
        int[] got = present(createIntArray());
        sameLength(got.length, v.length);
        System.arraycopy(got, 0, v, 0, v.length);
    }

    public void readLongArray(long[] v) {
        long[] got = present(createLongArray());
        sameLength(got.length, v.length);
        System.arraycopy(got, 0, v, 0, v.length);
    }

    public void readFloatArray(float[] v) {
        float[] got = present(createFloatArray());
        sameLength(got.length, v.length);
        System.arraycopy(got, 0, v, 0, v.length);
    }

    public void readDoubleArray(double[] v) {
        double[] got = present(createDoubleArray());
        sameLength(got.length, v.length);
        System.arraycopy(got, 0, v, 0, v.length);
    }

    public void readCharArray(char[] v) {
        char[] got = present(createCharArray());
        sameLength(got.length, v.length);
        System.arraycopy(got, 0, v, 0, v.length);
    }

    public void readBooleanArray(boolean[] v) {
        boolean[] got = present(createBooleanArray());
        sameLength(got.length, v.length);
        System.arraycopy(got, 0, v, 0, v.length);
    }

    /* A peer's length is believed as far as there are bytes for it. */
    private int readLength(int elementSize) {
        int n = readInt();
        if (n < -1 || n > dataAvail() / elementSize)
            throw new BadParcelableException("an array of " + n
                    + " elements in " + dataAvail() + " bytes");
        return n;
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
        ArrayList<T> all = n < 0 ? null : new ArrayList<>(n);
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
        return readInt() == 0 ? null : creator.createFromParcel(this);
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
        writeAll(v, each -> writeTypedObject(each, 0));
    }

    public <T> ArrayList<T> createTypedArrayList(
            Parcelable.Creator<T> creator) {
        return readAll(() -> readTypedObject(creator));
    }

    public <T> void readTypedList(List<T> v, Parcelable.Creator<T> creator) {
        refill(v, readAll(() -> readTypedObject(creator)));
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
