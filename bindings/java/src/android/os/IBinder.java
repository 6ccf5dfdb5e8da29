package android.os;

/** The root object of an RPC connection; there is none yet. */
public interface IBinder {}
