import android.os.BadParcelableException;
import android.os.Binder;
import android.os.IBinder;
import android.os.Parcel;
import android.os.ParcelFileDescriptor;
import android.os.Parcelable;
import android.os.ParcelableHolder;
import android.os.RemoteException;

import avf.RpcServer;
import avf.RpcSession;

import com.example.ICallback;
import com.example.IJava;
import com.example.JavaValues;
import com.example.Point;

import java.io.File;
import java.io.FileOutputStream;
import java.lang.ref.WeakReference;
import java.nio.file.Files;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;

/**
 * The types that aidl has for Java alone, and those of later compilers: as
 * bytes, over a session, and from peers that lie.
 *
 * usage: TestTypes
 *        TestTypes serve PATH    an IJava, until the end of standard input
 */
final class TestTypes {
    private static IJava peer;

    private static final class Words {
        final Parcel parcel = Parcel.obtain();

        Words(int... words) {
            for (int each : words)
                parcel.writeInt(each);
            parcel.setDataPosition(0);
        }

        static String of(Parcel parcel) {
            StringBuilder text = new StringBuilder();
            parcel.setDataPosition(0);
            while (parcel.dataAvail() > 0)
                text.append(String.format(" %08x",
                        Integer.reverseBytes(parcel.readInt())));
            parcel.setDataPosition(0);
            return text.substring(Math.min(1, text.length()));
        }
    }

    private static Point point(int x) {
        Point p = new Point();
        p.x = x;
        return p;
    }

    /* ---- as bytes: those of tests/aidl/test_helpers.cpp ---- */

    private static void unions() {
        Parcel parcel = Parcel.obtain();
        parcel.writeTypedObject(Modern.Form.radius(3), 0);
        Check.equal("01000000 00000000 03000000", Words.of(parcel));
        Check.equal(3, parcel.readTypedObject(Modern.Form.CREATOR)
                .getRadius());
        Parcel other = Parcel.obtain();
        other.writeTypedObject(Modern.Form.sides(1, 2), 0);
        Check.equal("01000000 02000000 02000000 01000000 02000000",
                Words.of(other));
        Check.equal(Modern.Form.sides,
                other.readTypedObject(Modern.Form.CREATOR).getTag());
        Check.fails(IllegalArgumentException.class, "unknown tag: 9",
                () -> new Words(1, 9, 3).parcel
                        .readTypedObject(Modern.Form.CREATOR));
    }

    private static <T> void fixed(T v, String bytes, int... lengths) {
        Parcel parcel = Parcel.obtain();
        parcel.writeFixedArray(v, 0, lengths);
        Check.equal(bytes, Words.of(parcel));
        @SuppressWarnings("unchecked")
        Class<T> type = (Class<T>) v.getClass();
        Check.that(Arrays.deepEquals(new Object[] {v}, new Object[] {
                parcel.createFixedArray(type, lengths)}), bytes);
    }

    private static void fixedArrays() {
        fixed(new int[] {1, 2}, "02000000 01000000 02000000", 2);
        fixed(new int[][] {{1, 2}, {3, 4}}, "02000000 02000000 01000000 "
                + "02000000 02000000 03000000 04000000", 2, 2);
        fixed(new byte[] {1, 2, 3}, "03000000 01020300", 3);
        fixed(new boolean[] {true}, "01000000 01000000", 1);
        fixed(new char[] {'a'}, "01000000 61000000", 1);
        fixed(new long[] {1}, "01000000 01000000 00000000", 1);
        fixed(new float[] {1}, "01000000 0000803f", 1);
        fixed(new double[] {1}, "01000000 00000000 0000f03f", 1);
        fixed(new String[] {"x"}, "01000000 01000000 78000000", 1);
        Parcel parcel = Parcel.obtain();
        parcel.writeFixedArray((int[]) null, 0, 2);
        Check.equal("ffffffff", Words.of(parcel));
        Check.equal(null, parcel.createFixedArray(int[].class, 2));
        Check.fails(BadParcelableException.class, "bad array lengths",
                () -> Parcel.obtain().writeFixedArray(new int[3], 0, 2));
        Check.fails(BadParcelableException.class, "dimensions",
                () -> Parcel.obtain().writeFixedArray(new int[2][2], 0, 2));
    }

