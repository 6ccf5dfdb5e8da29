package avf;

import android.os.BinderPointers;
import android.os.IBinder;
import android.os.RemoteException;

import avf.internal.Binders;
import avf.internal.Handle;

import java.util.function.IntSupplier;
import java.util.function.LongUnaryOperator;

/**
 * A connection to a peer that serves a root object. It lives as long as one
 * of its objects is used, also after close().
 */
public final class RpcSession implements AutoCloseable {
    private final Handle handle;

    /** incomingThreads: for calls that the peer makes while we make none, and
     * for linkToDeath(). fds: descriptors travel, if the peer allows it. */
    public RpcSession(int incomingThreads, boolean fds) {
        if (incomingThreads < 0)
            throw new IllegalArgumentException("incomingThreads: "
                    + incomingThreads);
        long session = Binders.sessionNew();
        if (session == 0)
            throw new OutOfMemoryError("session");
        Binders.sessionSetUp(session, incomingThreads, fds);
        handle = new Handle(session, Binders::sessionFree,
                "the session is closed").cleanedWith(this);
    }

    /** How long all that is said until there is a session may take; a peer
     * that is silent has no end else. Before connecting. */
    public void setConnectTimeout(int milliseconds) {
        if (milliseconds <= 0)
            throw new IllegalArgumentException("milliseconds: "
                    + milliseconds);
        long session = handle.acquire();
        try {
            Binders.sessionConnectTimeout(session, milliseconds);
        } finally {
            handle.release();
        }
    }

    private IBinder connect(LongUnaryOperator how, String where)
            throws RemoteException {
        long session = handle.acquire();
        try {
            long root = how.applyAsLong(session);
            int status = Binders.sessionError(session);
            if (status != Binders.STATUS_OK)
                throw new RemoteException("cannot connect to " + where + ": "
                        + Binders.statusName(status));
            return BinderPointers.take(root);
        } finally {
            handle.release();
        }
    }

    /** The root object of the server at the path of a Unix socket; null when
     * it has none. Once per session. Blocks. */
    public IBinder connectUnix(String path) throws RemoteException {
        return connect(s -> Binders.sessionConnectUnix(s, path), path);
    }

    /** The same over stream sockets that sockets gives, one per connection;
     * they are taken. -1: there is none. */
    public IBinder connect(IntSupplier sockets) throws RemoteException {
        return connect(s -> Binders.sessionConnect(s, sockets), "the peer");
    }

    /** For tests: objects that either side knows of the other. */
    public long countObjects() {
        long session = handle.acquire();
        try {
            return Binders.sessionObjects(session);
        } finally {
            handle.release();
        }
    }

    /** End it now: its objects are dead. */
    public void shutdown() {
        long session = handle.acquire();
        try {
            Binders.sessionShutdown(session);
        } finally {
            handle.release();
        }
    }

    @Override
    public void close() {
        handle.close();
    }
}
