import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNotSame;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertSame;
import static org.junit.jupiter.api.Assertions.assertTrue;

import android.os.Parcel;
import android.system.virtualmachine.VirtualMachine;
import android.system.virtualmachine.VirtualMachineConfig;
import android.system.virtualmachine.VirtualMachineDescriptor;
import android.system.virtualmachine.VirtualMachineManager;

import avf.LinuxContext;

import org.junit.jupiter.api.Test;

import java.nio.file.Files;
import java.nio.file.Path;

/** MicrodroidTests of named VMs whose guest need not run. */
class ManagerTests {
    private final VirtualMachineManager manager = TestVms.manager();

    private static VirtualMachineConfig config() {
        return TestVms.debugBuilder(TestVms.TEST_LIB).build();
    }

    @Test
    void vmUnitTests() throws Exception {
        VirtualMachineConfig config = config();
        VirtualMachine vm = TestVms.create("vm_name", config);
        assertEquals("vm_name", vm.getName());
        assertSame(config, vm.getConfig());
        assertEquals(VirtualMachine.STATUS_STOPPED, vm.getStatus());
        VirtualMachineConfig compatible =
                TestVms.debugBuilder(TestVms.TEST_LIB).setMemoryBytes(42)
                        .setCpuTopology(
                                VirtualMachineConfig.CPU_TOPOLOGY_MATCH_HOST)
                        .build();
        assertSame(config, vm.setConfig(compatible));
        assertEquals("vm_name", vm.getName());
        assertSame(compatible, vm.getConfig());
        assertEquals(VirtualMachine.STATUS_STOPPED, vm.getStatus());
        assertSame(vm, manager.get("vm_name"));
    }

    @Test
    void vmmGetAndCreate() throws Exception {
        assertNull(manager.get("vmName"));
        VirtualMachine vm = manager.create("vmName", config());
        assertSame(vm, manager.get("vmName"));
        assertSame(vm, manager.getOrCreate("vmName", config()));
        Expect.vmFails("virtual machine already exists",
                () -> manager.create("vmName", config()));
        manager.delete("vmName");
        assertEquals(VirtualMachine.STATUS_DELETED, vm.getStatus());
        assertNull(manager.get("vmName"));
        VirtualMachine other = manager.getOrCreate("vmName", config());
        assertNotSame(vm, other);
        assertEquals(VirtualMachine.STATUS_STOPPED, other.getStatus());
        assertEquals(VirtualMachine.STATUS_DELETED, vm.getStatus());
        manager.delete("vmName");
    }

    @Test
    void differentManagersForDifferentContexts() throws Exception {
        LinuxContext other = TestVms.newContext();
        VirtualMachineManager others =
                other.getSystemService(VirtualMachineManager.class);
        assertNotSame(manager, others);
        assertSame(manager, TestVms.manager());
        TestVms.create("mine", config());
        assertNull(others.get("mine"));
        TestVms.removeTree(other.getDataDir().toPath());
    }

    @Test
    void deleteVm() throws Exception {
        VirtualMachine vm = TestVms.create("test_vm_delete", config());
        manager.delete("test_vm_delete");
        Expect.vmFails("deleted", vm::run);
        Expect.vmFails("", () -> manager.delete("test_vm_delete"));
    }

    @Test
    void deleteVmFiles() throws Exception {
        VirtualMachine vm = TestVms.create("test_vm_files",
                TestVms.debugBuilder("MicrodroidExitNativeLib.so").build());
        assertTrue(new Run(vm).toEnd().seen().contains("finished"));
        assertEquals(VirtualMachine.STATUS_STOPPED, vm.getStatus());
        assertTrue(vm.getRootDir().exists());
        TestVms.removeTree(vm.getRootDir().toPath());
        assertFalse(vm.getRootDir().exists());
        assertEquals(VirtualMachine.STATUS_DELETED, vm.getStatus());
        Expect.vmFails("deleted", vm::run);
        assertNull(manager.get("test_vm_files"));
    }

    @Test
    void invalidVmNameIsRejected() {
        for (String name : new String[] {"../foo", "..", ".", "a/b", ""}) {
            Expect.badValue("Invalid VM name: " + name,
                    () -> manager.create(name, config()));
            Expect.badValue("Invalid VM name: " + name,
                    () -> manager.get(name));
        }
    }

