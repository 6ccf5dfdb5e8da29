package android.os;

/**
 * A parcelable of a type that only its users know, or none: a field of AIDL's
 * type ParcelableHolder. What came in a parcel can be sent on by who does not
 * know its type.
 */
public final class ParcelableHolder implements Parcelable {
    public static final Creator<ParcelableHolder> CREATOR =
            new Creator<ParcelableHolder>() {
                @Override
                public ParcelableHolder createFromParcel(Parcel in) {
                    ParcelableHolder made = new ParcelableHolder();
                    made.readFromParcel(in);
                    return made;
                }

                @Override
                public ParcelableHolder[] newArray(int size) {
                    return new ParcelableHolder[size];
                }
            };

    private final int stability;
    private Parcelable value;   /* null: none, or still in content */
    private Parcel content;     /* as it came: the name of its type, it */

    private ParcelableHolder() {
        this(PARCELABLE_STABILITY_LOCAL);
    }

    public ParcelableHolder(int stability) {
        this.stability = stability;
    }

    @Override
    public int getStability() {
        return stability;
    }

    /** Null makes it empty. BadParcelableException: the value promises less
     * than the holder. */
    public void setParcelable(Parcelable v) {
        if (v != null && v.getStability() < stability)
            throw new BadParcelableException("A ParcelableHolder of "
                    + "stability " + stability + " cannot hold one of "
                    + v.getStability());
        value = v;
        drop();
    }

    /** The value; null when it is empty. BadParcelableException: it is of
     * another type. */
    public <T extends Parcelable> T getParcelable(Class<T> type) {
        if (content != null) {
            value = type.cast(parse(type));
            drop();
        }
        if (value != null && !type.isInstance(value))
            throw new BadParcelableException("The ParcelableHolder has a "
                    + value.getClass().getName() + ", not a "
                    + type.getName());
        return type.cast(value);
    }

    private void drop() {
        if (content != null)
            content.recycle();
        content = null;
    }

    /* AIDL's name of a class. */
    private static String nameOf(Class<?> type) {
        return type.getName().replace('$', '.');
    }

    private Object parse(Class<?> type) {
        content.setDataPosition(0);
        String name = content.readString();
        if (!nameOf(type).equals(name))
            throw new BadParcelableException("The ParcelableHolder has a "
                    + name + ", not a " + nameOf(type));
        return Anything.creatorOf(type).createFromParcel(content);
    }

    public void readFromParcel(Parcel in) {
        if (in.readInt() != stability)
            throw new IllegalArgumentException("The ParcelableHolder is of "
                    + "another stability than " + stability);
        int size = in.readInt();
        int start = in.dataPosition();
        if (size < 0 || size > in.dataAvail())
            throw new BadParcelableException("a holder of " + size
                    + " bytes in " + in.dataAvail());
        value = null;
        drop();
        if (size == 0)
            return;
        content = Parcel.obtain();
        content.appendFrom(in, start, size);
        in.setDataPosition(start + size);
    }

    @Override
    public void writeToParcel(Parcel out, int flags) {
        out.writeInt(stability);
        int start = out.dataPosition();
        out.writeInt(0);
        if (content != null) {
            out.appendFrom(content, 0, content.dataSize());
        } else if (value != null) {
            out.writeString(nameOf(value.getClass()));
            value.writeToParcel(out, 0);
        }
        int end = out.dataPosition();
        out.setDataPosition(start);
        out.writeInt(end - start - 4);
        out.setDataPosition(end);
    }

    @Override
    public int describeContents() {
        return value == null ? 0 : value.describeContents();
    }
}
