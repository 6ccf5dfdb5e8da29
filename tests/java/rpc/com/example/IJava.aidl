package com.example;

import com.example.JavaValues;
import com.example.Point;

/** What Debian's compiler has for Java alone. */
interface IJava {
    List<String> turnTexts(in List<String> v, out List<String> copy,
        inout List<String> more);
    List<IBinder> turnObjects(in List<IBinder> v, out List<IBinder> copy,
        inout List<IBinder> more);
    List<Point> turnPoints(in List<Point> v, out List<Point> copy,
        inout List<Point> more);
    List turnValues(in List v, out List copy);
    Map repeatMap(in Map v);
    IBinder[] turnObjectArray(in IBinder[] v);
    ParcelFileDescriptor[] turnFileArray(in ParcelFileDescriptor[] v);
    CharSequence repeatSequence(CharSequence v);
    FileDescriptor repeatRawFile(in FileDescriptor v);
    @nullable Point repeatMaybePoint(in @nullable Point v);
    @nullable Point[] turnMaybePoints(in @nullable Point[] v);
    JavaValues repeatValues(in JavaValues v);
    /** As many as a peer wants. */
    int count(out int[] v);
}
