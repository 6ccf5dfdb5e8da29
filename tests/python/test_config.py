"""Configurations: what is refused, with which code, and that nothing
crashes."""
import asyncio
import inspect
import json
import os
import pathlib
import socket
import tempfile
import unittest

import avf
import support

KERNEL = support.bare("hello")


class Config(unittest.TestCase):
    def refused(self, code, function, *args, **fields):
        with self.assertRaises(avf.AvfError) as caught:
            function(*args, **fields)
        self.assertEqual(caught.exception.name, code)
        self.assertTrue(caught.exception.text)
        return caught.exception

    def test_defaults_are_avfs(self):
        config = avf.Config()
        self.assertEqual(config.kind, avf.ConfigKind.RAW)
        self.assertEqual(config.memory_mib, 256)
        self.assertEqual(config.vcpus, 1)
        self.assertEqual(config.acceleration, avf.Acceleration.KVM)
        self.assertEqual(config.architecture, avf.Architecture.HOST)
        self.assertIsNone(config.name)

    def test_setters_hold(self):
        config = avf.Config(name="käse", memory_mib=64, vcpus=2)
        self.assertEqual((config.name, config.memory_mib, config.vcpus),
                         ("käse", 64, 2))
        config.memory_mib = 128
        config.boot_timeout = 1.5
        config.jail = avf.Jail.STRICT
        self.assertEqual(config.boot_timeout, 1.5)
        self.assertIs(config.jail, avf.Jail.STRICT)
        self.assertIs(config.debug_level, avf.DebugLevel.NONE)
        with self.assertRaises(AttributeError):
            config.kind = avf.ConfigKind.PAYLOAD
        with self.assertRaises(avf.AvfError):
            config.vcpus = 0
        config.acceleration = avf.Acceleration.EMULATION
        self.assertEqual(config.memory_mib, 128)
        self.assertEqual(config.acceleration, avf.Acceleration.EMULATION)
        config.architecture = avf.Architecture.ARM64
        self.assertIs(config.architecture, avf.Architecture.ARM64)

    def test_bad_values_are_refused(self):
        rows = [("name", "a/b"), ("name", ""), ("name", ".."),
                ("name", "x" * 65), ("vcpus", 0), ("vcpus", 33),
                ("memory_mib", 2**31),
                ("cmdline", "x" * 2001), ("cmdline", "a\nb"),
                ("cpu_topology", 7), ("acceleration", -3),
                ("debug_level", 2), ("jail", 9), ("architecture", 3)]
        for field, value in rows:
            with self.subTest(field=field, value=value):
                self.refused("AVF_ERR_INVALID", avf.Config,
                             avf.ConfigKind.RAW, **{field: value})

    def test_bad_types_are_refused(self):
        for field, value in [("memory_mib", "1"), ("memory_mib", -1),
                             ("memory_mib", 2**40), ("name", 5),
                             ("name", "a\0b"), ("kernel", None),
                             ("console_output", "path"), ("vcpus", None)]:
            with self.subTest(field=field, value=value):
                with self.assertRaises((TypeError, OverflowError,
                                        ValueError)):
                    avf.Config(avf.ConfigKind.RAW, **{field: value})

    def test_what_is_no_config_is_named(self):
        for wrong in (None, "vm.json", 5, {}, avf.Config):
            with self.subTest(wrong=wrong):
                with self.assertRaisesRegex(TypeError, "an avf.Config is"):
                    avf.Vm(wrong)

    def test_unknown_argument(self):
        self.assertRaises(TypeError, avf.Config, no_such_field=1)

    def test_payload_fields_in_a_raw_vm(self):
        config = avf.Config()
        self.refused("AVF_ERR_STATE", config.set_payload_name, "libx.so")
        self.refused("AVF_ERR_STATE", config.set_guest_image, "/")

    def test_kind_follows_the_fields(self):
        config = avf.Config(payload_name="libecho.so")
        self.assertEqual(config.kind, avf.ConfigKind.PAYLOAD)

    def test_missing_file(self):
        error = self.refused("AVF_ERR_NOT_FOUND", avf.Config,
                             kernel="/no/such/file")
        self.assertIn("/no/such/file", error.text)
        self.assertIn(error.text, str(error))
        self.assertEqual(error.code, -4)
        self.assertEqual(error.errno, 2)

    def test_files_by_path_fd_and_object(self):
        avf.Config(kernel=str(KERNEL))
        avf.Config(kernel=pathlib.Path(KERNEL))
        avf.Config(kernel=os.fsencode(KERNEL))
        with open(KERNEL, "rb") as file:
            for kernel in (file, file.fileno()):
                config = avf.Config(kernel=kernel)
                self.assertEqual(config.validate(), [])

    def test_all_problems_at_once(self):
        problems = avf.Config(avf.ConfigKind.PAYLOAD,
                              protected=True).validate()
        fields = [problem.field for problem in problems]
        self.assertGreaterEqual(len(fields), 2)
        self.assertTrue(all(problem.text for problem in problems))

    def test_vm_of_a_bad_config(self):
        self.refused("AVF_ERR_INVALID", avf.Vm, avf.Config())

    def test_disks(self):
        with (tempfile.NamedTemporaryFile() as disk,
              tempfile.NamedTemporaryFile() as second):
            disk.truncate(1 << 20)
            second.truncate(1 << 20)
            config = avf.Config(kernel=KERNEL, disks=[disk])
            config.add_disk(second.name, writable=True, id="second")
            self.assertEqual(config.validate(), [])
            self.assertEqual(config.disks, [(None, False, None),
                                            (second.name, True, "second")])
            self.assertEqual(config.disks[1].id, "second")
            self.refused("AVF_ERR_INVALID", config.add_disk, disk.name,
                         id="x" * 21)

    def test_json(self):
        text = json.dumps({"kernel": KERNEL.name, "memory_mib": 32})
        config = avf.Config.parse(text, base_dir=KERNEL.parent)
        self.assertEqual(config.memory_mib, 32)
        with tempfile.NamedTemporaryFile(dir=KERNEL.parent) as file:
            file.write(text.encode())
            file.flush()
            self.assertEqual(avf.Config.load(file.name).memory_mib, 32)

    def test_bad_json(self):
        for text in ("", "{", "[]", "\0", '{"kernel": 5}', "{" * 100):
            with self.subTest(text=text):
                with self.assertRaises(avf.AvfError):
                    avf.Config.parse(text)

    def test_use_after_close(self):
        config = avf.Config(kernel=KERNEL)
        config.close()
        config.close()
        self.refused("AVF_ERR_STATE", config.validate)
        self.refused("AVF_ERR_STATE", config.set_memory_mib, 64)
        self.refused("AVF_ERR_STATE", avf.Vm, config)

    def test_no_fd_is_left(self):
        avf.Config(kernel=KERNEL)
        before = support.n_fds()
        for _ in range(200):
            avf.Config(kernel=KERNEL).validate()
        self.assertEqual(support.n_fds(), before)


