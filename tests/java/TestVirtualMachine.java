import android.os.BadParcelableException;
import android.os.Parcel;
import android.os.ParcelFileDescriptor;
import android.system.virtualmachine.VirtualMachine;
import android.system.virtualmachine.VirtualMachineCallback;
import android.system.virtualmachine.VirtualMachineConfig;
import android.system.virtualmachine.VirtualMachineCustomImageConfig;
import android.system.virtualmachine.VirtualMachineDescriptor;
import android.system.virtualmachine.VirtualMachineException;
import android.system.virtualmachine.VirtualMachineManager;

import avf.LinuxContext;

import java.io.File;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.Executor;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.TimeUnit;

/** Named VMs, and bare guests on this host's KVM. */
public class TestVirtualMachine {
    private static String guests;
    private static LinuxContext context;
    private static VirtualMachineManager manager;

    private static VirtualMachineConfig.Builder config(String guest) {
        return new VirtualMachineConfig.Builder(context)
                .setProtectedVm(false).setMemoryBytes(16 << 20)
                .setCustomImageConfig(
                        new VirtualMachineCustomImageConfig.Builder()
                                .setKernelPath(Check.guest(guests, guest))
                                .addParam("say.this=1").build());
    }

    private static VirtualMachineException fails(String text,
            Check.Body body) {
        return Check.fails(VirtualMachineException.class, text, body);
    }

    private static void named() throws Exception {
        VirtualMachine vm = manager.create("one", config("hello").build());
        Check.equal("one", vm.getName());
        Check.equal(VirtualMachine.STATUS_STOPPED, vm.getStatus());
        Check.that(vm.getRootDir().isDirectory(), "getRootDir");
        Check.that(manager.get("one") == vm, "one object per name");
        Check.that(manager.getOrCreate("one", config("spin").build()) == vm,
                "getOrCreate finds it");
        manager.testOnlyClearCache();
        VirtualMachine again = manager.get("one");
        Check.that(again != vm && again.getRootDir().equals(vm.getRootDir()),
                "another object of the same VM");
        Check.equal(null, manager.get("none"));
        Check.equal(VirtualMachineException.CODE_NAME_ALREADY_EXISTS,
                fails("virtual machine already exists", () -> manager
                        .create("one", config("hello").build())).getCode());
        for (String name : new String[] {"a/b", ".", ".."})
            Check.fails(IllegalArgumentException.class,
                    "Invalid VM name: " + name, () -> manager.get(name));
        manager.delete("one");
        Check.equal(VirtualMachine.STATUS_DELETED, vm.getStatus());
        fails("VM has been deleted", vm::run);
        fails("", () -> manager.delete("one"));
    }

    private static void configured() throws Exception {
        VirtualMachine vm = manager.create("conf", config("hello").build());
        VirtualMachineConfig got = vm.getConfig();
        Check.equal(16L << 20, got.getMemoryBytes());
        Check.equal(Check.guest(guests, "hello"),
                got.getCustomImageConfig().getKernelPath());
        Check.equal(16L << 20, vm.setConfig(config("hello")
                .setMemoryBytes(32 << 20).build()).getMemoryBytes());
        Check.equal(32L << 20, vm.getConfig().getMemoryBytes());
        Check.equal(VirtualMachineException.CODE_CONFIG_INCOMPATIBLE,
                fails("incompatible config", () -> vm.setConfig(
                        config("hello").setDebugLevel(1).build())).getCode());
        manager.delete("conf");
    }

    private static void descriptor() throws Exception {
        VirtualMachine vm = manager.create("desc", config("hello").build());
        Parcel parcel = Parcel.obtain();
        try (VirtualMachineDescriptor descriptor = vm.toDescriptor()) {
            descriptor.writeToParcel(parcel, 0);
        }
        parcel.setDataPosition(0);
        VirtualMachineDescriptor read = VirtualMachineDescriptor.CREATOR
                .createFromParcel(parcel);
        VirtualMachine copy = manager.importFromDescriptor("copy", read);
        Check.equal(16L << 20, copy.getConfig().getMemoryBytes());
        Check.fails(IllegalStateException.class, "Descriptor has been closed",
                () -> read.writeToParcel(parcel, 0));
        manager.delete("desc");
        manager.delete("copy");
    }

