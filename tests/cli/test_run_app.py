#!/usr/bin/env python3
"""The command line with a VM, under emulation: what `run-app` runs."""

import os
import subprocess
import sys
import unittest

AVF = os.path.abspath(sys.argv.pop(1)) if len(sys.argv) > 1 else "avf"
PACKAGE = os.path.abspath(sys.argv.pop(1)) if len(sys.argv) > 1 else ""
TIMEOUT_S = 120


class RunApp(unittest.TestCase):
    def run_app(self, path):
        return subprocess.run(
            [AVF, "run-app", PACKAGE, "--config-path", path,
             "--acceleration", "emulation", "--exit-code"],
            capture_output=True, text=True, timeout=TIMEOUT_S,
            stdin=subprocess.DEVNULL)

    def test_config_path(self):
        done = self.run_app("assets/vm_config.json")
        self.assertEqual(done.stdout, "VM ended: SHUTDOWN\n", done.stderr)
        self.assertEqual(done.returncode, 7, "libexit_code.so returns that")

    def test_no_such_file(self):
        done = self.run_app("assets/none.json")
        self.assertEqual(done.stdout,
                         "VM ended: MICRODROID_INVALID_PAYLOAD_CONFIG\n",
                         done.stderr)
        self.assertEqual(done.returncode, 4)
        self.assertIn("assets/none.json", done.stderr)

    def test_a_file_that_is_none(self):
        done = self.run_app("assets/hello.txt")
        self.assertEqual(done.stdout,
                         "VM ended: MICRODROID_INVALID_PAYLOAD_CONFIG\n",
                         done.stderr)
        self.assertEqual(done.returncode, 4)

    def test_a_way_out_of_the_package(self):
        for path in "../x", "/etc/passwd", "", "assets/../../x":
            done = self.run_app(path)
            self.assertEqual(done.returncode, 1, done.stderr)
            self.assertIn("payload_config_path", done.stderr)


class Result(unittest.TextTestResult):
    def addSuccess(self, test):
        super().addSuccess(test)
        print("ok", test.id(), flush=True)

    def addFailure(self, test, err):
        super().addFailure(test, err)
        print("not ok", test.id(), flush=True)

    addError = addFailure


if __name__ == "__main__":
    if not os.environ.get("AVF_GUEST_IMAGE"):
        print("SKIP: AVF_GUEST_IMAGE names no guest image")
        sys.exit(77)
    if not os.path.exists(PACKAGE):
        print("SKIP: the packages of the tests are not built")
        sys.exit(77)
    unittest.main(testRunner=unittest.TextTestRunner(resultclass=Result))
