package android.system.virtualmachine;

import android.content.Context;

import avf.internal.Native;
import avf.internal.NativeConstants;

import java.util.Objects;

/** What a VM is made of. Immutable; a Builder makes it. */
public final class VirtualMachineConfig {
    public static final int DEBUG_LEVEL_NONE = 0;
    public static final int DEBUG_LEVEL_FULL = 1;

    public static final int CPU_TOPOLOGY_ONE_CPU = 0;
    public static final int CPU_TOPOLOGY_MATCH_HOST = 1;

    /** KVM only: the default. */
    public static final int ACCELERATION_KVM = 0;
    public static final int ACCELERATION_KVM_OR_EMULATION = 1;
    /** It is slow, and no security boundary. */
    public static final int ACCELERATION_EMULATION = 2;

    /** The architecture of this library. */
    public static final int ARCHITECTURE_HOST = 0;
    public static final int ARCHITECTURE_X86_64 = 1;
    public static final int ARCHITECTURE_ARM64 = 2;

    public static final String MICRODROID = "microdroid";

    private static final long MIB = 1024 * 1024;

    private final String packageName;
    private final String apkPath;
    private final String payloadBinaryName;
    private final String payloadConfigPath;
    private final int debugLevel;
    private final boolean protectedVm;
    private final long memoryBytes;
    private final int cpuTopology;
    private final long encryptedStorageBytes;
    private final boolean vmOutputCaptured;
    private final boolean vmConsoleInputSupported;
    private final boolean hugepages;
    private final int acceleration;
    private final int architecture;
    private final VirtualMachineCustomImageConfig customImageConfig;

    private VirtualMachineConfig(Builder b) {
        packageName = b.packageName;
        apkPath = b.apkPath;
        payloadBinaryName = b.payloadBinaryName;
        payloadConfigPath = b.payloadConfigPath;
        debugLevel = b.debugLevel;
        protectedVm = b.protectedVm;
        memoryBytes = b.memoryBytes;
        cpuTopology = b.cpuTopology;
        encryptedStorageBytes = b.encryptedStorageBytes;
        vmOutputCaptured = b.vmOutputCaptured;
        vmConsoleInputSupported = b.vmConsoleInputSupported;
        hugepages = b.hugepages;
        acceleration = b.acceleration;
        architecture = b.architecture;
        customImageConfig = b.customImageConfig;
    }

    /** The payload package (.avfpkg). */
    public String getApkPath() {
        return apkPath;
    }

    public String getPayloadBinaryName() {
        return payloadBinaryName;
    }

    /** The file of the package that says what to run, or null. */
    public String getPayloadConfigPath() {
        return payloadConfigPath;
    }

    public int getDebugLevel() {
        return debugLevel;
    }

    public boolean isProtectedVm() {
        return protectedVm;
    }

    public long getMemoryBytes() {
        return memoryBytes;
    }

    public int getCpuTopology() {
        return cpuTopology;
    }

    public boolean isEncryptedStorageEnabled() {
        return encryptedStorageBytes > 0;
    }

    public long getEncryptedStorageBytes() {
        return encryptedStorageBytes;
    }

    public boolean isVmOutputCaptured() {
        return vmOutputCaptured;
    }

    public boolean isVmConsoleInputSupported() {
        return vmConsoleInputSupported;
    }

    public boolean shouldUseHugepages() {
        return hugepages;
    }

    public String getOs() {
        return MICRODROID;
    }

    public VirtualMachineCustomImageConfig getCustomImageConfig() {
        return customImageConfig;
    }

    /** One of ACCELERATION_*; AVF has no such choice. */
    public int getAcceleration() {
        return acceleration;
    }

    /** One of ARCHITECTURE_*: as it was set; AVF has no such choice. */
    public int getArchitecture() {
        return architecture;
    }

