package org.avf.bench;

/** What bench/rpc calls. */
interface IBench {
    int add(int a, int b);
    /** Returns how many there were. */
    int take(in byte[] v);
}
