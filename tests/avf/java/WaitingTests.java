import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNotEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import static org.junit.jupiter.api.Assumptions.assumeFalse;

import android.system.virtualmachine.VirtualMachine;
import android.system.virtualmachine.VirtualMachineCallback;
import android.system.virtualmachine.VirtualMachineConfig;
import android.system.virtualmachine.VirtualMachineManager;

import avf.LinuxContext;

import com.android.microdroid.testservice.ITestService;

import org.junit.jupiter.api.Test;

import java.nio.ByteBuffer;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.HexFormat;

/**
 * MicrodroidTests of what is not there yet: identity, attestation,
 * encrypted storage and extra packages. Rows of
 * tests/avf/features.txt switch them on.
 */
class WaitingTests {
    private static final String FILE = "/mnt/encryptedstore/test_file";

    private final VirtualMachineManager manager = TestVms.manager();

    private static VirtualMachine create(String name) throws Exception {
        return TestVms.create(name,
                TestVms.debugBuilder(TestVms.TEST_LIB).build());
    }

    private static VirtualMachine create(String name, String setter,
            Object value) throws Exception {
        VirtualMachineConfig.Builder b =
                TestVms.debugBuilder(TestVms.TEST_LIB);
        Later.call(b, setter, value);
        return TestVms.create(name, b.build());
    }

    static VirtualMachineConfig.Builder configFile(String path) {
        return TestVms.debugBuilder(null).setPayloadConfigPath(path);
    }

    private static VirtualMachine withConfigFile(String name)
            throws Exception {
        return TestVms.create(name,
                configFile("assets/vm_config.json").build());
    }

    private static byte[] secretOf(VirtualMachine vm) throws Exception {
        return TestVms.ask(vm, ITestService::insecurelyExposeVmInstanceSecret);
    }

    private static byte[] cdiOf(VirtualMachine vm) throws Exception {
        return TestVms.ask(vm, ITestService::insecurelyExposeAttestationCdi);
    }

    @Test
    @Needs({"identity", "config_path"})
    void instancesOfSameVmHaveDifferentCdis() throws Exception {
        VirtualMachine one = withConfigFile("test_vm_one");
        VirtualMachine other = withConfigFile("test_vm_two");
        assertFalse(Arrays.equals(secretOf(one), secretOf(other)));
        assertFalse(Arrays.equals(cdiOf(one), cdiOf(other)));
    }

    @Test
    @Needs("identity")
    void sameInstanceKeepsSameCdis() throws Exception {
        VirtualMachine vm = create("test_vm_secret");
        byte[] secret = secretOf(vm);
        assertEquals(32, secret.length);
        assertArrayEquals(secret, secretOf(vm));
    }

    @Test
    @Needs("identity")
    void importedVmAndOriginalVmHaveTheSameCdi() throws Exception {
        VirtualMachine vm = create("test_vm_original");
        byte[] secret = secretOf(vm);
        VirtualMachine copy = manager.importFromDescriptor("test_vm_copy",
                vm.toDescriptor());
        assertArrayEquals(secret, secretOf(copy));
        manager.delete("test_vm_copy");
    }

    @Test
    @Needs({"identity", "config_path"})
    void bccIsSuperficiallyWellFormed() throws Exception {
        byte[] chain = TestVms.ask(withConfigFile("test_vm_bcc"),
                ITestService::getBcc);
        /* CBOR: an array of at least two items */
        assertEquals(4, (chain[0] & 0xff) >> 5);
        assertTrue((chain[0] & 31) >= 2);
    }

    @Test
    @Needs({"protected", "identity", "config_path"})
    void protectedVmHasValidDiceChain() throws Exception {
        VirtualMachine vm = TestVms.create("test_vm_chain",
                configFile("assets/vm_config.json").setProtectedVm(true)
                        .build());
        assertEquals("valid", Later.call(manager, "verifyDiceChain",
                TestVms.ask(vm, ITestService::getBcc)));
    }

    @Test
    @Needs("identity")
    void accessToCdisIsRestricted() throws Exception {
        VirtualMachine vm = create("test_vm_restricted");
        assertThrows(Exception.class, () -> cdiOf(vm));
    }

    /** Whether its payload is started. */
    static boolean starts(VirtualMachine vm) throws Exception {
        try (Run run = new Run(vm)) {
            run.untilEither("started");
            return run.seen().contains("started");
        }
    }

    private static void changeOfLevel(int first, int then) throws Exception {
        VirtualMachine vm = TestVms.create("test_vm_level",
                TestVms.builder(TestVms.TEST_LIB).setProtectedVm(true)
                        .setDebugLevel(first).build());
        assertTrue(starts(vm));
        assertTrue(starts(vm));
        VirtualMachine other = TestVms.create("test_vm_other_level",
                TestVms.builder(TestVms.TEST_LIB).setProtectedVm(true)
                        .setDebugLevel(then).build());
        copyFile(vm, other, "instance.img");
        copyFile(vm, other, "instance_id");
        assertFalse(starts(other));
    }

