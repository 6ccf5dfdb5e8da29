package android.os;

/** An AIDL interface: an object of it, or a proxy of one. */
public interface IInterface {
    IBinder asBinder();
}
