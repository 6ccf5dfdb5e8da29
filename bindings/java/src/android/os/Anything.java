package android.os;

import android.text.TextUtils;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.function.Supplier;

/**
 * Values of any type: the number of the type, and what it has. Since Android
 * 13 a size is between the two where that can be long. Parcels are of peers:
 * no class is made of what they say but a Parcelable's by its CREATOR.
 */
final class Anything {
    private static final int NULL = -1;
    private static final int STRING = 0;
    private static final int INTEGER = 1;
    private static final int MAP = 2;
    private static final int PARCELABLE = 4;
    private static final int SHORT = 5;
    private static final int LONG = 6;
    private static final int FLOAT = 7;
    private static final int DOUBLE = 8;
    private static final int BOOLEAN = 9;
    private static final int TEXT = 10;
    private static final int LIST = 11;
    private static final int BYTES = 13;
    private static final int STRINGS = 14;
    private static final int OBJECT = 15;
    private static final int VALUES = 17;
    private static final int INTS = 18;
    private static final int LONGS = 19;
    private static final int BYTE = 20;
    private static final int BOOLEANS = 23;
    private static final int DOUBLES = 28;
    private static final int CHARACTER = 29;
    private static final int CHARACTERS = 31;
    private static final int FLOATS = 32;

    /* lists in lists */
    private static final int MAX_DEPTH = 64;

    private Anything() {}

    private static boolean isSized(int type) {
        return type == MAP || type == PARCELABLE || type == LIST
                || type == VALUES;
    }

    /* ---- writing ---- */

    static void writeList(Parcel parcel, List<?> v) {
        parcel.writeInt(v == null ? -1 : v.size());
        if (v != null)
            for (Object each : v)
                write(parcel, each);
    }

    static void writeMap(Parcel parcel, Map<?, ?> v) {
        parcel.writeInt(v == null ? -1 : v.size());
        if (v == null)
            return;
        for (Map.Entry<?, ?> each : v.entrySet()) {
            write(parcel, each.getKey());
            write(parcel, each.getValue());
        }
    }

    private static void put(Parcel parcel, int type, Runnable body) {
        parcel.writeInt(type);
        if (!isSized(type)) {
            body.run();
            return;
        }
        int start = parcel.dataPosition();
        parcel.writeInt(0);
        body.run();
        int end = parcel.dataPosition();
        parcel.setDataPosition(start);
        parcel.writeInt(end - start - 4);
        parcel.setDataPosition(end);
    }

    static void write(Parcel p, Object v) {
        if (v == null)
            p.writeInt(NULL);
        else if (v instanceof String s)
            put(p, STRING, () -> p.writeString(s));
        else if (v instanceof Map<?, ?> m)
            put(p, MAP, () -> writeMap(p, m));
        else if (v instanceof List<?> l)
            put(p, LIST, () -> writeList(p, l));
        else if (v instanceof Parcelable each)
            put(p, PARCELABLE, () -> p.writeParcelable(each, 0));
        else if (v instanceof CharSequence c)
            put(p, TEXT, () -> TextUtils.writeToParcel(c, p, 0));
        else if (v instanceof IBinder b)
            put(p, OBJECT, () -> p.writeStrongBinder(b));
        else if (v.getClass().isArray())
            writeArray(p, v);
        else
            writeNumber(p, v);
    }

    private static void writeNumber(Parcel p, Object v) {
        if (v instanceof Integer n)
            put(p, INTEGER, () -> p.writeInt(n));
        else if (v instanceof Long n)
            put(p, LONG, () -> p.writeLong(n));
        else if (v instanceof Boolean b)
            put(p, BOOLEAN, () -> p.writeBoolean(b));
        else if (v instanceof Double n)
            put(p, DOUBLE, () -> p.writeDouble(n));
        else if (v instanceof Float n)
            put(p, FLOAT, () -> p.writeFloat(n));
        else if (v instanceof Byte n)
            put(p, BYTE, () -> p.writeInt(n));
        else if (v instanceof Short n)
            put(p, SHORT, () -> p.writeInt(n));
        else if (v instanceof Character c)
            put(p, CHARACTER, () -> p.writeInt(c));
        else
            throw new IllegalArgumentException("Parcel: unable to marshal "
                    + "value " + v);
    }

    private static void writeArray(Parcel p, Object v) {
        if (v instanceof byte[] a)
            put(p, BYTES, () -> p.writeByteArray(a));
        else if (v instanceof int[] a)
            put(p, INTS, () -> p.writeIntArray(a));
        else if (v instanceof long[] a)
            put(p, LONGS, () -> p.writeLongArray(a));
        else if (v instanceof boolean[] a)
            put(p, BOOLEANS, () -> p.writeBooleanArray(a));
        else if (v instanceof char[] a)
            put(p, CHARACTERS, () -> p.writeCharArray(a));
        else if (v instanceof float[] a)
            put(p, FLOATS, () -> p.writeFloatArray(a));
        else if (v instanceof double[] a)
            put(p, DOUBLES, () -> p.writeDoubleArray(a));
        else if (v instanceof String[] a)
            put(p, STRINGS, () -> p.writeStringArray(a));
        else if (v instanceof Object[] a)
            put(p, VALUES, () -> writeList(p, Arrays.asList(a)));
        else /* short[] */
            throw new IllegalArgumentException("Parcel: unable to marshal "
                    + "value " + v);
    }

