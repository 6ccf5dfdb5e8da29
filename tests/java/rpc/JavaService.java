import android.os.IBinder;
import android.os.ParcelFileDescriptor;

import com.example.IJava;
import com.example.JavaValues;
import com.example.Point;

import java.io.FileDescriptor;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.Map;

/** com.example.IJava: what Debian's aidl has for Java alone. */
final class JavaService extends IJava.Stub {
    /* copy becomes v, and more is turned as v is */
    private static <T> List<T> turn(List<T> v, List<T> copy, List<T> more) {
        copy.addAll(v);
        Collections.reverse(more);
        return turn(v);
    }

    private static <T> List<T> turn(List<T> v) {
        List<T> turned = new ArrayList<>(v);
        Collections.reverse(turned);
        return turned;
    }

    private static <T> void turn(T[] v) {
        Collections.reverse(java.util.Arrays.asList(v));
    }

    @Override
    public List<String> turnTexts(List<String> v, List<String> copy,
            List<String> more) {
        return turn(v, copy, more);
    }

    @Override
    public List<IBinder> turnObjects(List<IBinder> v, List<IBinder> copy,
            List<IBinder> more) {
        return turn(v, copy, more);
    }

    @Override
    public List<Point> turnPoints(List<Point> v, List<Point> copy,
            List<Point> more) {
        return turn(v, copy, more);
    }

    @Override
    @SuppressWarnings({"rawtypes", "unchecked"})
    public List turnValues(List v, List copy) {
        copy.addAll(v);
        return turn((List<Object>) v);
    }

    @Override
    @SuppressWarnings("rawtypes")
    public Map repeatMap(Map v) {
        return v;
    }

    @Override
    public IBinder[] turnObjectArray(IBinder[] v) {
        turn(v);
        return v;
    }

    @Override
    public ParcelFileDescriptor[] turnFileArray(ParcelFileDescriptor[] v) {
        turn(v);
        return v;
    }

    @Override
    public CharSequence repeatSequence(CharSequence v) {
        return v;
    }

    @Override
    public FileDescriptor repeatRawFile(FileDescriptor v) {
        return v;
    }

    @Override
    public Point repeatMaybePoint(Point v) {
        return v;
    }

    @Override
    public Point[] turnMaybePoints(Point[] v) {
        if (v != null)
            turn(v);
        return v;
    }

    @Override
    public JavaValues repeatValues(JavaValues v) {
        return v;
    }

    @Override
    public int count(int[] v) {
        for (int i = 0; i < v.length; i++)
            v[i] = i + 1;
        return v.length;
    }
}