    private static void fixedArraysOfObjects() {
        Parcel parcel = Parcel.obtain();
        parcel.writeFixedArray(new Point[] {point(5), null}, 0, 2);
        Words.of(parcel);
        Point[] points = parcel.createFixedArray(Point[].class,
                Point.CREATOR, 2);
        Check.that(points[0].x == 5 && points[1] == null, "points");
        Callback callback = new Callback();
        Parcel other = Parcel.obtain();
        other.writeFixedArray(new ICallback[] {callback}, 0, 1);
        other.writeFixedArray(new IBinder[] {callback}, 0, 1);
        other.writeInterfaceArray(new ICallback[] {callback, null});
        other.writeInterfaceList(List.of(callback));
        other.setDataPosition(0);
        Check.that(other.createFixedArray(ICallback[].class,
                ICallback.Stub::asInterface, 1)[0] == callback, "interface");
        Check.that(other.createFixedArray(IBinder[].class, 1)[0]
                == callback, "object");
        ICallback[] two = other.createInterfaceArray(ICallback[]::new,
                ICallback.Stub::asInterface);
        Check.that(two[0] == callback && two[1] == null, "array");
        Check.equal(List.of(callback),
                other.createInterfaceArrayList(ICallback.Stub::asInterface));
    }

    private static final class Callback extends ICallback.Stub {
        @Override
        public int getInterfaceVersion() {
            return ICallback.VERSION;
        }

        @Override
        public int done(int code) {
            return code;
        }

        @Override
        public void later(String text) {}
    }

    private static void holders() {
        ParcelableHolder empty = new ParcelableHolder(0);
        Parcel parcel = Parcel.obtain();
        parcel.writeTypedObject(empty, 0);
        Check.equal("01000000 00000000 00000000", Words.of(parcel));
        ParcelableHolder full = new ParcelableHolder(0);
        full.setParcelable(point(7));
        Parcel other = Parcel.obtain();
        other.writeTypedObject(full, 0);
        other.writeInt(12345);
        other.setDataPosition(0);
        ParcelableHolder back =
                other.readTypedObject(ParcelableHolder.CREATOR);
        Check.equal(12345, other.readInt());
        Check.fails(BadParcelableException.class, "com.example.Point, not a",
                () -> back.getParcelable(Modern.Form.class));
        Parcel again = Parcel.obtain();
        again.writeTypedObject(back, 0);
        again.writeInt(12345);
        Check.equal(Words.of(other), Words.of(again));
        Check.equal(7, back.getParcelable(Point.class).x);
        Check.fails(BadParcelableException.class, "not a",
                () -> back.getParcelable(Modern.Form.class));
        back.setParcelable(null);
        Check.equal(null, back.getParcelable(Point.class));
        Check.fails(BadParcelableException.class, "stability",
                () -> new ParcelableHolder(Parcelable
                        .PARCELABLE_STABILITY_VINTF).setParcelable(point(1)));
    }

    private static void modernParcelable() {
        Modern.Shape v = new Modern.Shape();
        v.form = Modern.Form.radius(9);
        v.grid = new int[][] {{1, 2, 3}, {4, 5, 6}};
        v.more.setParcelable(Modern.Form.sides(1, 2));
        Parcel parcel = Parcel.obtain();
        parcel.writeTypedObject(v, 0);
        parcel.setDataPosition(0);
        Modern.Shape back = parcel.readTypedObject(Modern.Shape.CREATOR);
        Check.equal(9, back.form.getRadius());
        Check.that(Arrays.deepEquals(v.grid, back.grid), "grid");
        Check.equal(2, back.more.getParcelable(Modern.Form.class)
                .getSides()[1]);
    }

