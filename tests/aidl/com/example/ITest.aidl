package com.example;

import com.example.Everything;
import com.example.Files;
import com.example.ICallback;
import com.example.IListener;
import com.example.Point;

/** A method for every type and every direction. */
interface ITest {
    const int LIMIT = 3;
    const String NAME = "everything";

    boolean repeatBoolean(boolean v);
    byte repeatByte(byte v);
    char repeatChar(char v);
    int repeatInt(int v);
    long repeatLong(long v);
    float repeatFloat(float v);
    double repeatDouble(double v);
    String repeatString(String v);
    @utf8InCpp String repeatUtf8(@utf8InCpp String v);
    @nullable String repeatMaybeString(@nullable String v);
    @nullable @utf8InCpp String repeatMaybeUtf8(@nullable @utf8InCpp String v);

    boolean[] reverseBooleans(in boolean[] v);
    byte[] reverseBytes(in byte[] v);
    char[] reverseChars(in char[] v);
    int[] reverseInts(in int[] v);
    long[] reverseLongs(in long[] v);
    float[] reverseFloats(in float[] v);
    double[] reverseDoubles(in double[] v);
    String[] reverseStrings(in String[] v);
    @utf8InCpp String[] reverseUtf8s(in @utf8InCpp String[] v);
    @nullable boolean[] reverseMaybeBooleans(in @nullable boolean[] v);
    @nullable byte[] reverseMaybeBytes(in @nullable byte[] v);
    @nullable char[] reverseMaybeChars(in @nullable char[] v);
    @nullable long[] reverseMaybeLongs(in @nullable long[] v);
    @nullable float[] reverseMaybeFloats(in @nullable float[] v);
    @nullable double[] reverseMaybeDoubles(in @nullable double[] v);
    @nullable int[] reverseMaybeInts(in @nullable int[] v);
    @nullable String[] reverseMaybeStrings(in @nullable String[] v);

    Everything repeatEverything(in Everything v);
    Point[] reversePoints(in Point[] v);
    /** Returns the sum; doubles @both, fills @filled with 1, 2, 3... */
    Point directions(in Point given, inout Point both, out Point filled,
        inout int[] bothInts, out int[] filledInts);

    /** Fills each with 1, 2, 3..., or true, false, true...; an array has the
     * length that its caller wants. */
    void fill(out boolean[] booleans, out byte[] bytes, out char[] chars,
        out long[] longs, out float[] floats, out double[] doubles,
        out String[] texts, out Point[] points);
    /** Turns each around. */
    void turn(inout boolean[] booleans, inout byte[] bytes,
        inout char[] chars, inout long[] longs, inout float[] floats,
        inout double[] doubles, inout String[] texts, inout Point[] points);

    ParcelFileDescriptor repeatFile(in ParcelFileDescriptor v);
    @nullable ParcelFileDescriptor repeatMaybeFile(in @nullable ParcelFileDescriptor v);
    Files repeatFiles(in Files v);
    IBinder repeatObject(IBinder v);
    @nullable IBinder repeatMaybeObject(@nullable IBinder v);
    void setCallback(ICallback v);
    @nullable ICallback getCallback();
    int callBack(ICallback v, int code);
    /** Calls v.later(), when it likes. */
    oneway void callLater(ICallback v, String text);
    void tell(IListener v, String text);

    /** An exception, a service's error, or a status, by their numbers. */
    void fail(int exception, int error, String text);
    void failWithStatus(int status);
    oneway void fire(String text);
    /** What fire() was told, in order. */
    String[] fired();
}
