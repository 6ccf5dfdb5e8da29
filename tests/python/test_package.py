"""The package as such: stubs, table of the probe, time to import, wheel."""
import ast
import os
import pathlib
import subprocess
import sys
import sysconfig
import tempfile
import unittest

import avf
import support
from avf import _constants


def with_wheel():
    """An interpreter for which our extension was built, that makes wheels."""
    code = ("import setuptools, wheel, pip, sysconfig;"
            "print(sysconfig.get_config_var('SOABI'))")
    for python in (sys.executable, "/usr/bin/python3"):
        done = subprocess.run([python, "-c", code], timeout=60, text=True,
                              capture_output=True)
        if done.stdout.strip() == sysconfig.get_config_var("SOABI"):
            return python
    raise unittest.SkipTest("no Python here has pip, setuptools and wheel")


class Package(unittest.TestCase):
    def test_stubs_say_what_the_headers_say(self):
        stub = pathlib.Path(_constants.__file__).with_suffix(".pyi")
        classes = [node for node in ast.parse(stub.read_text()).body
                   if isinstance(node, ast.ClassDef)]
        self.assertEqual(len(classes), 11)
        for node in classes:
            told = {line.targets[0].id: ast.literal_eval(line.value)
                    for line in node.body}
            enum = getattr(avf, node.name)
            self.assertEqual(told, {name: int(member) for name, member
                                    in enum.__members__.items()}, node.name)

    def test_all_names_exist(self):
        for name in avf.__all__:
            self.assertTrue(hasattr(avf, name), name)

    def test_version(self):
        text = (support.SOURCE / "CMakeLists.txt").read_text()
        self.assertIn(f"VERSION {avf.version()} ", text)

    def test_probe_table(self):
        out = subprocess.run([sys.executable, "-m", "avf"], timeout=60,
                             check=True, text=True,
                             stdout=subprocess.PIPE).stdout
        self.assertIn("kvm.ring0", out)
        self.assertIn("capabilities: ", out)

    def test_import_leaves_heavy_modules_out(self):
        code = ("import avf, sys; print(*{'asyncio', 'socket', 'inspect',"
                "'typing', 'dataclasses'} & sys.modules.keys())")
        out = subprocess.run([sys.executable, "-S", "-c", code], timeout=60,
                             check=True, text=True,
                             stdout=subprocess.PIPE).stdout
        self.assertEqual(out.strip(), "")

    def test_wheel(self):
        self.python = with_wheel()
        env = dict(os.environ, AVF_BUILD_DIR=str(support.BUILD))
        del env["PYTHONPATH"]
        with tempfile.TemporaryDirectory() as dir:
            done = subprocess.run(
                [self.python, "-m", "pip", "wheel", "--no-index", "--quiet",
                 "--no-build-isolation", "--wheel-dir", dir,
                 support.SOURCE / "bindings" / "python"], env=env,
                timeout=100, text=True, stdout=subprocess.PIPE,
                stderr=subprocess.STDOUT)
            self.assertEqual(done.returncode, 0, done.stdout)
            [wheel] = pathlib.Path(dir).glob("avf-*.whl")
            self.assertNotIn("none-any", wheel.name)
            self.use_wheel(wheel, pathlib.Path(dir) / "site", env)

    def use_wheel(self, wheel, site, env):
        subprocess.run([self.python, "-m", "pip", "install", "--quiet",
                        "--no-index", "--target", site, wheel], env=env,
                       timeout=100, check=True)
        env["PYTHONPATH"] = str(site)
        # no row of the probe needs avf-vmm; that it is found does
        code = ("import avf, os, sys\n"
                "vm = avf.Vm(avf.Config(kernel=sys.argv[1]))\n"
                "vm.run()\n"
                "print(avf.__file__, os.readlink(f'/proc/{vm.pid}/exe'))\n")
        out = subprocess.run([self.python, "-c", code,
                              support.bare("spin")], env=env, check=True,
                             timeout=60, text=True, cwd=site,
                             stdout=subprocess.PIPE).stdout
        for path in out.split():
            self.assertTrue(path.startswith(str(site)), path)


support.main()
