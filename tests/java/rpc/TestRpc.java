import android.os.Binder;
import android.os.DeadObjectException;
import android.os.IBinder;
import android.os.Parcel;
import android.os.ParcelFileDescriptor;
import android.os.RemoteException;
import android.os.ServiceSpecificException;

import avf.RpcServer;
import avf.RpcSession;

import com.example.Everything;
import com.example.ICallback;
import com.example.ITest;
import com.example.Point;

import java.io.File;
import java.io.FileInputStream;
import java.nio.file.Files;
import java.util.Arrays;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;

/**
 * Code that Debian's aidl generated for Java, over RPC binder: every type,
 * every direction, every way to fail; Java with Java, and with C++ in both
 * roles. Argument: tests/aidl's program.
 */
final class TestRpc {
    private static final int MS = 30_000;

    private static final class Callback extends ICallback.Stub {
        int last;

        @Override
        public int done(int code) {
            last = code;
            return code + 1;
        }

        @Override
        public void later(String text) {
            last = text.length();
        }
    }

    private static ITest test;
    private static boolean javaPeer;

    private static void scalars() throws Exception {
        Check.equal(true, test.repeatBoolean(true));
        Check.equal((byte) -128, test.repeatByte((byte) -128));
        Check.equal('\uffff', test.repeatChar('\uffff'));
        Check.equal(Integer.MIN_VALUE, test.repeatInt(Integer.MIN_VALUE));
        Check.equal(Long.MIN_VALUE, test.repeatLong(Long.MIN_VALUE));
        Check.equal(-1.5f, test.repeatFloat(-1.5f));
        Check.equal(-0.1, test.repeatDouble(-0.1));
    }

    private static void text() throws Exception {
        for (String each : new String[] {"", "a", "ab", "a\0b",
                "\u00e9\u20ac\ud83d\ude00", "x".repeat(4096)}) {
            Check.equal(each, test.repeatString(each));
            Check.equal(each, test.repeatUtf8(each));
            Check.equal(each, test.repeatMaybeString(each));
        }
        Check.equal(null, test.repeatMaybeString(null));
    }

    private static void arrays() throws Exception {
        Check.that(Arrays.equals(new boolean[] {false, true},
                test.reverseBooleans(new boolean[] {true, false})), "z");
        Check.that(Arrays.equals(new byte[] {3, -2, 1},
                test.reverseBytes(new byte[] {1, -2, 3})), "b");
        Check.that(Arrays.equals(new char[] {'b', 'a'},
                test.reverseChars(new char[] {'a', 'b'})), "c");
        Check.that(Arrays.equals(new int[] {3, 2, 1},
                test.reverseInts(new int[] {1, 2, 3})), "i");
        Check.that(Arrays.equals(new long[] {2, 1},
                test.reverseLongs(new long[] {1, 2})), "l");
        Check.that(Arrays.equals(new float[] {2, 1.5f},
                test.reverseFloats(new float[] {1.5f, 2})), "f");
        Check.that(Arrays.equals(new double[] {2, 1.5},
                test.reverseDoubles(new double[] {1.5, 2})), "d");
        Check.that(Arrays.equals(new String[] {"b", "a"},
                test.reverseStrings(new String[] {"a", "b"})), "s");
        Check.equal(0, test.reverseInts(new int[0]).length);
    }

    private static void nullableArrays() throws Exception {
        Check.that(Arrays.equals(new int[] {2, 1},
                test.reverseMaybeInts(new int[] {1, 2})), "ints");
        Check.equal(null, test.reverseMaybeInts(null));
        Check.that(Arrays.equals(new String[] {null, "a"},
                test.reverseMaybeStrings(new String[] {"a", null})), "text");
        Check.equal(null, test.reverseMaybeStrings(null));
    }

    private static ParcelFileDescriptor file(String content)
            throws Exception {
        File file = File.createTempFile("avf-rpc", null);
        try (FileInputStream in = new FileInputStream(file)) {
            Files.writeString(file.toPath(), content);
            file.delete();
            /* by way of /proc, since Java keeps its numbers to itself */
            return open(in);
        }
    }

    private static ParcelFileDescriptor open(FileInputStream in)
            throws Exception {
        for (File each : new File("/proc/self/fd").listFiles()) {
            String target = Files.readSymbolicLink(each.toPath()).toString();
            if (target.contains("avf-rpc"))
                return ParcelFileDescriptor.fromFd(
                        Integer.parseInt(each.getName()));
        }
        throw new AssertionError("no descriptor of " + in);
    }

    private static String content(ParcelFileDescriptor file)
            throws Exception {
        try (var in = new ParcelFileDescriptor.AutoCloseInputStream(file)) {
            return new String(in.readAllBytes());
        }
    }

