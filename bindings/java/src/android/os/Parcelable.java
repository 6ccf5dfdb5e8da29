package android.os;

/** An object that can travel in a Parcel. */
public interface Parcelable {
    int CONTENTS_FILE_DESCRIPTOR = 1;
    int PARCELABLE_WRITE_RETURN_VALUE = 1;
    int PARCELABLE_STABILITY_LOCAL = 0;
    int PARCELABLE_STABILITY_VINTF = 1;

    int describeContents();

    void writeToParcel(Parcel dest, int flags);

    default int getStability() {
        return PARCELABLE_STABILITY_LOCAL;
    }

    interface Creator<T> {
        T createFromParcel(Parcel source);

        T[] newArray(int size);
    }
}
