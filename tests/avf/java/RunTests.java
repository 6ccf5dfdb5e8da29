import static android.system.virtualmachine.VirtualMachineCallback.STOP_REASON_KILLED;
import static android.system.virtualmachine.VirtualMachineCallback.STOP_REASON_MICRODROID_INVALID_PAYLOAD_CONFIG;
import static android.system.virtualmachine.VirtualMachineCallback.STOP_REASON_MICRODROID_UNKNOWN_RUNTIME_ERROR;
import static android.system.virtualmachine.VirtualMachineCallback.STOP_REASON_SHUTDOWN;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNotEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import android.os.Parcel;
import android.system.virtualmachine.VirtualMachine;
import android.system.virtualmachine.VirtualMachineConfig;
import android.system.virtualmachine.VirtualMachineDescriptor;
import android.system.virtualmachine.VirtualMachineManager;

import avf.LinuxContext;

import com.android.microdroid.testservice.ITestService;

import org.junit.jupiter.api.Test;

import java.io.InputStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;

/** MicrodroidTests that boot VMs of their own. */
class RunTests {
    private static final String IDLE = "MicrodroidIdleNativeLib.so";

    private final VirtualMachineManager manager = TestVms.manager();

    private static VirtualMachine create(String name, String payload)
            throws Exception {
        return TestVms.create(name, TestVms.debugBuilder(payload).build());
    }

    private static void add(VirtualMachine vm, int a, int b)
            throws Exception {
        assertEquals(a + b, TestVms.service(vm).addInteger(a, b));
    }

    @Test
    void createAndConnectToVm_HostCpuTopology() throws Exception {
        VirtualMachine vm = TestVms.create("test_vm_cpus",
                TestVms.debugBuilder(TestVms.TEST_LIB).setCpuTopology(
                        VirtualMachineConfig.CPU_TOPOLOGY_MATCH_HOST)
                        .build());
        int cpus = Math.min(
                Runtime.getRuntime().availableProcessors(), 32);
        try (Run run = new Run(vm).until("ready")) {
            ITestService service = TestVms.service(vm);
            assertEquals(579, service.addInteger(123, 456));
            assertEquals(cpus == 1 ? "0\n" : "0-" + (cpus - 1) + "\n",
                    service.readFromFile("/sys/devices/system/cpu/online"));
        }
    }

    @Test
    void createAndRunNoDebugVm() throws Exception {
        VirtualMachine vm = TestVms.create("test_vm_no_debug",
                TestVms.builder(TestVms.TEST_LIB).build());
        try (Run run = new Run(vm).until("ready")) {
            add(vm, 37, 73);
        }
    }

    @Test
    void autoCloseVm() throws Exception {
        VirtualMachine vm = create("test_vm_close", IDLE);
        try (vm) {
            assertEquals(VirtualMachine.STATUS_STOPPED, vm.getStatus());
            vm.run();
            assertEquals(VirtualMachine.STATUS_RUNNING, vm.getStatus());
        }
        assertEquals(VirtualMachine.STATUS_STOPPED, vm.getStatus());
        try (vm) {
            /* close() above has stopped it, so it can be deleted */
            manager.delete("test_vm_close");
        }
        assertEquals(VirtualMachine.STATUS_DELETED, vm.getStatus());
    }

    private void checkStates(VirtualMachine vm, String text) {
        Expect.vmFails(text, () -> vm.connectVsock(1024));
        Expect.vmFails(text, () -> vm.connectToVsockServer(1024));
    }

