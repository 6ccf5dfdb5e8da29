import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNotEquals;
import static org.junit.jupiter.api.Assertions.assertNotNull;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.junit.jupiter.api.Assumptions.assumeFalse;

import android.system.virtualmachine.VirtualMachine;
import android.system.virtualmachine.VirtualMachineCallback;
import android.system.virtualmachine.VirtualMachineConfig;

import com.android.microdroid.testservice.ITestService;

import org.junit.jupiter.api.Test;

import java.io.File;
import java.io.InputStream;
import java.util.List;

/**
 * MicrodroidTests of vendor images and Rust, and MicrodroidHostTests, of what
 * is not there yet. Rows of tests/avf/features.txt switch them on.
 */
class WaitingHostTests {
    private static final String CRASH = "MicrodroidCrashNativeLib.so";

    static File vendorImage(String name) {
        return new File(System.getProperty("avf.test.build")
                + "/tests/avf/" + name + ".img");
    }

    private static VirtualMachine create(VirtualMachineConfig.Builder b,
            String setter, Object value) throws Exception {
        Later.call(b, setter, value);
        return TestVms.create("test_vm_host", b.build());
    }

    private static VirtualMachine vendorVm(String image, boolean isProtected)
            throws Exception {
        return create(TestVms.debugBuilder(TestVms.TEST_LIB)
                .setProtectedVm(isProtected), "setVendorDiskImage",
                vendorImage(image));
    }

    private static void readsVendor(VirtualMachine vm) throws Exception {
        assertFalse(TestVms.ask(vm,
                service -> service.readFromFile("/vendor/etc/file.txt"))
                .isEmpty());
    }

    @Test
    @Needs("vendor")
    void bootsWithVendorPartition() throws Exception {
        readsVendor(vendorVm("vendor", false));
    }

    @Test
    @Needs("vendor")
    void bootsWithCustomVendorPartitionForNonPvm() throws Exception {
        readsVendor(vendorVm("custom_vendor", false));
    }

    @Test
    @Needs({"vendor", "protected"})
    void bootFailsWithCustomVendorPartitionForPvm() throws Exception {
        assertEquals(VirtualMachineCallback.STOP_REASON_REBOOT,
                new Run(vendorVm("custom_vendor", true)).toEnd().reason());
    }

    @Test
    @Needs("vendor")
    void creationFailsWithUnsignedVendorPartition() throws Exception {
        VirtualMachine vm = vendorVm("unsigned_vendor", false);
        Expect.vmFails("Failed to extract vendor hashtree digest", vm::run);
    }

    private static VirtualMachine ofImage(String image, boolean isProtected)
            throws Exception {
        return create(TestVms.debugBuilder(TestVms.TEST_LIB)
                .setVmOutputCaptured(true).setProtectedVm(isProtected),
                "setOs", image);
    }

    private static String consoleOf(VirtualMachine vm) throws Exception {
        Run run = new Run(vm);
        try (InputStream console = vm.getConsoleOutput()) {
            run.untilEither("started").close();
            return new String(console.readAllBytes());
        }
    }

    @Test
    @Needs("verified_boot")
    void testBootSucceedsWhenNonProtectedVmStartsWithImagesSignedWithDifferentKey()
            throws Exception {
        assertTrue(WaitingTests.starts(ofImage("another_key", false)));
    }

    @Test
    @Needs("verified_boot")
    void testBootFailsWhenVbMetaDigestDoesNotMatchBootconfig()
            throws Exception {
        assertTrue(consoleOf(ofImage("another_digest", false))
                .contains("Failed to verify"));
    }

    @Test
    @Needs("verified_boot")
    void testAllVbmetaUseSHA256() throws Exception {
        List<?> digests = (List<?>) Later.call(TestVms.manager(),
                "getImageDigests");
        for (Object each : digests)
            assertEquals("sha256", each);
    }

    @Test
    @Needs("rust")
    void createAndRunRustVm() throws Exception {
        VirtualMachine vm = TestVms.create("test_vm_rust",
                TestVms.debugBuilder("libmicrodroid_testlib_rust.so")
                        .build());
        int sum = TestVms.ask(vm, service -> service.addInteger(37, 73));
        assertEquals(110, sum);
    }

    @Test
    @Needs({"rust", "storage"})
    void createAndRunRustVmWithEncryptedStorage() throws Exception {
        VirtualMachine vm = WaitingTests.storageVm("test_vm_rust_store",
                "libmicrodroid_testlib_rust.so");
        assertEquals("/mnt/encryptedstore",
                TestVms.ask(vm, ITestService::getEncryptedStoragePath));
    }

    @Test
    @Needs("protected")
    void protectedVmRunsPvmfw() throws Exception {
        String text = consoleOf(TestVms.create("test_vm_pvmfw",
                TestVms.debugBuilder("MicrodroidExitNativeLib.so")
                        .setVmOutputCaptured(true).setProtectedVm(true)
                        .build()));
        assertTrue(text.contains("pVM firmware"), text);
        assertTrue(text.contains("Starting payload..."), text);
    }

