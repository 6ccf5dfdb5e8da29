import android.os.ParcelFileDescriptor;
import android.system.virtualmachine.VirtualMachine;
import android.system.virtualmachine.VirtualMachineCallback;
import android.system.virtualmachine.VirtualMachineConfig;
import android.system.virtualmachine.VirtualMachineManager;

import avf.LinuxContext;

import java.io.File;
import java.nio.file.Files;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.TimeUnit;

/** A payload in the microguest under emulation: every callback, a channel. */
public class TestPayload {
    private static final class Log implements VirtualMachineCallback {
        final List<String> seen = new ArrayList<>();
        final CountDownLatch ready = new CountDownLatch(1);
        final CountDownLatch stopped = new CountDownLatch(1);

        @Override
        public void onPayloadStarted(VirtualMachine vm) {
            seen.add("started");
        }

        @Override
        public void onPayloadReady(VirtualMachine vm) {
            seen.add("ready");
            ready.countDown();
        }

        @Override
        public void onPayloadFinished(VirtualMachine vm, int exitCode) {
            seen.add("finished " + exitCode);
        }

        @Override
        public void onError(VirtualMachine vm, int code, String message) {
            seen.add("error " + message);
        }

        @Override
        public void onStopped(VirtualMachine vm, int reason) {
            seen.add("stopped " + reason);
            stopped.countDown();
            ready.countDown();
        }
    }

    private static void echo(String apk) throws Exception {
        if (!new File(apk).exists() || System.getenv("AVF_GUEST_IMAGE")
                == null)
            throw new Check.Skip("no package of the tests, or no guest image");
        LinuxContext context = new LinuxContext(
                Files.createTempDirectory("avf-java").toFile());
        VirtualMachineManager manager =
                context.getSystemService(VirtualMachineManager.class);
        VirtualMachine vm = manager.create("echo",
                new VirtualMachineConfig.Builder(context).setApkPath(apk)
                        .setPayloadBinaryName("libecho.so")
                        .setProtectedVm(false)
                        .setAcceleration(
                                VirtualMachineConfig.ACCELERATION_EMULATION)
                        .build());
        ExecutorService executor = Executors.newSingleThreadExecutor();
        Log log = new Log();
        vm.setCallback(executor, log);
        vm.run();
        log.ready.await(240, TimeUnit.SECONDS);
        Check.equal(List.of("started", "ready"), List.copyOf(log.seen));
        talk(vm);
        log.stopped.await(60, TimeUnit.SECONDS);
        Check.equal(List.of("started", "ready", "finished 0", "stopped 3"),
                log.seen);
        executor.shutdown();
        manager.delete("echo");
        Check.removeTree(context.getDataDir());
    }

    private static void talk(VirtualMachine vm) throws Exception {
        try (ParcelFileDescriptor channel = vm.connectVsock(5678)) {
            var out = new ParcelFileDescriptor.AutoCloseOutputStream(channel);
            var in = new ParcelFileDescriptor.AutoCloseInputStream(channel);
            out.write("hello".getBytes());
            Check.equal("hello", new String(in.readNBytes(5)));
            out.write("quit\n".getBytes());
            in.readAllBytes();
        }
    }

    /** Argument: the package. */
    public static void main(String[] args) {
        Check.test("payload.echo", () -> echo(args[0]));
        Check.end();
    }
}
