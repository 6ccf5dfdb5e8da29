package android.system.virtualmachine;

import avf.internal.Native;

/** Asked once: the probe runs a guest. */
final class HostCapabilities {
    private static final class Holder {
        static final int BITS = probe();
    }

    private HostCapabilities() {}

    static int get() {
        return Holder.BITS;
    }

    private static int probe() {
        long[] made = new long[1];
        Native.avf_probe_new(made);
        try {
            return (int) Native.avf_probe_capabilities(made[0]);
        } finally {
            Native.avf_probe_free(made[0]);
        }
    }
}
