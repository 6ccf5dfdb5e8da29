package avf;

import android.content.Context;
import android.content.pm.PackageManager;
import android.system.virtualmachine.VirtualMachineManager;

import java.io.File;

/** Where a Java program on Linux gets its services from. */
public final class LinuxContext extends Context {
    private final File dataDir;
    private VirtualMachineManager manager;

    /** VMs are kept in the user's data directory. */
    public LinuxContext() {
        this(null);
    }

    /** VMs are kept in dataDir/vm. */
    public LinuxContext(File dataDir) {
        this.dataDir = dataDir;
    }

    @Override
    public synchronized <T> T getSystemService(Class<T> serviceClass) {
        if (serviceClass != VirtualMachineManager.class)
            return null;
        if (manager == null)
            manager = VirtualMachineManager.of(this);
        return serviceClass.cast(manager);
    }

    /** A program that has this class has the framework. Whether a VM would
     * run is getCapabilities()'s to say. */
    @Override
    public PackageManager getPackageManager() {
        return new PackageManager() {
            @Override
            public boolean hasSystemFeature(String name) {
                return FEATURE_VIRTUALIZATION_FRAMEWORK.equals(name);
            }
        };
    }

    @Override
    public File getDataDir() {
        return dataDir;
    }
}
