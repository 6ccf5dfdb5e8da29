"""What the tests of the Python package share.

Each file is a program for scripts/run_tests.py: it prints "ok NAME",
"not ok NAME" or "skip NAME: REASON" per test.
"""
import os
import pathlib
import sys
import traceback
import unittest

import avf

BUILD = pathlib.Path(os.environ["AVF_TEST_BUILD"])
SOURCE = pathlib.Path(__file__).resolve().parents[2]


def bare(name):
    """A bare-metal guest: a few thousand instructions. Where there is an
    Image beside the ELF file, that is what boots."""
    image = BUILD / "guest" / "bare" / f"{name}.img"
    return image if image.exists() else image.with_suffix(".elf")


def has_triple_fault():
    """Not every architecture does."""
    return bare("triple").exists()


def needs_kvm():
    if not os.access("/dev/kvm", os.R_OK | os.W_OK):
        raise unittest.SkipTest("no /dev/kvm that this user may use")


def next_said(vm, timeout=30):
    """The next event that is no log line."""
    while event := vm.wait_event(timeout):
        if event.type != avf.EventType.LOG:
            return event
    return None


def started(vm):
    """Run it until the guest runs."""
    vm.run()
    event = next_said(vm)
    assert event and event.type == avf.EventType.STARTED, event


def n_fds():
    return len(os.listdir("/proc/self/fd"))


def n_children():
    me = os.getpid()
    text = pathlib.Path(f"/proc/self/task/{me}/children").read_text()
    return len(text.split())


def is_gone(pid):
    """The process has ended; a zombie is for init to reap."""
    try:
        return ") Z" in pathlib.Path(f"/proc/{pid}/stat").read_text()
    except OSError:
        return True


class Result(unittest.TestResult):
    def _say(self, kind, test, why=""):
        name = test.id().removeprefix("__main__.")
        print(f"{kind} {name}{why}", flush=True)

    def _bad(self, test, error):
        self._say("not ok", test)
        traceback.print_exception(*error)

    def addSuccess(self, test):
        super().addSuccess(test)
        self._say("ok", test)

    def addError(self, test, err):
        super().addError(test, err)
        self._bad(test, err)

    def addFailure(self, test, err):
        super().addFailure(test, err)
        self._bad(test, err)

    def addSubTest(self, test, subtest, err):
        super().addSubTest(test, subtest, err)
        if err:
            self._bad(subtest, err)

    def addSkip(self, test, reason):
        super().addSkip(test, reason)
        self._say("skip", test, f": {reason}")


def main():
    names = sys.argv[1:] or None
    loader = unittest.TestLoader()
    module = sys.modules["__main__"]
    suite = (loader.loadTestsFromNames(names, module) if names
             else loader.loadTestsFromModule(module))
    result = suite.run(Result())
    sys.exit(not result.wasSuccessful())
