import java.io.File;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.util.ArrayList;
import java.util.List;
import java.util.Objects;

/** What the tests of the Java package share: "ok NAME" per test. */
final class Check {
    interface Body {
        void run() throws Exception;
    }

    static final class Skip extends RuntimeException {
        Skip(String why) {
            super(why);
        }
    }

    private static int failures;

    private Check() {}

    static void test(String name, Body body) {
        try {
            body.run();
            System.out.println("ok " + name);
        } catch (Skip e) {
            System.out.println("skip " + name + ": " + e.getMessage());
        } catch (Throwable e) {
            failures++;
            System.out.println("not ok " + name);
            e.printStackTrace(System.out);
        }
    }

    static void equal(Object expected, Object got) {
        if (!Objects.equals(expected, got))
            throw new AssertionError("expected " + expected + ", got " + got);
    }

    static void that(boolean holds, String what) {
        if (!holds)
            throw new AssertionError(what);
    }

    /** The kernel of a bare guest. Where there is an Image beside the ELF file,
     * that is what boots. */
    static String guest(String guests, String name) {
        String image = guests + "/" + name + ".img";
        return new File(image).exists() ? image : guests + "/" + name + ".elf";
    }

    /** The body throws this, with this text in the message. */
    static <T extends Throwable> T fails(Class<T> type, String text,
            Body body) {
        try {
            body.run();
        } catch (Throwable e) {
            if (!type.isInstance(e))
                throw new AssertionError("expected " + type.getName(), e);
            that(String.valueOf(e.getMessage()).contains(text),
                    e.getMessage());
            return type.cast(e);
        }
        throw new AssertionError("nothing was thrown");
    }

    /** What is open, by name; a number that is left tells nothing. Without what
     * the JVM looks at on a thread of its own: the limits of its cgroup. */
    static List<String> openFiles() throws Exception {
        List<String> links = new ArrayList<>();
        for (File file : new File("/proc/self/fd").listFiles()) {
            try {
                links.add(Files.readSymbolicLink(file.toPath()).toString());
            } catch (NoSuchFileException e) {
                /* that of the directory itself */
            }
        }
        links.removeIf(link -> link.startsWith("/sys/fs/cgroup/"));
        links.sort(null);
        return links;
    }

    static void removeTree(File file) {
        File[] inside = file.listFiles();
        if (inside != null)
            for (File each : inside)
                removeTree(each);
        file.delete();
    }

    static void end() {
        System.exit(failures > 0 ? 1 : 0);
    }
}
