package com.example;

import com.example.ICallback;
import com.example.Point;

/** A field of every type that Debian's compiler has for all languages, but
 * those of Files. */
parcelable Everything {
    int number = 7;
    @nullable String maybeText;
    String text = "text";
    @utf8InCpp String utf8 = "utf8";
    char letter = 'd';
    boolean flag = true;
    double wide = 0.5;
    float narrow = 0.25f;
    long large = 50000;
    byte small = 3;
    byte[] bytes;
    boolean[] flags;
    char[] letters;
    int[] ints = {1, 2};
    long[] larges;
    float[] narrows;
    double[] wides;
    String[] texts = {"one", "two"};
    @nullable byte[] maybeBytes;
    @nullable int[] maybeInts;
    @nullable String[] maybeTexts;
    Point point;
    Point[] points;
    ICallback callback;
    IBinder object;
    @nullable IBinder maybeObject;
}
