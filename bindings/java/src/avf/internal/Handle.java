package avf.internal;

import java.lang.ref.Cleaner;
import java.util.function.LongConsumer;

/**
 * A C object that any thread may use until some thread closes it. It is freed
 * by close(), or at the end of the last use: nothing is freed under a call.
 */
public final class Handle implements Runnable {
    private static final Cleaner CLEANER = Cleaner.create();

    private final LongConsumer free;
    private final String closedText;
    private long pointer;
    private int users;
    private boolean closed;

    public Handle(long pointer, LongConsumer free, String closedText) {
        this.pointer = pointer;
        this.free = free;
        this.closedText = closedText;
    }

    /** Close it when nobody can reach owner any more. */
    public Handle cleanedWith(Object owner) {
        CLEANER.register(owner, this);
        return this;
    }

    public synchronized long acquire() {
        if (closed)
            throw new IllegalStateException(closedText);
        users++;
        return pointer;
    }

    public synchronized void release() {
        users--;
        freeIfUnused();
    }

    public synchronized void close() {
        closed = true;
        freeIfUnused();
    }

    /** Hand the pointer to a C function that takes it. */
    public synchronized long steal() {
        if (closed || users > 0)
            throw new IllegalStateException(closedText);
        long stolen = pointer;
        closed = true;
        pointer = 0;
        return stolen;
    }

    /** For the Cleaner. */
    @Override
    public void run() {
        close();
    }

    private void freeIfUnused() {
        if (!closed || users > 0 || pointer == 0)
            return;
        long last = pointer;
        pointer = 0;
        free.accept(last);
    }
}
