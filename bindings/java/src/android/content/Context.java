package android.content;

import android.content.pm.PackageManager;
import android.system.virtualmachine.VirtualMachineManager;

import java.io.File;

/** As much of Android's Context as VMs need. See avf.LinuxContext. */
public abstract class Context {
    public static final String VIRTUALIZATION_SERVICE = "virtualization";

    /** null: there is no such service. */
    public abstract <T> T getSystemService(Class<T> serviceClass);

    /** The same by name: VIRTUALIZATION_SERVICE. */
    public Object getSystemService(String name) {
        return VIRTUALIZATION_SERVICE.equals(name)
                ? getSystemService(VirtualMachineManager.class) : null;
    }

    /** What this computer has. */
    public abstract PackageManager getPackageManager();

    /** null: the user's data directory. */
    public abstract File getDataDir();

    /** null: programs on Linux are no packages. */
    public String getPackageName() {
        return null;
    }
}
