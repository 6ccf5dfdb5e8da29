package android.os;

import java.lang.reflect.Array;
import java.util.function.Supplier;

/**
 * Arrays whose lengths an AIDL file says. In a parcel each has its length all
 * the same, the outer ones too; what a peer says must be what the file says.
 */
final class FixedArrays {
    private final Parcel parcel;
    private final Supplier<?> other; /* reads what is neither text nor object */

    FixedArrays(Parcel parcel, Supplier<?> other) {
        this.parcel = parcel;
        this.other = other;
    }

    /* ---- reading ---- */

    <T> T create(Class<T> type, int... lengths) {
        Class<?> element = type;
        for (int i = 0; i < lengths.length; i++)
            element = element.getComponentType();
        int start = parcel.dataPosition();
        if (parcel.readInt() == -1)
            return null;
        parcel.setDataPosition(start);
        T made = type.cast(Array.newInstance(element, lengths));
        fill(made);
        return made;
    }

    /** What is an array of numbers is copied at once. */
    void fill(Object v) {
        Class<?> element = v.getClass().getComponentType();
        int n = Array.getLength(v);
        if (element.isPrimitive()) {
            fillNumbers(v, element);
            return;
        }
        ParcelData.sameLength(parcel.readInt(), n);
        for (int i = 0; i < n; i++)
            if (element.isArray())
                fill(Array.get(v, i));
            else
                Array.set(v, i, one(element));
    }

    private Object one(Class<?> element) {
        if (element == String.class)
            return parcel.readString();
        if (element == IBinder.class)
            return parcel.readStrongBinder();
        if (other == null)
            throw new BadParcelableException("elements of " + element
                    + " need a creator");
        return other.get();
    }

    private void fillNumbers(Object v, Class<?> element) {
        if (element == boolean.class)
            parcel.readBooleanArray((boolean[]) v);
        else if (element == byte.class)
            parcel.readByteArray((byte[]) v);
        else if (element == char.class)
            parcel.readCharArray((char[]) v);
        else if (element == int.class)
            parcel.readIntArray((int[]) v);
        else if (element == long.class)
            parcel.readLongArray((long[]) v);
        else if (element == float.class)
            parcel.readFloatArray((float[]) v);
        else
            parcel.readDoubleArray((double[]) v);
    }

    /* ---- writing ---- */

    void write(Object v, int flags, int... lengths) {
        if (v == null)
            parcel.writeInt(-1);
        else
            write(v, flags, lengths, 0);
    }

    private void write(Object v, int flags, int[] lengths, int at) {
        Class<?> element = v == null ? null : v.getClass().getComponentType();
        if (element == null || at == lengths.length)
            throw new BadParcelableException("no array of "
                    + lengths.length + " dimensions: " + v);
        int n = Array.getLength(v);
        ParcelData.sameLength(n, lengths[at]);
        if (element.isPrimitive()) {
            writeNumbers(v, element);
            return;
        }
        parcel.writeInt(n);
        for (int i = 0; i < n; i++)
            if (element.isArray())
                write(Array.get(v, i), flags, lengths, at + 1);
            else
                writeOne(Array.get(v, i), element, flags);
    }

    private void writeOne(Object v, Class<?> element, int flags) {
        if (element == String.class)
            parcel.writeString((String) v);
        else if (IBinder.class.isAssignableFrom(element))
            parcel.writeStrongBinder((IBinder) v);
        else if (IInterface.class.isAssignableFrom(element))
            parcel.writeStrongInterface((IInterface) v);
        else if (Parcelable.class.isAssignableFrom(element))
            parcel.writeTypedObject((Parcelable) v, flags);
        else
            throw new BadParcelableException("elements of " + element
                    + " are of no AIDL type");
    }

    private void writeNumbers(Object v, Class<?> element) {
        if (element == boolean.class)
            parcel.writeBooleanArray((boolean[]) v);
        else if (element == byte.class)
            parcel.writeByteArray((byte[]) v);
        else if (element == char.class)
            parcel.writeCharArray((char[]) v);
        else if (element == int.class)
            parcel.writeIntArray((int[]) v);
        else if (element == long.class)
            parcel.writeLongArray((long[]) v);
        else if (element == float.class)
            parcel.writeFloatArray((float[]) v);
        else if (element == double.class)
            parcel.writeDoubleArray((double[]) v);
        else
            throw new BadParcelableException("elements of " + element
                    + " are of no AIDL type");
    }
}
