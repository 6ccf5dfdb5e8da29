import android.content.Context;
import android.content.pm.PackageManager;
import android.system.virtualmachine.VirtualMachine;
import android.system.virtualmachine.VirtualMachineCallback;
import android.system.virtualmachine.VirtualMachineConfig;
import android.system.virtualmachine.VirtualMachineCustomImageConfig;
import android.system.virtualmachine.VirtualMachineManager;

import avf.LinuxContext;

import java.lang.reflect.Field;
import java.util.Map;

/** Builders and constants: AVF's rules, texts and numbers. */
public class TestConfig {
    private static VirtualMachineConfig.Builder builder() {
        return new VirtualMachineConfig.Builder(new LinuxContext());
    }

    private static VirtualMachineConfig.Builder payload() {
        return builder().setApkPath("/x.avfpkg")
                .setPayloadBinaryName("libx.so").setProtectedVm(false);
    }

    private static void badValue(String text, Check.Body body) {
        Check.fails(IllegalArgumentException.class, text, body);
    }

    private static void badState(String text,
            VirtualMachineConfig.Builder b) {
        Check.fails(IllegalStateException.class, text, b::build);
    }

    private static void values() {
        badValue("APK path must be an absolute path",
                () -> builder().setApkPath("x"));
        badValue("Invalid binary file name: a/b",
                () -> builder().setPayloadBinaryName("a/b"));
        badValue("Invalid debugLevel: 2", () -> builder().setDebugLevel(2));
        badValue("Memory size must be positive",
                () -> builder().setMemoryBytes(0));
        badValue("Invalid cpuTopology: -1",
                () -> builder().setCpuTopology(-1));
        badValue("Encrypted Storage size must be positive",
                () -> builder().setEncryptedStorageBytes(0));
        badValue("Invalid acceleration: 3",
                () -> builder().setAcceleration(3));
        badValue("Invalid architecture: 3",
                () -> builder().setArchitecture(3));
        badValue("Invalid architecture: -1",
                () -> builder().setArchitecture(-1));
        badValue("Unsupported OS: android; there is microdroid",
                () -> builder().setOs("android"));
        Check.equal("microdroid", payload().setOs("microdroid").build()
                .getOs());
        Check.fails(UnsupportedOperationException.class,
                "Protected VMs are not supported on this device.",
                () -> builder().setProtectedVm(true));
        Check.fails(NullPointerException.class, "",
                () -> builder().setApkPath(null));
    }

    private static void whole() {
        var image = new VirtualMachineCustomImageConfig.Builder().build();
        badState("apkPath or packageName must be specified", builder());
        badState("may not both be called",
                payload().setCustomImageConfig(image));
        badState("setPayloadBinaryName must be called",
                builder().setApkPath("/x").setProtectedVm(false));
        badState("setProtectedVm must be called explicitly",
                builder().setApkPath("/x").setPayloadBinaryName("l.so"));
        badState("debug level must be FULL to capture output",
                payload().setVmOutputCaptured(true));
        badState("debug level must be FULL to use console input",
                payload().setVmConsoleInputSupported(true));
    }

    private static void getters() {
        var config = payload().setMemoryBytes(1).setCpuTopology(
                VirtualMachineConfig.CPU_TOPOLOGY_MATCH_HOST).build();
        Check.equal("/x.avfpkg", config.getApkPath());
        Check.equal("libx.so", config.getPayloadBinaryName());
        Check.equal(null, config.getPayloadConfigPath());
        Check.equal(1L << 20, config.getMemoryBytes());
        Check.equal(1, config.getCpuTopology());
        Check.equal(false, config.isEncryptedStorageEnabled());
        Check.equal(0, config.getDebugLevel());
        Check.equal(0L, payload().build().getMemoryBytes());
        Check.equal(0, config.getArchitecture());
        Check.equal(2, payload().setArchitecture(
                VirtualMachineConfig.ARCHITECTURE_ARM64).build()
                .getArchitecture());
    }

    private static void compatible() {
        var config = payload().build();
        Check.that(config.isCompatibleWith(payload()
                .setMemoryBytes(1 << 30).setApkPath("/y").build()), "free");
        Check.that(!config.isCompatibleWith(payload()
                .setDebugLevel(1).build()), "debug level");
        Check.that(!config.isCompatibleWith(payload()
                .setPayloadBinaryName("liby.so").build()), "payload");
        Check.that(!config.isCompatibleWith(payload()
                .setEncryptedStorageBytes(1 << 20).build()), "storage");
    }

    private static void constants() throws Exception {
        Map<String, Integer> avf = Map.of("STOP_REASON_CRASH", 6,
                "STOP_REASON_HANGUP", 16, "STOP_REASON_SHUTDOWN", 3,
                "STOP_REASON_VIRTUALIZATION_SERVICE_DIED", -1,
                "ERROR_PAYLOAD_INVALID_CONFIG", 3);
        for (var row : avf.entrySet())
            Check.equal(row.getValue(), VirtualMachineCallback.class
                    .getField(row.getKey()).getInt(null));
        /* and all of them against the C header */
        Class<?> c = Class.forName("avf.internal.NativeConstants");
        for (Field field : VirtualMachineCallback.class.getFields())
            Check.equal(c.getField("AVF_" + field.getName()).getInt(null),
                    field.getInt(null));
        for (String name : new String[] {"STATUS_STOPPED", "STATUS_RUNNING",
                "STATUS_DELETED"})
            Check.equal(c.getField("AVF_" + name).getInt(null),
                    VirtualMachine.class.getField(name).getInt(null));
    }

    private static void manager() throws Exception {
        var context = new LinuxContext();
        VirtualMachineManager vmm =
                context.getSystemService(VirtualMachineManager.class);
        Check.that(vmm != null, "there is a manager");
        Check.equal(0, vmm.getCapabilities()
                & VirtualMachineManager.CAPABILITY_PROTECTED_VM);
        Check.equal(null, context.getSystemService(String.class));
        Check.fails(IllegalStateException.class, "/dev/null", () ->
                new LinuxContext(new java.io.File("/dev/null/x"))
                        .getSystemService(VirtualMachineManager.class));
        Check.that(context.getSystemService(Context.VIRTUALIZATION_SERVICE)
                == vmm, "by name");
        Check.equal(null, context.getSystemService("audio"));
        Check.that(context.getPackageManager().hasSystemFeature(
                PackageManager.FEATURE_VIRTUALIZATION_FRAMEWORK), "feature");
        Check.that(!context.getPackageManager().hasSystemFeature("x"), "x");
        Check.equal(java.util.List.of("microdroid"),
                vmm.getSupportedOSList());
        Check.equal(false, vmm.isFeatureEnabled(
                VirtualMachineManager.FEATURE_NETWORK));
    }

    public static void main(String[] args) {
        Check.test("config.bad_values", TestConfig::values);
        Check.test("config.bad_wholes", TestConfig::whole);
        Check.test("config.getters", TestConfig::getters);
        Check.test("config.compatible", TestConfig::compatible);
        Check.test("config.constants", TestConfig::constants);
        Check.test("config.service", TestConfig::manager);
        Check.end();
    }
}
