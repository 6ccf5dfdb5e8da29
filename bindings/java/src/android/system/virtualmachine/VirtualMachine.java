package android.system.virtualmachine;

import android.os.IBinder;
import android.os.ParcelFileDescriptor;
import android.os.RemoteException;

import avf.RpcSession;
import avf.internal.EventRecord;
import avf.internal.Handle;
import avf.internal.Native;
import avf.internal.NativeConstants;
import avf.internal.NativeException;

import java.io.File;
import java.io.InputStream;
import java.io.OutputStream;
import java.util.Objects;
import java.util.concurrent.Executor;

/**
 * A named VM. It runs until its guest ends, stop() or close(), or the end of
 * this process. While it runs, a daemon thread hands out its events, and the
 * object is not collected.
 */
public class VirtualMachine implements AutoCloseable {
    public static final int STATUS_STOPPED = 0;
    public static final int STATUS_RUNNING = 1;
    public static final int STATUS_DELETED = 2;

    public static final long MIN_VSOCK_PORT = 1024;
    public static final long MAX_VSOCK_PORT = (1L << 32) - 1;

    public static final String MANAGE_VIRTUAL_MACHINE_PERMISSION =
            "android.permission.MANAGE_VIRTUAL_MACHINE";
    public static final String USE_CUSTOM_VIRTUAL_MACHINE_PERMISSION =
            "android.permission.USE_CUSTOM_VIRTUAL_MACHINE";

    private static final int CONNECT_TIMEOUT_MS = 30000;

    private final String name;
    private final long pointer; /* to compare with */
    private final Handle handle;
    /** C wants one thread at a time, but for connections and kill. */
    private final Object lock = new Object();
    private Thread events; /* guarded by lock */
    /** Of the run's thread: what it hands out now. */
    private final EventRecord event = new EventRecord();
    private VirtualMachineConfig config; /* null: not read; guarded by lock */

    private final Object callbackLock = new Object();
    private VirtualMachineCallback callback;
    private Executor executor;

    /** What is still known of a VM that the manager has deleted. */
    private record Remains(VirtualMachineConfig config, File dir) {}

    /** null as long as it is not deleted; written once. */
    private volatile Remains remains;

    VirtualMachine(String name, long pointer) {
        this.name = name;
        this.pointer = pointer;
        handle = new Handle(pointer, Native::avf_vm_free, "the VM is freed")
                .cleanedWith(this);
    }

    boolean isOf(long other) {
        return pointer == other;
    }

    /**
     * The manager has deleted it. Its descriptors are given back now: the
     * collector does not know how scarce they are.
     */
    void setDeleted() {
        remains = new Remains(getConfig(), getRootDir());
        handle.close();
    }

    private long acquire() throws VirtualMachineException {
        if (remains != null)
            throw VirtualMachineException.deleted();
        try {
            return handle.acquire();
        } catch (IllegalStateException e) {
            /* deleted since */
            throw VirtualMachineException.deleted();
        }
    }

    /** Something to do with the C object. */
    private interface Call<T> {
        T with(long vm);
    }

    private <T> T locked(Call<T> call) throws VirtualMachineException {
        long vm = acquire();
        try {
            synchronized (lock) {
                return call.with(vm);
            }
        } catch (NativeException e) {
            throw VirtualMachineException.of(e);
        } finally {
            handle.release();
        }
    }

    public String getName() {
        return name;
    }

    public int getStatus() {
        try {
            return locked(Native::avf_vm_get_status);
        } catch (VirtualMachineException e) {
            return STATUS_DELETED; /* asking cannot fail otherwise */
        }
    }

    /** The object that create() or setConfig() was given, as in AVF. */
    public VirtualMachineConfig getConfig() {
        try {
            return locked(this::knownConfig);
        } catch (VirtualMachineException e) {
            if (remains != null)
                return remains.config;
            throw new IllegalStateException(e);
        }
    }

    /** It was made of that configuration. */
    void made(VirtualMachineConfig config) {
        synchronized (lock) {
            this.config = config;
        }
    }

    private VirtualMachineConfig knownConfig(long vm) {
        if (config == null)
            config = readConfig(vm);
        return config;
    }

    private static VirtualMachineConfig readConfig(long vm) {
        long[] made = new long[1];
        Native.avf_vm_get_config(vm, made);
        try {
            return VirtualMachineConfig.fromNative(made[0]);
        } finally {
            Native.avf_config_free(made[0]);
        }
    }

    /** Returns the old one. */
    public VirtualMachineConfig setConfig(VirtualMachineConfig config)
            throws VirtualMachineException {
        return locked(vm -> {
            VirtualMachineConfig old = knownConfig(vm);
            long raw = config.toNative();
            try {
                Native.avf_vm_set_config(vm, raw);
            } finally {
                Native.avf_config_free(raw);
            }
            this.config = config;
            return old;
        });
    }

    /** Where the VM's files are. */
    public File getRootDir() {
        try {
            return new File(locked(Native::avf_vm_get_dir));
        } catch (VirtualMachineException e) {
            return remains.dir; /* asking cannot fail otherwise */
        }
    }

    public void setCallback(Executor executor,
            VirtualMachineCallback callback) {
        Objects.requireNonNull(executor);
        Objects.requireNonNull(callback);
        synchronized (callbackLock) {
            this.executor = executor;
            this.callback = callback;
        }
    }

    public void clearCallback() {
        synchronized (callbackLock) {
            executor = null;
            callback = null;
        }
    }

