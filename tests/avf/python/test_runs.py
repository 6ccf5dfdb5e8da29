"""MicrodroidTests that boot VMs of their own."""
import os
import pathlib
import signal
import socket
import subprocess
import sys

import pytest

import avf
import harness
from avf import EventType, Status, StopReason
from harness import (PATIENCE, avf_test, config, fails, has, ready,
                     run_to_end)
from test_manager import same_files

IDLE = "MicrodroidIdleNativeLib.so"


@avf_test
def createAndConnectToVm_HostCpuTopology(manager):
    vm = manager.create("test_vm", config(
        cpu_topology=avf.CpuTopology.MATCH_HOST))
    with ready(vm) as service:
        assert service.addInteger(123, 456) == 579
        last = min(os.cpu_count(), 32) - 1
        online = service.readFromFile("/sys/devices/system/cpu/online")
        assert online == (f"0-{last}\n" if last else "0\n")


@avf_test
def createAndRunNoDebugVm(manager):
    vm = manager.create("test_vm", config(debug=False))
    with ready(vm) as service:
        assert service.addInteger(37, 73) == 110


@avf_test
def autoCloseVm(manager):
    with manager.create("test_vm", config(IDLE)) as vm:
        assert vm.status == Status.STOPPED
        vm.run()
        assert vm.status == Status.RUNNING
    with manager.get("test_vm") as vm:
        # leaving it above has stopped it, so it can be deleted
        assert vm.status == Status.STOPPED
        manager.delete("test_vm")
        assert vm.status == Status.DELETED


@avf_test
def vmLifecycleChecks(manager):
    vm = manager.create("test_vm", config(IDLE))
    fails("AVF_ERR_STATE", "not in running state", vm.connect, 1024)
    fails("AVF_ERR_STATE", "not running", vm.stop)
    vm.run()
    assert vm.status == Status.RUNNING
    harness.until(vm, EventType.PAYLOAD_READY)
    fails("AVF_ERR_STATE", "not in stopped state", vm.run)
    fails("AVF_ERR_STATE", "not in stopped state", vm.set_config,
          config(IDLE))
    fails("AVF_ERR_STATE", "not in stopped state", vm.to_descriptor)
    fails("AVF_ERR_STATE", "not in stopped state", manager.delete, "test_vm")
    for port in (0, 1023):
        fails("AVF_ERR_INVALID", f"Bad port {port}", vm.connect, port)
    vm.stop()
    vm.wait_stopped(PATIENCE)
    assert vm.status == Status.STOPPED
    manager.delete("test_vm")
    assert vm.status == Status.DELETED
    fails("AVF_ERR_STATE", "deleted", vm.run)
    fails("AVF_ERR_STATE", "deleted", vm.connect, 1024)
    fails("AVF_ERR_STATE", "deleted", vm.set_config, config(IDLE))
    fails("AVF_ERR_STATE", "deleted", vm.to_descriptor)
    # nobody can tell it from one that never was
    fails("AVF_ERR_NOT_FOUND", "", manager.delete, "test_vm")


@avf_test
def bootFailsWhenLowMem(manager):
    # AVF's test says 20 bytes, which are a MiB, and seems to mean MiB
    for mib in (1, 20):
        vm = manager.create(f"low_mem_{mib}",
                            config(debug=False, memory_mib=mib))
        events = run_to_end(vm)
        assert not has(events, EventType.PAYLOAD_READY)
        assert events[-1].code != StopReason.SHUTDOWN


@avf_test(needs="config_path")
def bootFailsWhenConfigIsInvalid(manager):
    path = "assets/vm_config.json"
    with ready(manager.create("valid", config(
            None, payload_config_path=path))) as service:
        assert service.addInteger(37, 73) == 110
    for name in ("vm_config_no_task.json", "file.txt", "is_not_there.json"):
        vm = manager.create(name, config(
            None, payload_config_path="assets/" + name))
        events = run_to_end(vm)
        assert not has(events, EventType.PAYLOAD_STARTED)
        assert (events[-1].code
                == StopReason.MICRODROID_INVALID_PAYLOAD_CONFIG)


@avf_test
def bootFailsWhenBinaryNameIsInvalid(manager):
    vm = manager.create("test_vm", config("DoesNotExist.so"))
    events = run_to_end(vm)
    assert not has(events, EventType.PAYLOAD_STARTED)
    assert (events[-1].code
            == StopReason.MICRODROID_UNKNOWN_RUNTIME_ERROR)


