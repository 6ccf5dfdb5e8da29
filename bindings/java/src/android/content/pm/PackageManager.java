package android.content.pm;

/** As much of Android's PackageManager as VMs need. */
public abstract class PackageManager {
    public static final String FEATURE_VIRTUALIZATION_FRAMEWORK =
            "android.software.virtualization_framework";

    public abstract boolean hasSystemFeature(String name);
}
