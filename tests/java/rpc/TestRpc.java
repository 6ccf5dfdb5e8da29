import android.os.DeadObjectException;
import android.os.IBinder;
import android.os.RemoteException;

import avf.RpcServer;
import avf.RpcSession;

import com.example.ITest;

import java.io.File;
import java.net.StandardProtocolFamily;
import java.net.UnixDomainSocketAddress;
import java.nio.channels.ServerSocketChannel;
import java.nio.file.Files;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;

/**
 * Code that Debian's aidl generated for Java, over RPC binder: every type,
 * every direction, every way to fail; Java with Java, and with C++ in both
 * roles. Argument: tests/aidl's program.
 */
final class TestRpc {
    private static final int MS = 30_000;

    private static void connect(RpcSession session, String path)
            throws Exception {
        Calls.test = ITest.Stub.asInterface(session.connectUnix(path));
    }

    /** Objects that nobody has any more are given back: only the root stays. */
    private static void givesBack(RpcSession session) throws Exception {
        for (int i = 0; i < 100 && session.countObjects() > 1; i++) {
            System.gc();
            Thread.sleep(20);
            Calls.test.asBinder().pingBinder();
        }
        Check.equal(1L, session.countObjects());
    }

    private static void deathIsTold(RpcSession session) throws Exception {
        CountDownLatch died = new CountDownLatch(1);
        IBinder.DeathRecipient never = () -> {
            throw new AssertionError("unlinked");
        };
        IBinder binder = Calls.test.asBinder();
        binder.linkToDeath(died::countDown, 0);
        binder.linkToDeath(never, 0);
        Check.that(binder.unlinkToDeath(never, 0), "alive");
        session.shutdown();
        Check.that(died.await(MS, TimeUnit.MILLISECONDS), "told");
        Check.that(!binder.isBinderAlive(), "dead");
        Check.fails(DeadObjectException.class, "",
                () -> Calls.test.repeatInt(1));
        Check.fails(DeadObjectException.class, "",
                () -> binder.linkToDeath(died::countDown, 0));
    }

    private static void nobodyListens(String path) {
        try (RpcSession session = new RpcSession(0, false)) {
            Check.fails(RemoteException.class, path,
                    () -> session.connectUnix(path));
        }
    }

    /** One that takes connections, and says nothing on them. */
    private static void peerIsSilent(String path) throws Exception {
        try (ServerSocketChannel peer = ServerSocketChannel.open(
                     StandardProtocolFamily.UNIX);
                RpcSession session = new RpcSession(1, false)) {
            peer.bind(UnixDomainSocketAddress.of(path));
            session.setConnectTimeout(50);
            Check.fails(RemoteException.class, "TIMED_OUT",
                    () -> session.connectUnix(path));
        }
        try (RpcSession session = new RpcSession(1, false)) {
            Check.fails(IllegalArgumentException.class, "0",
                    () -> session.setConnectTimeout(0));
        }
    }

    private static void withJava(File dir) throws Exception {
        String path = dir + "/java";
        try (RpcServer server = new RpcServer(new TestService(), path);
                RpcSession session = new RpcSession(1, true)) {
            server.start(2, true);
            connect(session, path);
            Calls.runAll("java");
            Check.test("java_gives_back", () -> givesBack(session));
            Check.test("death_is_told", () -> deathIsTold(session));
            Check.test("nobody_listens",
                    () -> nobodyListens(dir + "/nothing"));
            Check.test("peer_is_silent",
                    () -> peerIsSilent(dir + "/silent"));
        }
    }

    private static void withCppServer(File dir, String program)
            throws Exception {
        String path = dir + "/cpp";
        Process server = new ProcessBuilder(program, "serve", path)
                .redirectError(ProcessBuilder.Redirect.INHERIT).start();
        try (RpcSession session = new RpcSession(1, true)) {
            Check.equal("serving", server.inputReader().readLine());
            connect(session, path);
            Calls.runAll("cpp");
            Check.test("cpp_gives_back", () -> givesBack(session));
        } finally {
            server.getOutputStream().close();
            server.waitFor();
        }
    }

    /* C++'s own tests of the interface, against our service. */
    private static void withCppClient(File dir, String program)
            throws Exception {
        String path = dir + "/for-cpp";
        try (RpcServer server = new RpcServer(new TestService(), path)) {
            server.start(1, true);
            for (String name : new String[] {"scalars", "text", "arrays",
                    "nullable_arrays", "parcelable_of_all_types",
                    "out_arrays", "parcelables_in_arrays",
                    "directions_of_arguments", "objects", "callbacks",
                    "listeners", "oneway", "unknown_method",
                    "interface_version"})
                Check.test("cpp_client_" + name, () -> {
                    Process client = new ProcessBuilder(program, path, name)
                            .redirectErrorStream(true).start();
                    String said = new String(
                            client.getInputStream().readAllBytes());
                    Check.that(client.waitFor() == 0, said);
                });
        }
    }

    public static void main(String[] args) throws Exception {
        File dir = Files.createTempDirectory("avf-rpc").toFile();
        try {
            Calls.javaPeer = true;
            withJava(dir);
            Calls.javaPeer = false;
            withCppServer(dir, args[0]);
            withCppClient(dir, args[0]);
        } finally {
            Check.removeTree(dir);
        }
        Check.end();
    }
}