    private static void values() {
        Parcel parcel = Parcel.obtain();
        parcel.writeList(Arrays.asList(null, "x", 5, 1L << 40, true));
        Check.equal("05000000 ffffffff 00000000 01000000 78000000 01000000 "
                + "05000000 06000000 00000000 00010000 09000000 01000000",
                Words.of(parcel));
        Parcel other = Parcel.obtain();
        other.writeList(List.of(List.of(new byte[] {1}), Map.of("k", 1.5)));
        Check.equal("02000000 0b000000 10000000 01000000 0d000000 01000000 "
                + "01000000 02000000 1c000000 01000000 00000000 01000000 "
                + "6b000000 08000000 00000000 0000f83f", Words.of(other));
        List<Object> all = Arrays.asList(null, "text", 1, 1L, (short) -2,
                (byte) -3, true, 1.5f, 2.5, 'c', List.of(1), Map.of("a", 2L));
        Parcel third = Parcel.obtain();
        third.writeList(all);
        third.setDataPosition(0);
        Check.equal(all, third.readArrayList(null));
        Check.fails(IllegalArgumentException.class, "unable to marshal",
                () -> Parcel.obtain().writeValue(new Thread()));
        Check.fails(IllegalArgumentException.class, "unable to marshal",
                () -> Parcel.obtain().writeValue(new short[1]));
    }

    private static void valuesThatAreArrays() {
        Object[] all = {new byte[] {1}, new int[] {2}, new long[] {3},
                new boolean[] {true}, new char[] {'c'}, new float[] {1},
                new double[] {2}, new String[] {"s", null},
                new Object[] {1, "x"}};
        Parcel parcel = Parcel.obtain();
        for (Object each : all)
            parcel.writeValue(each);
        parcel.setDataPosition(0);
        Object[] back = new Object[all.length];
        for (int i = 0; i < all.length; i++)
            back[i] = parcel.readValue(null);
        Check.that(Arrays.deepEquals(all, back), Arrays.deepToString(back));
    }

    private static void sequences() {
        Parcel parcel = Parcel.obtain();
        android.text.TextUtils.writeToParcel(new StringBuilder("abcd"),
                parcel, 0);
        Check.equal("01000000 04000000 61626364 00000000", Words.of(parcel));
        Check.equal("abcd", android.text.TextUtils.CHAR_SEQUENCE_CREATOR
                .createFromParcel(parcel));
    }

    /* ---- lies: each is a BadParcelableException ---- */

    private interface Read {
        Object from(Parcel parcel);
    }

    private static void bad(Read read, int... words) {
        Parcel parcel = new Words(words).parcel;
        Check.fails(BadParcelableException.class, "",
                () -> read.from(parcel));
        parcel.recycle();
    }

    private static void lengths() {
        List<Read> all = List.of(Parcel::createStringArrayList,
                Parcel::createBinderArrayList, Parcel::createBinderArray,
                p -> p.createTypedArrayList(Point.CREATOR),
                p -> p.createTypedArray(Point.CREATOR),
                p -> p.readArrayList(null), p -> p.readHashMap(null),
                p -> p.createInterfaceArrayList(ICallback.Stub::asInterface),
                Parcel::createBooleanArray, Parcel::createIntArray,
                Parcel::createLongArray, Parcel::createByteArray,
                Parcel::createCharArray, Parcel::createFloatArray,
                Parcel::createDoubleArray, Parcel::readString,
                Parcel::readString8,
                p -> p.createFixedArray(int[].class, 2));
        for (Read each : all) {
            bad(each);
            bad(each, Integer.MAX_VALUE, 0, 0);
            bad(each, -2, 0, 0);
            bad(each, 100, 0);
        }
        List<String> list = new ArrayList<>();
        Check.fails(BadParcelableException.class, "null",
                () -> new Words(-1).parcel.readStringList(list));
    }