    /* ---- reading ---- */

    private static void checkDepth(int depth) {
        if (depth > MAX_DEPTH)
            throw new BadParcelableException("nested too deep");
    }

    static ArrayList<Object> readList(Parcel parcel, ClassLoader loader,
            int depth) {
        int n = parcel.readLength(4);
        checkDepth(depth);
        if (n < 0)
            return null;
        ArrayList<Object> all = new ArrayList<>();
        for (int i = 0; i < n; i++)
            all.add(read(parcel, loader, depth + 1));
        return all;
    }

    static HashMap<Object, Object> readMap(Parcel parcel, ClassLoader loader,
            int depth) {
        int n = parcel.readLength(8);
        checkDepth(depth);
        if (n < 0)
            return null;
        HashMap<Object, Object> all = new HashMap<>();
        for (int i = 0; i < n; i++) {
            Object key = read(parcel, loader, depth + 1);
            all.put(key, read(parcel, loader, depth + 1));
        }
        return all;
    }

    private static Object[] readValues(Parcel parcel, ClassLoader loader,
            int depth) {
        List<Object> all = readList(parcel, loader, depth);
        return all == null ? null : all.toArray();
    }

    private static Object sized(Parcel parcel, Supplier<Object> body) {
        int size = parcel.readInt();
        int start = parcel.dataPosition();
        Object v = body.get();
        if (parcel.dataPosition() - start != size)
            throw new BadParcelableException("a value of " + size
                    + " bytes, not " + (parcel.dataPosition() - start));
        return v;
    }

    static Object read(Parcel p, ClassLoader loader, int depth) {
        int type = p.readInt();
        switch (type) {
        case NULL:
            return null;
        case MAP:
            return sized(p, () -> readMap(p, loader, depth));
        case LIST:
            return sized(p, () -> readList(p, loader, depth));
        case VALUES:
            return sized(p, () -> readValues(p, loader, depth));
        case PARCELABLE:
            return sized(p, () -> readParcelable(p, loader));
        case STRING:
            return p.readString();
        case TEXT:
            return TextUtils.CHAR_SEQUENCE_CREATOR.createFromParcel(p);
        case OBJECT:
            return p.readStrongBinder();
        default:
            return readPlain(p, type);
        }
    }

    private static Object readPlain(Parcel p, int type) {
        switch (type) {
        case INTEGER:
            return p.readInt();
        case LONG:
            return p.readLong();
        case SHORT:
            return (short) p.readInt();
        case BYTE:
            return p.readByte();
        case BOOLEAN:
            return p.readBoolean();
        case FLOAT:
            return p.readFloat();
        case DOUBLE:
            return p.readDouble();
        case CHARACTER:
            return (char) p.readInt();
        default:
            return readArray(p, type);
        }
    }

    private static Object readArray(Parcel p, int type) {
        switch (type) {
        case BYTES:
            return p.createByteArray();
        case INTS:
            return p.createIntArray();
        case LONGS:
            return p.createLongArray();
        case BOOLEANS:
            return p.createBooleanArray();
        case CHARACTERS:
            return p.createCharArray();
        case FLOATS:
            return p.createFloatArray();
        case DOUBLES:
            return p.createDoubleArray();
        case STRINGS:
            return p.createStringArray();
        default:
            throw new BadParcelableException("a value of type " + type);
        }
    }

    /** The CREATOR of a class of Parcelables; nothing of the class runs before
     * that is sure. */
    static Parcelable.Creator<?> creatorOf(Class<?> type) {
        try {
            if (Parcelable.class.isAssignableFrom(type)
                    && type.getField("CREATOR").get(null)
                    instanceof Parcelable.Creator<?> creator)
                return creator;
        } catch (ReflectiveOperationException | NullPointerException
                | LinkageError e) {
            throw new BadParcelableException("no CREATOR in "
                    + type.getName() + ": " + e);
        }
        throw new BadParcelableException(type.getName()
                + " is no Parcelable with a CREATOR");
    }

    static Object readParcelable(Parcel parcel, ClassLoader loader) {
        String name = parcel.readString();
        if (name == null)
            return null;
        try {
            return parcel.create(creatorOf(Class.forName(name, false,
                    loader != null ? loader
                            : Anything.class.getClassLoader())));
        } catch (ClassNotFoundException | LinkageError e) {
            throw new BadParcelableException("no class " + name);
        }
    }
}
