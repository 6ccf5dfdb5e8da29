import android.os.ParcelFileDescriptor;
import android.system.virtualmachine.VirtualMachine;
import android.system.virtualmachine.VirtualMachineCallback;
import android.system.virtualmachine.VirtualMachineConfig;
import android.system.virtualmachine.VirtualMachineCustomImageConfig;
import android.system.virtualmachine.VirtualMachineManager;

import avf.LinuxContext;

import java.io.BufferedReader;
import java.io.File;
import java.io.InputStreamReader;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;

/** What goes wrong around a VM: its VMM is killed at any moment, callbacks
 * throw, the JVM ends in any way, many VMs run at once, again and again. */
public class TestFaults {
    private static final int PATIENCE_S = 60;

    private static String guests;
    private static LinuxContext context;
    private static VirtualMachineManager manager;

    private static VirtualMachine create(String name, String guest)
            throws Exception {
        return manager.create(name,
                new VirtualMachineConfig.Builder(context)
                .setProtectedVm(false).setMemoryBytes(16 << 20)
                .setCustomImageConfig(
                        new VirtualMachineCustomImageConfig.Builder()
                        .setKernelPath(Check.guest(guests, guest)).build())
                .build());
    }

    private static List<ProcessHandle> vmms() {
        return ProcessHandle.current().children()
                .filter(p -> p.info().command().orElse("")
                        .endsWith("avf-vmm")).toList();
    }

    /** The moments go from the start of the process to a running guest. */
    private static void killedAtAnyMoment() throws Exception {
        VirtualMachine vm = create("kill", "spin");
        Stops stops = Stops.of(vm);
        for (int i = 0; i < 60; i++) {
            vm.run();
            List<ProcessHandle> vmm = ProcessHandle.current().children()
                    .toList();
            Check.equal(1, vmm.size());
            long end = System.nanoTime() + i * 500_000L;
            while (System.nanoTime() < end)
                Thread.onSpinWait();
            vmm.get(0).destroyForcibly();
            stops.next();
            Check.equal(VirtualMachine.STATUS_STOPPED, vm.getStatus());
        }
        Check.that(stops.reasons.isEmpty(), "once per run");
        manager.delete("kill");
        VirtualMachine good = create("good", "hello");
        Stops after = Stops.of(good);
        good.run();
        Check.equal(VirtualMachineCallback.STOP_REASON_SHUTDOWN,
                after.next());
        manager.delete("good");
    }

    /** On the thread of the events, in the application's own code. */
    private static void throwingCallbacks() throws Exception {
        VirtualMachine vm = create("throw", "hello");
        AtomicInteger stops = new AtomicInteger();
        BlockingQueue<Throwable> seen = new LinkedBlockingQueue<>();
        Thread.setDefaultUncaughtExceptionHandler((t, e) -> seen.add(e));
        for (Throwable thrown : new Throwable[] {
                new IllegalStateException("on purpose"),
                new StackOverflowError("on purpose")}) {
            vm.setCallback(Runnable::run, new Stops() {
                @Override
                public void onStopped(VirtualMachine vm, int reason) {
                    stops.incrementAndGet();
                    if (thrown instanceof RuntimeException e)
                        throw e;
                    throw (Error) thrown;
                }
            });
            vm.run();
            Check.equal(thrown, seen.poll(PATIENCE_S, TimeUnit.SECONDS));
            Check.equal(VirtualMachine.STATUS_STOPPED, vm.getStatus());
        }
        Thread.setDefaultUncaughtExceptionHandler(null);
        Check.equal(2, stops.get());
        Stops good = Stops.of(vm);
        vm.run();
        Check.equal(VirtualMachineCallback.STOP_REASON_SHUTDOWN,
                good.next());
        manager.delete("throw");
    }

    private static void eightAtOnce() throws Exception {
        List<VirtualMachine> vms = new ArrayList<>();
        List<Stops> stops = new ArrayList<>();
        List<ParcelFileDescriptor> channels = new ArrayList<>();
        for (int i = 0; i < 8; i++) {
            VirtualMachine vm = create("vm" + i, "vsock");
            vms.add(vm);
            stops.add(Stops.of(vm));
            vm.run();
        }
        for (int i = 0; i < 8; i++)
            channels.add(vms.get(i).connectVsock(5678));
        Check.equal(8, vmms().size());
        for (int i = 0; i < 8; i++) {
            var out = new ParcelFileDescriptor.AutoCloseOutputStream(
                    channels.get(i));
            var in = new ParcelFileDescriptor.AutoCloseInputStream(
                    channels.get(i));
            byte[] word = ("I am number " + i).getBytes();
            out.write(word);
            Check.that(Arrays.equals(word, in.readNBytes(word.length)),
                    "the echo of " + i);
            out.close();
        }
        for (int i = 0; i < 8; i++) {
            Check.equal(VirtualMachineCallback.STOP_REASON_SHUTDOWN,
                    stops.get(i).next());
            Check.that(stops.get(i).reasons.isEmpty(), "once");
            manager.delete("vm" + i);
        }
    }

    /* --- nothing grows --- */

    private static int count(String dir) {
        return new File(dir).list().length;
    }