    private static void otherLies() {
        Read fixed = p -> p.createFixedArray(int[][].class, 2, 2);
        bad(fixed, 1, 2, 1, 2);
        bad(fixed, 2, 2, 1, 2, 3, 1, 2, 3);
        bad(fixed, 2, 2, 1, 2, -1);
        Read holder = p -> p.readTypedObject(ParcelableHolder.CREATOR);
        bad(holder, 1, 0, -1);
        bad(holder, 1, 0, 100, 1);
        Check.fails(IllegalArgumentException.class, "stability",
                () -> holder.from(new Words(1, 1, 0).parcel));
        Read list = p -> p.readArrayList(null);
        bad(list, 1, 99);
        bad(list, 1, 21, 0);            /* a Serializable */
        bad(list, 1, 11, 99, 0);        /* another size */
        bad(list, 1, 4, 8, -2, 0);
        Read text = p -> android.text.TextUtils.CHAR_SEQUENCE_CREATOR
                .createFromParcel(p);
        bad(text, 0, 0);                /* with a style */
        bad(text, 1, 1, 0xff);          /* no UTF-8 */
        bad(p -> p.readRawFileDescriptor(), 2, 0);
        bad(Parcel::readStrongBinder, 7, 0, 0, 0);
    }

    /** A peer names a class. */
    private static void classes() {
        for (String name : new String[] {"nothing.Here", "java.lang.Thread",
                "TestTypes", "android.os.Parcelable", "[I", ""}) {
            Parcel parcel = Parcel.obtain();
            parcel.writeString(name);
            parcel.writeInt(4);
            parcel.setDataPosition(0);
            Check.fails(BadParcelableException.class, "",
                    () -> parcel.readParcelable(
                            TestTypes.class.getClassLoader()));
        }
    }

    private static int[] nested(int depth) {
        int[] words = new int[3 * depth + 1];
        for (int i = 0; i < depth; i++) {
            words[3 * i] = 1;
            words[3 * i + 1] = 11;
            words[3 * i + 2] = 12 * (depth - i - 1) + 4;
        }
        return words;
    }

    private static void withoutEnd() {
        bad(p -> p.readArrayList(null), nested(20000));
        Check.equal(1, new Words(nested(60)).parcel.readArrayList(null)
                .size());
    }

    /** parcelable Tree { Tree[] trees; byte[] data; }, read as aidl's code
     * does it. */
    private static final class Tree implements Parcelable {
        static final Parcelable.Creator<Tree> CREATOR =
                new Parcelable.Creator<>() {
                    @Override
                    public Tree createFromParcel(Parcel in) {
                        read(in);
                        return new Tree();
                    }

                    @Override
                    public Tree[] newArray(int size) {
                        return new Tree[size];
                    }
                };

        private static void read(Parcel in) {
            int start = in.dataPosition();
            int size = in.readInt();
            try {
                in.createTypedArrayList(CREATOR);
                if (in.dataPosition() - start < size)
                    in.createByteArray();
            } finally {
                in.setDataPosition(start + size);
            }
        }

        @Override
        public int describeContents() {
            return 0;
        }

        @Override
        public void writeToParcel(Parcel out, int flags) {}
    }

    /** What one body reads behind its end may not be read by the next ones
     * too. */
    private static void bodiesThatShareBytes() {
        Read tree = p -> p.readTypedObject(Tree.CREATOR);
        int[] trees = new int[3 * 60];
        for (int i = 0; i < 60; i++) {
            trees[3 * i] = 1;           /* a flag, a size, a length */
            trees[3 * i + 1] = 8;
            trees[3 * i + 2] = 59 - i;
        }
        bad(tree, trees);
        int[] data = new int[3 + 4 * 100];
        System.arraycopy(new int[] {1, 4 * data.length - 4, 100}, 0, data, 0,
                3);
        for (int i = 0; i < 100; i++)   /* each has what is behind it */
            System.arraycopy(new int[] {1, 12, 0, 16 * (99 - i)}, 0, data,
                    3 + 4 * i, 4);
        bad(tree, data);
        Parcel honest = new Words(1, 32, 2, 1, 8, 0, 1, 8, 0).parcel;
        for (int i = 0; i < 10; i++) {
            honest.setDataPosition(0);
            tree.from(honest);
            Check.equal(0, honest.dataAvail());
        }
    }

    private static long allocated() {
        return ((com.sun.management.ThreadMXBean) java.lang.management
                .ManagementFactory.getThreadMXBean())
                .getCurrentThreadAllocatedBytes();
    }

