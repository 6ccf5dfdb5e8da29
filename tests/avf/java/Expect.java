import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import android.system.virtualmachine.VirtualMachineException;

import org.junit.jupiter.api.function.Executable;

/** Exceptions with AVF's words in them. */
final class Expect {
    private Expect() {}

    static void fails(Class<? extends Throwable> type, String text,
            Executable body) {
        String message = String.valueOf(
                assertThrows(type, body).getMessage());
        assertTrue(message.contains(text), message);
    }

    static void vmFails(String text, Executable body) {
        fails(VirtualMachineException.class, text, body);
    }

    static void badValue(String text, Executable body) {
        fails(IllegalArgumentException.class, text, body);
    }

    static void badState(String text, Executable body) {
        fails(IllegalStateException.class, text, body);
    }

    static void isNull(Executable body) {
        assertThrows(NullPointerException.class, body);
    }
}
