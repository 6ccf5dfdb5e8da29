package android.text;

import android.os.BadParcelableException;
import android.os.Parcel;
import android.os.Parcelable;

/** CharSequences in parcels, for code of aidl: text without a style. */
public final class TextUtils {
    private static final int PLAIN = 1;

    /** Gives Strings. BadParcelableException: the peer's text has a style,
     * which is a class of Android's. */
    public static final Parcelable.Creator<CharSequence>
            CHAR_SEQUENCE_CREATOR = new Parcelable.Creator<CharSequence>() {
                @Override
                public CharSequence createFromParcel(Parcel in) {
                    int kind = in.readInt();
                    if (kind != PLAIN)
                        throw new BadParcelableException(
                                "text with a style: " + kind);
                    return in.readString8();
                }

                @Override
                public CharSequence[] newArray(int size) {
                    return new CharSequence[size];
                }
            };

    private TextUtils() {}

    public static void writeToParcel(CharSequence v, Parcel out, int flags) {
        out.writeInt(PLAIN);
        out.writeString8(v == null ? null : v.toString());
    }
}