    private static void parcelableOfAllTypes() throws Exception {
        Everything v = new Everything();
        v.maybeText = "maybe";
        v.bytes = new byte[] {1, 2, 3};
        v.flag = true;
        v.letter = 'l';
        v.wide = 0.5;
        v.narrow = 0.25f;
        v.large = 1L << 40;
        v.small = -1;
        v.ints = new int[] {1, 2};
        v.texts = new String[] {"one", "two"};
        v.file = file("in a parcelable");
        v.object = new Callback();
        Everything back = test.repeatEverything(v);
        Check.equal(7, back.number);
        Check.equal("maybe", back.maybeText);
        Check.equal("text", back.text);
        Check.that(Arrays.equals(v.bytes, back.bytes), "bytes");
        Check.that(back.flag && back.letter == 'l', "flag, letter");
        Check.that(back.wide == 0.5 && back.narrow == 0.25f, "numbers");
        Check.that(back.large == 1L << 40 && back.small == -1, "integers");
        Check.that(Arrays.equals(v.ints, back.ints), "ints");
        Check.that(Arrays.equals(v.texts, back.texts), "texts");
        Check.equal(null, back.maybeInts);
        Check.equal("in a parcelable", content(back.file));
        Check.equal(null, back.maybeFile);
        Check.that(back.object == v.object, "the object comes back itself");
        Check.equal(null, back.maybeObject);
        v.file.close();
    }

    private static Point point(int x, int y, String name) {
        Point p = new Point();
        p.x = x;
        p.y = y;
        p.name = name;
        return p;
    }

    private static void parcelables() throws Exception {
        Point[] back = test.reversePoints(
                new Point[] {point(1, 2, null), point(3, 4, "second")});
        Check.equal(2, back.length);
        Check.equal("second", back[0].name);
        Check.that(back[1].x == 1 && back[1].name == null, "first");
    }

    private static void directions() throws Exception {
        Point both = point(1, 1, null);
        Point filled = point(99, 99, null);
        int[] bothInts = {5, 6};
        int[] filledInts = new int[3];
        Point sum = test.directions(point(10, 10, null), both, filled,
                bothInts, filledInts);
        Check.that(sum.x == 11 && both.x == 2 && filled.y == 2, "points");
        Check.that(Arrays.equals(new int[] {10, 12}, bothInts), "both");
        Check.that(Arrays.equals(new int[] {1, 2, 3}, filledInts), "filled");
    }

    private static void fileDescriptors() throws Exception {
        try (ParcelFileDescriptor file = file("hello")) {
            Check.equal("hello", content(test.repeatFile(file)));
        }
        Check.equal(null, test.repeatMaybeFile(null));
    }

    private static void objects() throws Exception {
        IBinder mine = new Binder("mine");
        Check.that(test.repeatObject(mine) == mine, "mine");
        Check.equal(null, test.repeatMaybeObject(null));
        Check.that(test.repeatObject(test.asBinder()) == test.asBinder(),
                "theirs");
        Check.equal("com.example.ITest",
                test.asBinder().getInterfaceDescriptor());
        Check.that(test.asBinder().pingBinder(), "ping");
        Check.that(test.asBinder().isBinderAlive(), "alive");
    }

    private static void callbacks() throws Exception {
        Callback callback = new Callback();
        Check.equal(42, test.callBack(callback, 41));
        Check.equal(41, callback.last);
        test.setCallback(callback);
        Check.that(test.getCallback() == callback, "kept");
        test.setCallback(null);
        Check.equal(null, test.getCallback());
    }

    private static void exceptions() {
        Check.fails(SecurityException.class, "why",
                () -> test.fail(-1, 0, "why"));
        Check.fails(IllegalArgumentException.class, "why",
                () -> test.fail(-3, 0, "why"));
        Check.fails(NullPointerException.class, "why",
                () -> test.fail(-4, 0, "why"));
        Check.fails(IllegalStateException.class, "why",
                () -> test.fail(-5, 0, "why"));
        Check.fails(UnsupportedOperationException.class, "why",
                () -> test.fail(-7, 0, "why"));
        Check.equal(77, Check.fails(ServiceSpecificException.class, "own",
                () -> test.fail(-8, 77, "own")).errorCode);
        /* a status of the call, not an exception of the method; from Java,
         * what no peer knows */
        Check.fails(RemoteException.class,
                javaPeer ? "UNKNOWN_ERROR" : "PERMISSION_DENIED",
                () -> test.failWithStatus(-1));
    }

