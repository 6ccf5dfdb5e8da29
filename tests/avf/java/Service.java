import android.os.ParcelFileDescriptor;
import android.system.virtualmachine.VirtualMachine;

import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.nio.charset.StandardCharsets;

/** The payload's ITestService: tests/avf/payload/test_service.h. */
final class Service implements AutoCloseable {
    static final long PORT = 5678;
    static final long ECHO_REVERSE_PORT = 0x80000001L;

    /** The function failed, or its guest has no such thing. */
    static final class Failure extends RuntimeException {
        Failure(String text) {
            super(text);
        }
    }

    private final InputStream in;
    private final OutputStream out;

    Service(VirtualMachine vm) throws Exception {
        ParcelFileDescriptor channel = vm.connectVsock(PORT);
        in = new ParcelFileDescriptor.AutoCloseInputStream(channel);
        out = new ParcelFileDescriptor.AutoCloseOutputStream(channel);
    }

    String call(String name, Object... args) throws IOException {
        StringBuilder line = new StringBuilder(name);
        for (Object arg : args)
            line.append('\t').append(escaped(arg.toString()));
        write(out, line + "\n");
        String[] reply = readLine(in).split("\t", 2);
        String value = reply.length < 2 ? "" : unescaped(reply[1]);
        if (!reply[0].equals("ok"))
            throw new Failure(name + ": " + reply[0] + ": " + value);
        return value;
    }

    static void write(OutputStream out, String text) throws IOException {
        out.write(text.getBytes(StandardCharsets.UTF_8));
    }

    /** Without its LF. */
    static String readLine(InputStream in) throws IOException {
        ByteArrayOutputStream line = new ByteArrayOutputStream();
        for (int c; (c = in.read()) != '\n'; line.write(c))
            if (c < 0)
                throw new IOException("the stream ends in a line");
        return line.toString(StandardCharsets.UTF_8);
    }

    private static String escaped(String text) {
        return text.replace("\\", "\\\\").replace("\t", "\\t")
                .replace("\n", "\\n");
    }

    private static String unescaped(String text) {
        StringBuilder plain = new StringBuilder();
        for (int i = 0; i < text.length(); i++) {
            char c = text.charAt(i);
            if (c == '\\' && i + 1 < text.length()) {
                c = text.charAt(++i);
                c = c == 't' ? '\t' : c == 'n' ? '\n' : c;
            }
            plain.append(c);
        }
        return plain.toString();
    }

    @Override
    public void close() throws IOException {
        in.close();
        out.close();
    }
}
