package com.example;

/** Nobody waits for any of its methods. */
oneway interface IListener {
    void heard(String text);
}
