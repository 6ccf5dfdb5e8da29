import android.system.virtualmachine.VirtualMachine;
import android.system.virtualmachine.VirtualMachineCallback;
import android.system.virtualmachine.VirtualMachineConfig;
import android.system.virtualmachine.VirtualMachineException;
import android.system.virtualmachine.VirtualMachineManager;

import avf.LinuxContext;
import avf.RpcSession;

import java.nio.file.Files;
import java.util.concurrent.CountDownLatch;

import org.avf.bench.IBench;

/** PLACE WHAT CALLS: the calls from Java, with aidl's code; see client.c. */
public final class Client {
    private static final int RPC_PORT = 5679;
    private static final int SLICES = 10;
    /* as in place.c: what, size, threads, one of so many calls */
    private static final String[] NAMES = {"add", "4k", "4k_4_threads", "64k",
            "64k_4_threads"};
    private static final int[][] WORKS = {{0, 1, 1}, {4096, 1, 2},
            {4096, 4, 2}, {65536, 1, 10}, {65536, 4, 10}};

    private Client() {}

    private static final class Ready implements VirtualMachineCallback {
        final CountDownLatch ready = new CountDownLatch(1);

        @Override
        public void onPayloadStarted(VirtualMachine vm) {}

        @Override
        public void onPayloadReady(VirtualMachine vm) {
            ready.countDown();
        }

        @Override
        public void onPayloadFinished(VirtualMachine vm, int code) {}

        @Override
        public void onError(VirtualMachine vm, int code, String text) {}

        @Override
        public void onStopped(VirtualMachine vm, int reason) {
            if (ready.getCount() > 0)
                System.exit(1);
        }
    }

    private static VirtualMachine start(String place, String apk)
            throws Exception {
        LinuxContext context = new LinuxContext(
                Files.createTempDirectory("bench").toFile());
        VirtualMachine vm = context.getSystemService(
                VirtualMachineManager.class).create("bench",
                new VirtualMachineConfig.Builder(context).setApkPath(apk)
                        .setPayloadBinaryName("libbench_rpc.so")
                        .setProtectedVm(false)
                        .setAcceleration(place.equals("kvm")
                                ? VirtualMachineConfig.ACCELERATION_KVM
                                : VirtualMachineConfig.ACCELERATION_EMULATION)
                        .build());
        Ready ready = new Ready();
        vm.setCallback(Runnable::run, ready);
        vm.run();
        ready.ready.await();
        return vm;
    }

    private static int dial(VirtualMachine vm) {
        try {
            return vm.connectVsock(RPC_PORT).detachFd();
        } catch (VirtualMachineException e) {
            throw new IllegalStateException(e);
        }
    }

    private static void run(IBench bench, byte[] data, int n) {
        try {
            for (int i = 0; i < n; i++)
                if (data.length == 0 ? bench.add(123, 321) != 444
                        : bench.take(data) != data.length)
                    throw new AssertionError("a wrong result");
        } catch (android.os.RemoteException e) {
            throw new AssertionError(e);
        }
    }

    private static double measure(IBench bench, int size, int threads,
            int count) throws InterruptedException {
        byte[] data = new byte[size];
        run(bench, data, 10);
        Thread[] all = new Thread[threads];
        for (int i = 0; i < threads; i++)
            all[i] = new Thread(() -> run(bench, data, count / threads));
        long start = System.nanoTime();
        for (Thread each : all)
            each.start();
        for (Thread each : all)
            each.join();
        return (System.nanoTime() - start) / 1e3
                / (count / threads * threads);
    }

    public static void main(String[] args) throws Exception {
        int calls = Integer.parseInt(args[2]);
        boolean unix = args[0].equals("unix");
        VirtualMachine vm = unix ? null : start(args[0], args[1]);
        RpcSession session = new RpcSession(0, false);
        IBench bench = IBench.Stub.asInterface(unix
                ? session.connectUnix(args[1] + "/rpc")
                : session.connect(() -> dial(vm)));
        for (int i = 0; i < WORKS.length * SLICES; i++) {
            int[] work = WORKS[i / SLICES];
            double us = measure(bench, work[0], work[1],
                    Math.max(calls / SLICES / work[2], work[1]));
            System.out.printf("sample rpc.%s.java.%s us %.3f%n", args[0],
                    NAMES[i / SLICES], us);
        }
        if (vm != null)
            vm.stop();
        System.exit(0);
    }
}
