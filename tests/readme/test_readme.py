"""The programs of README.md do what it says: each is taken out of it, built
with its commands against an installation, and run."""
import os
import pathlib
import re
import shutil
import subprocess
import sys
import tempfile
import unittest

import support

README = (support.SOURCE / "README.md").read_text()
BLOCKS = re.findall(r"^```(\w+)\n(.*?)^```$", README, re.M | re.S)
# The least that a host program has to say, from the payload.
HELLO = "hello from the VM"


def blocks(language):
    return [text for kind, text in BLOCKS if kind == language]


class Readme(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        scratch = tempfile.TemporaryDirectory()
        cls.addClassCleanup(scratch.cleanup)
        cls.dir = pathlib.Path(scratch.name)
        cls.prefix = cls.dir / "prefix"
        cls.payload, cls.host = blocks("c")
        [cls.python], [cls.java] = blocks("python"), blocks("java")
        for name, text in (("hello.c", cls.payload), ("host.c", cls.host),
                           ("host.py", cls.python), ("Host.java", cls.java)):
            (cls.dir / name).write_text(text)
        subprocess.run(["cmake", "--install", support.BUILD, "--prefix",
                        cls.prefix], check=True, stdout=subprocess.DEVNULL)
        [pc] = cls.prefix.rglob("libvirtualization.pc")
        (cls.dir / "examples").symlink_to(support.SOURCE / "examples")
        # instead of the wheel's content; a test of its own makes a wheel
        (cls.dir / "site").symlink_to(support.BUILD / "python")
        cls.env = dict(
            os.environ, HOME=scratch.name, XDG_DATA_HOME=scratch.name,
            LD_LIBRARY_PATH=str(pc.parents[1]),
            PATH=f"{cls.prefix}/bin:{os.environ['PATH']}",
            C_INCLUDE_PATH=f"{cls.prefix}/include",
            CMAKE_PREFIX_PATH=str(cls.prefix),
            PKG_CONFIG_PATH=str(pc.parent))

    def sh(self, *words):
        """The lines of the README's shell blocks that have these words."""
        text = "".join(blocks("sh")).replace("\\\n", "")
        for word in words:
            [line] = [line for line in text.splitlines() if word in line]
            line = line.replace("/usr/local", str(self.prefix))
            done = subprocess.run(["sh", "-ec", line], cwd=self.dir,
                                  env=self.env, text=True, timeout=120,
                                  stdout=subprocess.PIPE,
                                  stderr=subprocess.STDOUT)
            self.assertEqual(done.returncode, 0, line + "\n" + done.stdout)
        return done.stdout

    def test_0_short_enough(self):
        for text in (self.host, self.python, self.java):
            self.assertLess(text.count("\n"), 30)

    def test_1_package(self):
        self.sh("cc -shared", "avf package create")
        self.assertTrue((self.dir / "hello.avfpkg").exists())

    def test_2_c(self):
        out = self.sh("cc host.c")
        self.assertIn(HELLO, out)
        self.assertRegex(out, r"STOPPED 3 ")

    def test_2_python(self):
        out = self.sh("python3 host.py")
        self.assertIn(HELLO, out)
        self.assertRegex(out, r"PAYLOAD_READY 0 (.|\n)*STOPPED 3 ")

    def test_2_java(self):
        self.assertIn(HELLO, self.sh("Host.java"))
        self.assertIn(HELLO, self.sh("Host.java"), "a VM that exists")

    def test_3_rpc_is_the_example(self):
        """README.md shows what examples/rpc has, in few lines."""
        example = support.SOURCE / "examples" / "rpc"
        for kind, file in (("aidl", "com/example/ICalculator.aidl"),
                           ("cpp", "calculator.cpp"),
                           ("cmake", "CMakeLists.txt")):
            [text] = blocks(kind)
            self.assertIn(text, (example / file).read_text())
        section = README.partition("## An interface into a VM")[2]
        self.assertLess(section.partition("\n## ")[0].count("\n"), 40)

    def test_4_rpc_build(self):
        self.sh("cmake -S examples/rpc")

    def test_5_rpc_cpp(self):
        self.assertEqual(self.sh("rpc/client "), "110\n")

    def test_5_rpc_python(self):
        self.assertEqual(self.sh("client.py"), "110\n")

    def test_5_rpc_java(self):
        self.assertEqual(self.sh("client.jar"), "110\n")


for tool in ("cc", "c++", "aidl", "cmake", "pkg-config", "java", "mkfs.erofs"):
    if not shutil.which(tool, path=os.environ["PATH"] + ":/usr/sbin"):
        print(f"SKIP: no {tool}")
        sys.exit(77)
if "AVF_GUEST_IMAGE" not in os.environ:
    print("SKIP: no $AVF_GUEST_IMAGE")
    sys.exit(77)
# python3 is the one that this runs with
os.environ["PATH"] = (os.path.dirname(sys.executable) + ":"
                      + os.environ["PATH"])
support.main()