def started_and_failed(manager, payload, text):
    """The payload is started, ends with an exit code other than 0, and the
    output says why."""
    vm = manager.create("test_vm", config(payload, vm_output_captured=True))
    events = run_to_end(vm)
    assert has(events, EventType.PAYLOAD_STARTED)
    assert not has(events, EventType.PAYLOAD_READY)
    codes = [event.code for event in events
             if event.type == EventType.PAYLOAD_FINISHED]
    assert len(codes) == 1 and codes[0] != 0
    assert events[-1].code == StopReason.SHUTDOWN
    with vm.log_output() as log, vm.console_output() as console:
        assert text in (log.read() + console.read()).decode()


@avf_test
def bootFailsWhenBinaryIsMissingEntryFunction(manager):
    started_and_failed(manager, "MicrodroidEmptyNativeLib.so",
                       "Failed to find entrypoint")


@avf_test
def bootFailsWhenBinaryTriesToLinkAgainstPrivateLibs(manager):
    started_and_failed(manager, "MicrodroidPrivateLinkingNativeLib.so",
                       "Failed to dlopen")


@avf_test
def stopAndRestart(manager):
    vm = manager.create("test_vm", config(IDLE))
    for _ in range(2):
        vm.run()
        harness.until(vm, EventType.PAYLOAD_READY)
        vm.stop()
        assert vm.wait_stopped(PATIENCE).code == StopReason.SHUTDOWN
        assert vm.status == Status.STOPPED


@avf_test
def vm_crosvmCrash(manager):
    vm = manager.create("test_vm", config(IDLE))
    vm.run()
    harness.until(vm, EventType.PAYLOAD_STARTED)
    os.kill(vm.pid, signal.SIGKILL)
    stopped = vm.wait_stopped(PATIENCE)
    assert stopped.code == StopReason.KILLED
    assert vm.next_event() is None
    assert vm.status == Status.STOPPED
    vm.run()
    harness.until(vm, EventType.PAYLOAD_STARTED)
    vm.kill()
    vm.wait_stopped(PATIENCE)


@avf_test
def concurrentVms(manager):
    count, mib = 8, 128
    available = int(next(row for row in open("/proc/meminfo")
                         if row.startswith("MemAvailable")).split()[1])
    if count * mib * 1024 > available / 2:
        pytest.skip(f"8 VMs of {mib} MiB are more than half of the "
                    f"{available // 1024} MiB available")
    vms = [manager.create(f"vm{i}", config()) for i in range(count)]
    for vm in vms:
        vm.run()
    for i, vm in enumerate(vms):
        harness.until(vm, EventType.PAYLOAD_READY)
        assert harness.service_of(vm).addInteger(i, 1000) == i + 1000
    for vm in vms:
        assert vm.status == Status.RUNNING
        vm.close()


@avf_test
def testHugePages(manager):
    vm = manager.create("test_vm", config(IDLE, hugepages=True))
    vm.run()
    harness.until(vm, EventType.PAYLOAD_STARTED)
    vm.close()


@avf_test
def testStartVmWithPayloadOfAnotherApp(manager):
    package = (harness.BUILD / "libexec" / "libvirtualization" / "payloads"
               / "idle.avfpkg")
    vm = manager.create("test_vm", config("libidle.so", package=package))
    vm.run()
    harness.until(vm, EventType.PAYLOAD_READY)
    vm.close()


@avf_test
def testVmDescriptorParcelUnparcel_noTrustedStorage(manager):
    vm = manager.create("original", config())
    left, right = socket.socketpair()
    with left, right, vm.to_descriptor() as descriptor:
        descriptor.send(left)
        received = avf.Descriptor.receive(right)
    copy = manager.import_from_descriptor("copy", received)
    same_files(vm, copy)
    with ready(copy) as service:
        assert service.addInteger(123, 456) == 579


@avf_test
def testShareVmWithAnotherApp(manager):
    """The other app is another process, with VMs of its own."""
    vm = manager.create("shared", config())
    left, right = socket.socketpair()
    with left, right, vm.to_descriptor() as descriptor:
        descriptor.send(left)
        other = subprocess.run(
            [sys.executable, pathlib.Path(__file__).with_name("other_app.py"),
             str(right.fileno())], pass_fds=[right.fileno()], text=True,
            stdout=subprocess.PIPE, timeout=PATIENCE)
    assert other.returncode == 0
    assert other.stdout == "imported 579\n"
