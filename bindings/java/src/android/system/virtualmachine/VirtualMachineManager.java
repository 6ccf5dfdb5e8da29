package android.system.virtualmachine;

import avf.LinuxContext;
import avf.internal.Handle;
import avf.internal.Native;
import avf.internal.NativeConstants;
import avf.internal.NativeException;

import java.io.File;
import java.lang.ref.WeakReference;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;

/** Keeps VMs by name. A Context has one. */
public class VirtualMachineManager {
    /** The host cannot read such a VM's memory. */
    public static final int CAPABILITY_PROTECTED_VM = 1;
    public static final int CAPABILITY_NON_PROTECTED_VM = 2;

    /* Names for isFeatureEnabled(). */
    public static final String FEATURE_DICE_CHANGES =
            "com.android.kvm.DICE_CHANGES";
    public static final String FEATURE_LLPVM_CHANGES =
            "com.android.kvm.LLPVM_CHANGES";
    public static final String FEATURE_MULTI_TENANT =
            "com.android.kvm.MULTI_TENANT";
    public static final String FEATURE_NETWORK = "com.android.kvm.NETWORK";
    public static final String FEATURE_REMOTE_ATTESTATION =
            "com.android.kvm.REMOTE_ATTESTATION";
    public static final String FEATURE_VENDOR_MODULES =
            "com.android.kvm.VENDOR_MODULES";

    private final Handle handle;
    /** At most one object per VM. Guarded by this. */
    private final Map<String, WeakReference<VirtualMachine>> known =
            new HashMap<>();

    private VirtualMachineManager(File dataDir) {
        long[] made = new long[1];
        try {
            Native.avf_manager_new(dataDir == null ? null
                    : dataDir.getPath(), made);
        } catch (NativeException e) {
            throw new IllegalStateException(e.getMessage(), e);
        }
        handle = new Handle(made[0], Native::avf_manager_free,
                "the manager is closed").cleanedWith(this);
    }

    /** For LinuxContext. */
    public static VirtualMachineManager of(LinuxContext context) {
        return new VirtualMachineManager(context.getDataDir());
    }

    /** Bits of CAPABILITY_*: what would really run here, accelerated. */
    public int getCapabilities() {
        return HostCapabilities.get();
    }

    /* AVF's declare an exception that these have no reason for: who catches
     * it there would not compile here without. */

    public List<String> getSupportedOSList() throws VirtualMachineException {
        return List.of(VirtualMachineConfig.MICRODROID);
    }

    /** feature is one of FEATURE_*; none of them is here yet. */
    public boolean isFeatureEnabled(String feature)
            throws VirtualMachineException {
        Objects.requireNonNull(feature);
        return false;
    }

    public boolean isRemoteAttestationSupported()
            throws VirtualMachineException {
        return false;
    }

    public boolean isUpdatableVmSupported() throws VirtualMachineException {
        return false;
    }

    /** Forget which object belongs to which name, as after a restart. */
    public synchronized void testOnlyClearCache() {
        known.clear();
    }

    /** A new one, stopped; an error when the name exists. */
    public VirtualMachine create(String name, VirtualMachineConfig config)
            throws VirtualMachineException {
        VirtualMachine vm =
                withConfig(name, config, Native::avf_manager_create);
        vm.made(config);
        return vm;
    }

    /** null when there is none. */
    public VirtualMachine get(String name) throws VirtualMachineException {
        try {
            return find(name, (manager, made) ->
                    Native.avf_manager_get(manager, name, made));
        } catch (NativeException e) {
            if (e.code == NativeConstants.AVF_ERR_NOT_FOUND)
                return null;
            throw translate(name, e);
        }
    }

    /** config is ignored when the VM exists. */
    public VirtualMachine getOrCreate(String name,
            VirtualMachineConfig config) throws VirtualMachineException {
        return withConfig(name, config, Native::avf_manager_get_or_create);
    }

    /** With all its files. It must be stopped. */
    public synchronized void delete(String name)
            throws VirtualMachineException {
        Objects.requireNonNull(name);
        long manager = handle.acquire();
        try {
            Native.avf_manager_delete(manager, name);
        } catch (NativeException e) {
            throw translate(name, e);
        } finally {
            handle.release();
        }
        WeakReference<VirtualMachine> entry = known.remove(name);
        VirtualMachine vm = entry == null ? null : entry.get();
        if (vm != null)
            vm.setDeleted();
    }

    /** A copy. The descriptor is closed, whatever happens. */
    public VirtualMachine importFromDescriptor(String name,
            VirtualMachineDescriptor descriptor)
            throws VirtualMachineException {
        try (VirtualMachineDescriptor taken = descriptor) {
            return find(name, (manager, made) -> Native.avf_manager_import(
                    manager, name, taken.steal(), made));
        } catch (NativeException e) {
            throw translate(name, e);
        }
    }

    private interface Lookup {
        void find(long manager, long[] made);
    }

    private interface ConfiguredLookup {
        int find(long manager, String name, long config, long[] made);
    }

    private VirtualMachine withConfig(String name,
            VirtualMachineConfig config, ConfiguredLookup lookup)
            throws VirtualMachineException {
        Objects.requireNonNull(config);
        try {
            long raw = config.toNative();
            try {
                return find(name, (manager, made) ->
                        lookup.find(manager, name, raw, made));
            } finally {
                Native.avf_config_free(raw);
            }
        } catch (NativeException e) {
            throw translate(name, e);
        }
    }

    private synchronized VirtualMachine find(String name, Lookup lookup) {
        Objects.requireNonNull(name);
        long[] made = new long[1];
        long manager = handle.acquire();
        try {
            lookup.find(manager, made);
        } finally {
            handle.release();
        }
        WeakReference<VirtualMachine> entry = known.get(name);
        VirtualMachine vm = entry == null ? null : entry.get();
        if (vm != null && vm.isOf(made[0])) {
            Native.avf_vm_free(made[0]); /* its second reference */
            return vm;
        }
        vm = new VirtualMachine(name, made[0]);
        known.put(name, new WeakReference<>(vm));
        return vm;
    }

    private static VirtualMachineException translate(String name,
            NativeException e) {
        if (e.code == NativeConstants.AVF_ERR_INVALID
                && e.getMessage().contains("Invalid VM name"))
            throw new IllegalArgumentException("Invalid VM name: " + name);
        return VirtualMachineException.of(e);
    }
}