    /** Whether a VM of this configuration may get the other. */
    public boolean isCompatibleWith(VirtualMachineConfig other) {
        return debugLevel == other.debugLevel
                && protectedVm == other.protectedVm
                && architecture == other.architecture
                && encryptedStorageBytes == other.encryptedStorageBytes
                && vmOutputCaptured == other.vmOutputCaptured
                && vmConsoleInputSupported == other.vmConsoleInputSupported
                && Objects.equals(payloadBinaryName, other.payloadBinaryName)
                && Objects.equals(payloadConfigPath, other.payloadConfigPath)
                && Objects.equals(packageName, other.packageName)
                && (customImageConfig == null)
                        == (other.customImageConfig == null);
    }

    /** A new avf_config, which the caller frees. */
    long toNative() {
        long[] made = new long[1];
        Native.avf_config_new(customImageConfig != null
                ? NativeConstants.AVF_CONFIG_RAW
                : NativeConstants.AVF_CONFIG_PAYLOAD, made);
        try {
            Native.avf_config_defer_files(made[0]);
            fill(made[0]);
        } catch (RuntimeException e) {
            Native.avf_config_free(made[0]);
            throw e;
        }
        return made[0];
    }

    private void fill(long config) {
        if (customImageConfig != null)
            fillImage(config);
        else
            fillPayload(config);
        Native.avf_config_set_debug_level(config, debugLevel);
        Native.avf_config_set_protected(config, protectedVm);
        Native.avf_config_set_memory_mib(config, memoryBytes / MIB);
        Native.avf_config_set_cpu_topology(config, cpuTopology);
        Native.avf_config_set_vm_output_captured(config, vmOutputCaptured);
        Native.avf_config_set_vm_console_input_supported(config,
                vmConsoleInputSupported);
        Native.avf_config_set_hugepages(config, hugepages);
        Native.avf_config_set_acceleration(config, acceleration);
        Native.avf_config_set_architecture(config, architecture);
    }

    private void fillPayload(long config) {
        if (apkPath != null)
            Native.avf_config_set_package(config, apkPath);
        if (payloadBinaryName != null)
            Native.avf_config_set_payload_name(config, payloadBinaryName);
        else
            Native.avf_config_set_payload_config_path(config,
                    payloadConfigPath);
        Native.avf_config_set_encrypted_storage_bytes(config,
                encryptedStorageBytes);
    }

    private void fillImage(long config) {
        VirtualMachineCustomImageConfig image = customImageConfig;
        if (image.getName() != null)
            Native.avf_config_set_name(config, image.getName());
        if (image.getKernelPath() != null)
            Native.avf_config_set_kernel(config, image.getKernelPath());
        if (image.getInitrdPath() != null)
            Native.avf_config_set_initrd(config, image.getInitrdPath());
        Native.avf_config_set_cmdline(config,
                String.join(" ", image.getParams()));
        for (VirtualMachineCustomImageConfig.Disk disk : image.getDisks())
            Native.avf_config_add_disk(config, disk.getImagePath(),
                    disk.isWritable(), null);
    }

    /** What a named VM has on disk. */
    static VirtualMachineConfig fromNative(long config) {
        Builder b = new Builder();
        if (Native.avf_config_get_kind(config)
                == NativeConstants.AVF_CONFIG_RAW)
            b.customImageConfig = imageFromNative(config);
        b.apkPath = Native.avf_config_get_package(config);
        b.payloadBinaryName = Native.avf_config_get_payload_name(config);
        b.payloadConfigPath =
                Native.avf_config_get_payload_config_path(config);
        b.debugLevel = Native.avf_config_get_debug_level(config);
        b.protectedVm = Native.avf_config_get_protected(config);
        b.memoryBytes = Native.avf_config_get_memory_mib(config) * MIB;
        b.cpuTopology = Native.avf_config_get_cpu_topology(config);
        b.encryptedStorageBytes =
                Native.avf_config_get_encrypted_storage_bytes(config);
        b.vmOutputCaptured =
                Native.avf_config_get_vm_output_captured(config);
        b.vmConsoleInputSupported =
                Native.avf_config_get_vm_console_input_supported(config);
        b.hugepages = Native.avf_config_get_hugepages(config);
        b.acceleration = Native.avf_config_get_acceleration(config);
        b.architecture = Native.avf_config_get_architecture(config);
        return new VirtualMachineConfig(b);
    }

