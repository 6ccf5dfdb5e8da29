package com.example;

/** A field of every type that Debian's compiler has. */
parcelable Everything {
    int number = 7;
    @nullable String maybeText;
    String text = "text";
    byte[] bytes;
    boolean flag;
    char letter;
    double wide;
    float narrow;
    long large;
    byte small;
    int[] ints;
    String[] texts;
    @nullable int[] maybeInts;
    ParcelFileDescriptor file;
    @nullable ParcelFileDescriptor maybeFile;
    IBinder object;
    @nullable IBinder maybeObject;
}
