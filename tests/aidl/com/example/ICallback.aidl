package com.example;

interface ICallback {
    int done(int code);
    oneway void later(String text);
}
