import android.os.DeadObjectException;
import android.os.IBinder;
import android.os.RemoteException;
import android.system.virtualmachine.VirtualMachine;
import android.system.virtualmachine.VirtualMachineCallback;
import android.system.virtualmachine.VirtualMachineConfig;
import android.system.virtualmachine.VirtualMachineException;
import android.system.virtualmachine.VirtualMachineManager;

import avf.LinuxContext;
import avf.RpcSession;

import com.example.ICallback;
import com.example.ITest;

import java.io.File;
import java.nio.file.Files;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;

/**
 * com.example.ITest, served by a payload in C++: on KVM, or under emulation
 * with AVF_TEST_EMULATED. Argument: the package.
 */
final class TestRpcVm {
    private static final int PATIENCE_S = 90;
    private static final int PORT = 5678;

    private static final class Ready implements VirtualMachineCallback {
        final CountDownLatch done = new CountDownLatch(1);
        volatile boolean isReady;

        @Override
        public void onPayloadStarted(VirtualMachine vm) {}

        @Override
        public void onPayloadReady(VirtualMachine vm) {
            isReady = true;
            done.countDown();
        }

        @Override
        public void onPayloadFinished(VirtualMachine vm, int exitCode) {}

        @Override
        public void onError(VirtualMachine vm, int code, String message) {
            System.out.println("error " + code + ": " + message);
        }

        @Override
        public void onStopped(VirtualMachine vm, int reason) {
            done.countDown();
        }
    }

    private static VirtualMachine vm;

    private static void start(String apk, LinuxContext context)
            throws Exception {
        boolean emulated = System.getenv("AVF_TEST_EMULATED") != null;
        vm = context.getSystemService(VirtualMachineManager.class).create(
                "rpc", new VirtualMachineConfig.Builder(context)
                        .setApkPath(apk).setPayloadBinaryName("libaidl.so")
                        .setProtectedVm(false)
                        .setAcceleration(emulated
                                ? VirtualMachineConfig.ACCELERATION_EMULATION
                                : VirtualMachineConfig.ACCELERATION_KVM)
                        .build());
        Ready ready = new Ready();
        vm.setCallback(Runnable::run, ready);
        vm.run();
        ready.done.await(PATIENCE_S, TimeUnit.SECONDS);
        Check.that(ready.isReady, "the payload is ready");
    }

    private static int dial() {
        try {
            return vm.connectVsock(PORT).detachFd();
        } catch (VirtualMachineException e) {
            return -1;
        }
    }

    /** AVF's own way, with no thread that the payload could call. */
    private static void connectToVsockServer() throws Exception {
        IBinder root = vm.connectToVsockServer(PORT);
        Check.equal("hello",
                ITest.Stub.asInterface(root).repeatString("hello"));
        /* an object of another interface says so when it is called */
        Check.fails(RemoteException.class, "",
                () -> ICallback.Stub.asInterface(root).done(1));
        Check.fails(VirtualMachineException.class, "",
                () -> vm.connectToVsockServer(PORT + 1));
    }

    private static void end() throws Exception {
        CountDownLatch died = new CountDownLatch(1);
        Calls.test.asBinder().linkToDeath(died::countDown, 0);
        vm.stop();
        Check.that(died.await(PATIENCE_S, TimeUnit.SECONDS), "told");
        Check.fails(DeadObjectException.class, "",
                () -> Calls.test.repeatInt(1));
    }

    public static void main(String[] args) throws Exception {
        if (System.getenv("AVF_GUEST_IMAGE") == null
                || !new File(args[0]).exists()) {
            System.out.println("SKIP: no guest image, or no packages of the "
                    + "tests");
            System.exit(77);
        }
        LinuxContext context = new LinuxContext(
                Files.createTempDirectory("avf-java").toFile());
        start(args[0], context);
        Calls.takesFiles = false;
        Check.test("vm_connect_to_vsock_server",
                TestRpcVm::connectToVsockServer);
        try (RpcSession session = new RpcSession(1, false)) {
            Calls.test = ITest.Stub.asInterface(
                    session.connect(TestRpcVm::dial));
            Calls.runAll("vm");
            Check.test("vm_end", TestRpcVm::end);
        }
        Check.removeTree(context.getDataDir());
        Check.end();
    }
}