    /** Lists in lists, each of as many as could be there: room is made for
     * what is there. */
    private static void roomForLists() {
        int[] words = new int[150000];
        for (int i = 0; i < 3 * 200; i += 3) {
            words[i] = 1;
            words[i + 1] = words.length * 2;
            words[i + 2] = 100000;
        }
        words[3 * 200] = 1;
        words[3 * 200 + 2] = -2;
        Parcel parcel = new Words(words).parcel;
        long before = allocated();
        Check.fails(RuntimeException.class, "",
                () -> parcel.readTypedObject(Tree.CREATOR));
        long room = allocated() - before;
        Check.that(room < 1 << 24, room + " bytes");
    }

    /* ---- over a session ---- */

    private static void lists() throws Exception {
        List<String> copy = new ArrayList<>(List.of("old"));
        List<String> more = new ArrayList<>(List.of("x", "y"));
        Check.equal(List.of("b", "a"),
                peer.turnTexts(List.of("a", "b"), copy, more));
        Check.equal(List.of("a", "b"), copy);
        Check.equal(List.of("y", "x"), more);
        IBinder mine = new Binder("mine");
        List<IBinder> objects = new ArrayList<>();
        List<IBinder> moreObjects = new ArrayList<>(
                List.of(mine, peer.asBinder()));
        Check.equal(Arrays.asList(null, mine), peer.turnObjects(
                Arrays.asList(mine, null), objects, moreObjects));
        Check.equal(List.of(peer.asBinder(), mine), moreObjects);
        List<Point> points = new ArrayList<>();
        List<Point> turned = peer.turnPoints(List.of(point(1), point(2)),
                points, new ArrayList<>());
        Check.that(turned.get(0).x == 2 && points.get(0).x == 1, "points");
    }

    private static void anyValues() throws Exception {
        List<Object> copy = new ArrayList<>();
        List<Object> values = new ArrayList<>(List.of(1, "two", 3.0,
                List.of(4), peer.asBinder(), new ArrayList<>()));
        List<Object> turned = new ArrayList<>(values);
        java.util.Collections.reverse(turned);
        Check.equal(turned, peer.turnValues(values, copy));
        Check.equal(values, copy);
        Map<Object, Object> map = Map.of("a", 1, 2L, List.of("x"), 'c', true);
        Check.equal(map, peer.repeatMap(map));
        List<?> one = peer.turnValues(List.of(point(6)), copy);
        Check.equal(6, ((Point) one.get(0)).x);
        Check.equal("\u20ac", peer.repeatSequence("\u20ac").toString());
        Check.equal(null, peer.repeatSequence(null));
    }

    private static void arrays() throws Exception {
        IBinder mine = new Binder("mine");
        Check.that(Arrays.equals(new IBinder[] {peer.asBinder(), mine},
                peer.turnObjectArray(new IBinder[] {mine, peer.asBinder()})),
                "turned");
        Check.equal(null, peer.repeatMaybePoint(null));
        Check.equal(3, peer.repeatMaybePoint(point(3)).x);
        Check.equal(null, peer.turnMaybePoints(null));
        Point[] points = peer.turnMaybePoints(new Point[] {point(1), null});
        Check.that(points[0] == null && points[1].x == 1, "points");
        int[] numbers = new int[3];
        Check.equal(3, peer.count(numbers));
        Check.equal(3, numbers[2]);
    }

    private static void parcelable() throws Exception {
        JavaValues v = new JavaValues();
        v.texts = List.of("a");
        v.points = List.of(point(1));
        v.values = List.of(1, "b");
        v.map = Map.of("k", "v");
        v.sequence = "sequence";
        v.objects = new IBinder[] {peer.asBinder()};
        v.next = new JavaValues();
        v.next.point = point(9);
        JavaValues back = peer.repeatValues(v);
        Check.equal(v.texts, back.texts);
        Check.equal(v.values, back.values);
        Check.equal(v.map, back.map);
        Check.equal("sequence", back.sequence.toString());
        Check.that(back.objects[0] == peer.asBinder(), "object");
        Check.that(back.point == null && back.next.point.x == 9, "next");
        Check.equal(null, back.next.next);
    }

