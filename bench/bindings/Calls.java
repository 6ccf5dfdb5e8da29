import android.system.virtualmachine.VirtualMachine;
import android.system.virtualmachine.VirtualMachineCallback;
import android.system.virtualmachine.VirtualMachineConfig;
import android.system.virtualmachine.VirtualMachineCustomImageConfig;
import android.system.virtualmachine.VirtualMachineException;
import android.system.virtualmachine.VirtualMachineManager;

import avf.LinuxContext;
import avf.internal.EventRecord;
import avf.internal.Native;

import java.io.File;
import java.lang.reflect.Field;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.concurrent.CountDownLatch;

/** The Java side of bench/bindings.sh; see calls.c. */
public class Calls {
    private static final int N_STATUS = 200000;
    private static LinuxContext context;
    private static VirtualMachineManager manager;

    private static void sample(String name, double value) {
        System.out.printf("sample %s us %.3f%n", name, value);
    }

    private static VirtualMachine vmOf(String dir, String name)
            throws Exception {
        return manager.create(name, new VirtualMachineConfig.Builder(context)
                .setProtectedVm(false).setMemoryBytes(16 << 20)
                .setCustomImageConfig(
                        new VirtualMachineCustomImageConfig.Builder()
                        .setName(name)
                        .setKernelPath(dir + "/vsock.elf").build()).build());
    }

    private static void calls(String dir, int n) throws Exception {
        for (int i = 0; i < n; i++) {
            long[] made = new long[1];
            long start = System.nanoTime();
            Native.avf_probe_new(made); /* the manager asks only once */
            sample("probe", (System.nanoTime() - start) / 1e3);
            Native.avf_probe_free(made[0]);
        }
        VirtualMachine vm = vmOf(dir, "calls");
        vm.run();
        for (int i = 0; i < 2; i++) {
            long start = System.nanoTime();
            for (int k = 0; k < N_STATUS; k++)
                vm.getStatus();
            if (i > 0) /* compiled by now */
                sample("status", (System.nanoTime() - start) / 1e3
                        / N_STATUS);
        }
        for (int i = 0; i < n; i++) {
            long start = System.nanoTime();
            try {
                vm.connectVsock(4444);
            } catch (VirtualMachineException e) {
                sample("connect", (System.nanoTime() - start) / 1e3);
            }
        }
        vm.close();
    }

    /** What the callback is not told: when the VMM saw it. */
    private static long timeOf(VirtualMachine vm) {
        try {
            Field field = VirtualMachine.class.getDeclaredField("event");
            field.setAccessible(true);
            return ((EventRecord) field.get(vm)).timeNs;
        } catch (ReflectiveOperationException e) {
            throw new IllegalStateException(e);
        }
    }

    private static void events(String dir, int n) throws Exception {
        VirtualMachine vm = vmOf(dir, "payload");
        CountDownLatch[] stopped = new CountDownLatch[1];
        vm.setCallback(Runnable::run, new VirtualMachineCallback() {
            @Override
            public void onPayloadStarted(VirtualMachine vm) {}

            @Override
            public void onPayloadReady(VirtualMachine vm) {
                long now = System.nanoTime();
                sample("event", (now - timeOf(vm)) / 1e3);
            }

            @Override
            public void onPayloadFinished(VirtualMachine vm, int code) {}

            @Override
            public void onError(VirtualMachine vm, int code, String text) {}

            @Override
            public void onStopped(VirtualMachine vm, int reason) {
                stopped[0].countDown();
            }
        });
        for (int i = 0; i < n; i++) {
            stopped[0] = new CountDownLatch(1);
            vm.run();
            stopped[0].await();
            while (vm.getStatus() == VirtualMachine.STATUS_RUNNING)
                Thread.onSpinWait();
        }
    }

    private static long rssKib() throws Exception {
        for (String line : Files.readAllLines(Path.of("/proc/self/status")))
            if (line.startsWith("VmRSS:"))
                return Long.parseLong(line.replaceAll("\\D", ""));
        throw new IllegalStateException("no VmRSS");
    }

    private static void load() throws Exception {
        long rss = rssKib(), start = System.nanoTime();
        Native.avf_version();
        sample("load", (System.nanoTime() - start) / 1e3);
        context = new LinuxContext(new File(System.getProperty("avf.dir")));
        manager = context.getSystemService(VirtualMachineManager.class);
        sample("load+manager", (System.nanoTime() - start) / 1e3);
        System.out.printf("sample load KiB %d%n", rssKib() - rss);
    }

    /** Arguments: as calls.c has them; -Davf.dir is for the VMs. */
    public static void main(String[] args) throws Exception {
        load();
        if (args[0].equals("calls"))
            calls(args[1], Integer.parseInt(args[2]));
        else if (args[0].equals("events"))
            events(args[1], Integer.parseInt(args[2]));
    }
}