    /** Returns at once; the callback tells the rest. */
    public void run() throws VirtualMachineException {
        locked(vm -> {
            Native.avf_vm_run(vm);
            events = new Thread(this::handOutEvents, "avf-vm-" + name);
            events.setDaemon(true);
            events.start();
            return null;
        });
    }

    /** Ask the guest to shut down, kill it after 5 s; returns at the end. */
    public void stop() throws VirtualMachineException {
        if (remains != null)
            throw VirtualMachineException.notRunning();
        Thread running = locked(vm -> {
            Native.avf_vm_stop(vm);
            return events;
        });
        /* in a callback that runs on that thread, waiting is for ever */
        if (running == Thread.currentThread())
            return;
        try {
            running.join();
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
    }

    /** Stop it when it runs. It can be run again. */
    @Override
    public void close() {
        try {
            stop();
        } catch (VirtualMachineException e) {
            /* it does not run: all is well */
        }
    }

    /** Output of the console; it ends with the run. */
    public InputStream getConsoleOutput() throws VirtualMachineException {
        return new ParcelFileDescriptor.AutoCloseInputStream(
                descriptor(Native::avf_vm_get_console_output));
    }

    /** Output and log of the payload. */
    public InputStream getLogOutput() throws VirtualMachineException {
        return new ParcelFileDescriptor.AutoCloseInputStream(
                descriptor(Native::avf_vm_get_log_output));
    }

    public OutputStream getConsoleInput() throws VirtualMachineException {
        return new ParcelFileDescriptor.AutoCloseOutputStream(
                descriptor(Native::avf_vm_get_console_input));
    }

    private interface Opener {
        int open(long vm, int[] made);
    }

    private ParcelFileDescriptor descriptor(Opener opener)
            throws VirtualMachineException {
        return locked(vm -> {
            int[] made = new int[1];
            opener.open(vm, made);
            return ParcelFileDescriptor.adoptFd(made[0]);
        });
    }

    /** A stream socket to the guest's port. */
    public ParcelFileDescriptor connectVsock(long port)
            throws VirtualMachineException {
        checkPort(port);
        int[] made = new int[1];
        long vm = acquire();
        try {
            Native.avf_vm_connect(vm, port, CONNECT_TIMEOUT_MS, made);
        } catch (NativeException e) {
            throw VirtualMachineException.of(e);
        } finally {
            handle.release();
        }
        return ParcelFileDescriptor.adoptFd(made[0]);
    }

    private static void checkPort(long port) {
        if (port < MIN_VSOCK_PORT || port > MAX_VSOCK_PORT)
            throw new IllegalArgumentException("Bad port " + port);
    }

    /** The root object of an RPC binder server in the VM, which may call
     * objects of ours at any time. Blocks. */
    public IBinder connectToVsockServer(long port)
            throws VirtualMachineException {
        VirtualMachineException[] why = new VirtualMachineException[1];
        checkPort(port);
        try (RpcSession session = new RpcSession(1, false)) {
            session.setConnectTimeout(CONNECT_TIMEOUT_MS);
            return session.connect(() -> connectedFd(port, why));
        } catch (RemoteException e) {
            if (why[0] != null)
                throw why[0];
            throw new VirtualMachineException(
                    "Failed to connect to vsock server: " + e.getMessage(),
                    e);
        }
    }

    private int connectedFd(long port, VirtualMachineException[] why) {
        try {
            return connectVsock(port).detachFd();
        } catch (VirtualMachineException e) {
            why[0] = e;
            return -1;
        }
    }

    public VirtualMachineDescriptor toDescriptor()
            throws VirtualMachineException {
        return locked(vm -> {
            long[] made = new long[1];
            Native.avf_vm_to_descriptor(vm, made);
            return new VirtualMachineDescriptor(made[0]);
        });
    }

    /* --- the thread of a run --- */

    private void handOutEvents() {
        long vm = handle.acquire();
        try {
            int fd = Native.avf_vm_get_fd(vm);
            boolean stopped = false;
            while (!stopped) {
                /* not under the lock: stop() must get through */
                Native.wait_readable(fd, -1);
                if (next(vm, event)) {
                    stopped = event.type
                            == NativeConstants.AVF_EVENT_STOPPED;
                    tell(event.type, event.code, event.text);
                }
            }
        } finally {
            handle.release();
        }
    }

    private boolean next(long vm, EventRecord event) {
        synchronized (lock) {
            return Native.avf_vm_next_event(vm, event) > 0;
        }
    }

    private void tell(int type, int code, String text) {
        VirtualMachineCallback to;
        Executor on;
        synchronized (callbackLock) {
            to = callback;
            on = executor;
        }
        if (to == null)
            return;
        try {
            on.execute(() -> dispatch(to, type, code, text));
        } catch (RuntimeException | Error e) {
            /* one callback's failure must not lose the next event */
            Thread me = Thread.currentThread();
            me.getUncaughtExceptionHandler().uncaughtException(me, e);
        }
    }

    private void dispatch(VirtualMachineCallback to, int type, int code,
            String text) {
        if (type == NativeConstants.AVF_EVENT_PAYLOAD_STARTED)
            to.onPayloadStarted(this);
        else if (type == NativeConstants.AVF_EVENT_PAYLOAD_READY)
            to.onPayloadReady(this);
        else if (type == NativeConstants.AVF_EVENT_PAYLOAD_FINISHED)
            to.onPayloadFinished(this, code);
        else if (type == NativeConstants.AVF_EVENT_ERROR)
            to.onError(this, code, text);
        else if (type == NativeConstants.AVF_EVENT_STOPPED)
            to.onStopped(this, code);
    }
}
