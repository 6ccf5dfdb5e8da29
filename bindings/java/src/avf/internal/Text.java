package avf.internal;

import java.nio.charset.StandardCharsets;
import java.util.Arrays;

/** UTF-8 as C has it; JNI's strings are of another kind. */
final class Text {
    private Text() {}

    static byte[] toNative(String text) {
        if (text == null)
            return null;
        if (text.indexOf('\0') >= 0)
            throw new IllegalArgumentException("the text has a NUL in it");
        byte[] bytes = text.getBytes(StandardCharsets.UTF_8);
        return Arrays.copyOf(bytes, bytes.length + 1);
    }

    static String fromNative(byte[] bytes) {
        return bytes == null ? null
                : new String(bytes, StandardCharsets.UTF_8);
    }
}