class Closed(unittest.TestCase):
    """Whatever is called of an object that is closed: an error, no crash."""

    def arguments(self, function):
        known = {"other": avf.Config(), "config": avf.Config(kernel=KERNEL),
                 "file": 1, "port": 5678, "name": "x", "seconds": 1.0,
                 "directory": "/", "cmdline": "x", "descriptor": None,
                 "sock": socket.socketpair()[0]}
        return [known.get(p.name, 1) for p in
                list(inspect.signature(function).parameters.values())
                if p.default is p.empty and p.kind == p.POSITIONAL_OR_KEYWORD]

    def use(self, thing, name):
        function = getattr(thing, name)
        if not callable(function):
            return function
        result = function(*self.arguments(function))
        if inspect.iscoroutine(result):
            return asyncio.run(result)
        return next(result) if name == "events" else result

    def test_every_member(self):
        with tempfile.TemporaryDirectory() as dir:
            manager = avf.Manager(dir)
            vm = manager.create("one", avf.Config(kernel=KERNEL))
            things = [avf.Config(kernel=KERNEL), vm, vm.to_descriptor(),
                      avf.Vm(avf.Config(kernel=KERNEL)), manager]
            for thing in things:
                thing.close()
            n = 0
            for thing in things:
                for name in dir_of(thing):
                    with self.subTest(kind=type(thing).__name__, name=name):
                        with self.assertRaisesRegex(avf.AvfError, "closed"):
                            self.use(thing, name)
                        n += 1
            self.assertGreater(n, 80)
            with self.assertRaisesRegex(avf.AvfError, "closed"):
                avf.Manager(dir).import_from_descriptor("two", things[2])


def dir_of(thing):
    """What may not work any more."""
    return [name for name in dir(type(thing)) if not name.startswith("_")
            and name not in ("close", "load", "parse", "receive",
                             "import_from_descriptor")]


class Probe(unittest.TestCase):
    def test_rows(self):
        rows = avf.probe()
        self.assertIn("kvm.device", [row.what for row in rows])
        self.assertTrue(all(row.reason for row in rows))
        self.assertEqual(rows["kvm.device"], rows[0])
        what, state, reason, hint = rows[0]
        self.assertEqual((what, state, reason, hint), rows[0])
        self.assertIs(type(state), avf.ProbeState)
        self.assertEqual(rows[0][-1], hint)
        self.assertIn(f"what={what!r}", repr(rows[0]))
        self.assertEqual(len({row: 1 for row in rows}), len(rows))
        self.assertRaises(KeyError, lambda: rows["no such row"])

    def test_capabilities(self):
        found = avf.capabilities()
        runs = avf.probe()["linux_guest.kvm"].state == avf.ProbeState.YES
        self.assertEqual(bool(found & avf.Capability.NON_PROTECTED_VM), runs)
        self.assertFalse(found & avf.Capability.PROTECTED_VM)


class Image(unittest.TestCase):
    def test_errors(self):
        with tempfile.TemporaryDirectory() as dir:
            with self.assertRaises(avf.AvfError):
                avf.package_create(dir + "/x.avfpkg", "x", [__file__])
            self.assertRaises(TypeError, avf.package_create,
                              dir + "/x.avfpkg", "x", [5])
            with self.assertRaises(avf.AvfError):
                avf.image_build(dir + "/image", "/no/such.deb", print)
            with self.assertRaisesRegex(avf.AvfError, "/no/such/kernel"):
                avf.image_build(dir + "/image", kernel="/no/such/kernel")
            self.assertEqual(os.listdir(dir), [])


support.main()
