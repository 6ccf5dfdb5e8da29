package avf.internal;

import java.io.File;
import java.net.URISyntaxException;
import java.util.ArrayList;
import java.util.List;

/** Finds libavf_jni.so, which finds the C libraries beside itself. */
final class NativeLoader {
    private static final String FILE = "libavf_jni.so";

    private NativeLoader() {}

    static void load() {
        List<File> places = places();
        for (File place : places) {
            File file = new File(place, FILE);
            if (!file.exists())
                continue;
            try {
                System.load(file.getAbsolutePath());
                return;
            } catch (UnsatisfiedLinkError error) {
                throw new UnsatisfiedLinkError(file + " is there, but: "
                        + error.getMessage());
            }
        }
        try {
            System.loadLibrary("avf_jni");
        } catch (UnsatisfiedLinkError error) {
            throw new UnsatisfiedLinkError(FILE + " is neither in " + places
                    + " nor in java.library.path; build libvirtualization "
                    + "with -DAVF_JAVA=ON, or set -Davf.library.path to the "
                    + "directory that has it");
        }
    }

    private static List<File> places() {
        List<File> places = new ArrayList<>();
        String given = System.getProperty("avf.library.path");
        if (given != null) {
            places.add(new File(given));
            return places;
        }
        File dir = jarDirectory();
        if (dir == null)
            return places;
        /* beside the jar; in a build tree; in an installation */
        for (String place : new String[] {".", "../lib", "../../lib",
                "../../lib/x86_64-linux-gnu", "../../lib64"})
            places.add(new File(dir, place));
        return places;
    }

    private static File jarDirectory() {
        try {
            return new File(NativeLoader.class.getProtectionDomain()
                    .getCodeSource().getLocation().toURI()).getParentFile();
        } catch (URISyntaxException | RuntimeException e) {
            return null;
        }
    }
}