    /** Descriptors that another process may have made of anything. */
    private static void wrongDescriptors() throws Exception {
        VirtualMachine vm = manager.create("right", config("hello").build());
        List<String> before = Check.openFiles();
        /* each of the three files in the place of each other one */
        for (int wrong = 0; wrong < 3; wrong++) {
            Parcel good = Parcel.obtain(), bad = Parcel.obtain();
            try (VirtualMachineDescriptor descriptor = vm.toDescriptor()) {
                descriptor.writeToParcel(good, 0);
            }
            good.setDataPosition(0);
            ParcelFileDescriptor[] files = new ParcelFileDescriptor[4];
            for (int i = 0; i < 4; i++)
                files[i] = good.readParcelFileDescriptor();
            for (int i = 0; i < 4; i++)
                bad.writeParcelFileDescriptor(
                        files[i == wrong ? (wrong + 1) % 3 : i]);
            for (ParcelFileDescriptor file : files)
                file.close();
            bad.setDataPosition(0);
            VirtualMachineDescriptor read =
                    VirtualMachineDescriptor.CREATOR.createFromParcel(bad);
            fails("", () -> manager.importFromDescriptor("wrong", read));
            Check.fails(IllegalStateException.class, "closed",
                    () -> read.writeToParcel(bad, 0));
            Check.equal(null, manager.get("wrong"));
            good.recycle();
            bad.recycle();
            Check.equal(before, Check.openFiles());
        }
        Parcel empty = Parcel.obtain();
        Check.fails(BadParcelableException.class, "NOT_ENOUGH_DATA", () ->
                VirtualMachineDescriptor.CREATOR.createFromParcel(empty));
        for (int i = 0; i < 4; i++)
            empty.writeParcelFileDescriptor(ParcelFileDescriptor.adoptFd(-1));
        empty.setDataPosition(0);
        Check.fails(IllegalArgumentException.class, "descriptor", () ->
                VirtualMachineDescriptor.CREATOR.createFromParcel(empty));
        Check.equal(before, Check.openFiles());
        manager.delete("right");
    }

    private static void ends(String guest, int reason) throws Exception {
        VirtualMachine vm = manager.create(guest, config(guest).build());
        Stops stops = Stops.of(vm);
        for (int i = 0; i < 2; i++) {
            vm.run();
            Check.equal(reason, stops.next());
            Check.equal(VirtualMachine.STATUS_STOPPED, vm.getStatus());
        }
        Check.that(stops.reasons.isEmpty(), "onStopped once per run");
        manager.delete(guest);
    }

    private static void states() throws Exception {
        VirtualMachine vm = manager.create("spin", config("spin").build());
        Stops stops = Stops.of(vm);
        fails("VM is not running", vm::stop);
        fails("VM is not in running state", () -> vm.connectVsock(5678));
        fails("Capturing vm outputs is turned off", vm::getConsoleOutput);
        fails("VM console input is not supported", vm::getConsoleInput);
        vm.run();
        Check.equal(VirtualMachine.STATUS_RUNNING, vm.getStatus());
        fails("VM is not in stopped state", vm::run);
        fails("VM is not in stopped state", vm::toDescriptor);
        fails("VM is not in stopped state", () -> manager.delete("spin"));
        for (long port : new long[] {-1, 0, 1023, 1L << 32})
            Check.fails(IllegalArgumentException.class, "Bad port " + port,
                    () -> vm.connectVsock(port));
        vm.stop();
        Check.equal(VirtualMachine.STATUS_STOPPED, vm.getStatus());
        Check.equal(VirtualMachineCallback.STOP_REASON_KILLED, stops.next());
        vm.close();
        manager.delete("spin");
    }

    private static void console() throws Exception {
        VirtualMachine vm = manager.create("con", config("hello")
                .setDebugLevel(VirtualMachineConfig.DEBUG_LEVEL_FULL)
                .setVmOutputCaptured(true).build());
        vm.run();
        try (var in = vm.getConsoleOutput()) {
            Check.that(new String(in.readAllBytes()).contains("say.this=1"),
                    "the guest was heard");
        }
        vm.close();
        manager.delete("con");
    }

    private static void vsock() throws Exception {
        VirtualMachine vm = manager.create("vsock", config("vsock").build());
        Stops stops = Stops.of(vm);
        vm.run();
        ParcelFileDescriptor channel = vm.connectVsock(5678);
        var out = new ParcelFileDescriptor.AutoCloseOutputStream(channel);
        var in = new ParcelFileDescriptor.AutoCloseInputStream(channel);
        out.write("hello".getBytes());
        Check.equal("hello", new String(in.readNBytes(5)));
        in.close();
        out.close();
        Check.fails(IllegalStateException.class, "closed", channel::getFd);
        Check.equal(VirtualMachineCallback.STOP_REASON_SHUTDOWN,
                stops.next());
        manager.delete("vsock");
    }

