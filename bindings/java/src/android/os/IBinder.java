package android.os;

/** An object that can be called: of this process, or of a peer. */
public interface IBinder {
    int FIRST_CALL_TRANSACTION = 0x00000001;
    int LAST_CALL_TRANSACTION = 0x00ffffff;
    int PING_TRANSACTION = ('_' << 24) | ('P' << 16) | ('N' << 8) | 'G';
    int DUMP_TRANSACTION = ('_' << 24) | ('D' << 16) | ('M' << 8) | 'P';
    int INTERFACE_TRANSACTION = ('_' << 24) | ('N' << 16) | ('T' << 8) | 'F';

    /** No result, and no waiting. Calls on one object keep their order. */
    int FLAG_ONEWAY = 0x00000001;

    /** Somebody who wants to know when the peer of an object is gone. */
    interface DeathRecipient {
        /** Any thread. */
        void binderDied();

        default void binderDied(IBinder who) {
            binderDied();
        }
    }

    /** The name of its interface; null when it has none. */
    String getInterfaceDescriptor() throws RemoteException;

    /** The implementation of that interface, if it is in this process. */
    IInterface queryLocalInterface(String descriptor);

    /** Whether the peer answers. Blocks. */
    boolean pingBinder();

    /** False once the session of its peer has ended. */
    boolean isBinderAlive();

    /**
     * Make a call. Blocks, unless it is oneway. False: the object does not
     * know the code.
     */
    boolean transact(int code, Parcel data, Parcel reply, int flags)
            throws RemoteException;

    /** Throws when the peer is gone already, or when its session has no
     * threads that would notice. */
    void linkToDeath(DeathRecipient recipient, int flags)
            throws RemoteException;

    /** False: the peer is gone. */
    boolean unlinkToDeath(DeathRecipient recipient, int flags);
}
