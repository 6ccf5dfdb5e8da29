"""What goes wrong around a VM: its VMM is killed at any moment, the program
ends in any way, many VMs run at once, and again and again."""
import asyncio
import os
import pathlib
import signal
import subprocess
import sys
import tempfile
import threading
import time
import unittest

import avf
import support
from avf import EventType, Status, StopReason
from support import bare

TIMEOUT = 60


def vm_of(guest):
    return avf.Vm(avf.Config(kernel=bare(guest), memory_mib=16))


class Killed(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        support.needs_kvm()

    def test_at_any_moment(self):
        """One STOPPED, and the next run is as if nothing had been. The
        moments go from the start of the process to a guest that runs."""
        fds = support.n_fds()
        with vm_of("spin") as vm:
            for i in range(60):
                vm.run()
                end = time.monotonic() + i * 0.0005
                while time.monotonic() < end:
                    pass
                os.kill(vm.pid, signal.SIGKILL)
                kinds = [event.type for event in vm.events()]
                self.assertEqual(kinds.count(EventType.STOPPED), 1)
                self.assertEqual(kinds[-1], EventType.STOPPED)
                self.assertIsNone(vm.next_event())
                self.assertEqual(vm.status, Status.STOPPED)
        with vm_of("hello") as vm:
            vm.run()
            self.assertIs(vm.wait_stopped(TIMEOUT).code,
                          StopReason.SHUTDOWN)
        self.assertEqual(support.n_fds(), fds)
        self.assertEqual(support.n_children(), 0)

    def test_under_a_channel_and_a_listener(self):
        for _ in range(10):
            with vm_of("vsock") as vm:
                vm.run()
                with vm.connect(5678) as channel, vm.listen(6000) as port:
                    channel.settimeout(TIMEOUT)
                    channel.sendall(b"x")
                    self.assertEqual(channel.recv(1), b"x")
                    os.kill(vm.pid, signal.SIGKILL)
                    try:
                        self.assertEqual(channel.recv(1), b"")
                    except ConnectionResetError:
                        pass
                    with self.assertRaises(avf.AvfError) as caught:
                        port.accept(TIMEOUT)
                    self.assertEqual(caught.exception.name, "AVF_ERR_CLOSED")
                self.assertIs(vm.wait_stopped(TIMEOUT).code,
                              StopReason.KILLED)

    def test_a_callback_that_raises(self):
        """An exception in the middle of a run's events loses none of them."""
        with vm_of("hello") as vm:
            vm.run()
            seen = []
            while EventType.STOPPED not in seen:
                try:
                    for event in vm.events():
                        seen.append(event.type)
                        raise KeyError("on purpose")
                except KeyError:
                    pass
            said = [kind for kind in seen if kind != EventType.LOG]
            self.assertEqual(said, [EventType.STARTED, EventType.STOPPED])


# How a program ends while its VMs run: the last line of one.
ENDS = {
    "falls off the end": "",
    "sys.exit": "sys.exit(3)",
    "an exception": "raise KeyError('on purpose')",
    "os._exit": "os._exit(3)",
    "SIGKILL": "os.kill(os.getpid(), signal.SIGKILL)",
    "SIGTERM": "os.kill(os.getpid(), signal.SIGTERM)",
    "abort": "os.abort()",
    "sys.exit in a thread's midst":
        "threading.Thread(target=vms[0].wait_stopped, daemon=True).start();"
        "sys.exit(3)",
    "exec": "os.execv('/bin/true', ['true'])",
}
PROGRAM = """
import avf, os, resource, signal, sys, threading
resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
config = avf.Config(kernel=sys.argv[1], memory_mib=16)
vms = [avf.Vm(config) for _ in range(2)]
for vm in vms:
    vm.run()
    while vm.wait_event().type != avf.EventType.STARTED:
        pass
print(*[vm.pid for vm in vms], flush=True)
"""


class Ended(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        support.needs_kvm()

    def test_no_vm_outlives_its_program(self):
        for how, last in ENDS.items():
            with self.subTest(how=how):
                done = subprocess.run(
                    [sys.executable, "-c", PROGRAM + last, bare("spin")],
                    timeout=TIMEOUT, stdout=subprocess.PIPE,
                    stderr=subprocess.DEVNULL)
                pids = done.stdout.split()
                self.assertEqual(len(pids), 2)
                end = time.monotonic() + TIMEOUT
                while not all(support.is_gone(int(pid)) for pid in pids):
                    self.assertLess(time.monotonic(), end, "it runs on")
                    time.sleep(0.01)


class Many(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        support.needs_kvm()

    def test_eight_at_once(self):
        async def script(number):
            with vm_of("vsock") as vm:
                vm.run()
                sock = await vm.connect_async(5678)
                reader, writer = await asyncio.open_connection(sock=sock)
                word = b"I am number %d" % number
                writer.write(word)
                self.assertEqual(await reader.readexactly(len(word)), word)
                arrived.append(number)
                if len(arrived) == 8:
                    all_here.set()
                await all_here.wait()  # all eight run now
                running.append(support.n_children())
                writer.close()
                return [event async for event in vm.events()][-1].code

        async def all_of_them():
            return await asyncio.wait_for(
                asyncio.gather(*map(script, range(8))), TIMEOUT)

        arrived, running, all_here = [], [], asyncio.Event()
        codes = asyncio.run(all_of_them())
        self.assertEqual(codes, [StopReason.SHUTDOWN] * 8)
        self.assertEqual(running[0], 8)
        self.assertEqual(support.n_children(), 0)


def rss_kib():
    text = pathlib.Path("/proc/self/status").read_text()
    return int(text.split("VmRSS:")[1].split()[0])


class Rounds(unittest.TestCase):
    def rounds(self, once, n, warm_up):
        """Nothing grows from the end of the warm-up on."""
        for _ in range(warm_up):
            once()
        before = (support.n_fds(), threading.active_count(),
                  len(os.listdir("/proc/self/task")))
        rss = rss_kib()
        for _ in range(n):
            once()
        self.assertEqual(before, (support.n_fds(), threading.active_count(),
                                  len(os.listdir("/proc/self/task"))))
        self.assertEqual(support.n_children(), 0)
        self.assertLess(rss_kib() - rss, 1024)

    def test_200_runs(self):
        support.needs_kvm()
        with vm_of("spin") as vm:
            def once():
                support.started(vm)
                vm.kill()
                self.assertIs(vm.wait_stopped(TIMEOUT).code,
                              StopReason.KILLED)

            self.rounds(once, 200, warm_up=20)

    def test_200_objects(self):
        support.needs_kvm()
        with vm_of("spin") as vm:
            self.rounds(lambda: self.one_object(vm.get_config()), 200, 20)

    def one_object(self, config):
        with config, avf.Vm(config) as vm:
            vm.run()

    def test_1000_names(self):
        # thousands of files, each synced: not on a disk
        shm = "/dev/shm" if os.path.isdir("/dev/shm") else None
        with (tempfile.TemporaryDirectory(dir=shm) as dir,
              avf.Manager(dir) as m,
              avf.Config(kernel=bare("spin")) as config):
            def once():
                with m.create("round", config):
                    m.delete("round")

            self.rounds(once, 1000, warm_up=100)
            self.assertEqual(m.names(), [])


support.main()