    @Test
    @Needs({"protected", "verified_boot"})
    void protectedVmWithImageSignedWithDifferentKeyFailsToVerifyPayload()
            throws Exception {
        assertTrue(consoleOf(ofImage("another_key", true))
                .contains("Failed to verify the payload"));
    }

    /** Whether an instance of one version starts with another one. */
    private static boolean updated(String first, String then,
            boolean isProtected) throws Exception {
        String dir = System.getProperty("avf.test.build") + "/tests/avf/";
        VirtualMachineConfig.Builder b =
                TestVms.debugBuilder(TestVms.TEST_LIB)
                        .setProtectedVm(isProtected);
        VirtualMachine vm = TestVms.create("test_vm_update",
                b.setApkPath(dir + first + ".avfpkg").build());
        assertTrue(WaitingTests.starts(vm));
        vm.setConfig(b.setApkPath(dir + then + ".avfpkg").build());
        return WaitingTests.starts(vm);
    }

    @Test
    @Needs("updatable")
    void UpgradedPackageIsAcceptedWithSecretkeeper() throws Exception {
        assertTrue(updated("v5", "v6", false));
    }

    @Test
    @Needs({"updatable", "protected"})
    void DowngradedPackageIsRejectedProtectedVm() throws Exception {
        assertFalse(updated("v6", "v5", true));
    }

    private static List<?> dumps(VirtualMachineConfig config)
            throws Exception {
        VirtualMachine vm = TestVms.create("test_vm_dump", config);
        new Run(vm).toEnd();
        return (List<?>) Later.call(vm, "getTombstones");
    }

    private static List<?> dumpsOfConfig(String file, int level)
            throws Exception {
        return dumps(WaitingTests.configFile("assets/" + file)
                .setDebugLevel(level).build());
    }

    @Test
    @Needs({"tombstones", "config_path"})
    void testTombstonesAreGeneratedUponUserspaceCrash() throws Exception {
        assertFalse(dumpsOfConfig("vm_config_crash.json",
                VirtualMachineConfig.DEBUG_LEVEL_FULL).isEmpty());
    }

    @Test
    @Needs({"tombstones", "config_path"})
    void testTombstonesAreNotGeneratedIfNotExportedUponUserspaceCrash()
            throws Exception {
        assertTrue(dumpsOfConfig("vm_config_crash_no_tombstone.json",
                VirtualMachineConfig.DEBUG_LEVEL_FULL).isEmpty());
    }

    @Test
    @Needs("tombstones")
    void testTombstonesAreGeneratedUponKernelCrash() throws Exception {
        VirtualMachine vm = TestVms.create("test_vm_panic",
                TestVms.debugBuilder(TestVms.TEST_LIB).build());
        Run run = new Run(vm).until("ready");
        Later.call(TestVms.service(vm), "crashKernel");
        run.toEnd();
        assertNotNull(Later.call(vm, "getRamdump"));
    }

    @Test
    @Needs("tombstones")
    void testTombstonesAreGeneratedWithCrashPayload() throws Exception {
        assertFalse(dumps(TestVms.debugBuilder(CRASH).build()).isEmpty());
    }

    @Test
    @Needs("tombstones")
    void testTombstonesAreNotGeneratedWithCrashPayloadWhenNonDebuggable()
            throws Exception {
        assertTrue(dumps(TestVms.builder(CRASH).build()).isEmpty());
    }

    @Test
    @Needs({"tombstones", "config_path"})
    void testTombstonesAreGeneratedWithCrashConfig() throws Exception {
        assertFalse(dumpsOfConfig("vm_config_crash.json",
                VirtualMachineConfig.DEBUG_LEVEL_FULL).isEmpty());
    }

    @Test
    @Needs({"tombstones", "config_path"})
    void testTombstonesAreNotGeneratedWithCrashConfigWhenNonDebuggable()
            throws Exception {
        assertTrue(dumpsOfConfig("vm_config_crash.json",
                VirtualMachineConfig.DEBUG_LEVEL_NONE).isEmpty());
    }

    @Test
    @Needs("device_assignment")
    void testDeviceAssignment() throws Exception {
        List<?> devices = (List<?>) Later.call(TestVms.manager(),
                "getAssignableDevices");
        assumeFalse(devices.isEmpty(), "this host has no device to assign");
        for (Object device : devices) {
            VirtualMachine vm =
                    create(TestVms.debugBuilder(TestVms.TEST_LIB),
                            "addDevice", device);
            int mode = TestVms.ask(vm, service ->
                    service.getFilePermissions(
                            "/sys/bus/pci/devices/" + device));
            assertNotEquals(0, mode);
        }
    }
}
