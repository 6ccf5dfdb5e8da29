"""What AVF's tests share in Python: features, VMs of the test payload, and
its service (tests/avf/aidl)."""
import contextlib
import os
import pathlib
import re
import shutil
import tempfile

import avf
import avf.rpc
import pytest
from avf import EventType

HERE = pathlib.Path(__file__).resolve().parent
BUILD = pathlib.Path(os.environ["AVF_TEST_BUILD"])
PACKAGES = BUILD / "tests" / "avf"
PACKAGE = PACKAGES / "test.avfpkg"
TEST_LIB = "MicrodroidTestNativeLib.so"
EMULATED = bool(os.environ.get("AVF_TEST_EMULATED"))
#: The payload's echo_reverse.cpp.
ECHO_REVERSE_PORT = 0x80000001
#: What the methods of the service may fail with, of AIDL's list.
EX_SERVICE_SPECIFIC = -8
EX_UNSUPPORTED_OPERATION = -7
#: Nothing here takes as long on an idle computer.
PATIENCE = 240


#: The interfaces of the payload.
aidl = avf.rpc.load(*(HERE.parent / "aidl/com/android/microdroid/testservice"
                      / f"{name}.aidl" for name in
                      ("IAppCallback", "ITestService", "IVmCallback")))


def _features():
    rows = re.findall(r"^(\w+) (yes|no): (.*)$",
                      (HERE.parent / "features.txt").read_text(), re.M)
    return {name: None if state == "yes" else why
            for name, state, why in rows}


#: What a feature's tests wait for, or None: it is there.
FEATURES = _features()


def avf_test(function=None, *, needs=""):
    """One of AVF's tests, under AVF's name. It is skipped while one of the
    features that it needs is not there."""
    if function is None:
        return lambda f: avf_test(f, needs=needs)
    missing = [FEATURES[each] for each in needs.split() if FEATURES[each]]
    if missing:
        function = pytest.mark.skip(reason="waits for " + missing[0])(function)
    function.__test__ = True  # pytest collects it, whatever its name
    return function


def config(payload=TEST_LIB, debug=True, **fields):
    """A payload VM of the test's package, as AVF's tests make them."""
    rows = {"package": PACKAGE, "memory_mib": 128,
            "debug_level": avf.DebugLevel.FULL if debug
            else avf.DebugLevel.NONE}
    if payload:
        rows["payload_name"] = payload
    if EMULATED:
        rows["acceleration"] = avf.Acceleration.EMULATION
    return avf.Config(**(rows | fields))


@contextlib.contextmanager
def new_manager():
    """A manager over a directory of its own, which goes with it."""
    directory = tempfile.mkdtemp(prefix="avf-python")
    try:
        with avf.Manager(directory) as manager:
            manager.directory = pathlib.Path(directory)
            yield manager
    finally:
        shutil.rmtree(directory)


def fails(code, text, function, *args, **fields):
    """The call raises AvfError of this code and with this text in it."""
    with pytest.raises(avf.AvfError) as caught:
        function(*args, **fields)
    assert caught.value.name == code
    assert text in caught.value.text


def until(vm, kind):
    """Runs on until that event; the run must not end before."""
    seen = []
    while event := vm.wait_event(PATIENCE):
        seen.append(event)
        if event.type == kind:
            return event
        assert event.type != EventType.STOPPED, seen
    raise AssertionError(f"no {kind.name} after {seen}")


def run_to_end(vm):
    """A whole run: its events but the log, the last one STOPPED."""
    vm.run()
    events = [event for event in vm.events() if event.type != EventType.LOG]
    assert [e.type for e in events].count(EventType.STOPPED) == 1
    assert events[-1].type == EventType.STOPPED
    return events


def has(events, kind):
    return any(event.type == kind for event in events)


def service_of(vm):
    """What the payload of a VM that is ready can be asked."""
    return aidl.ITestService(vm.connect_rpc(aidl.ITestService.PORT, PATIENCE))


@contextlib.contextmanager
def ready(vm):
    """The VM runs and its service is ready. At the end it is killed."""
    vm.run()
    try:
        until(vm, EventType.PAYLOAD_READY)
        yield service_of(vm)
    finally:
        if vm.status == avf.Status.RUNNING:
            vm.kill()
            vm.wait_stopped(PATIENCE)
