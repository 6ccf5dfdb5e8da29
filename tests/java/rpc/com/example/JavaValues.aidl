package com.example;

import com.example.Point;

/** A field of each of these types; and itself, without end. */
parcelable JavaValues {
    List<String> texts;
    List<Point> points;
    List values;
    Map map;
    CharSequence sequence;
    IBinder[] objects;
    @nullable Point point;
    @nullable Point[] maybePoints;
    @nullable JavaValues next;
}