    @Test
    void vmLifecycleChecks() throws Exception {
        VirtualMachine vm = create("test_vm_life", IDLE);
        VirtualMachineConfig config = vm.getConfig();
        checkStates(vm, "not in running state");
        Expect.vmFails("not running", vm::stop);
        Run run = new Run(vm).until("ready");
        assertEquals(VirtualMachine.STATUS_RUNNING, vm.getStatus());
        Expect.vmFails("not in stopped state", vm::run);
        Expect.vmFails("not in stopped state", () -> vm.setConfig(config));
        Expect.vmFails("not in stopped state", vm::toDescriptor);
        Expect.vmFails("not in stopped state",
                () -> manager.delete("test_vm_life"));
        for (long port : new long[] {-1, 0, 1023, 1L << 32}) {
            Expect.badValue("Bad port " + port, () -> vm.connectVsock(port));
            Expect.badValue("Bad port " + port,
                    () -> vm.connectToVsockServer(port));
        }
        vm.stop();
        run.toEnd();
        manager.delete("test_vm_life");
        assertEquals(VirtualMachine.STATUS_DELETED, vm.getStatus());
        Expect.vmFails("deleted", vm::run);
        checkStates(vm, "deleted");
        Expect.vmFails("deleted", () -> vm.setConfig(config));
        Expect.vmFails("deleted", vm::toDescriptor);
        /* nobody can tell it from one that never was */
        Expect.vmFails("", () -> manager.delete("test_vm_life"));
    }

    @Test
    void bootFailsWhenLowMem() throws Exception {
        /* AVF's test says 20 bytes and seems to mean MiB */
        for (long bytes : new long[] {20, 20 << 20}) {
            VirtualMachine vm = TestVms.create("test_vm_low_mem",
                    TestVms.builder(TestVms.TEST_LIB).setMemoryBytes(bytes)
                            .build());
            Run run = new Run(vm).toEnd();
            assertFalse(run.seen().contains("ready"));
            assertNotEquals(STOP_REASON_SHUTDOWN, run.reason());
        }
    }

    @Test
    @Needs("config_path")
    void bootFailsWhenConfigIsInvalid() throws Exception {
        int sum = TestVms.ask(TestVms.create("test_vm_config", WaitingTests
                .configFile("assets/vm_config.json").build()),
                service -> service.addInteger(37, 73));
        assertEquals(110, sum, "with a valid one it runs");
        for (String file : new String[] {"vm_config_no_task.json",
                "file.txt", "is_not_there.json"}) {
            Run run = new Run(TestVms.create("test_vm_config", WaitingTests
                    .configFile("assets/" + file).build())).toEnd();
            assertFalse(run.seen().contains("started"));
            assertEquals(STOP_REASON_MICRODROID_INVALID_PAYLOAD_CONFIG,
                    run.reason());
        }
    }

    @Test
    void bootFailsWhenBinaryNameIsInvalid() throws Exception {
        Run run = new Run(create("test_vm_invalid", "DoesNotExist.so"))
                .toEnd();
        assertFalse(run.seen().contains("started"));
        assertEquals(STOP_REASON_MICRODROID_UNKNOWN_RUNTIME_ERROR,
                run.reason());
    }

    /** It is started, ends with another code than 0, and the output says
     * why. */
    private static void startedAndFailed(String payload, String text)
            throws Exception {
        VirtualMachine vm = TestVms.create("test_vm_load",
                TestVms.debugBuilder(payload).setVmOutputCaptured(true)
                        .build());
        Run run = new Run(vm).toEnd();
        assertTrue(run.seen().contains("started"));
        assertFalse(run.seen().contains("ready"));
        assertTrue(run.seen().contains("finished"));
        assertNotEquals(0, run.exitCode());
        assertEquals(STOP_REASON_SHUTDOWN, run.reason());
        try (InputStream log = vm.getLogOutput();
                InputStream console = vm.getConsoleOutput()) {
            String output = new String(log.readAllBytes())
                    + new String(console.readAllBytes());
            assertTrue(output.contains(text), output);
        }
    }

    @Test
    void bootFailsWhenBinaryIsMissingEntryFunction() throws Exception {
        startedAndFailed("MicrodroidEmptyNativeLib.so",
                "Failed to find entrypoint");
    }

    @Test
    void bootFailsWhenBinaryTriesToLinkAgainstPrivateLibs()
            throws Exception {
        startedAndFailed("MicrodroidPrivateLinkingNativeLib.so",
                "Failed to dlopen");
    }

    @Test
    void stopAndRestart() throws Exception {
        VirtualMachine vm = create("test_vm_restart", IDLE);
        for (int i = 0; i < 2; i++) {
            Run run = new Run(vm).until("ready");
            vm.stop();
            assertEquals(VirtualMachine.STATUS_STOPPED, vm.getStatus());
            assertEquals(STOP_REASON_SHUTDOWN, run.toEnd().reason());
        }
    }

