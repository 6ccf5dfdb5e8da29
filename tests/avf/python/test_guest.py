"""MicrodroidTests and MicrodroidHostTests that look at a running guest. One
VM serves them all; it is named test_vm."""
import contextlib
import os
import select

import pytest

import avf.rpc
import harness
from harness import FEATURES, avf_test

# What statvfs() and mount() call alike.
MS_RDONLY, MS_NOEXEC, MS_NOATIME = 1, 8, 1024


@contextlib.contextmanager
def service_error(text):
    """The payload's method fails in its own words."""
    with pytest.raises(avf.rpc.AidlException, match=text) as caught:
        yield
    assert caught.value.code == harness.EX_SERVICE_SPECIFIC


@avf_test
def createAndConnectToVm(guest):
    assert guest.addInteger(123, 456) == 579
    assert guest.readProperty("debug.microdroid.app.run") == "true"
    assert guest.readProperty("debug.microdroid.app.sublib.run") == "true"
    assert guest.getApkContentsPath() == "/mnt/apk"
    assert guest.getEncryptedStoragePath() == ""
    if not FEATURES["identity"]:
        assert len(guest.insecurelyExposeVmInstanceSecret()) == 32


@avf_test
def validApkPathIsAccepted(guest):
    assert guest.vm.get_config().package == str(harness.PACKAGE)
    assert guest.getApkContentsPath() == "/mnt/apk"


@avf_test
def connectVsock(guest):
    guest.runEchoReverseServer()
    with guest.vm.connect(harness.ECHO_REVERSE_PORT) as sock:
        sock.settimeout(harness.PATIENCE)
        with sock.makefile("rwb") as file:
            for line in (b"echo me!", b"", b"\x00\xff"):
                file.write(line + b"\n")
                file.flush()
                assert file.readline() == line[::-1] + b"\n"


@avf_test
def microdroidLauncherHasEmptyCapabilities(guest):
    assert guest.getEffectiveCapabilities() == []


@avf_test
def payloadIsNotRoot(guest):
    assert guest.getUid() == 6000


@avf_test
def canReadFileFromAssets_debugFull(guest):
    text = guest.readFromFile("/mnt/apk/assets/file.txt")
    assert text == "Hello, I am a file!"


@avf_test
def testFileUnderBinHasExecutePermission(guest):
    mode = guest.getFilePermissions("/mnt/apk/bin/hello")
    assert mode & 0o555 == 0o555
    assert mode & 0o022 == 0
    assert guest.getFilePermissions("/mnt/apk/assets/file.txt") & 0o111 == 0


@avf_test
def dataIsMountedWithNoExec(guest):
    assert guest.getMountFlags("/data") & MS_NOEXEC


@avf_test
def systemPartitionMountFlags(guest):
    flags = guest.getMountFlags("/")
    assert flags & MS_RDONLY
    assert flags & MS_NOATIME
    with service_error("/file: (Read-only|Permission)"):
        guest.writeToFile("x", "/file")


@avf_test
def vmNameIsHostname(guest):
    assert guest.readFromFile("/proc/sys/kernel/hostname") == "test_vm\n"


@avf_test
def testConsoleInputSupported(guest):
    with guest.vm.console_input() as console:
        console.write(b"this is typed\n")
    assert guest.readLineFromConsole() == "this is typed"


def read_until(file, text):
    """Output comes on another way than "ready", and maybe later."""
    seen = b""
    while text not in seen:
        ready, _, _ = select.select([file], [], [], harness.PATIENCE)
        assert ready, seen
        seen += os.read(file.fileno(), 65536)


@avf_test
def testMicrodroidBoots(guest):
    with guest.vm.console_output() as console:
        read_until(console, b"\n")
    with guest.vm.log_output() as log:
        read_until(log, b"Hello Microdroid")
    guest.writeToFile("a\tb\\c\n", "/data/file")
    assert guest.readFromFile("/data/file") == "a\tb\\c\n"


@avf_test
def testMicrodroidRamUsage(guest):
    rows = dict(row.split(":", 1)
                for row in guest.readFromFile("/proc/meminfo").splitlines()
                if row.endswith("kB"))
    total, free = (int(rows[name].split()[0])
                   for name in ("MemTotal", "MemFree"))
    assert 0 < free < total <= 128 * 1024
    rollup = guest.readFromFile("/proc/self/smaps_rollup")
    rss = [int(row.split()[1]) for row in rollup.splitlines()
           if row.startswith("Rss:")]
    assert len(rss) == 1 and 0 < rss[0] < total
    print(f"MemTotal {total} kB, MemFree {free} kB, the payload {rss[0]} kB")


@avf_test
def testNoAvfDebugPolicyInLockedDevice(guest):
    with service_error("No such file"):
        guest.getFilePermissions("/proc/device-tree/avf/guest")
