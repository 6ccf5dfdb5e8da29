import org.junit.platform.engine.FilterResult;
import org.junit.platform.engine.TestDescriptor;
import org.junit.platform.launcher.PostDiscoveryFilter;

/** Leaves only the tests of one name, when one is given. */
final class OnlyTest implements PostDiscoveryFilter {
    static String name; /* null: all */

    @Override
    public FilterResult apply(TestDescriptor test) {
        return FilterResult.includedIf(name == null || !test.isTest()
                || test.getLegacyReportingName().equals(name + "()"));
    }
}
