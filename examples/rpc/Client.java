import android.system.virtualmachine.VirtualMachine;
import android.system.virtualmachine.VirtualMachineCallback;
import android.system.virtualmachine.VirtualMachineConfig;
import android.system.virtualmachine.VirtualMachineManager;

import com.example.ICalculator;

import java.io.File;
import java.util.concurrent.CompletableFuture;

/** Runs the payload calculator.cpp, and calls it. Argument: the package. */
public class Client {
    private static class Callback implements VirtualMachineCallback {
        final CompletableFuture<Void> ready = new CompletableFuture<>();

        @Override
        public void onPayloadStarted(VirtualMachine vm) {}

        @Override
        public void onPayloadReady(VirtualMachine vm) {
            ready.complete(null);
        }

        @Override
        public void onPayloadFinished(VirtualMachine vm, int exitCode) {}

        @Override
        public void onError(VirtualMachine vm, int code, String message) {
            System.err.println(message);
        }

        @Override
        public void onStopped(VirtualMachine vm, int reason) {
            ready.completeExceptionally(
                    new IllegalStateException("it has stopped: " + reason));
        }
    }

    public static void main(String[] args) throws Exception {
        var context = new avf.LinuxContext();
        var manager = context.getSystemService(VirtualMachineManager.class);
        var config = new VirtualMachineConfig.Builder(context)
                .setApkPath(new File(args[0]).getAbsolutePath())
                .setPayloadBinaryName("libcalculator.so")
                .setProtectedVm(false)
                .setAcceleration(
                        VirtualMachineConfig.ACCELERATION_KVM_OR_EMULATION)
                .build();
        var callback = new Callback();
        try (VirtualMachine vm = manager.getOrCreate("calculator", config)) {
            vm.setCallback(Runnable::run, callback);
            vm.run();
            callback.ready.get();
            ICalculator calculator = ICalculator.Stub.asInterface(
                    vm.connectToVsockServer(5678));
            System.out.println(calculator.add(37, 73));
        }
    }
}
