import java.io.File;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;

/** The jar in an empty folder, with plain "java -cp": what it needs, and what
 * it says when something is missing. */
public class TestJar {
    private static Path build;
    private static String classes;

    /** Copies of files of the build tree, in a folder of their own. */
    private static Path folder(String... files) throws IOException {
        Path dir = Files.createTempDirectory("avf-jar");
        for (String file : files) {
            Path to = dir.resolve(Path.of(file).getFileName());
            Files.copy(build.resolve(file), to);
            to.toFile().setExecutable(true);
        }
        return dir;
    }

    private record Ended(int code, String out) {}

    private static Ended java(Path dir, List<String> options)
            throws Exception {
        List<String> command = new ArrayList<>();
        command.add(System.getProperty("java.home") + "/bin/java");
        command.addAll(options);
        command.addAll(List.of("-cp", "libvirtualization.jar:" + classes,
                "Announcement"));
        ProcessBuilder builder = new ProcessBuilder(command)
                .directory(dir.toFile()).redirectErrorStream(true);
        builder.environment().remove("LD_LIBRARY_PATH");
        Process process = builder.start();
        String out = new String(process.getInputStream().readAllBytes());
        int code = process.waitFor();
        Check.removeTree(dir.toFile());
        return new Ended(code, out);
    }

    private static void works() throws Exception {
        Ended ended = java(folder("java/libvirtualization.jar",
                "lib/libavf_jni.so", "lib/libvirtualization.so.0",
                "lib/libvirtualization-binder.so.0",
                "libexec/libvirtualization/avf-vmm"), List.of());
        Check.equal(0, ended.code);
        Check.that(ended.out.contains("AVF is supported\nfeature: true"),
                ended.out);
    }

    private static void fails(Path dir, List<String> options, String... words)
            throws Exception {
        Ended ended = java(dir, options);
        Check.that(ended.code != 0, "it fails");
        for (String word : words)
            Check.that(ended.out.contains(word), ended.out);
    }

    private static void alone() throws Exception {
        Path dir = folder("java/libvirtualization.jar");
        fails(dir, List.of(), "libavf_jni.so is neither in [" + dir,
                "java.library.path", "-Davf.library.path");
    }

    private static void wrongPlace() throws Exception {
        fails(folder("java/libvirtualization.jar", "lib/libavf_jni.so"),
                List.of("-Davf.library.path=/nowhere"),
                "libavf_jni.so is neither in [/nowhere]");
    }

    private static void half() throws Exception {
        Path dir = folder("java/libvirtualization.jar", "lib/libavf_jni.so");
        /* where the build tree's would be found */
        Ended ended = java(dir, List.of());
        if (ended.code == 0)
            throw new Check.Skip("libvirtualization.so.0 is installed here");
        Check.that(ended.out.contains("libavf_jni.so is there, but: ")
                && ended.out.contains("libvirtualization.so.0"), ended.out);
    }

    private static void broken() throws Exception {
        Path dir = folder("java/libvirtualization.jar");
        Files.writeString(dir.resolve("libavf_jni.so"), "no library");
        fails(dir, List.of(), "libavf_jni.so is there, but: ");
    }

    private static void givenPlace() throws Exception {
        Ended ended = java(folder("java/libvirtualization.jar"), List.of(
                "-Davf.library.path=" + build.resolve("lib")));
        Check.equal(0, ended.code);
    }

    /** Arguments: the build tree, the directory of this class. */
    public static void main(String[] args) {
        build = Path.of(args[0]);
        classes = new File(args[1]).getAbsolutePath();
        Check.test("jar.works_in_a_folder_of_its_own", TestJar::works);
        Check.test("jar.finds_what_it_is_told", TestJar::givenPlace);
        Check.test("jar.alone", TestJar::alone);
        Check.test("jar.wrong_place", TestJar::wrongPlace);
        Check.test("jar.without_the_c_library", TestJar::half);
        Check.test("jar.a_library_that_is_none", TestJar::broken);
        Check.end();
    }
}
