import java.io.File;
import java.lang.reflect.Constructor;
import java.lang.reflect.Executable;
import java.lang.reflect.Field;
import java.lang.reflect.Method;
import java.lang.reflect.Modifier;
import java.lang.reflect.Type;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.Enumeration;
import java.util.List;
import java.util.TreeSet;
import java.util.jar.JarEntry;
import java.util.jar.JarFile;
import java.util.stream.Collectors;

/**
 * Every public member of android.system.virtualmachine, against api.txt, which
 * has AVF's own: a line per member. "- MEMBER: REASON" is AVF's and not here,
 * "+ MEMBER: REASON" is here and not AVF's.
 */
public class TestApi {
    private static final String PACKAGE = "android.system.virtualmachine.";

    private static String name(Type type) {
        return type.getTypeName().replace(PACKAGE, "")
                .replaceAll("\\b(\\w+\\.)+(\\w+)", "$2").replace('$', '.');
    }

    private static String names(Type[] types) {
        return Arrays.stream(types).map(TestApi::name)
                .collect(Collectors.joining(", "));
    }

    private static String call(Executable e, String name) {
        Class<?>[] thrown = e.getExceptionTypes();
        return name + "(" + names(e.getGenericParameterTypes()) + ")"
                + (thrown.length > 0 ? " throws " + names(thrown) : "");
    }

    /** Interfaces have no other members, and are not said to be static. */
    private static String modifiers(int m, boolean inInterface) {
        return Modifier.isStatic(m) && !inInterface ? "static " : "";
    }

    private static String field(Field f) throws IllegalAccessException {
        String text = modifiers(f.getModifiers(),
                f.getDeclaringClass().isInterface())
                + name(f.getGenericType()) + " " + f.getName();
        Object value = f.getType().isPrimitive()
                || f.getType() == String.class ? f.get(null) : null;
        return value == null ? text : text + " = " + value;
    }

    private static boolean isSeen(int modifiers) {
        return Modifier.isPublic(modifiers);
    }

    private static String kind(Class<?> c) {
        String kind = c.isInterface() ? "interface"
                : Modifier.isFinal(c.getModifiers()) ? "final class"
                : "class";
        String above = c.getSuperclass() == null
                || c.getSuperclass() == Object.class ? ""
                : " extends " + name(c.getSuperclass());
        String beside = c.getInterfaces().length == 0 ? ""
                : " implements " + names(c.getInterfaces());
        return kind + above + beside;
    }

    private static void members(Class<?> c, TreeSet<String> out)
            throws IllegalAccessException {
        String prefix = name(c) + ": ";
        out.add(prefix + kind(c));
        for (Field f : c.getDeclaredFields())
            if (isSeen(f.getModifiers()))
                out.add(prefix + field(f));
        for (Constructor<?> k : c.getDeclaredConstructors())
            if (isSeen(k.getModifiers()))
                out.add(prefix + call(k, "new"));
        for (Method m : c.getDeclaredMethods())
            if (isSeen(m.getModifiers()) && !m.isSynthetic())
                out.add(prefix + modifiers(m.getModifiers(), false)
                        + name(m.getGenericReturnType()) + " "
                        + call(m, m.getName()));
    }

    private static TreeSet<String> found(String jar) throws Exception {
        TreeSet<String> out = new TreeSet<>();
        String folder = PACKAGE.replace('.', '/');
        try (JarFile file = new JarFile(jar)) {
            Enumeration<JarEntry> entries = file.entries();
            while (entries.hasMoreElements()) {
                String entry = entries.nextElement().getName();
                if (!entry.startsWith(folder) || !entry.endsWith(".class"))
                    continue;
                Class<?> c = Class.forName(entry.replace('/', '.')
                        .replace(".class", ""));
                if (isSeen(c.getModifiers()) && !c.isAnonymousClass())
                    members(c, out);
            }
        }
        return out;
    }

    /** The member of a line that gives a reason. */
    private static String withoutReason(String line) {
        int colon = line.lastIndexOf(": ");
        Check.that(line.indexOf(": ") < colon, "no reason: " + line);
        return line.substring(2, colon);
    }

    private static void compare(String jar, List<String> lines)
            throws Exception {
        TreeSet<String> here = found(jar), wanted = new TreeSet<>();
        TreeSet<String> missing = new TreeSet<>();
        for (String line : lines) {
            if (line.isBlank() || line.startsWith("#"))
                continue;
            if (line.startsWith("- "))
                missing.add(withoutReason(line));
            else
                wanted.add(line.startsWith("+ ") ? withoutReason(line)
                        : line);
        }
        TreeSet<String> absent = new TreeSet<>(wanted), extra =
                new TreeSet<>(here), back = new TreeSet<>(missing);
        absent.removeAll(here);
        extra.removeAll(wanted);
        back.retainAll(here);
        Check.that(absent.isEmpty(), "AVF has, and we have not:\n  "
                + String.join("\n  ", absent) + "\nof\n  "
                + String.join("\n  ", extra));
        Check.that(extra.isEmpty(), "we have, and api.txt does not say so:"
                + "\n  " + String.join("\n  ", extra));
        Check.that(back.isEmpty(), "there by now: " + back);
        Check.that(wanted.size() > 100 && missing.size() > 20, "too few");
    }

    /** Arguments: the jar, api.txt. */
    public static void main(String[] args) throws Exception {
        List<String> lines = Files.readAllLines(Path.of(args[1]));
        Check.test("api.members", () -> compare(args[0], lines));
        Check.test("api.a_missing_member_is_seen", () -> Check.fails(
                AssertionError.class, "AVF has", () -> compare(args[0],
                        List.of("VirtualMachine: void fly()"))));
        Check.test("api.an_extra_member_is_seen", () -> Check.fails(
                AssertionError.class, "does not say so", () ->
                        compare(args[0], lines.subList(0,
                                lines.size() / 2))));
        Check.end();
    }
}
