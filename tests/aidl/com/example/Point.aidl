package com.example;

parcelable Point {
    int x;
    int y;
    @nullable String name;
}