    private static Path file(VirtualMachine vm, String name) {
        return vm.getRootDir().toPath().resolve(name);
    }

    private static void copyFile(VirtualMachine from, VirtualMachine to,
            String name) throws Exception {
        Files.write(file(to, name), Files.readAllBytes(file(from, name)));
    }

    @Test
    @Needs({"protected", "identity"})
    void changingNonDebuggableVmDebuggableInvalidatesVmIdentity()
            throws Exception {
        changeOfLevel(VirtualMachineConfig.DEBUG_LEVEL_NONE,
                VirtualMachineConfig.DEBUG_LEVEL_FULL);
    }

    @Test
    @Needs({"protected", "identity"})
    void changingDebuggableVmNonDebuggableInvalidatesVmIdentity()
            throws Exception {
        changeOfLevel(VirtualMachineConfig.DEBUG_LEVEL_FULL,
                VirtualMachineConfig.DEBUG_LEVEL_NONE);
    }

    /** One bit after the partition's UUID is another. */
    private static void compromised(String uuid, boolean isProtected)
            throws Exception {
        VirtualMachine vm = TestVms.create("test_vm_compromised",
                TestVms.builder(TestVms.TEST_LIB).setProtectedVm(isProtected)
                        .build());
        assertTrue(starts(vm));
        Path image = file(vm, "instance.img");
        byte[] data = Files.readAllBytes(image);
        data[indexOf(data, HexFormat.of().parseHex(uuid)) + 512] ^= 1;
        Files.write(image, data);
        Run run = new Run(vm).toEnd();
        assertFalse(run.seen().contains("started"));
        assertNotEquals(VirtualMachineCallback.STOP_REASON_HANGUP,
                run.reason());
    }

    private static int indexOf(byte[] data, byte[] part) {
        for (int i = 0; i + part.length <= data.length; i++)
            if (ByteBuffer.wrap(data, i, part.length)
                    .equals(ByteBuffer.wrap(part)))
                return i;
        throw new AssertionError("there is no such partition");
    }

    @Test
    @Needs("identity")
    void bootFailsWhenMicrodroidDataIsCompromised() throws Exception {
        compromised("cf9afe9a066211eca329c32663a09d75", false);
    }

    @Test
    @Needs({"protected", "identity"})
    void bootFailsWhenPvmFwDataIsCompromised() throws Exception {
        compromised("90d2174a038a4bc6adf3824848fc5825", true);
    }

    private static VirtualMachine protectedVm(String name) throws Exception {
        return TestVms.create(name, TestVms.debugBuilder(TestVms.TEST_LIB)
                .setProtectedVm(true).build());
    }

    private static Object attest(VirtualMachine vm, int size)
            throws Exception {
        return TestVms.ask(vm, service -> Later.call(service, "requestAttestation",
                new byte[size]));
    }

    private static void attested(VirtualMachine vm) throws Exception {
        Later.call(vm, "enableTestAttestation");
        assertEquals("ATTESTATION_ERROR_INVALID_CHALLENGE", attest(vm, 65));
        assertEquals("ATTESTATION_OK", attest(vm, 32));
    }

    @Test
    @Needs({"protected", "attestation"})
    void vmAttestationWhenRemoteAttestationIsNotSupported()
            throws Exception {
        assumeFalse(manager.isRemoteAttestationSupported(),
                "remote attestation is supported");
        assertEquals("ATTESTATION_ERROR_UNSUPPORTED",
                attest(protectedVm("test_vm_unsupported"), 32));
    }

    @Test
    @Needs({"protected", "attestation"})
    void vmAttestationWhenRemoteAttestationIsSupported() throws Exception {
        attested(protectedVm("test_vm_attested"));
    }

    @Test
    @Needs({"protected", "attestation", "vendor"})
    void vmAttestationWithVendorPartitionWhenSupported() throws Exception {
        attested(create("test_vm_vendor", "setVendorDiskImage",
                WaitingHostTests.vendorImage("vendor")));
    }

    @Test
    @Needs({"protected", "attestation"})
    void requestingAttestationSucceeds() throws Exception {
        attested(protectedVm("test_vm_request"));
    }

    @Test
    @Needs({"protected", "attestation"})
    void usingProvisionedKeyForVmAttestationSucceeds() throws Exception {
        assertEquals("ATTESTATION_OK",
                attest(protectedVm("test_vm_provisioned"), 32));
    }

