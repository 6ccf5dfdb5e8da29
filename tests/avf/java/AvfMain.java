import static org.junit.platform.engine.discovery.DiscoverySelectors.selectClass;

import org.junit.platform.engine.DiscoverySelector;
import org.junit.platform.engine.TestExecutionResult;
import org.junit.platform.launcher.Launcher;
import org.junit.platform.launcher.TestExecutionListener;
import org.junit.platform.launcher.TestIdentifier;
import org.junit.platform.launcher.core.LauncherDiscoveryRequestBuilder;
import org.junit.platform.launcher.core.LauncherFactory;

import java.util.Arrays;

/**
 * Runs AVF's tests with JUnit and says "ok NAME", "not ok NAME" or
 * "skip NAME: REASON" of each. Arguments: the classes; "-t NAME" first runs
 * only the tests of that name.
 */
public final class AvfMain implements TestExecutionListener {
    private int failures;
    private int ran;

    private static String name(TestIdentifier id) {
        return id.getLegacyReportingName().replace("()", "");
    }

    @Override
    public void executionSkipped(TestIdentifier id, String reason) {
        ran++;
        System.out.println("skip " + name(id) + ": " + reason);
    }

    @Override
    public void executionFinished(TestIdentifier id,
            TestExecutionResult result) {
        Throwable why = result.getThrowable().orElse(null);
        if (result.getStatus() == TestExecutionResult.Status.SUCCESSFUL) {
            if (id.isTest()) {
                ran++;
                System.out.println("ok " + name(id));
            }
        } else if (result.getStatus() == TestExecutionResult.Status.ABORTED) {
            ran++;
            System.out.println("skip " + name(id) + ": " + why.getMessage());
        } else {
            failures++;
            System.out.println("not ok " + name(id));
            why.printStackTrace(System.out);
        }
        System.out.flush();
    }

    public static void main(String[] args) {
        String missing = TestVms.missing();
        if (missing != null) {
            System.out.println("SKIP: " + missing);
            System.exit(77);
        }
        boolean some = args.length > 1 && args[0].equals("-t");
        OnlyTest.name = some ? args[1] : null;
        DiscoverySelector[] classes = Arrays.stream(args)
                .skip(some ? 2 : 0)
                .map(each -> selectClass(each))
                .toArray(DiscoverySelector[]::new);
        AvfMain listener = new AvfMain();
        Launcher launcher = LauncherFactory.create();
        launcher.execute(LauncherDiscoveryRequestBuilder.request()
                .selectors(classes).filters(new OnlyTest()).build(),
                listener);
        TestVms.end();
        if (listener.ran == 0)
            System.out.println("not ok avf: no test ran");
        System.exit(listener.failures > 0 || listener.ran == 0 ? 1 : 0);
    }
}
