"""Configurations: what is refused, with which code, and that nothing
crashes."""
import json
import os
import pathlib
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
        self.assertIsNone(config.name)

    def test_setters_hold(self):
        config = avf.Config(name="käse", memory_mib=64, vcpus=2)
        self.assertEqual((config.name, config.memory_mib, config.vcpus),
                         ("käse", 64, 2))
        config.memory_mib = 128
        config.acceleration = avf.Acceleration.EMULATION
        self.assertEqual(config.memory_mib, 128)
        self.assertEqual(config.acceleration, avf.Acceleration.EMULATION)

    def test_bad_values_are_refused(self):
        rows = [("name", "a/b"), ("name", ""), ("name", ".."),
                ("name", "x" * 65), ("vcpus", 0), ("vcpus", 33),
                ("memory_mib", 1), ("memory_mib", 2**31),
                ("cmdline", "x" * 2001), ("cmdline", "a\nb"),
                ("cpu_topology", 7), ("acceleration", -3),
                ("debug_level", 2), ("jail", 9)]
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


class Probe(unittest.TestCase):
    def test_rows(self):
        rows = avf.probe()
        self.assertIn("kvm.device", [row.what for row in rows])
        self.assertTrue(all(row.reason for row in rows))
        self.assertEqual(rows["kvm.device"], rows[0])
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
            self.assertEqual(os.listdir(dir), [])


support.main()
