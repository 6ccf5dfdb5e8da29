import android.system.virtualmachine.VirtualMachine;
import android.system.virtualmachine.VirtualMachineCallback;

import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;

/** One run of a VM: what its callback is told. At the end it is stopped. */
final class Run implements VirtualMachineCallback, AutoCloseable {
    /** Nothing here takes as long on an idle computer. */
    private static final long PATIENCE_MS = 240_000;

    private final VirtualMachine vm;
    private final ExecutorService executor =
            Executors.newSingleThreadExecutor();
    private final List<String> seen = new ArrayList<>();
    private int exitCode = -1;
    private int errorCode = -1;
    private String error = "";
    private int reason = Integer.MIN_VALUE;

    Run(VirtualMachine vm) throws Exception {
        this.vm = vm;
        vm.setCallback(executor, this);
        vm.run();
    }

    private synchronized void see(String what) {
        seen.add(what);
        notifyAll();
    }

    @Override
    public void onPayloadStarted(VirtualMachine vm) {
        see("started");
    }

    @Override
    public void onPayloadReady(VirtualMachine vm) {
        see("ready");
    }

    @Override
    public synchronized void onPayloadFinished(VirtualMachine vm, int code) {
        exitCode = code;
        see("finished");
    }

    @Override
    public synchronized void onError(VirtualMachine vm, int code,
            String message) {
        errorCode = code;
        error = message;
        see("error");
    }

    @Override
    public synchronized void onStopped(VirtualMachine vm, int reason) {
        this.reason = reason;
        see("stopped");
    }

    /** Waits for that callback, or the end of the run. */
    synchronized Run untilEither(String what) throws InterruptedException {
        long end = System.currentTimeMillis() + PATIENCE_MS;
        while (!seen.contains(what) && !seen.contains("stopped")) {
            long left = end - System.currentTimeMillis();
            if (left <= 0)
                throw new AssertionError("no " + what + " after " + seen);
            wait(left);
        }
        return this;
    }

    /** Waits for that callback; the run must not end before. */
    synchronized Run until(String what) throws InterruptedException {
        if (!untilEither(what).seen.contains(what))
            throw new AssertionError("no " + what + " after " + seen
                    + ", reason " + reason + ", error " + error);
        return this;
    }

    /** Waits for the end of the run. */
    Run toEnd() throws Exception {
        until("stopped");
        close();
        if (seen.stream().filter("stopped"::equals).count() != 1
                || !seen.get(seen.size() - 1).equals("stopped"))
            throw new AssertionError("onStopped is not the last, once: "
                    + seen);
        return this;
    }

    synchronized List<String> seen() {
        return List.copyOf(seen);
    }

    synchronized int exitCode() {
        return exitCode;
    }

    synchronized int errorCode() {
        return errorCode;
    }

    synchronized String error() {
        return error;
    }

    synchronized int reason() {
        return reason;
    }

    @Override
    public void close() {
        if (vm.getStatus() == VirtualMachine.STATUS_RUNNING)
            vm.close();
        vm.clearCallback();
        executor.shutdown();
    }
}