    /* In order; but a call that waits may overtake them on another
     * connection. */
    private static void oneway() throws Exception {
        int before = test.fired().length;
        long end = System.currentTimeMillis() + MS;
        for (int i = 0; i < 20; i++)
            test.fire("f" + i);
        String[] all = test.fired();
        while (all.length < before + 20 && System.currentTimeMillis() < end)
            all = test.fired();
        Check.equal(before + 20, all.length);
        for (int i = 0; i < 20; i++)
            Check.equal("f" + i, all[before + i]);
    }

    private static void badCalls() throws Exception {
        Parcel data = Parcel.obtain();
        Parcel reply = Parcel.obtain();
        data.writeInterfaceToken("com.example.ITest");
        Check.that(!test.asBinder().transact(1000, data, reply, 0),
                "a method that is not there");
        data.recycle();
        Check.fails(IllegalStateException.class, "recycled",
                () -> data.writeInt(1));
        /* nothing to read: the arguments are missing */
        Parcel empty = Parcel.obtain();
        Check.fails(android.os.BadParcelableException.class,
                "NOT_ENOUGH_DATA", empty::readInt);
        empty.writeInt(Integer.MAX_VALUE);
        empty.setDataPosition(0);
        Check.fails(android.os.BadParcelableException.class, "",
                empty::createIntArray);
        empty.setDataPosition(0);
        Check.fails(android.os.BadParcelableException.class, "",
                empty::createStringArray);
        empty.setDataPosition(0);
        Check.fails(android.os.BadParcelableException.class, "",
                empty::readString);
        empty.recycle();
        reply.recycle();
    }

    private static void runAll(String who) {
        Check.test(who + "_scalars", TestRpc::scalars);
        Check.test(who + "_text", TestRpc::text);
        Check.test(who + "_arrays", TestRpc::arrays);
        Check.test(who + "_nullable_arrays", TestRpc::nullableArrays);
        Check.test(who + "_parcelable_of_all_types",
                TestRpc::parcelableOfAllTypes);
        Check.test(who + "_parcelables", TestRpc::parcelables);
        Check.test(who + "_directions", TestRpc::directions);
        Check.test(who + "_file_descriptors", TestRpc::fileDescriptors);
        Check.test(who + "_objects", TestRpc::objects);
        Check.test(who + "_callbacks", TestRpc::callbacks);
        Check.test(who + "_exceptions", TestRpc::exceptions);
        Check.test(who + "_oneway", TestRpc::oneway);
        Check.test(who + "_bad_calls", TestRpc::badCalls);
    }

    private static void connect(RpcSession session, String path)
            throws Exception {
        test = ITest.Stub.asInterface(session.connectUnix(path));
    }

    /** Objects that nobody has any more are given back: only the root stays. */
    private static void givesBack(RpcSession session) throws Exception {
        for (int i = 0; i < 100 && session.countObjects() > 1; i++) {
            System.gc();
            Thread.sleep(20);
            test.asBinder().pingBinder();
        }
        Check.equal(1L, session.countObjects());
    }

    private static void deathIsTold(RpcSession session) throws Exception {
        CountDownLatch died = new CountDownLatch(1);
        IBinder.DeathRecipient never = () -> {
            throw new AssertionError("unlinked");
        };
        IBinder binder = test.asBinder();
        binder.linkToDeath(died::countDown, 0);
        binder.linkToDeath(never, 0);
        Check.that(binder.unlinkToDeath(never, 0), "alive");
        session.shutdown();
        Check.that(died.await(MS, TimeUnit.MILLISECONDS), "told");
        Check.that(!binder.isBinderAlive(), "dead");
        Check.fails(DeadObjectException.class, "", () -> test.repeatInt(1));
        Check.fails(DeadObjectException.class, "",
                () -> binder.linkToDeath(died::countDown, 0));
    }

    private static void nobodyListens(String path) {
        try (RpcSession session = new RpcSession(0, false)) {
            Check.fails(RemoteException.class, path,
                    () -> session.connectUnix(path));
        }
    }

    private static void withJava(File dir) throws Exception {
        String path = dir + "/java";
        try (RpcServer server = new RpcServer(new TestService(), path);
                RpcSession session = new RpcSession(1, true)) {
            server.start(2, true);
            connect(session, path);
            runAll("java");
            Check.test("java_gives_back", () -> givesBack(session));
            Check.test("death_is_told", () -> deathIsTold(session));
            Check.test("nobody_listens",
                    () -> nobodyListens(dir + "/nothing"));
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
            runAll("cpp");
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
                    "parcelables_in_arrays", "directions_of_arguments",
                    "objects", "callbacks", "oneway", "unknown_method"})
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
            javaPeer = true;
            withJava(dir);
            javaPeer = false;
            withCppServer(dir, args[0]);
            withCppClient(dir, args[0]);
        } finally {
            Check.removeTree(dir);
        }
        Check.end();
    }
}