    @Test
    void bootFailsWhenApkPathIsInvalid() throws Exception {
        VirtualMachine vm = TestVms.create("test_vm_apk",
                TestVms.debugBuilder(TestVms.TEST_LIB)
                        .setApkPath("/does/not/exist").build());
        Expect.vmFails("Failed to open APK", vm::run);
        assertEquals(VirtualMachine.STATUS_STOPPED, vm.getStatus());
    }

    @Test
    void autoCloseVmDescriptor() throws Exception {
        VirtualMachine vm = TestVms.create("test_vm_desc", config());
        VirtualMachineDescriptor descriptor = vm.toDescriptor();
        try (descriptor) {
            Parcel parcel = Parcel.obtain();
            descriptor.writeToParcel(parcel, 0);
            parcel.recycle();
        }
        Expect.badState("Descriptor has been closed",
                () -> descriptor.writeToParcel(Parcel.obtain(), 0));
        Expect.badState("Descriptor has been closed",
                () -> manager.importFromDescriptor("other", descriptor));
    }

    @Test
    void vmDescriptorClosedOnImport() throws Exception {
        VirtualMachine vm = TestVms.create("test_vm_closed", config());
        VirtualMachineDescriptor descriptor = vm.toDescriptor();
        manager.importFromDescriptor("imported", descriptor);
        Expect.badState("Descriptor has been closed",
                () -> descriptor.writeToParcel(Parcel.obtain(), 0));
        manager.delete("imported");
    }

    @Test
    void importVmDescriptorForExistingVm() throws Exception {
        VirtualMachine vm = TestVms.create("test_vm_existing", config());
        VirtualMachineDescriptor descriptor = vm.toDescriptor();
        Expect.vmFails("virtual machine already exists", () ->
                manager.importFromDescriptor("test_vm_existing", descriptor));
        Expect.badState("Descriptor has been closed",
                () -> descriptor.writeToParcel(Parcel.obtain(), 0));
        assertSame(vm, manager.get("test_vm_existing"));
    }

    @Test
    void sameInstancesShareTheSameVmObject() throws Exception {
        VirtualMachine vm = TestVms.create("test_vm_same", config());
        assertSame(vm, manager.get("test_vm_same"));
        assertSame(vm, manager.get("test_vm_same"));
        manager.delete("test_vm_same");
        VirtualMachine other = manager.create("test_vm_same", config());
        assertNotSame(vm, other);
        assertSame(other, manager.get("test_vm_same"));
    }

    /** The files of two VMs are equal. */
    static void sameFiles(VirtualMachine a, VirtualMachine b, String... more)
            throws Exception {
        for (String file : new String[] {"config", "instance_id",
                "instance.img"})
            sameFile(a, b, file);
        for (String file : more)
            sameFile(a, b, file);
    }

    private static void sameFile(VirtualMachine a, VirtualMachine b,
            String file) throws Exception {
        assertArrayEquals(
                Files.readAllBytes(Path.of(a.getRootDir() + "/" + file)),
                Files.readAllBytes(Path.of(b.getRootDir() + "/" + file)));
    }

    @Test
    void importedVmIsEqualToTheOriginalVm_WithoutStorage() throws Exception {
        VirtualMachine vm = TestVms.create("original", config());
        VirtualMachine copy =
                manager.importFromDescriptor("copy", vm.toDescriptor());
        assertNotSame(vm, copy);
        assertEquals("copy", copy.getName());
        assertTrue(vm.getConfig().isCompatibleWith(copy.getConfig()));
        sameFiles(vm, copy);
        manager.delete("copy");
    }

    @Test
    void outputShouldBeExplicitlyCaptured() throws Exception {
        VirtualMachine vm = TestVms.create("test_vm_output", config());
        Expect.vmFails("Capturing vm outputs is turned off",
                vm::getConsoleOutput);
        Expect.vmFails("Capturing vm outputs is turned off",
                vm::getLogOutput);
    }

    @Test
    void inputShouldBeExplicitlyAllowed() throws Exception {
        VirtualMachine vm = TestVms.create("test_vm_input",
                TestVms.debugBuilder(TestVms.TEST_LIB)
                        .setVmOutputCaptured(true).build());
        Expect.vmFails("VM console input is not supported",
                vm::getConsoleInput);
    }
}
