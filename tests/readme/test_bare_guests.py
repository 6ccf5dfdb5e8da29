"""The commands of docs/bare-guests.md, and README.md's about such guests, do what
they say, on this host's KVM."""
import os
import pathlib
import re
import subprocess
import tempfile
import unittest

import support

PAGE = (support.SOURCE / "docs" / "bare-guests.md").read_text()
README = (support.SOURCE / "README.md").read_text()


def blocks(language, text):
    return re.findall(rf"^```{language}\n(.*?)^```$", text, re.M | re.S)


RUN, BUILD = blocks("sh", PAGE)


class BareGuests(unittest.TestCase):
    def setUp(self):
        support.needs_kvm()
        scratch = tempfile.TemporaryDirectory()
        self.addCleanup(scratch.cleanup)
        self.dir = pathlib.Path(scratch.name)
        (self.dir / "build").mkdir()
        (self.dir / "build" / "release").symlink_to(support.BUILD)

    def sh(self, text):
        """What it prints on standard output."""
        # as the page says: on arm64 it is another file
        kernel = support.bare("dice").suffix
        env = dict(os.environ, XDG_RUNTIME_DIR=str(self.dir),
                   PATH=f"{support.BUILD}/bin:{os.environ['PATH']}")
        done = subprocess.run(["sh", "-ec", text.replace(".elf", kernel)],
                              cwd=self.dir, env=env, text=True, timeout=60,
                              stdout=subprocess.PIPE, stderr=subprocess.PIPE)
        self.assertEqual(done.returncode, 0, done.stdout + done.stderr)
        return done.stdout

    def test_run_one(self):
        self.assertEqual(self.sh(RUN), "hello\n")

    def test_readme(self):
        [text] = [text for text in blocks("sh", README)
                  if "guest/bare" in text]
        self.assertEqual(self.sh(text), "hello\n")

    def test_write_one(self):
        # what this is part of is built: no cmake within ctest
        build, run = BUILD.split("\n", 1)
        self.assertEqual(build,
                         "cmake --build build/release --target bare_dice")
        out = self.sh(run)
        said = re.compile(r"2 CPUs threw( [1-6]){6}\nVM ended: SHUTDOWN\n")
        self.assertRegex(out, said)
        [shown] = blocks("text", PAGE)
        self.assertTrue(said.fullmatch(shown), shown)

    def test_the_example_is_the_page_s(self):
        [cmake] = blocks("cmake", PAGE)
        example = support.SOURCE / "examples" / "bare_guest"
        self.assertIn(cmake, (example / "CMakeLists.txt").read_text())


support.main()