    private static void files() throws Exception {
        ParcelFileDescriptor[] pipe = ParcelFileDescriptor.createPipe();
        ParcelFileDescriptor[] back = peer.turnFileArray(pipe);
        for (ParcelFileDescriptor each : pipe)
            each.close();
        try (var out = new ParcelFileDescriptor.AutoCloseOutputStream(
                back[0])) {
            out.write("hello".getBytes());
        }
        try (var in = new ParcelFileDescriptor.AutoCloseInputStream(
                back[1])) {
            Check.equal("hello", new String(in.readAllBytes()));
        }
    }

    private static void rawFiles() throws Exception {
        File file = File.createTempFile("avf-rpc", null);
        try (FileOutputStream out = new FileOutputStream(file);
                FileOutputStream back = new FileOutputStream(
                        peer.repeatRawFile(out.getFD()))) {
            back.write("raw".getBytes());
        }
        Check.equal("raw", Files.readString(file.toPath()));
        try (ParcelFileDescriptor end = ParcelFileDescriptor.open(file,
                ParcelFileDescriptor.MODE_WRITE_ONLY
                        | ParcelFileDescriptor.MODE_APPEND);
                var out = new ParcelFileDescriptor.AutoCloseOutputStream(
                        end)) {
            out.write("er".getBytes());
        }
        Check.equal("rawer", Files.readString(file.toPath()));
        ParcelFileDescriptor.open(file, ParcelFileDescriptor.MODE_READ_WRITE
                | ParcelFileDescriptor.MODE_TRUNCATE).dup().close();
        Check.equal(0L, file.length());
        file.delete();
        Check.fails(NullPointerException.class, "no FileDescriptor",
                () -> peer.repeatRawFile(null));
        Check.fails(NullPointerException.class, "no FileDescriptor",
                () -> ParcelFileDescriptor.dup(null));
        Check.fails(java.io.FileNotFoundException.class, "MODE_CREATE",
                () -> ParcelFileDescriptor.open(file,
                        ParcelFileDescriptor.MODE_WRITE_ONLY));
        Check.fails(java.io.FileNotFoundException.class, "avf-rpc",
                () -> ParcelFileDescriptor.open(file,
                        ParcelFileDescriptor.MODE_READ_ONLY));
    }

    /** A call as a peer makes it whose code is not aidl's. */
    private static String call(int code, int... words) throws Exception {
        Parcel data = Parcel.obtain();
        Parcel reply = Parcel.obtain();
        data.writeInterfaceToken("com.example.IJava");
        for (int each : words)
            data.writeInt(each);
        try {
            peer.asBinder().transact(code, data, reply, 0);
            reply.readException();
            return "nothing";
        } catch (RemoteException | RuntimeException e) {
            return e.getClass().getSimpleName() + " " + e.getMessage();
        } finally {
            data.recycle();
            reply.recycle();
        }
    }

    /** The service says what it thinks of them, and goes on. */
    private static void liesToAService() throws Exception {
        int first = IBinder.FIRST_CALL_TRANSACTION;
        for (int code = first; code < first + 13; code++) {
            String missing = call(code);
            Check.that(missing.startsWith("BadParcelableException")
                    || missing.equals("nothing"), code + ": " + missing);
            /* of a parcelable that is a flag, and an empty body is one */
            Check.that(code == first + 9 || code == first + 11
                    || !call(code, Integer.MAX_VALUE, 0, 0).equals("nothing"),
                    "a length that is not there: " + code);
            Check.that(call(code, -2, 0, 0) != null, "a negative one");
        }
        /* count(): room for two thousand million numbers */
        Check.equal("RemoteException NO_MEMORY",
                call(first + 12, Integer.MAX_VALUE));
        Check.that(peer.asBinder().pingBinder(), "it goes on");
    }

