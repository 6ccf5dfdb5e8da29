import android.os.Binder;
import android.os.IBinder;
import android.os.Parcel;
import android.os.ParcelFileDescriptor;
import android.os.RemoteException;
import android.os.ServiceSpecificException;

import com.example.Everything;
import com.example.ICallback;
import com.example.IListener;
import com.example.ITest;
import com.example.Point;

import java.io.File;
import java.nio.file.Files;
import java.util.Arrays;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.TimeUnit;

/** com.example.ITest, called: whoever serves it, and wherever. */
final class Calls {
    private static final int MS = 60_000;

    private Calls() {}

    private static final class Callback extends ICallback.Stub {
        @Override
        public int getInterfaceVersion() {
            return ICallback.VERSION;
        }

        final BlockingQueue<String> texts = new LinkedBlockingQueue<>();
        int last;

        @Override
        public int done(int code) {
            last = code;
            return code + 1;
        }

        @Override
        public void later(String text) {
            texts.add(text);
        }
    }

    private static final class Listener extends IListener.Stub {
        @Override
        public int getInterfaceVersion() {
            return IListener.VERSION;
        }

        final BlockingQueue<String> texts = new LinkedBlockingQueue<>();

        @Override
        public void heard(String text) {
            texts.add(text);
        }
    }

