package com.example;

/** What only Unix sockets carry. */
parcelable Files {
    String name = "files";
    ParcelFileDescriptor file;
    @nullable ParcelFileDescriptor maybeFile;
}