    static VirtualMachine storageVm(String name, String payload)
            throws Exception {
        return TestVms.create(name, TestVms.debugBuilder(payload)
                .setEncryptedStorageBytes(4_000_000).build());
    }

    private static VirtualMachine storageVm(String name) throws Exception {
        return storageVm(name, TestVms.TEST_LIB);
    }

    private static void write(VirtualMachine vm) throws Exception {
        Run run = new Run(vm).until("ready");
        ITestService service = TestVms.service(vm);
        service.writeToFile("Example", FILE);
        service.quit();
        run.toEnd();
    }

    @Test
    @Needs("storage")
    void encryptedStorageAvailable() throws Exception {
        assertEquals("/mnt/encryptedstore", TestVms.ask(storageVm("test_vm_store"),
                ITestService::getEncryptedStoragePath));
    }

    @Test
    @Needs("storage")
    void encryptedStorageIsPersistent() throws Exception {
        VirtualMachine vm = storageVm("test_vm_persistent");
        write(vm);
        assertEquals("Example", read(vm, FILE));
    }

    private static String read(VirtualMachine vm, String path)
            throws Exception {
        return TestVms.ask(vm, service -> service.readFromFile(path));
    }

    private static void failsToPrepare(VirtualMachine vm, String text)
            throws Exception {
        Run run = new Run(vm).toEnd();
        assertFalse(run.seen().contains("ready"));
        assertTrue(run.error().contains(text), run.error());
    }

    @Test
    @Needs("storage")
    void encryptedStorageIsInaccessibleToDifferentVm() throws Exception {
        VirtualMachine one = storageVm("test_vm_store1");
        VirtualMachine other = storageVm("test_vm_store2");
        write(one);
        copyFile(one, other, "storage.img");
        failsToPrepare(other, "Unable to prepare encrypted storage");
    }

    @Test
    @Needs("storage")
    void staleEncryptedstoreDetection() throws Exception {
        VirtualMachine vm = storageVm("test_vm_stale");
        write(vm);
        Path image = file(vm, "storage.img");
        Files.write(image, new byte[(int) Files.size(image)]);
        failsToPrepare(vm, "Detected stale encryptedstore");
    }

    @Test
    @Needs("storage")
    void encryptedStoreIsMountedWithNoExec() throws Exception {
        assertTrue((TestVms.ask(storageVm("test_vm_noexec"), service ->
                service.getMountFlags("/mnt/encryptedstore")) & 8) != 0);
    }

    private static void copyOfStorageVm(VirtualMachineManager to)
            throws Exception {
        VirtualMachine vm = storageVm("test_vm_stored");
        write(vm);
        VirtualMachine copy = to.importFromDescriptor("test_vm_stored_copy",
                RunTests.parcelled(vm));
        ManagerTests.sameFiles(vm, copy, "storage.img");
        assertEquals("Example", read(copy, FILE));
        to.delete("test_vm_stored_copy");
    }

    @Test
    @Needs("storage")
    void importedVmIsEqualToTheOriginalVm_WithStorage() throws Exception {
        copyOfStorageVm(manager);
    }

    @Test
    @Needs("storage")
    void testVmDescriptorParcelUnparcel_withTrustedStorage()
            throws Exception {
        copyOfStorageVm(manager);
    }

    @Test
    @Needs("storage")
    void testShareVmWithAnotherApp_encryptedStorage() throws Exception {
        LinuxContext other = TestVms.newContext();
        copyOfStorageVm(other.getSystemService(VirtualMachineManager.class));
        TestVms.removeTree(other.getDataDir().toPath());
    }

    @Test
    @Needs("encrypted_assets")
    void mountEncryptedAssets() throws Exception {
        assertEquals("/mnt/encrypted_assets", TestVms.ask(create("test_vm_assets"),
                service -> Later.call(service, "mountEncryptedAssets",
                        "assets/secret.img")));
    }

    private static void extraApkIsRead(VirtualMachine vm) throws Exception {
        assertEquals("Hello, I am a file!",
                read(vm, "/mnt/extra-apk/0/assets/file.txt"));
    }

    @Test
    @Needs("extra_apk")
    void extraApk() throws Exception {
        extraApkIsRead(create("test_vm_extra", "addExtraApk",
                TestVms.PACKAGE));
    }

    @Test
    @Needs({"extra_apk", "config_path"})
    void extraApkInVmConfig() throws Exception {
        extraApkIsRead(TestVms.create("test_vm_extra_config",
                configFile("assets/vm_config_extra_apk.json").build()));
    }

    @Test
    @Needs("extra_apk")
    void bootFailsWhenExtraApkPackageIsInvalid() throws Exception {
        VirtualMachine vm = create("test_vm_bad_extra", "addExtraApk",
                "/does/not/exist");
        Expect.vmFails("Extra APK package not found", vm::run);
    }
}
