import static org.junit.jupiter.api.Assertions.assertEquals;


import avf.RpcSession;

import com.android.microdroid.testservice.IAppCallback;
import com.android.microdroid.testservice.ITestService;
import com.android.microdroid.testservice.IVmCallback;

import org.junit.jupiter.api.Test;

import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;

/** MicrodroidTests of RPC binder beyond calls to the payload. */
class RpcTests {
    private static final int PATIENCE_S = 240;
    /** Nothing listens there. */
    private static final long NO_PORT = 5679;

    private static final class AppCallback extends IAppCallback.Stub {
        final CompletableFuture<IVmCallback> vm = new CompletableFuture<>();
        final CompletableFuture<String> heard = new CompletableFuture<>();

        @Override
        public void setVmCallback(IVmCallback callback) {
            vm.complete(callback);
        }

        @Override
        public void onEchoRequestReceived(String message) {
            heard.complete(message);
        }
    }

    @Test
    @Needs("rpc")
    void binderCallbacksWork() throws Exception {
        ITestService service = TestVms.guest();
        AppCallback app = new AppCallback();
        service.requestCallback(app);
        IVmCallback vm = app.vm.get(PATIENCE_S, TimeUnit.SECONDS);
        vm.echoMessage("Hello");
        assertEquals("Received: Hello",
                app.heard.get(PATIENCE_S, TimeUnit.SECONDS));
    }

    /** AVF's method is hidden: what it calls, and what apps see of it. */
    @Test
    @Needs("rpc")
    void preconnectedBinderException() throws Exception {
        TestVms.guest();
        try (RpcSession session = new RpcSession(0, false)) {
            Expect.fails(IllegalStateException.class, "on purpose",
                    () -> session.connect(() -> {
                        throw new IllegalStateException("on purpose");
                    }));
        }
        Expect.vmFails("connect to port 5679", () -> TestVms.guestVm()
                .connectToVsockServer(NO_PORT));
    }
}
