import android.os.IBinder;
import android.os.ParcelFileDescriptor;
import android.os.RemoteException;
import android.os.ServiceSpecificException;

import com.example.Everything;
import com.example.Files;
import com.example.ICallback;
import com.example.IListener;
import com.example.ITest;
import com.example.Point;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.lang.reflect.Array;
import java.util.ArrayList;
import java.util.List;

/** com.example.ITest in Java: what tests/aidl/test_service.cpp is in C++. */
final class TestService extends ITest.Stub {
    @Override
    public int getInterfaceVersion() {
        return ITest.VERSION;
    }

    private final List<String> fired = new ArrayList<>();
    private ICallback callback;

    private static <T> T reverse(T array) {
        if (array == null)
            return null;
        int n = Array.getLength(array);
        Class<?> type = array.getClass().getComponentType();
        @SuppressWarnings("unchecked")
        T reversed = (T) Array.newInstance(type, n);
        for (int i = 0; i < n; i++)
            Array.set(reversed, i, Array.get(array, n - 1 - i));
        return reversed;
    }

    static ParcelFileDescriptor dup(ParcelFileDescriptor file) {
        try {
            return file == null ? null
                    : ParcelFileDescriptor.fromFd(file.getFd());
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    @Override
    public boolean repeatBoolean(boolean v) {
        return v;
    }

    @Override
    public byte repeatByte(byte v) {
        return v;
    }

    @Override
    public char repeatChar(char v) {
        return v;
    }

    @Override
    public int repeatInt(int v) {
        return v;
    }

    @Override
    public long repeatLong(long v) {
        return v;
    }

    @Override
    public float repeatFloat(float v) {
        return v;
    }

    @Override
    public double repeatDouble(double v) {
        return v;
    }

    @Override
    public String repeatString(String v) {
        return v;
    }

    @Override
    public String repeatUtf8(String v) {
        return v;
    }

    @Override
    public String repeatMaybeString(String v) {
        return v;
    }

    @Override
    public boolean[] reverseBooleans(boolean[] v) {
        return reverse(v);
    }

    @Override
    public byte[] reverseBytes(byte[] v) {
        return reverse(v);
    }

    @Override
    public char[] reverseChars(char[] v) {
        return reverse(v);
    }

    @Override
    public int[] reverseInts(int[] v) {
        return reverse(v);
    }

    @Override
    public long[] reverseLongs(long[] v) {
        return reverse(v);
    }

    @Override
    public float[] reverseFloats(float[] v) {
        return reverse(v);
    }

    @Override
    public double[] reverseDoubles(double[] v) {
        return reverse(v);
    }

    @Override
    public String[] reverseStrings(String[] v) {
        return reverse(v);
    }

    @Override
    public int[] reverseMaybeInts(int[] v) {
        return reverse(v);
    }

    @Override
    public String[] reverseMaybeStrings(String[] v) {
        return reverse(v);
    }

    @Override
    public String repeatMaybeUtf8(String v) {
        return v;
    }

    @Override
    public String[] reverseUtf8s(String[] v) {
        return reverse(v);
    }

    @Override
    public boolean[] reverseMaybeBooleans(boolean[] v) {
        return reverse(v);
    }

    @Override
    public byte[] reverseMaybeBytes(byte[] v) {
        return reverse(v);
    }

    @Override
    public char[] reverseMaybeChars(char[] v) {
        return reverse(v);
    }

    @Override
    public long[] reverseMaybeLongs(long[] v) {
        return reverse(v);
    }

    @Override
    public float[] reverseMaybeFloats(float[] v) {
        return reverse(v);
    }

    @Override
    public double[] reverseMaybeDoubles(double[] v) {
        return reverse(v);
    }

    private static void turnAround(Object array) {
        Object reversed = reverse(array);
        System.arraycopy(reversed, 0, array, 0, Array.getLength(array));
    }

    @Override
    public void turn(boolean[] booleans, byte[] bytes, char[] chars,
            long[] longs, float[] floats, double[] doubles, String[] texts,
            Point[] points) {
        for (Object each : new Object[] {booleans, bytes, chars, longs,
                floats, doubles, texts, points})
            turnAround(each);
    }

    @Override
    public void fill(boolean[] booleans, byte[] bytes, char[] chars,
            long[] longs, float[] floats, double[] doubles, String[] texts,
            Point[] points) {
        for (int i = 0; i < booleans.length; i++)
            booleans[i] = i % 2 == 0;
        for (int i = 0; i < bytes.length; i++)
            bytes[i] = (byte) (i + 1);
        for (int i = 0; i < chars.length; i++)
            chars[i] = (char) (i + 1);
        for (int i = 0; i < longs.length; i++)
            longs[i] = i + 1;
        for (int i = 0; i < floats.length; i++)
            floats[i] = i + 1;
        for (int i = 0; i < doubles.length; i++)
            doubles[i] = i + 1;
        for (int i = 0; i < texts.length; i++)
            texts[i] = String.valueOf(i + 1);
        for (int i = 0; i < points.length; i++) {
            points[i] = new Point();
            points[i].x = i + 1;
        }
    }

    @Override
    public Files repeatFiles(Files v) {
        return v;
    }

    @Override
    public void callLater(ICallback v, String text) throws RemoteException {
        v.later(text);
    }

    @Override
    public void tell(IListener v, String text) throws RemoteException {
        v.heard(text);
    }

    @Override
    public Everything repeatEverything(Everything v) {
        return v;
    }

    @Override
    public Point[] reversePoints(Point[] v) {
        return reverse(v);
    }

    @Override
    public Point directions(Point given, Point both, Point filled,
            int[] bothInts, int[] filledInts) {
        Point sum = new Point();
        sum.x = given.x + both.x;
        sum.y = given.y + both.y;
        sum.name = given.name;
        both.x *= 2;
        both.y *= 2;
        filled.x = 1;
        filled.y = 2;
        for (int i = 0; i < bothInts.length; i++)
            bothInts[i] *= 2;
        for (int i = 0; i < filledInts.length; i++)
            filledInts[i] = i + 1;
        return sum;
    }

    @Override
    public ParcelFileDescriptor repeatFile(ParcelFileDescriptor v) {
        return v;
    }

    @Override
    public ParcelFileDescriptor repeatMaybeFile(ParcelFileDescriptor v) {
        return v;
    }

    @Override
    public IBinder repeatObject(IBinder v) {
        return v;
    }

    @Override
    public IBinder repeatMaybeObject(IBinder v) {
        return v;
    }

    @Override
    public synchronized void setCallback(ICallback v) {
        callback = v;
    }

    @Override
    public synchronized ICallback getCallback() {
        return callback;
    }

    @Override
    public int callBack(ICallback v, int code) throws RemoteException {
        return v.done(code);
    }

    private static RuntimeException exception(int code, int error,
            String text) {
        switch (code) {
        case -1:
            return new SecurityException(text);
        case -2:
            return new android.os.BadParcelableException(text);
        case -3:
            return new IllegalArgumentException(text);
        case -4:
            return new NullPointerException(text);
        case -5:
            return new IllegalStateException(text);
        case -7:
            return new UnsupportedOperationException(text);
        default:
            return new ServiceSpecificException(error, text);
        }
    }

    @Override
    public void fail(int exception, int error, String text) {
        throw exception(exception, error, text);
    }

    @Override
    public void failWithStatus(int status) {
        throw new ArithmeticException("no peer knows this one");
    }

    @Override
    public synchronized void fire(String text) {
        fired.add(text);
    }

    @Override
    public synchronized String[] fired() {
        return fired.toArray(new String[0]);
    }
}