    @Test
    void vm_crosvmCrash() throws Exception {
        List<ProcessHandle> others =
                ProcessHandle.current().children().toList();
        VirtualMachine vm = create("test_vm_crash", IDLE);
        Run run = new Run(vm).until("started");
        List<ProcessHandle> ours = ProcessHandle.current().children()
                .filter(each -> !others.contains(each)).toList();
        assertEquals(1, ours.size());
        assertTrue(ours.get(0).destroyForcibly());
        assertEquals(STOP_REASON_KILLED, run.toEnd().reason());
        assertEquals(VirtualMachine.STATUS_STOPPED, vm.getStatus());
        new Run(vm).until("started").close();
    }

    private static long availableMiB() throws Exception {
        for (String row : Files.readAllLines(Path.of("/proc/meminfo")))
            if (row.startsWith("MemAvailable"))
                return Long.parseLong(row.replaceAll("\\D", "")) / 1024;
        return 0;
    }

    @Test
    void concurrentVms() throws Exception {
        final int count = 8, mib = 128;
        assumeTrue(count * mib <= availableMiB() / 2,
                "8 VMs are more than half of the memory available");
        List<Run> runs = new ArrayList<>();
        for (int i = 0; i < count; i++)
            runs.add(new Run(create("test_vm" + i, TestVms.TEST_LIB)));
        for (int i = 0; i < count; i++) {
            runs.get(i).until("ready");
            add(manager.get("test_vm" + i), i, 1000);
        }
        for (int i = 0; i < count; i++) {
            assertEquals(VirtualMachine.STATUS_RUNNING,
                    manager.get("test_vm" + i).getStatus());
            runs.get(i).close();
        }
    }

    @Test
    void testHugePages() throws Exception {
        VirtualMachine vm = TestVms.create("test_vm_huge",
                TestVms.debugBuilder(IDLE).setShouldUseHugepages(true)
                        .build());
        new Run(vm).until("started").close();
    }

    @Test
    void testStartVmWithPayloadOfAnotherApp() throws Exception {
        VirtualMachine vm = TestVms.create("test_vm_other",
                TestVms.debugBuilder("libidle.so")
                        .setApkPath(System.getProperty("avf.test.build")
                                + "/libexec/libvirtualization/payloads/"
                                + "idle.avfpkg").build());
        new Run(vm).until("ready").close();
    }

    static VirtualMachineDescriptor parcelled(VirtualMachine vm)
            throws Exception {
        Parcel parcel = Parcel.obtain();
        try (VirtualMachineDescriptor descriptor = vm.toDescriptor()) {
            descriptor.writeToParcel(parcel, 0);
        }
        parcel.setDataPosition(0);
        return VirtualMachineDescriptor.CREATOR.createFromParcel(parcel);
    }

    @Test
    void testVmDescriptorParcelUnparcel_noTrustedStorage() throws Exception {
        VirtualMachine vm = create("test_vm_parcel", TestVms.TEST_LIB);
        VirtualMachine copy = manager.importFromDescriptor(
                "test_vm_unparcelled", parcelled(vm));
        ManagerTests.sameFiles(vm, copy);
        try (Run run = new Run(copy).until("ready")) {
            add(copy, 123, 456);
        }
        manager.delete("test_vm_unparcelled");
    }

    /** The other app is another context, with VMs of its own. */
    @Test
    void testShareVmWithAnotherApp() throws Exception {
        VirtualMachine vm = create("test_vm_share", TestVms.TEST_LIB);
        LinuxContext other = TestVms.newContext();
        VirtualMachine copy = other
                .getSystemService(VirtualMachineManager.class)
                .importFromDescriptor("imported", parcelled(vm));
        assertTrue(copy.getRootDir().toPath()
                .startsWith(other.getDataDir().toPath()));
        try (Run run = new Run(copy).until("ready")) {
            add(copy, 123, 456);
        }
        TestVms.removeTree(other.getDataDir().toPath());
    }
}