    private static VirtualMachineCustomImageConfig imageFromNative(
            long config) {
        VirtualMachineCustomImageConfig.Builder b =
                new VirtualMachineCustomImageConfig.Builder()
                        .setName(Native.avf_config_get_name(config))
                        .setKernelPath(Native.avf_config_get_kernel(config))
                        .setInitrdPath(Native.avf_config_get_initrd(config));
        String params = Native.avf_config_get_cmdline(config);
        if (params != null && !params.isEmpty())
            b.addParam(params);
        long n = Native.avf_config_get_disk_count(config);
        for (long i = 0; i < n; i++) {
            String path = Native.avf_config_get_disk(config, i);
            b.addDisk(Native.avf_config_get_disk_writable(config, i)
                    ? VirtualMachineCustomImageConfig.Disk.RWDisk(path)
                    : VirtualMachineCustomImageConfig.Disk.RODisk(path));
        }
        return b.build();
    }

    /** Checks each value as it is set, and the whole in build(). */
    public static final class Builder {
        private String packageName;
        private String apkPath;
        private String payloadBinaryName;
        private String payloadConfigPath;
        private int debugLevel = DEBUG_LEVEL_NONE;
        private boolean protectedVm;
        private boolean protectedVmSet;
        private long memoryBytes;
        private int cpuTopology = CPU_TOPOLOGY_ONE_CPU;
        private long encryptedStorageBytes;
        private boolean vmOutputCaptured;
        private boolean vmConsoleInputSupported;
        private boolean hugepages;
        private int acceleration = ACCELERATION_KVM;
        private int architecture = ARCHITECTURE_HOST;
        private VirtualMachineCustomImageConfig customImageConfig;

        private Builder() {}

        public Builder(Context context) {
            packageName = Objects.requireNonNull(context, "context")
                    .getPackageName();
        }

        public Builder setApkPath(String apkPath) {
            Objects.requireNonNull(apkPath, "apkPath must not be null");
            if (!apkPath.startsWith("/"))
                throw new IllegalArgumentException(
                        "APK path must be an absolute path");
            this.apkPath = apkPath;
            return this;
        }

        public Builder setPayloadBinaryName(String name) {
            Objects.requireNonNull(name,
                    "payloadBinaryName must not be null");
            if (name.contains("/"))
                throw new IllegalArgumentException(
                        "Invalid binary file name: " + name);
            payloadBinaryName = name;
            return this;
        }

        /** Instead of a name: a JSON file inside the package. */
        public Builder setPayloadConfigPath(String payloadConfigPath) {
            this.payloadConfigPath = Objects.requireNonNull(
                    payloadConfigPath, "payloadConfigPath must not be null");
            return this;
        }

        public Builder setDebugLevel(int debugLevel) {
            if (debugLevel != DEBUG_LEVEL_NONE
                    && debugLevel != DEBUG_LEVEL_FULL)
                throw new IllegalArgumentException(
                        "Invalid debugLevel: " + debugLevel);
            this.debugLevel = debugLevel;
            return this;
        }

        /**
         * Must be called. Whether an ordinary VM can run is left to run():
         * it depends on the acceleration.
         */
        public Builder setProtectedVm(boolean protectedVm) {
            if (protectedVm && (HostCapabilities.get()
                    & VirtualMachineManager.CAPABILITY_PROTECTED_VM) == 0)
                throw new UnsupportedOperationException(
                        "Protected VMs are not supported on this device.");
            this.protectedVm = protectedVm;
            protectedVmSet = true;
            return this;
        }

