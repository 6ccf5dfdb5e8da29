import org.junit.jupiter.api.extension.ConditionEvaluationResult;
import org.junit.jupiter.api.extension.ExecutionCondition;
import org.junit.jupiter.api.extension.ExtensionContext;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.HashMap;
import java.util.Map;

/** tests/avf/features.txt: what is there, and what tests wait for. */
final class Features implements ExecutionCondition {
    private static final Map<String, String> MISSING = new HashMap<>();

    static {
        Path file = Path.of(System.getProperty("avf.test.source"),
                "features.txt");
        try {
            for (String row : Files.readAllLines(file)) {
                String[] parts = row.split(" |: ", 3);
                if (!row.startsWith("#"))
                    MISSING.put(parts[0],
                            parts[1].equals("yes") ? "" : parts[2]);
            }
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    static boolean have(String feature) {
        return MISSING.get(feature).isEmpty();
    }

    @Override
    public ConditionEvaluationResult evaluateExecutionCondition(
            ExtensionContext context) {
        Needs needs = context.getRequiredTestMethod()
                .getAnnotation(Needs.class);
        for (String feature : needs.value())
            if (!have(feature))
                return ConditionEvaluationResult.disabled(
                        "waits for " + MISSING.get(feature));
        return ConditionEvaluationResult.enabled("");
    }
}
