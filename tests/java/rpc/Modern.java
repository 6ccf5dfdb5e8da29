import android.os.BadParcelableException;
import android.os.Parcel;
import android.os.Parcelable;
import android.os.ParcelableHolder;

/** What compilers later than Debian's make of a union and of a parcelable with
 * a holder and a fixed-size array. */
public final class Modern {
    private Modern() {}

    public static final class Form implements Parcelable {
        static final int radius = 0;
        static final int name = 1;
        static final int sides = 2;

        public static final Creator<Form> CREATOR = new Creator<Form>() {
            @Override
            public Form createFromParcel(Parcel in) {
                return new Form(in);
            }

            @Override
            public Form[] newArray(int size) {
                return new Form[size];
            }
        };

        private int tag;
        private Object value;

        private Form(int tag, Object value) {
            this.tag = tag;
            this.value = value;
        }

        private Form(Parcel in) {
            readFromParcel(in);
        }

        static Form radius(int v) {
            return new Form(radius, v);
        }

        static Form sides(int... v) {
            return new Form(sides, v);
        }

        int getTag() {
            return tag;
        }

        int getRadius() {
            if (tag != radius)
                throw new IllegalStateException("bad access: radius, " + tag);
            return (int) value;
        }

        int[] getSides() {
            if (tag != sides)
                throw new IllegalStateException("bad access: sides, " + tag);
            return (int[]) value;
        }

        @Override
        public int getStability() {
            return PARCELABLE_STABILITY_LOCAL;
        }

        @Override
        public void writeToParcel(Parcel out, int flags) {
            out.writeInt(tag);
            switch (tag) {
            case radius:
                out.writeInt((int) value);
                break;
            case name:
                out.writeString((String) value);
                break;
            default:
                out.writeFixedArray((int[]) value, flags, 2);
            }
        }

        void readFromParcel(Parcel in) {
            tag = in.readInt();
            switch (tag) {
            case radius:
                value = in.readInt();
                break;
            case name:
                value = in.readString();
                break;
            case sides:
                value = in.createFixedArray(int[].class, 2);
                break;
            default:
                throw new IllegalArgumentException("union: unknown tag: "
                        + tag);
            }
        }

        @Override
        public int describeContents() {
            return 0;
        }
    }

    public static final class Shape implements Parcelable {
        public static final Creator<Shape> CREATOR = new Creator<Shape>() {
            @Override
            public Shape createFromParcel(Parcel in) {
                Shape made = new Shape();
                made.readFromParcel(in);
                return made;
            }

            @Override
            public Shape[] newArray(int size) {
                return new Shape[size];
            }
        };

        Form form;
        int[][] grid;
        final ParcelableHolder more =
                new ParcelableHolder(PARCELABLE_STABILITY_LOCAL);

        @Override
        public void writeToParcel(Parcel out, int flags) {
            int start = out.dataPosition();
            out.writeInt(0);
            out.writeTypedObject(form, flags);
            out.writeFixedArray(grid, flags, 2, 3);
            out.writeTypedObject(more, flags);
            int end = out.dataPosition();
            out.setDataPosition(start);
            out.writeInt(end - start);
            out.setDataPosition(end);
        }

        void readFromParcel(Parcel in) {
            int start = in.dataPosition();
            int size = in.readInt();
            if (size < 4)
                throw new BadParcelableException("Parcelable too small");
            form = in.readTypedObject(Form.CREATOR);
            grid = in.createFixedArray(int[][].class, 2, 3);
            if (in.readInt() != 0)
                more.readFromParcel(in);
            in.setDataPosition(start + size);
        }

        @Override
        public int describeContents() {
            return 0;
        }
    }
}
