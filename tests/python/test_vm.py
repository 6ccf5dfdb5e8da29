"""Bare guests on this host's KVM: events, channels, and every use of a
closed object."""
import gc
import os
import selectors
import subprocess
import sys
import unittest

import avf
import support
from avf import EventType, Status, StopReason
from support import bare

TIMEOUT = 30


def vm_of(guest, **fields):
    return avf.Vm(avf.Config(kernel=bare(guest), **fields))


class WithKvm(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        support.needs_kvm()


class Run(WithKvm):
    def test_ends(self):
        for guest, reason in [("hello", StopReason.SHUTDOWN),
                              ("reset", StopReason.REBOOT),
                              ("triple", StopReason.CRASH)]:
            if guest == "triple" and not support.has_triple_fault():
                continue
            with self.subTest(guest=guest), vm_of(guest) as vm:
                vm.run()
                events = [event for event in vm.events()
                          if event.type != EventType.LOG]
                self.assertEqual([event.type for event in events],
                                 [EventType.STARTED, EventType.STOPPED])
                self.assertIs(events[-1].code, reason)
                self.assertGreater(events[-1].time_ns, 0)
                self.assertEqual(vm.status, Status.STOPPED)

    def test_run_again(self):
        with vm_of("hello") as vm:
            for _ in range(3):
                vm.run()
                self.assertEqual(vm.status, Status.RUNNING)
                self.assertGreater(vm.pid, 0)
                self.assertEqual(vm.wait_stopped(TIMEOUT).code,
                                 StopReason.SHUTDOWN)
                self.assertEqual(vm.pid, 0)

    def test_states(self):
        with vm_of("spin") as vm:
            for function in (vm.stop, vm.kill,
                             lambda: vm.connect(5678),
                             lambda: vm.listen(5678)):
                with self.assertRaises(avf.AvfError) as caught:
                    function()
                self.assertEqual(caught.exception.name, "AVF_ERR_STATE")
            vm.run()
            with self.assertRaisesRegex(avf.AvfError, "not in stopped"):
                vm.run()
            vm.kill()
            self.assertEqual(vm.wait_stopped(TIMEOUT).code,
                             StopReason.KILLED)

    def test_timeout(self):
        with vm_of("spin") as vm:
            self.assertIsNone(vm.wait_event(0))  # it does not run
            support.started(vm)
            self.assertIsNone(vm.wait_event(0.05))
            self.assertIsNone(vm.wait_stopped(0.05))

    def test_console(self):
        read, write = os.pipe()
        with os.fdopen(read) as console:
            with os.fdopen(write, "w") as file:
                vm = vm_of("hello", console_output=file,
                           cmdline="say.this=1")
            with vm:
                vm.run()
                vm.wait_stopped(TIMEOUT)
            self.assertIn("say.this=1", console.read())

    def test_selectors(self):
        with vm_of("hello") as vm, selectors.DefaultSelector() as selector:
            selector.register(vm, selectors.EVENT_READ)
            vm.run()
            seen = []
            while EventType.STOPPED not in seen:
                self.assertTrue(selector.select(TIMEOUT))
                while event := vm.next_event():
                    seen.append(event.type)
            self.assertFalse(selector.select(0))


class Channels(WithKvm):
    def test_echo(self):
        with vm_of("vsock") as vm:
            vm.run()
            with vm.connect(5678) as channel:
                channel.sendall(b"hello")
                self.assertEqual(channel.recv(100), b"hello")
            self.assertEqual(vm.wait_stopped(TIMEOUT).code,
                             StopReason.SHUTDOWN)

    def test_bad_ports(self):
        with vm_of("vsock") as vm:
            vm.run()
            for port in ("5000", None, 5000.0):
                with self.subTest(port=port):
                    with self.assertRaisesRegex(TypeError, "a port is an int"):
                        vm.connect(port)
            for port in (-1, 0, 1023, 2**32):
                with self.subTest(port=port):
                    with self.assertRaisesRegex(avf.AvfError, "Bad port"):
                        vm.connect(port)
                    with self.assertRaisesRegex(avf.AvfError, "Bad port"):
                        vm.listen(port)
            with self.assertRaises(avf.AvfError) as caught:
                vm.connect(4444)
            self.assertEqual(caught.exception.name, "AVF_ERR_REFUSED")

    def test_listener(self):
        with vm_of("spin") as vm:
            vm.run()
            with vm.listen(6000) as listener:
                self.assertGreater(listener.fileno(), 0)
                with self.assertRaises(avf.AvfError) as caught:
                    listener.accept(0.05)
                self.assertEqual(caught.exception.name, "AVF_ERR_TIMEOUT")
                with self.assertRaises(avf.AvfError) as caught:
                    vm.listen(6000)
                self.assertEqual(caught.exception.name, "AVF_ERR_BUSY")
                vm.kill()
                with self.assertRaises(avf.AvfError) as caught:
                    listener.accept(TIMEOUT)
                self.assertEqual(caught.exception.name, "AVF_ERR_CLOSED")
            with self.assertRaisesRegex(avf.AvfError, "is closed"):
                listener.accept()


class Lifetime(WithKvm):
    def test_use_after_close(self):
        vm = vm_of("spin")
        vm.run()
        vm.close()
        vm.close()
        for function in (vm.run, vm.stop, vm.kill, vm.fileno, vm.next_event,
                         vm.wait_event, lambda: vm.status, lambda: vm.pid,
                         lambda: vm.connect(5678), lambda: vm.listen(5678),
                         lambda: next(vm.events())):
            with self.assertRaisesRegex(avf.AvfError, "the VM is closed"):
                function()

    def test_no_vmm_outlives_its_handle(self):
        vm = vm_of("spin")
        vm.run()
        self.assertEqual(support.n_children(), 1)
        vm.close()
        self.assertEqual(support.n_children(), 0)
        vm = vm_of("spin")
        vm.run()
        del vm
        gc.collect()
        self.assertEqual(support.n_children(), 0)

    def test_no_vmm_outlives_the_interpreter(self):
        program = ("import avf, os, sys\n"
                   "vm = avf.Vm(avf.Config(kernel=sys.argv[1]))\n"
                   "vm.run()\n"
                   "print(vm.pid, flush=True)\n"
                   "os._exit(0) if sys.argv[2:] else None\n")
        for how in ([], ["_exit"]):
            done = subprocess.run([sys.executable, "-c", program,
                                   bare("spin"), *how], timeout=60,
                                  check=True, stdout=subprocess.PIPE)
            for _ in range(100):
                if support.is_gone(int(done.stdout)):
                    break
                subprocess.run(["sleep", "0.05"], check=True)
            else:
                self.fail("the VMM runs on")

    def test_a_fork_leaves_the_vm_alone(self):
        with vm_of("spin") as vm:
            support.started(vm)
            pid = os.fork()
            if pid == 0:
                try:
                    vm.next_event()
                except avf.AvfError as error:
                    vm.close()
                    os._exit(0 if "forked" in error.text else 1)
                os._exit(2)
            self.assertEqual(os.waitpid(pid, 0)[1], 0)
            self.assertIsNone(vm.wait_event(0.1))
            self.assertEqual(vm.status, Status.RUNNING)

    def test_fifty_rounds_leave_nothing(self):
        with vm_of("spin") as vm:
            vm.run()
            vm.kill()
            vm.wait_stopped(TIMEOUT)
            fds = support.n_fds()
            tasks = len(os.listdir("/proc/self/task"))
            for _ in range(50):
                support.started(vm)
                vm.kill()
                self.assertEqual(vm.wait_stopped(TIMEOUT).code,
                                 StopReason.KILLED)
            self.assertEqual(support.n_fds(), fds)
            self.assertEqual(len(os.listdir("/proc/self/task")), tasks)
            self.assertEqual(support.n_children(), 0)


support.main()