    static ITest test;
    static boolean javaPeer;
    static boolean takesFiles = true;

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
            Check.equal(each, test.repeatMaybeUtf8(each));
        }
        Check.equal(null, test.repeatMaybeString(null));
        Check.equal(null, test.repeatMaybeUtf8(null));
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
        Check.that(Arrays.equals(new boolean[] {false, true},
                test.reverseMaybeBooleans(new boolean[] {true, false})), "z");
        Check.that(Arrays.equals(new byte[] {3, -2, 1},
                test.reverseMaybeBytes(new byte[] {1, -2, 3})), "b");
        Check.that(Arrays.equals(new char[] {'b', 'a'},
                test.reverseMaybeChars(new char[] {'a', 'b'})), "c");
        Check.that(Arrays.equals(new int[] {2, 1},
                test.reverseMaybeInts(new int[] {1, 2})), "i");
        Check.that(Arrays.equals(new long[] {2, 1},
                test.reverseMaybeLongs(new long[] {1, 2})), "l");
        Check.that(Arrays.equals(new float[] {2, 1.5f},
                test.reverseMaybeFloats(new float[] {1.5f, 2})), "f");
        Check.that(Arrays.equals(new double[] {2, 1.5},
                test.reverseMaybeDoubles(new double[] {1.5, 2})), "d");
        Check.that(Arrays.equals(new String[] {null, "a"},
                test.reverseMaybeStrings(new String[] {"a", null})), "s");
        Check.that(Arrays.equals(new String[] {"b", "a"},
                test.reverseUtf8s(new String[] {"a", "b"})), "u");
    }

    private static void nullArrays() throws Exception {
        Check.equal(null, test.reverseMaybeBooleans(null));
        Check.equal(null, test.reverseMaybeBytes(null));
        Check.equal(null, test.reverseMaybeChars(null));
        Check.equal(null, test.reverseMaybeInts(null));
        Check.equal(null, test.reverseMaybeLongs(null));
        Check.equal(null, test.reverseMaybeFloats(null));
        Check.equal(null, test.reverseMaybeDoubles(null));
        Check.equal(null, test.reverseMaybeStrings(null));
    }

    private static ParcelFileDescriptor file(String content)
            throws Exception {
        File file = File.createTempFile("avf-rpc", null);
        Files.writeString(file.toPath(), content);
        try {
            return ParcelFileDescriptor.open(file,
                    ParcelFileDescriptor.MODE_READ_ONLY);
        } finally {
            file.delete();
        }
    }

    private static String content(ParcelFileDescriptor file)
            throws Exception {
        try (var in = new ParcelFileDescriptor.AutoCloseInputStream(file)) {
            return new String(in.readAllBytes());
        }
    }

    private static Point point(int x, int y, String name) {
        Point p = new Point();
        p.x = x;
        p.y = y;
        p.name = name;
        return p;
    }

    private static Everything everything() {
        Everything v = new Everything();
        v.maybeText = "maybe";
        v.letter = 'l';
        v.large = 1L << 40;
        v.bytes = new byte[] {1, 2, 3};
        v.flags = new boolean[] {true, false};
        v.letters = new char[] {'a', '\uffff'};
        v.larges = new long[] {1L << 40, -1};
        v.narrows = new float[] {0.5f};
        v.wides = new double[] {1e300, -0.1};
        v.maybeBytes = new byte[] {4, 5};
        v.maybeTexts = new String[] {"some", null};
        v.point = point(1, -1, "first");
        v.points = new Point[] {point(2, 0, null), point(3, 0, "third")};
        v.callback = new Callback();
        v.object = new Callback();
        return v;
    }

    private static void parcelableOfAllTypes() throws Exception {
        Everything v = everything();
        Everything back = test.repeatEverything(v);
        Check.equal("maybe", back.maybeText);
        Check.that(back.letter == 'l' && back.large == 1L << 40, "numbers");
        Check.that(Arrays.equals(v.bytes, back.bytes), "bytes");
        Check.that(Arrays.equals(v.flags, back.flags), "flags");
        Check.that(Arrays.equals(v.letters, back.letters), "letters");
        Check.that(Arrays.equals(v.larges, back.larges), "larges");
        Check.that(Arrays.equals(v.narrows, back.narrows), "narrows");
        Check.that(Arrays.equals(v.wides, back.wides), "wides");
        Check.that(Arrays.equals(v.maybeBytes, back.maybeBytes), "maybe");
        Check.that(Arrays.equals(v.maybeTexts, back.maybeTexts), "texts");
        Check.equal(null, back.maybeInts);
        Check.that(back.point.y == -1 && back.points.length == 2, "points");
        Check.equal("third", back.points[1].name);
        Check.that(back.callback == v.callback, "the interface's own");
        Check.that(back.object == v.object, "the object comes back itself");
        Check.equal(null, back.maybeObject);
        theDefaultsOf(back);
    }

    private static void theDefaultsOf(Everything v) {
        Check.that(v.number == 7 && v.flag && v.small == 3, "numbers");
        Check.that(v.wide == 0.5 && v.narrow == 0.25f, "fractions");
        Check.equal("text", v.text);
        Check.equal("utf8", v.utf8);
        Check.that(Arrays.equals(new int[] {1, 2}, v.ints), "ints");
        Check.that(Arrays.equals(new String[] {"one", "two"}, v.texts),
                "texts");
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

    private static void outArrays() throws Exception {
        boolean[] booleans = new boolean[2];
        byte[] bytes = new byte[3];
        char[] chars = new char[1];
        long[] longs = new long[2];
        float[] floats = new float[2];
        double[] doubles = {};
        String[] texts = new String[2];
        Point[] points = new Point[2];
        test.fill(booleans, bytes, chars, longs, floats, doubles, texts,
                points);
        Check.that(booleans[0] && !booleans[1] && bytes[2] == 3, "filled");
        Check.that(chars[0] == 1 && longs[1] == 2 && floats[1] == 2, "too");
        Check.that(texts[1].equals("2") && points[1].x == 2, "texts");
        test.turn(booleans, bytes, chars, longs, floats, doubles, texts,
                points);
        Check.that(!booleans[0] && booleans[1] && bytes[2] == 1, "turned");
        Check.that(chars[0] == 1 && longs[1] == 1 && floats[1] == 1, "too");
        Check.that(texts[1].equals("1") && points[1].x == 1, "texts");
    }

    /* Where they cannot travel, the call says so, and goes on to work. */
    private static void refusedDescriptors() throws Exception {
        try (ParcelFileDescriptor file = file("hello")) {
            Check.fails(RemoteException.class, "FDS_NOT_ALLOWED",
                    () -> test.repeatFile(file));
        }
        Check.equal(5, test.repeatInt(5));
    }

    private static void fileDescriptors() throws Exception {
        Check.equal(null, test.repeatMaybeFile(null));
        if (!takesFiles) {
            refusedDescriptors();
            return;
        }
        try (ParcelFileDescriptor file = file("hello")) {
            Check.equal("hello", content(test.repeatFile(file)));
        }
        com.example.Files files = new com.example.Files();
        try (ParcelFileDescriptor file = file("in a parcelable")) {
            files.file = file;
            com.example.Files back = test.repeatFiles(files);
            Check.equal("in a parcelable", content(back.file));
            Check.equal(null, back.maybeFile);
        }
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
        test.callLater(callback, "later");
        test.setCallback(callback);
        Check.that(test.getCallback() == callback, "kept");
        test.setCallback(null);
        Check.equal(null, test.getCallback());
        Check.equal("later",
                callback.texts.poll(MS, TimeUnit.MILLISECONDS));
    }

    private static void listeners() throws Exception {
        Listener listener = new Listener();
        test.tell(listener, "news");
        Check.equal("news", listener.texts.poll(MS, TimeUnit.MILLISECONDS));
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

    /** Of the interface, which its compiler was told. */
    private static void version() throws Exception {
        Check.equal(3, ITest.VERSION);
        Check.equal(3, test.getInterfaceVersion());
    }

    static void runAll(String who) {
        Check.test(who + "_scalars", Calls::scalars);
        Check.test(who + "_text", Calls::text);
        Check.test(who + "_arrays", Calls::arrays);
        Check.test(who + "_nullable_arrays", Calls::nullableArrays);
        Check.test(who + "_null_arrays", Calls::nullArrays);
        Check.test(who + "_parcelable_of_all_types",
                Calls::parcelableOfAllTypes);
        Check.test(who + "_parcelables", Calls::parcelables);
        Check.test(who + "_directions", Calls::directions);
        Check.test(who + "_out_arrays", Calls::outArrays);
        Check.test(who + "_file_descriptors", Calls::fileDescriptors);
        Check.test(who + "_objects", Calls::objects);
        Check.test(who + "_callbacks", Calls::callbacks);
        Check.test(who + "_listeners", Calls::listeners);
        Check.test(who + "_exceptions", Calls::exceptions);
        Check.test(who + "_oneway", Calls::oneway);
        Check.test(who + "_version", Calls::version);
        Check.test(who + "_bad_calls", Calls::badCalls);
    }
}
