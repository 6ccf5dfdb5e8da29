"""A computer that cannot have a lab, or cannot build the guest's kernel, hears
why and what to do, and tests that were to run there count as skipped."""
import os
import pathlib
import shutil
import subprocess
import tempfile
import unittest

import support

SCRIPTS = support.SOURCE / "scripts"
BUILD_KERNEL = support.SOURCE / "guest" / "kernel" / "build.sh"
LAB_TOOLS = ("busybox", "mkfs.erofs", "cpio", "xz", "dpkg-deb")
PLACE_TOOLS = {
    "x86": ("qemu-system-x86_64", "cc"),
    "arm64": ("qemu-system-aarch64", "aarch64-linux-gnu-gcc", "readelf"),
    "pkvm": ("qemu-system-aarch64", "aarch64-linux-gnu-gcc", "readelf"),
}
KERNEL_TOOLS = ("apt-get", "dpkg-deb", "xz", "bc", "flex", "bison", "perl",
                "make", "cc")
FOLDERS = ("/usr/bin", "/bin", "/usr/sbin", "/sbin")


class LabSkips(unittest.TestCase):
    def setUp(self):
        scratch = tempfile.TemporaryDirectory()
        self.addCleanup(scratch.cleanup)
        self.dir = pathlib.Path(scratch.name)
        self.bin = self.dir / "bin"
        self.bin.mkdir()
        self.env = dict(os.environ, PATH=str(self.bin), LC_ALL="C.UTF-8",
                        XDG_CACHE_HOME=str(self.dir / "cache"))
        # all that this computer has, and what it may lack
        for folder in map(pathlib.Path, FOLDERS):
            for tool in folder.iterdir() if folder.is_dir() else ():
                if not os.path.lexists(self.bin / tool.name):
                    (self.bin / tool.name).symlink_to(tool)
        for tool in (*LAB_TOOLS, *KERNEL_TOOLS,
                     *(t for tools in PLACE_TOOLS.values() for t in tools),
                     "x86_64-linux-gnu-gcc", "apt-cache", "apt-get"):
            if not shutil.which(tool, path=self.bin):
                self.replace(tool)

    def replace(self, tool):
        """By a program that does nothing, and fails."""
        (self.bin / tool).unlink(missing_ok=True)
        (self.bin / tool).write_text("#!/bin/sh\nexit 1\n")
        (self.bin / tool).chmod(0o755)

    def run_it(self, *command):
        return subprocess.run(command, env=self.env, text=True, timeout=60,
                              stdin=subprocess.DEVNULL,
                              stdout=subprocess.PIPE, stderr=subprocess.PIPE)

    def lab(self, place, build=None):
        return self.run_it(SCRIPTS / "lab.sh", place, "--build",
                           build or self.dir, "--", "true")

    def expect_skip(self, done, text):
        self.assertEqual(done.returncode, 77, done.stdout + done.stderr)
        self.assertRegex(done.stdout.splitlines()[-1], f"^SKIP: {text}$")

    def without(self, tool, command, text):
        with self.subTest(tool=tool):
            (self.bin / tool).rename(self.dir / "hidden")
            try:
                self.expect_skip(command(), text)
            finally:
                (self.dir / "hidden").rename(self.bin / tool)

    def test_no_tool(self):
        for place, tools in PLACE_TOOLS.items():
            if place == "x86" and os.uname().machine != "x86_64":
                self.expect_skip(self.lab(place),
                                 "lab: this lab is for x86-64 programs")
                continue
            for tool in (*LAB_TOOLS, *tools):
                self.without(tool, lambda: self.lab(place),
                             f"lab: no {tool}: run scripts/deps.sh")

    def test_nothing_built(self):
        for place in PLACE_TOOLS:
            self.expect_skip(self.lab(place, self.dir / "none"),
                             f"lab: there is no {self.dir}/none: build it first")

    def test_no_packages(self):
        for tool in ("apt-get", "apt-cache"):
            self.replace(tool)
        if os.uname().machine == "x86_64":
            self.expect_skip(self.lab("x86"), "lab: no kernel: apt-get could "
                             "not download linux-image-.*")
        for place in ("arm64", "pkvm"):
            self.expect_skip(self.lab(place), "lab: arm64 sysroot: apt has no "
                             "source of Debian, or no package lists")

    def test_no_guest_kernel(self):
        for tool in KERNEL_TOOLS:
            self.without(tool, lambda: self.run_it(BUILD_KERNEL, "arm64"),
                         f"guest kernel: no {tool}: run scripts/deps.sh")
        self.replace("apt-get")
        for kernel in ("x86_64", "arm64", "arm64-64k"):
            self.expect_skip(self.run_it(BUILD_KERNEL, kernel),
                             "guest kernel: apt has no linux-source.*: .+")
            self.expect_skip(self.run_it(BUILD_KERNEL, "--cached", kernel),
                             f"guest kernel: {kernel} is built on request: "
                             f"guest/kernel/build.sh {kernel}")

    def test_tests_are_skipped(self):
        (self.bin / "busybox").unlink()
        counts = self.dir / "counts"
        done = self.run_it(SCRIPTS / "run_tests.py", "--build", support.BUILD,
                           "--label", "lab", "--match", "^vm/test_(bare|start)$",
                           "--results", counts, "--lab", "x86")
        self.assertEqual(done.returncode, 0, done.stdout + done.stderr)
        self.assertEqual(
            done.stdout.count("    skipped: lab: no busybox: run "
                              "scripts/deps.sh\n"), 2, done.stdout)
        self.assertEqual(counts.read_text(), "0 0 2\n")


support.main()
