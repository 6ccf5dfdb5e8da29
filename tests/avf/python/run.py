"""Runs AVF's tests with pytest and says "ok NAME", "not ok NAME" or
"skip NAME: REASON" of each, as scripts/run_tests.py wants it.

usage: run.py [FILE...] [PYTEST-ARGUMENT...]     for instance -k NAME
"""
import os
import pathlib
import sys

HERE = pathlib.Path(__file__).resolve().parent


def cannot():
    """Why nothing can run here, or None."""
    try:
        import pytest  # noqa: F401
    except ImportError:
        return f"{sys.executable} has no pytest (on Debian: python3-pytest)"
    if not os.environ.get("AVF_GUEST_IMAGE"):
        return "AVF_GUEST_IMAGE names no guest image"
    package = pathlib.Path(os.environ["AVF_TEST_BUILD"],
                           "tests/avf/test.avfpkg")
    if not package.exists():
        return f"{package} was not built: mkfs.erofs is missing"
    return None


class Reporter:
    def __init__(self):
        self.failures = 0

    def pytest_runtest_logreport(self, report):
        name = report.nodeid.rpartition("::")[2]
        if report.skipped:
            reason = report.longrepr[2].removeprefix("Skipped: ")
            print(f"skip {name}: {reason}", flush=True)
        elif report.failed:
            self.failures += 1
            print(f"not ok {name}\n{report.longreprtext}", flush=True)
            for title, text in report.sections:
                print(f"--- {title}\n{text}", flush=True)
        elif report.when == "call":
            print(f"ok {name}", flush=True)

    def pytest_collectreport(self, report):
        if report.failed:
            self.failures += 1
            print(f"not ok {report.nodeid}\n{report.longreprtext}",
                  flush=True)


def main():
    why = cannot()
    if why:
        print(f"SKIP: {why}")
        return 77
    import pytest
    reporter = Reporter()
    files = [str(HERE / each) for each in sys.argv[1:]
             if each.endswith(".py")] or [str(HERE)]
    options = [each for each in sys.argv[1:] if not each.endswith(".py")]
    code = pytest.main(["-p", "no:terminal", "-p", "no:cacheprovider",
                        "--rootdir", str(HERE), *files, *options],
                       plugins=[reporter])
    return 1 if reporter.failures or code not in (0, 1) else 0


sys.exit(main())
