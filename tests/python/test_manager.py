"""Named VMs: AVF's VirtualMachineManager, in a directory of the test's."""
import gc
import os
import pathlib
import socket
import subprocess
import sys
import tempfile
import unittest

import avf
import support
from avf import Status

KERNEL = str(support.bare("hello"))


class Manager(unittest.TestCase):
    def setUp(self):
        dir = tempfile.TemporaryDirectory()
        self.addCleanup(dir.cleanup)
        self.dir = pathlib.Path(dir.name)
        self.manager = avf.Manager(dir.name)
        self.config = avf.Config(kernel=KERNEL, memory_mib=16)

    def fails(self, code, function, *args):
        with self.assertRaises(avf.AvfError) as caught:
            function(*args)
        self.assertEqual(caught.exception.name, code)
        return caught.exception.text

    def test_create_and_get(self):
        vm = self.manager.create("one", self.config)
        self.assertEqual(vm.name, "one")
        self.assertEqual(vm.status, Status.STOPPED)
        self.assertEqual(vm.get_config().memory_mib, 16)
        self.assertTrue(vm.root_dir.startswith(str(self.dir)))
        self.assertIs(self.manager.get("one"), vm)
        self.assertIs(self.manager.get_or_create("one", self.config), vm)
        self.assertIsNone(self.manager.get("two"))
        self.assertEqual(self.manager.names(), ["one"])

    def test_names_are_checked(self):
        for name in ("a/b", ".", ".."):
            text = self.fails("AVF_ERR_INVALID", self.manager.get, name)
            self.assertIn("Invalid VM name", text)

    def test_exists(self):
        vm = self.manager.create("one", self.config)
        text = self.fails("AVF_ERR_EXISTS", self.manager.create, "one",
                          self.config)
        self.assertIn("virtual machine already exists", text)
        vm.close()
        self.fails("AVF_ERR_EXISTS", self.manager.create, "one", self.config)

    def test_delete(self):
        vm = self.manager.create("one", self.config)
        self.manager.delete("one")
        self.assertEqual(vm.status, Status.DELETED)
        self.fails("AVF_ERR_STATE", vm.run)
        self.fails("AVF_ERR_NOT_FOUND", self.manager.delete, "one")
        again = self.manager.create("one", self.config)
        self.assertIsNot(again, vm)
        self.assertEqual(again.status, Status.STOPPED)

    def test_it_outlives_its_object(self):
        self.manager.create("one", self.config)
        gc.collect()
        with avf.Manager(self.dir) as other:
            self.assertEqual(other.get("one").get_config().memory_mib, 16)

    def test_locked_against_other_processes(self):
        code = ("import avf, sys\n"
                "try: avf.Manager(sys.argv[1]).get('one')\n"
                "except avf.AvfError as error: print(error.name)\n"
                "else: print('got it')\n")

        def other():
            return subprocess.run([sys.executable, "-c", code, self.dir],
                                  check=True, text=True, timeout=60,
                                  stdout=subprocess.PIPE).stdout.strip()

        vm = self.manager.create("one", self.config)
        self.assertEqual(other(), "AVF_ERR_BUSY")
        vm.close()
        self.assertEqual(other(), "got it")

    def test_set_config(self):
        vm = self.manager.create("one", self.config)
        self.config.memory_mib = 32
        vm.set_config(self.config)
        self.assertEqual(vm.get_config().memory_mib, 32)
        other = avf.Config(kernel=KERNEL, memory_mib=32,
                           debug_level=avf.DebugLevel.FULL)
        self.assertFalse(self.config.is_compatible_with(other))
        text = self.fails("AVF_ERR_INVALID", vm.set_config, other)
        self.assertEqual(text, "incompatible config")

    def test_descriptor(self):
        vm = self.manager.create("one", self.config)
        left, right = socket.socketpair()
        with left, right:
            with vm.to_descriptor() as descriptor:
                descriptor.send(left)
            got = avf.Descriptor.receive(right)
        copy = self.manager.import_from_descriptor("two", got)
        self.assertEqual(copy.get_config().memory_mib, 16)
        self.fails("AVF_ERR_STATE", self.manager.import_from_descriptor,
                   "three", got)

    def test_rounds_leave_nothing(self):
        self.manager.create("one", self.config).close()
        self.manager.delete("one")
        before = support.n_fds()
        for _ in range(100):
            vm = self.manager.create("one", self.config)
            self.assertIs(self.manager.get("one"), vm)
            self.manager.delete("one")
            vm.close()
        self.assertEqual(support.n_fds(), before)
        self.assertEqual(os.listdir(self.dir / "vm"), [])

    def test_use_after_close(self):
        vm = self.manager.create("one", self.config)
        self.manager.close()
        self.fails("AVF_ERR_STATE", self.manager.get, "one")
        self.fails("AVF_ERR_STATE", self.manager.names)
        self.assertEqual(vm.name, "one")


class Run(unittest.TestCase):
    def test_captured_output(self):
        support.needs_kvm()
        config = avf.Config(kernel=KERNEL, vm_output_captured=True,
                            debug_level=avf.DebugLevel.FULL,
                            cmdline="say.this=1")
        with (tempfile.TemporaryDirectory() as dir,
              avf.Manager(dir).create("one", config) as vm):
            for _ in range(2):
                vm.run()
                with vm.console_output() as console:
                    self.assertIn(b"say.this=1", console.read())
                self.assertEqual(vm.wait_stopped(30).code,
                                 avf.StopReason.SHUTDOWN)


support.main()
