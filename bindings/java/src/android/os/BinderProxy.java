package android.os;

import avf.internal.Binders;

import java.lang.ref.Cleaner;
import java.lang.ref.Reference;
import java.lang.ref.WeakReference;
import java.util.HashMap;
import java.util.HashSet;
import java.util.Map;
import java.util.Set;

/** An object of a peer. There is one of these per object and session. */
final class BinderProxy implements IBinder {
    private static final Cleaner CLEANER = Cleaner.create();
    /* by the C object, which lives as long as its entry; guarded by itself */
    private static final Map<Long, WeakReference<BinderProxy>> PROXIES =
            new HashMap<>();

    /* The C objects of links. Apart from the proxy, for the Cleaner. */
    private static final class Links {
        private final Set<Long> all = new HashSet<>(); /* guarded by this */

        synchronized void add(long link) {
            all.add(link);
        }

        void end(long link) {
            synchronized (this) {
                all.remove(link);
            }
            Binders.unlink(link);
        }

        synchronized void endAll() {
            all.forEach(Binders::unlink);
            all.clear();
        }
    }

    private final long pointer; /* a reference is ours */
    private final Links links = new Links();
    /* Held by the proxy alone: a recipient may know its proxy. Guarded by
     * this. */
    private final Map<DeathRecipient, Long> recipients = new HashMap<>();

    private BinderProxy(long pointer) {
        this.pointer = pointer;
    }

    /* The map may have a successor by the time that a proxy is collected. */
    private static void forget(long pointer, WeakReference<BinderProxy> who,
            Links links) {
        synchronized (PROXIES) {
            if (PROXIES.get(pointer) == who)
                PROXIES.remove(pointer);
        }
        links.endAll();
        Binders.decStrong(pointer);
    }

    private static BinderProxy find(long pointer) {
        WeakReference<BinderProxy> known = PROXIES.get(pointer);
        BinderProxy proxy = known == null ? null : known.get();
        if (proxy != null) {
            Binders.decStrong(pointer);
            return proxy;
        }
        proxy = new BinderProxy(pointer);
        WeakReference<BinderProxy> ref = new WeakReference<>(proxy);
        PROXIES.put(pointer, ref);
        Links links = proxy.links;
        CLEANER.register(proxy, () -> forget(pointer, ref, links));
        return proxy;
    }

    /** The object of Java behind a C object, whose reference is taken. */
    static IBinder of(long pointer) {
        if (pointer == 0)
            return null;
        Object local = Binders.localObject(pointer);
        if (local != null) {
            Binders.decStrong(pointer);
            return (IBinder) local;
        }
        synchronized (PROXIES) {
            return find(pointer);
        }
    }

    /** The C object behind an object of Java, with a reference for the
     * caller; 0 for null. */
    static long acquire(IBinder binder) {
        if (binder == null)
            return 0;
        if (binder instanceof Binder)
            return ((Binder) binder).acquire();
        if (!(binder instanceof BinderProxy))
            throw new IllegalArgumentException(
                    "an IBinder that is neither a Binder nor a peer's object");
        BinderProxy proxy = (BinderProxy) binder;
        Binders.incStrong(proxy.pointer);
        Reference.reachabilityFence(proxy);
        return proxy.pointer;
    }

    private static void check(int status) throws RemoteException {
        if (status == Binders.STATUS_DEAD_OBJECT)
            throw new DeadObjectException();
        if (status != Binders.STATUS_OK)
            throw new RemoteException(Binders.statusName(status));
    }

    @Override
    public String getInterfaceDescriptor() throws RemoteException {
        String[] name = new String[1];
        int status = Binders.descriptor(pointer, name);
        Reference.reachabilityFence(this);
        check(status);
        return name[0];
    }

    @Override
    public IInterface queryLocalInterface(String descriptor) {
        return null;
    }

    @Override
    public boolean pingBinder() {
        boolean answers = Binders.ping(pointer) == Binders.STATUS_OK;
        Reference.reachabilityFence(this);
        return answers;
    }

    @Override
    public boolean isBinderAlive() {
        boolean alive = Binders.isAlive(pointer);
        Reference.reachabilityFence(this);
        return alive;
    }

    @Override
    public boolean transact(int code, Parcel data, Parcel reply, int flags)
            throws RemoteException {
        long[] out = new long[1];
        int status = Binders.transact(pointer, code, data.pointer(), flags,
                out);
        Reference.reachabilityFence(this);
        Reference.reachabilityFence(data);
        if (status == Binders.STATUS_UNKNOWN_TRANSACTION)
            return false;
        check(status);
        if (reply != null)
            reply.adopt(out[0]);
        else
            Binders.parcelDelete(out[0]);
        return true;
    }

    /** Nobody is told once the proxy is collected. */
    @Override
    public synchronized void linkToDeath(DeathRecipient recipient, int flags)
            throws RemoteException {
        long[] link = new long[1];
        if (recipients.containsKey(recipient))
            return;
        /* C's side must not keep the proxy alive, which keeps the session
         * alive, nor a recipient that knows the proxy */
        WeakReference<BinderProxy> self = new WeakReference<>(this);
        WeakReference<DeathRecipient> who = new WeakReference<>(recipient);
        check(Binders.link(pointer, () -> {
            BinderProxy proxy = self.get();
            DeathRecipient told = who.get();
            if (proxy != null && told != null)
                told.binderDied(proxy);
        }, link));
        links.add(link[0]);
        recipients.put(recipient, link[0]);
    }

    @Override
    public synchronized boolean unlinkToDeath(DeathRecipient recipient,
            int flags) {
        Long link = recipients.remove(recipient);
        if (link == null)
            throw new java.util.NoSuchElementException(
                    "this recipient is not linked");
        boolean alive = isBinderAlive();
        links.end(link);
        Reference.reachabilityFence(this);
        return alive;
    }
}