        /** Rounded up to MiB. */
        public Builder setMemoryBytes(long memoryBytes) {
            if (memoryBytes <= 0)
                throw new IllegalArgumentException(
                        "Memory size must be positive");
            long mib = (memoryBytes - 1) / MIB + 1;
            this.memoryBytes = Math.min(mib, Integer.MAX_VALUE) * MIB;
            return this;
        }

        public Builder setCpuTopology(int cpuTopology) {
            if (cpuTopology != CPU_TOPOLOGY_ONE_CPU
                    && cpuTopology != CPU_TOPOLOGY_MATCH_HOST)
                throw new IllegalArgumentException(
                        "Invalid cpuTopology: " + cpuTopology);
            this.cpuTopology = cpuTopology;
            return this;
        }

        public Builder setEncryptedStorageBytes(long bytes) {
            if (bytes <= 0)
                throw new IllegalArgumentException(
                        "Encrypted Storage size must be positive");
            encryptedStorageBytes = bytes;
            return this;
        }

        public Builder setVmOutputCaptured(boolean captured) {
            vmOutputCaptured = captured;
            return this;
        }

        public Builder setVmConsoleInputSupported(boolean supported) {
            vmConsoleInputSupported = supported;
            return this;
        }

        public Builder setShouldUseHugepages(boolean hugepages) {
            this.hugepages = hugepages;
            return this;
        }

        /** One of VirtualMachineManager.getSupportedOSList(). */
        public Builder setOs(String os) {
            if (!MICRODROID.equals(Objects.requireNonNull(os)))
                throw new IllegalArgumentException("Unsupported OS: " + os
                        + "; there is " + MICRODROID);
            return this;
        }

        /** One of ACCELERATION_*; AVF has no such choice. */
        public Builder setAcceleration(int acceleration) {
            if (acceleration < ACCELERATION_KVM
                    || acceleration > ACCELERATION_EMULATION)
                throw new IllegalArgumentException(
                        "Invalid acceleration: " + acceleration);
            this.acceleration = acceleration;
            return this;
        }

        /**
         * One of ARCHITECTURE_*, for what the guest is compiled. Another one
         * than the host's needs an acceleration that allows emulation.
         */
        public Builder setArchitecture(int architecture) {
            if (architecture < ARCHITECTURE_HOST
                    || architecture > ARCHITECTURE_ARM64)
                throw new IllegalArgumentException(
                        "Invalid architecture: " + architecture);
            this.architecture = architecture;
            return this;
        }

        public Builder setCustomImageConfig(
                VirtualMachineCustomImageConfig config) {
            customImageConfig = config;
            return this;
        }

        public VirtualMachineConfig build() {
            /* a kernel of the caller's comes in no package */
            require(apkPath != null || packageName != null
                            || customImageConfig != null,
                    "apkPath or packageName must be specified");
            boolean named = payloadBinaryName != null;
            boolean described = payloadConfigPath != null;
            require(customImageConfig == null || !(named || described),
                    "setCustomImageConfig and (setPayloadBinaryName or "
                            + "setPayloadConfigPath) may not both be called");
            require(customImageConfig != null || named || described,
                    "setPayloadBinaryName must be called");
            require(!(named && described), "setPayloadBinaryName and "
                    + "setPayloadConfigPath may not both be called");
            require(protectedVmSet, "setProtectedVm must be called "
                    + "explicitly");
            boolean full = debugLevel == DEBUG_LEVEL_FULL;
            require(full || !vmOutputCaptured,
                    "debug level must be FULL to capture output");
            require(full || !vmConsoleInputSupported,
                    "debug level must be FULL to use console input");
            return new VirtualMachineConfig(this);
        }

        private static void require(boolean holds, String otherwise) {
            if (!holds)
                throw new IllegalStateException(otherwise);
        }
    }
}
