package android.os;

import avf.internal.Binders;

import java.lang.ref.Cleaner;

/**
 * An object of this process. AIDL's stubs derive from it. A peer that has it
 * keeps it alive.
 */
public class Binder implements IBinder {
    /* The C object, which has this one: weakly, so that each can end. */
    private static final class Weak implements Runnable {
        private long pointer; /* guarded by this */

        synchronized long promote() {
            return pointer == 0 ? 0 : Binders.weakPromote(pointer);
        }

        synchronized void set(long binder) {
            run();
            pointer = Binders.weakNew(binder);
        }

        /** For the Cleaner. */
        @Override
        public synchronized void run() {
            if (pointer != 0)
                Binders.weakDelete(pointer);
            pointer = 0;
        }
    }

    private static final Cleaner CLEANER = Cleaner.create();

    private final Weak weak = new Weak();
    private IInterface owner;
    private String descriptor;

    public Binder() {
        this(null);
    }

    public Binder(String descriptor) {
        this.descriptor = descriptor;
        CLEANER.register(this, weak);
    }

    /** For stubs: what queryLocalInterface() finds. */
    public void attachInterface(IInterface owner, String descriptor) {
        this.owner = owner;
        this.descriptor = descriptor;
    }

    @Override
    public String getInterfaceDescriptor() {
        return descriptor;
    }

    @Override
    public IInterface queryLocalInterface(String name) {
        return descriptor != null && descriptor.equals(name) ? owner : null;
    }

    @Override
    public boolean pingBinder() {
        return true;
    }

    @Override
    public boolean isBinderAlive() {
        return true;
    }

    /** For stubs of an interface with @VintfStability. Nothing here depends on
     * a promise to other versions of a system. */
    public final void markVintfStability() {}

    /** For stubs: the name of a method by its code, for who traces calls. */
    public String getTransactionName(int code) {
        return null;
    }

    /** For stubs: how many codes there are. */
    protected int getMaxTransactionId() {
        return 0;
    }

    /** For stubs. False: there is no such method. */
    protected boolean onTransact(int code, Parcel data, Parcel reply,
            int flags) throws RemoteException {
        return false;
    }

    @Override
    public final boolean transact(int code, Parcel data, Parcel reply,
            int flags) throws RemoteException {
        data.setDataPosition(0);
        boolean known = onTransact(code, data, reply, flags);
        if (reply != null)
            reply.setDataPosition(0);
        return known;
    }

    /** An object of this process does not die before it. */
    @Override
    public void linkToDeath(DeathRecipient recipient, int flags) {}

    @Override
    public boolean unlinkToDeath(DeathRecipient recipient, int flags) {
        return true;
    }

    /** The C object, with a reference for the caller. */
    synchronized long acquire() {
        long binder = weak.promote();
        if (binder == 0) {
            binder = Binders.newLocal(descriptor, this);
            weak.set(binder);
        }
        return binder;
    }

    /**
     * A peer calls. For JNI: the parcels end with the call. Returns a status
     * of binder_status.h.
     */
    static int dispatch(Binder self, int code, long in, long out) {
        Parcel data = Parcel.lend(in);
        Parcel reply = Parcel.lend(out);
        try {
            return self.answer(code, data, reply);
        } finally {
            data.recycle();
            reply.recycle();
        }
    }

    private int answer(int code, Parcel data, Parcel reply) {
        try {
            return onTransact(code, data, reply, 0)
                    ? Binders.STATUS_OK : Binders.STATUS_UNKNOWN_TRANSACTION;
        } catch (RemoteException | RuntimeException e) {
            reply.reset();
            return StatusHeader.write(reply, e)
                    ? Binders.STATUS_OK : Binders.STATUS_UNKNOWN_ERROR;
        } catch (StackOverflowError e) {
            /* parcelables in parcelables, which generated code reads */
            return Binders.STATUS_BAD_VALUE;
        } catch (OutOfMemoryError e) {
            /* an "out" array, for which generated code makes room */
            return Binders.STATUS_NO_MEMORY;
        }
    }
}
