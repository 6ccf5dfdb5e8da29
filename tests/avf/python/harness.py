"""What AVF's tests share in Python: features, VMs of the test payload, and
a client of its service (tests/avf/payload/test_service.h)."""
import contextlib
import os
import pathlib
import re
import shutil
import tempfile

import avf
import pytest
from avf import EventType

HERE = pathlib.Path(__file__).resolve().parent
BUILD = pathlib.Path(os.environ["AVF_TEST_BUILD"])
PACKAGES = BUILD / "tests" / "avf"
PACKAGE = PACKAGES / "test.avfpkg"
TEST_LIB = "MicrodroidTestNativeLib.so"
EMULATED = bool(os.environ.get("AVF_TEST_EMULATED"))
PORT = 5678
ECHO_REVERSE_PORT = 0x80000001
#: Nothing here takes as long on an idle computer.
PATIENCE = 240


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


class Service:
    """A connection to the payload's ITestService."""

    def __init__(self, vm):
        self._socket = vm.connect(PORT, PATIENCE)
        self._socket.settimeout(PATIENCE)
        self._file = self._socket.makefile("rb")

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self._file.close()
        self._socket.close()

    def call(self, name, *args):
        fields = [name, *map(_escaped, args)]
        self._socket.sendall("\t".join(fields).encode() + b"\n")
        status, _, value = (self._file.readline().decode()
                            .removesuffix("\n").partition("\t"))
        value = _unescaped(value)
        if status != "ok":
            raise ServiceError(f"{name}: {status}: {value}")
        return value

    def __getattr__(self, name):
        # service.addInteger(1, 2)
        return lambda *args: self.call(name, *args)


class ServiceError(Exception):
    """The payload's function failed, or its guest has no such thing."""


def _escaped(value):
    return (str(value).replace("\\", "\\\\").replace("\t", "\\t")
            .replace("\n", "\\n"))


def _unescaped(text):
    return re.sub(r"\\(.)", lambda m: {"t": "\t", "n": "\n"}.get(m[1], m[1]),
                  text)


@contextlib.contextmanager
def ready(vm):
    """The VM runs and its service is ready. At the end it is killed."""
    vm.run()
    try:
        until(vm, EventType.PAYLOAD_READY)
        with Service(vm) as service:
            yield service
    finally:
        if vm.status == avf.Status.RUNNING:
            vm.kill()
            vm.wait_stopped(PATIENCE)
