import android.system.virtualmachine.VirtualMachine;
import android.system.virtualmachine.VirtualMachineConfig;
import android.system.virtualmachine.VirtualMachineManager;

import avf.LinuxContext;

import com.android.microdroid.testservice.ITestService;

import java.io.ByteArrayOutputStream;
import java.io.File;
import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;

/** VMs of the test payload, and one that runs for all tests of the guest. */
final class TestVms {
    static final String TEST_LIB = "MicrodroidTestNativeLib.so";
    static final String PACKAGE =
            System.getProperty("avf.test.build") + "/tests/avf/test.avfpkg";
    static final boolean EMULATED =
            System.getenv("AVF_TEST_EMULATED") != null;

    private static LinuxContext context;
    private static Run sharedRun;
    private static VirtualMachine sharedVm;
    private static ITestService sharedService;

    private TestVms() {}

    /** Why nothing can run here, or null. */
    static String missing() {
        if (System.getenv("AVF_GUEST_IMAGE") == null)
            return "AVF_GUEST_IMAGE names no guest image";
        if (!new File(PACKAGE).exists())
            return PACKAGE + " was not built: mkfs.erofs is missing";
        return null;
    }

    static synchronized LinuxContext context() {
        if (context == null)
            context = newContext();
        return context;
    }

    /** Another app's context: VMs of its own, in another directory. */
    static LinuxContext newContext() {
        try {
            return new LinuxContext(
                    Files.createTempDirectory("avf-java").toFile());
        } catch (IOException e) {
            throw new AssertionError(e);
        }
    }

    static VirtualMachineManager manager() {
        return context().getSystemService(VirtualMachineManager.class);
    }

    /** null: a config file will name it. */
    static VirtualMachineConfig.Builder builder(String payload) {
        VirtualMachineConfig.Builder b =
                new VirtualMachineConfig.Builder(context())
                        .setApkPath(PACKAGE).setMemoryBytes(128L << 20)
                        .setProtectedVm(false);
        if (payload != null)
            b.setPayloadBinaryName(payload);
        return EMULATED ? b.setAcceleration(
                VirtualMachineConfig.ACCELERATION_EMULATION) : b;
    }

    static VirtualMachineConfig.Builder debugBuilder(String payload) {
        return builder(payload)
                .setDebugLevel(VirtualMachineConfig.DEBUG_LEVEL_FULL);
    }

    /** A new VM; one of that name is deleted before. */
    static VirtualMachine create(String name, VirtualMachineConfig config)
            throws Exception {
        if (manager().get(name) != null)
            manager().delete(name);
        return manager().create(name, config);
    }

    /** What the payload of a VM that is ready can be asked. */
    static ITestService service(VirtualMachine vm) throws Exception {
        return ITestService.Stub.asInterface(
                vm.connectToVsockServer(ITestService.PORT));
    }

    /** A question to the service. */
    interface Question<T> {
        T ask(ITestService service) throws Exception;
    }

    /** What the service answers, in a run of its own. */
    static <T> T ask(VirtualMachine vm, Question<T> question)
            throws Exception {
        try (Run run = new Run(vm).until("ready")) {
            return question.ask(service(vm));
        }
    }

    /** The service of a VM that runs for all tests that only look. */
    static synchronized ITestService guest() throws Exception {
        if (sharedService == null) {
            sharedVm = create("test_vm", debugBuilder(TEST_LIB)
                    .setVmOutputCaptured(true)
                    .setVmConsoleInputSupported(true).build());
            sharedRun = new Run(sharedVm).until("ready");
            sharedService = service(sharedVm);
        }
        return sharedService;
    }

    static void write(OutputStream out, String text) throws IOException {
        out.write(text.getBytes(StandardCharsets.UTF_8));
    }

    /** Without its LF. */
    static String readLine(InputStream in) throws IOException {
        ByteArrayOutputStream line = new ByteArrayOutputStream();
        for (int c; (c = in.read()) != '\n'; line.write(c))
            if (c < 0)
                throw new IOException("the stream ends in a line");
        return line.toString(StandardCharsets.UTF_8);
    }

    static VirtualMachine guestVm() {
        return sharedVm;
    }

    static void end() {
        if (sharedRun != null)
            sharedRun.close();
        if (context != null)
            removeTree(context.getDataDir().toPath());
    }

    static void removeTree(Path root) {
        File[] inside = root.toFile().listFiles();
        if (inside != null && !Files.isSymbolicLink(root))
            for (File each : inside)
                removeTree(each.toPath());
        root.toFile().delete();
    }
}
