package android.os;

import avf.internal.Binders;

import java.lang.ref.Cleaner;
import java.nio.ByteBuffer;
import java.nio.charset.CharacterCodingException;
import java.nio.charset.StandardCharsets;

/**
 * The lower half of a Parcel: the C parcel, numbers, text, and arrays of
 * numbers.
 */
abstract class ParcelData {
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

    ParcelData(long pointer, boolean owned) {
        owner = new Owner(pointer, owned);
        cleanable = owned ? CLEANER.register(this, owner) : null;
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

    static void write(int status) {
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

    /* As UTF-8: the number of bytes, they, and a NUL; whole words. */

    public void writeString8(String v) {
        if (v == null) {
            writeInt(-1);
            return;
        }
        byte[] bytes = v.getBytes(StandardCharsets.UTF_8);
        writeInt(bytes.length);
        for (int at = 0; at <= bytes.length; at += 4) {
            int word = 0;
            for (int i = 0; i < 4 && at + i < bytes.length; i++)
                word |= (bytes[at + i] & 0xff) << 8 * i;
            writeInt(word);
        }
    }

    public String readString8() {
        int n = readInt();
        if (n == -1)
            return null;
        if (n < 0 || n >= dataAvail())
            throw new BadParcelableException("text of " + n + " bytes in "
                    + dataAvail());
        byte[] bytes = new byte[n];
        for (int at = 0; at <= n; at += 4) {
            int word = readInt();
            for (int i = 0; i < 4 && at + i < n; i++)
                bytes[at + i] = (byte) (word >> 8 * i);
        }
        try {
            return StandardCharsets.UTF_8.newDecoder()
                    .decode(ByteBuffer.wrap(bytes)).toString();
        } catch (CharacterCodingException e) {
            throw new BadParcelableException("text that is no UTF-8");
        }
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

    static void sameLength(int got, int want) {
        if (got != want)
            throw new BadParcelableException("bad array lengths: " + got
                    + ", not " + want);
    }

    static <T> T present(T array) {
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
    int readLength(int elementSize) {
        int n = readInt();
        if (n < -1 || n > dataAvail() / elementSize)
            throw new BadParcelableException("an array of " + n
                    + " elements in " + dataAvail() + " bytes");
        return n;
    }
}
