package avf;

import android.os.BinderPointers;
import android.os.IBinder;
import android.os.RemoteException;

import avf.internal.Binders;
import avf.internal.Handle;

/** Serves a root object to peers at the path of a Unix socket. */
public final class RpcServer implements AutoCloseable {
    private final Handle handle;

    /** Nothing may be at path. The file remains after close(). */
    public RpcServer(IBinder root, String path) throws RemoteException {
        long pointer = BinderPointers.acquire(root);
        long server = Binders.serverUnix(pointer, path);
        Binders.decStrong(pointer);
        if (server == 0)
            throw new RemoteException("cannot listen at " + path);
        handle = new Handle(server, Binders::serverFree,
                "the server is closed").cleanedWith(this);
    }

    /** Accept peers: up to threads calls of each at once; with fds, file
     * descriptors may travel. Once. */
    public void start(int threads, boolean fds) {
        long server = handle.acquire();
        try {
            Binders.serverSetUp(server, threads, fds);
            Binders.serverStart(server);
        } finally {
            handle.release();
        }
    }

    /** Ends all sessions. */
    @Override
    public void close() {
        handle.close();
    }
}
