import android.system.virtualmachine.VirtualMachine;
import android.system.virtualmachine.VirtualMachineCallback;

import java.util.concurrent.BlockingQueue;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.TimeUnit;

/** Keeps the reasons of onStopped(). */
class Stops implements VirtualMachineCallback {
    private static final int PATIENCE_S = 60;

    final BlockingQueue<Integer> reasons = new LinkedBlockingQueue<>();

    /** Of this VM, from now on, on the thread of its events. */
    static Stops of(VirtualMachine vm) {
        Stops stops = new Stops();
        vm.setCallback(Runnable::run, stops);
        return stops;
    }

    @Override
    public void onPayloadStarted(VirtualMachine vm) {}

    @Override
    public void onPayloadReady(VirtualMachine vm) {}

    @Override
    public void onPayloadFinished(VirtualMachine vm, int exitCode) {}

    @Override
    public void onError(VirtualMachine vm, int errorCode, String text) {}

    @Override
    public void onStopped(VirtualMachine vm, int reason) {
        reasons.add(reason);
    }

    int next() throws InterruptedException {
        Integer reason = reasons.poll(PATIENCE_S, TimeUnit.SECONDS);
        Check.that(reason != null, "onStopped was called");
        return reason;
    }
}