    private static int[] parcelablesWithoutEnd(int depth) {
        /* flag, size, nine fields that are null but the last */
        int[] words = new int[depth * 10];
        for (int i = 0; i < depth; i++) {
            words[10 * i] = 1;
            words[10 * i + 1] = 1 << 30;
            for (int k = 2; k < 10; k++)
                words[10 * i + k] = k == 6 || k == 8 ? 0 : -1;
        }
        return words;
    }

    private static void parcelablesInParcelables() throws Exception {
        String said = call(IBinder.FIRST_CALL_TRANSACTION + 11,
                parcelablesWithoutEnd(2400));
        Check.that(said.startsWith("RemoteException BAD_VALUE")
                || said.startsWith("BadParcelableException"), said);
        Check.that(peer.asBinder().pingBinder(), "it goes on");
    }

    /* ---- death recipients ---- */

    private static WeakReference<IBinder.DeathRecipient> linkAndForget(
            String path) throws Exception {
        RpcSession session = new RpcSession(1, false);
        IBinder root = session.connectUnix(path);
        IBinder.DeathRecipient recipient = new IBinder.DeathRecipient() {
            private final IBinder mine = root; /* as applications have it */

            @Override
            public void binderDied() {
                throw new AssertionError("told after the end: " + mine);
            }
        };
        root.linkToDeath(recipient, 0);
        session.close();
        return new WeakReference<>(recipient);
    }

    /** It goes with its proxy, though nobody has unlinked it. */
    private static void recipients(String path) throws Exception {
        List<WeakReference<IBinder.DeathRecipient>> all = new ArrayList<>();
        for (int i = 0; i < 8; i++)
            all.add(linkAndForget(path));
        for (int i = 0; i < 500 && all.stream().anyMatch(
                each -> each.get() != null); i++) {
            System.gc();
            Thread.sleep(20);
        }
        for (WeakReference<IBinder.DeathRecipient> each : all)
            Check.equal(null, each.get());
    }

    private static void asBytes() {
        Check.test("unions", TestTypes::unions);
        Check.test("fixed_arrays", TestTypes::fixedArrays);
        Check.test("fixed_arrays_of_objects",
                TestTypes::fixedArraysOfObjects);
        Check.test("holders", TestTypes::holders);
        Check.test("modern_parcelable", TestTypes::modernParcelable);
        Check.test("values", TestTypes::values);
        Check.test("values_that_are_arrays", TestTypes::valuesThatAreArrays);
        Check.test("sequences", TestTypes::sequences);
        Check.test("lengths", TestTypes::lengths);
        Check.test("other_lies", TestTypes::otherLies);
        Check.test("classes", TestTypes::classes);
        Check.test("without_end", TestTypes::withoutEnd);
        Check.test("bodies_that_share_bytes",
                TestTypes::bodiesThatShareBytes);
        Check.test("room_for_lists", TestTypes::roomForLists);
    }

    private static void overSession() {
        Check.test("lists", TestTypes::lists);
        Check.test("any_values", TestTypes::anyValues);
        Check.test("arrays", TestTypes::arrays);
        Check.test("parcelable", TestTypes::parcelable);
        Check.test("files", TestTypes::files);
        Check.test("raw_files", TestTypes::rawFiles);
        Check.test("lies_to_a_service", TestTypes::liesToAService);
        Check.test("parcelables_in_parcelables",
                TestTypes::parcelablesInParcelables);
    }

    private static void serve(String path) throws Exception {
        try (RpcServer server = new RpcServer(new JavaService(), path)) {
            server.start(1, true);
            System.out.println("serving");
            while (System.in.read() > 0)
                continue;
        }
    }

    public static void main(String[] args) throws Exception {
        if (args.length == 2) {
            serve(args[1]);
            return;
        }
        asBytes();
        File dir = Files.createTempDirectory("avf-rpc").toFile();
        String path = dir + "/java";
        try (RpcServer server = new RpcServer(new JavaService(), path);
                RpcSession session = new RpcSession(1, true)) {
            server.start(2, true);
            peer = IJava.Stub.asInterface(session.connectUnix(path));
            overSession();
            Check.test("recipients", () -> recipients(path));
        } finally {
            Check.removeTree(dir);
        }
        Check.end();
    }
}