    private static void throwing() throws Exception {
        VirtualMachine vm = manager.create("throw", config("hello").build());
        BlockingQueue<Thread> threads = new LinkedBlockingQueue<>();
        Executor bad = command -> {
            threads.add(Thread.currentThread());
            throw new IllegalStateException("on purpose");
        };
        Thread.setDefaultUncaughtExceptionHandler((t, e) -> { });
        vm.setCallback(bad, new Stops());
        vm.run();
        Thread thread = threads.poll(30, TimeUnit.SECONDS);
        Check.that(thread != null && thread.isDaemon(), "a daemon thread");
        thread.join(30000);
        Thread.setDefaultUncaughtExceptionHandler(null);
        Stops stops = Stops.of(vm);
        vm.run();
        Check.equal(VirtualMachineCallback.STOP_REASON_SHUTDOWN,
                stops.next());
        manager.delete("throw");
    }

    private static int count(String dir) {
        return new File(dir).list().length;
    }

    private static void rounds() throws Exception {
        VirtualMachine vm = manager.create("rounds", config("spin").build());
        for (int i = 0; i < 5; i++) {
            vm.run();
            vm.stop();
        }
        int fds = Check.openFiles().size(), tasks = count("/proc/self/task");
        /* an emulated CPU takes its time */
        int n = System.getenv("AVF_LAB") == null ? 50 : 5;
        for (int i = 0; i < n; i++) {
            vm.run();
            vm.stop();
        }
        Check.that(Check.openFiles().size() <= fds, "fds grow");
        /* the JVM starts compiler threads as it likes */
        Check.that(count("/proc/self/task") <= tasks + 4, "threads grow");
        manager.delete("rounds");
    }

    private static void example(String source) throws Exception {
        Process process = new ProcessBuilder(
                System.getProperty("java.home") + "/bin/java", "-cp",
                System.getProperty("java.class.path"), source)
                .redirectErrorStream(true).start();
        String out = new String(process.getInputStream().readAllBytes());
        Check.equal(0, process.waitFor());
        Check.that(out.contains("capabilities: "
                + manager.getCapabilities()), out);
    }

    private static void missingLibrary() throws Exception {
        Process process = new ProcessBuilder(
                System.getProperty("java.home") + "/bin/java", "-cp",
                System.getProperty("java.class.path"),
                "-Davf.library.path=/nowhere", "TestConfig")
                .redirectErrorStream(true).start();
        String out = new String(process.getInputStream().readAllBytes());
        Check.that(process.waitFor() != 0, "it fails");
        Check.that(out.contains("libavf_jni.so is neither in [/nowhere]"),
                out);
    }

    /** Arguments: directory of the bare guests, directory of examples; without
     * the second, nothing that needs a JVM of its own. */
    public static void main(String[] args) throws Exception {
        guests = args[0];
        Path dir = Files.createTempDirectory("avf-java");
        context = new LinuxContext(dir.toFile());
        manager = context.getSystemService(VirtualMachineManager.class);
        Check.test("vm.named", TestVirtualMachine::named);
        Check.test("vm.config", TestVirtualMachine::configured);
        Check.test("vm.descriptor", TestVirtualMachine::descriptor);
        Check.test("vm.wrong_descriptors",
                TestVirtualMachine::wrongDescriptors);
        if (args.length > 1) {
            Check.test("vm.example", () -> example(
                    args[1] + "/HostCapabilities.java"));
            Check.test("vm.missing_library",
                    TestVirtualMachine::missingLibrary);
        }
        if (new File("/dev/kvm").canWrite())
            runs();
        else
            System.out.println("skip vm.runs: /dev/kvm cannot be opened");
        Check.test("vm.nothing_left", () ->
                Check.equal(0, count(dir + "/vm")));
        Check.removeTree(dir.toFile());
        Check.end();
    }

    private static void crashes() throws Exception {
        if (!new File(Check.guest(guests, "triple")).exists())
            throw new Check.Skip("this architecture has no triple fault");
        ends("triple", VirtualMachineCallback.STOP_REASON_CRASH);
    }

    private static void runs() {
        Check.test("vm.shutdown", () -> ends("hello",
                VirtualMachineCallback.STOP_REASON_SHUTDOWN));
        Check.test("vm.reboot", () -> ends("reset",
                VirtualMachineCallback.STOP_REASON_REBOOT));
        Check.test("vm.crash", TestVirtualMachine::crashes);
        Check.test("vm.states", TestVirtualMachine::states);
        Check.test("vm.console", TestVirtualMachine::console);
        Check.test("vm.vsock", TestVirtualMachine::vsock);
        Check.test("vm.callback_throws", TestVirtualMachine::throwing);
        Check.test("vm.fifty_rounds", TestVirtualMachine::rounds);
    }
}
