import static android.system.virtualmachine.VirtualMachineConfig.CPU_TOPOLOGY_MATCH_HOST;
import static android.system.virtualmachine.VirtualMachineConfig.CPU_TOPOLOGY_ONE_CPU;
import static android.system.virtualmachine.VirtualMachineConfig.DEBUG_LEVEL_FULL;
import static android.system.virtualmachine.VirtualMachineConfig.DEBUG_LEVEL_NONE;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertTrue;

import android.system.virtualmachine.VirtualMachineConfig;
import android.system.virtualmachine.VirtualMachineManager;

import org.junit.jupiter.api.Test;

/** MicrodroidTests of configurations. No VM runs. */
class ConfigTests {
    private static VirtualMachineConfig.Builder builder() {
        return new VirtualMachineConfig.Builder(TestVms.context());
    }

    @Test
    void vmConfigGetAndSetTests() {
        VirtualMachineConfig least = builder().setApkPath("/test.avfpkg")
                .setProtectedVm(false).setPayloadBinaryName("binary.so")
                .build();
        assertEquals("/test.avfpkg", least.getApkPath());
        assertEquals("binary.so", least.getPayloadBinaryName());
        assertEquals(DEBUG_LEVEL_NONE, least.getDebugLevel());
        assertFalse(least.isProtectedVm());
        assertEquals(0, least.getMemoryBytes());
        assertEquals(CPU_TOPOLOGY_ONE_CPU, least.getCpuTopology());
        assertFalse(least.isEncryptedStorageEnabled());
        assertEquals(0, least.getEncryptedStorageBytes());
        assertFalse(least.isVmOutputCaptured());
        assertFalse(least.isVmConsoleInputSupported());
        assertFalse(least.shouldUseHugepages());
        assertNull(least.getCustomImageConfig());
        assertEquals("microdroid", least.getOs());
        VirtualMachineConfig most = builder().setApkPath("/test.avfpkg")
                .setProtectedVm(false).setPayloadBinaryName("binary.so")
                .setDebugLevel(DEBUG_LEVEL_FULL).setMemoryBytes(42)
                .setCpuTopology(CPU_TOPOLOGY_MATCH_HOST)
                .setEncryptedStorageBytes(1_000_000)
                .setVmOutputCaptured(true).setVmConsoleInputSupported(true)
                .setShouldUseHugepages(true).build();
        assertEquals(DEBUG_LEVEL_FULL, most.getDebugLevel());
        assertEquals(1 << 20, most.getMemoryBytes());
        assertEquals(CPU_TOPOLOGY_MATCH_HOST, most.getCpuTopology());
        assertTrue(most.isEncryptedStorageEnabled());
        assertEquals(1_000_000, most.getEncryptedStorageBytes());
        assertTrue(most.isVmOutputCaptured());
        assertTrue(most.isVmConsoleInputSupported());
        assertTrue(most.shouldUseHugepages());
        assertTrue(least.isCompatibleWith(least));
        assertFalse(least.isCompatibleWith(most));
        assertFalse(most.isCompatibleWith(least));
    }

    @Test
    void vmConfigBuilderValidationTests() {
        Expect.isNull(() -> new VirtualMachineConfig.Builder(null));
        Expect.isNull(() -> builder().setApkPath(null));
        Expect.isNull(() -> builder().setPayloadBinaryName(null));
        Expect.isNull(() -> builder().setPayloadConfigPath(null));

        Expect.badValue("APK path must be an absolute path",
                () -> builder().setApkPath("relative/path/to.apk"));
        Expect.badValue("Invalid binary file name: dir/file.so",
                () -> builder().setPayloadBinaryName("dir/file.so"));
        Expect.badValue("Invalid debugLevel: -1",
                () -> builder().setDebugLevel(-1));
        Expect.badValue("Memory size must be positive",
                () -> builder().setMemoryBytes(0));
        Expect.badValue("Invalid cpuTopology: -1",
                () -> builder().setCpuTopology(-1));
        Expect.badValue("Encrypted Storage size must be positive",
                () -> builder().setEncryptedStorageBytes(0));

        Expect.badState("apkPath or packageName must be specified",
                builder()::build);
        Expect.badState("setPayloadBinaryName must be called",
                builder().setApkPath("/x").setProtectedVm(false)::build);
        Expect.badState("setProtectedVm must be called explicitly",
                builder().setApkPath("/x")
                        .setPayloadBinaryName("binary.so")::build);
        Expect.badState("debug level must be FULL to capture output",
                TestVms.builder("binary.so").setVmOutputCaptured(true)
                        ::build);
        Expect.badState("debug level must be FULL to use console input",
                TestVms.builder("binary.so").setVmConsoleInputSupported(true)
                        ::build);
    }

    private static VirtualMachineConfig.Builder base() {
        return TestVms.debugBuilder(TestVms.TEST_LIB)
                .setEncryptedStorageBytes(1_000_000);
    }

    private static boolean compatible(VirtualMachineConfig.Builder other) {
        return base().build().isCompatibleWith(other.build());
    }

    @Test
    void compatibleConfigTests() {
        assertTrue(compatible(base()));
        assertTrue(compatible(base().setMemoryBytes(1 << 30)));
        assertTrue(compatible(base().setCpuTopology(
                CPU_TOPOLOGY_MATCH_HOST)));
        assertTrue(compatible(base().setApkPath("/different")));
        assertFalse(compatible(base().setDebugLevel(DEBUG_LEVEL_NONE)));
        assertFalse(compatible(base().setPayloadBinaryName("different")));
        assertFalse(compatible(base().setEncryptedStorageBytes(1000)));
        assertFalse(compatible(base().setVmOutputCaptured(true)));
        assertFalse(compatible(base().setVmConsoleInputSupported(true)));
    }

    @Test
    void testPathToBinaryIsRejected() {
        Expect.badValue("Invalid binary file name: ./" + TestVms.TEST_LIB,
                () -> TestVms.builder("./" + TestVms.TEST_LIB));
    }

    @Test
    void supportForProtectedOrNonProtectedVms() {
        int known = VirtualMachineManager.CAPABILITY_PROTECTED_VM
                | VirtualMachineManager.CAPABILITY_NON_PROTECTED_VM;
        int found = TestVms.manager().getCapabilities();
        assertEquals(0, found & ~known);
        /* AVF's feature is here that KVM runs Linux guests, protected or
         * not: one cannot be without the other's host */
        if ((found & VirtualMachineManager.CAPABILITY_PROTECTED_VM) == 0)
            Expect.fails(UnsupportedOperationException.class,
                    "Protected VMs are not supported on this device.",
                    () -> builder().setProtectedVm(true));
    }

    @Test
    void kernelVersionRequirement() {
        String[] release = System.getProperty("os.version").split("\\.");
        int version = Integer.parseInt(release[0]) * 1000
                + Integer.parseInt(release[1]);
        assertTrue(version >= 5015, System.getProperty("os.version"));
    }
}