    private static long rssKib() throws Exception {
        for (String line : Files.readAllLines(Path.of("/proc/self/status")))
            if (line.startsWith("VmRSS:"))
                return Long.parseLong(line.replaceAll("\\D", ""));
        throw new AssertionError("no VmRSS");
    }

    /** From the end of the warm-up on. The JVM goes on compiling for a while,
     * for which this allows a few threads and KiB per round. */
    private static void rounds(int n, int warmUp, Check.Body once)
            throws Exception {
        for (int i = 0; i < warmUp; i++)
            once.run();
        System.gc();
        long rss = rssKib(); /* opens a socket of the JVM's own */
        List<String> fds = Check.openFiles();
        int threads = Thread.activeCount();
        int tasks = count("/proc/self/task");
        for (int i = 0; i < n; i++)
            once.run();
        System.gc();
        Check.equal(fds, Check.openFiles());
        Check.equal(threads, Thread.activeCount());
        Check.that(count("/proc/self/task") <= tasks + 4, "tasks grow");
        Check.equal(0L, ProcessHandle.current().children().count());
        long grown = rssKib() - rss;
        System.out.println("    " + n + " rounds: " + grown + " KiB more");
        Check.that(grown < 4096, "memory grows by " + grown + " KiB");
    }

    private static void runs() throws Exception {
        VirtualMachine vm = create("rounds", "spin");
        Stops stops = Stops.of(vm);
        rounds(200, 100, () -> {
            vm.run();
            vm.stop();
            Check.equal(VirtualMachineCallback.STOP_REASON_KILLED,
                    stops.next());
        });
        manager.delete("rounds");
    }

    private static void names() throws Exception {
        rounds(1000, 500, () -> {
            create("round", "spin");
            manager.delete("round");
        });
    }

    /* --- the end of the JVM --- */

    /** What a JVM of its own does: two VMs, their pids, its end. */
    private static void end(String how) throws Exception {
        for (int i = 0; i < 2; i++) {
            VirtualMachine vm = create("vm" + i, "spin");
            Stops.of(vm);
            vm.run();
        }
        StringBuilder pids = new StringBuilder();
        ProcessHandle.current().children().forEach(
                p -> pids.append(p.pid()).append(' '));
        System.out.println(pids);
        switch (how) {
        case "exit" -> System.exit(3);
        case "halt" -> Runtime.getRuntime().halt(3);
        case "throw" -> throw new IllegalStateException("on purpose");
        case "kill" -> new CountDownLatch(1).await();
        default -> { }
        }
    }

    private static boolean isGone(long pid) {
        try {
            /* a zombie is for init to reap */
            return Files.readString(Path.of("/proc/" + pid + "/stat"))
                    .contains(") Z");
        } catch (java.io.IOException e) {
            return true;
        }
    }

    private static void endsWith(String how) throws Exception {
        Path dir = Files.createTempDirectory("avf-java");
        Process process = new ProcessBuilder(
                System.getProperty("java.home") + "/bin/java", "-cp",
                System.getProperty("java.class.path"), "TestFaults", guests,
                how, dir.toString())
                .redirectError(ProcessBuilder.Redirect.DISCARD).start();
        String line = new BufferedReader(new InputStreamReader(
                process.getInputStream())).readLine();
        if (how.equals("kill"))
            process.destroyForcibly();
        process.waitFor();
        String[] pids = line.trim().split(" ");
        Check.equal(2, pids.length);
        for (String pid : pids) {
            long end = System.nanoTime() + PATIENCE_S * 1_000_000_000L;
            while (!isGone(Long.parseLong(pid))) {
                Check.that(System.nanoTime() < end, "it runs on");
                Thread.sleep(10);
            }
        }
        Check.removeTree(dir.toFile());
    }

    /** Arguments: directory of the bare guests; or that, how to end, and the
     * directory for the VMs. */
    public static void main(String[] args) throws Exception {
        guests = args[0];
        /* thousands of files, each synced: not on a disk */
        Path shm = Path.of("/dev/shm");
        Path dir = args.length > 1 ? Path.of(args[2])
                : Files.isDirectory(shm)
                ? Files.createTempDirectory(shm, "avf-java")
                : Files.createTempDirectory("avf-java");
        context = new LinuxContext(dir.toFile());
        manager = context.getSystemService(VirtualMachineManager.class);
        if (args.length > 1) {
            end(args[1]);
            return;
        }
        Check.test("faults.1000_names", TestFaults::names);
        if (new File("/dev/kvm").canWrite())
            withKvm();
        else
            System.out.println("skip faults.kvm: /dev/kvm cannot be opened");
        Check.removeTree(dir.toFile());
        Check.end();
    }

    private static void withKvm() {
        Check.test("faults.killed_at_any_moment",
                TestFaults::killedAtAnyMoment);
        Check.test("faults.throwing_callbacks",
                TestFaults::throwingCallbacks);
        Check.test("faults.eight_at_once", TestFaults::eightAtOnce);
        Check.test("faults.200_runs", TestFaults::runs);
        for (String how : new String[] {"return", "exit", "halt", "throw",
                "kill"})
            Check.test("faults.end_" + how, () -> endsWith(how));
    }
}
