#!/usr/bin/env python3
"""The command line without a VM: help, wrong usage, exit codes, JSON."""

import ctypes
import json
import os
import pty
import resource
import shutil
import signal
import socket
import stat
import subprocess
import sys
import tempfile
import termios
import time
import unittest

AVF = os.path.abspath(sys.argv.pop(1)) if len(sys.argv) > 1 else "avf"
LIBRARY = os.path.normpath(os.path.join(
    os.path.dirname(AVF), "../lib/libvirtualization.so"))
PR_SET_NO_NEW_PRIVS = 38

COMMANDS = ["info", "run", "run-app", "run-microguest", "vm", "console",
            "image", "package"]


class CliTest(unittest.TestCase):
    def setUp(self):
        self.scratch = tempfile.TemporaryDirectory()
        self.dir = self.scratch.name
        self.env = dict(os.environ, XDG_RUNTIME_DIR=self.dir, LC_ALL="C")
        self.addCleanup(self.scratch.cleanup)

    def avf(self, *args):
        return subprocess.run([AVF, *args], capture_output=True, text=True,
                              timeout=30, env=self.env, cwd=self.dir,
                              stdin=subprocess.DEVNULL)

    def expect(self, code, part, *args):
        done = self.avf(*args)
        self.assertEqual(done.returncode, code, (args, done.stderr))
        self.assertIn(part, done.stderr, args)
        self.assertEqual(done.stdout, "", args)

    def listen(self, name):
        """The console socket of a VM."""
        folder = os.path.join(self.dir, "libvirtualization")
        os.mkdir(folder, 0o700)
        server = socket.socket(socket.AF_UNIX)
        server.bind(os.path.join(folder, name + ".console"))
        server.listen(1)
        server.settimeout(20)
        self.addCleanup(server.close)
        return server

    def write(self, name, text):
        with open(os.path.join(self.dir, name), "w") as file:
            file.write(text)
        return name


class Help(CliTest):
    def test_general(self):
        done = self.avf("--help")
        self.assertEqual(done.returncode, 0)
        for command in COMMANDS:
            self.assertIn(f"  {command} ", done.stdout)
        self.assertEqual(self.avf("help").stdout, done.stdout)

    def test_every_command_shows_an_example(self):
        for command in COMMANDS:
            done = self.avf(command, "--help")
            self.assertEqual(done.returncode, 0, command)
            self.assertIn("Usage: avf " + command, done.stdout)
            self.assertIn("Example:\n", done.stdout, command)
            self.assertEqual(done.stderr, "")
            self.assertEqual(self.avf("help", command).stdout, done.stdout)

    def test_lines_fit_into_a_terminal(self):
        for command in COMMANDS:
            for line in self.avf(command, "--help").stdout.splitlines():
                self.assertLess(len(line), 80, (command, line))

    def test_exit_codes(self):
        done = self.avf("help", "exit-codes")
        self.assertEqual(done.returncode, 0)
        for code in range(6):
            self.assertIn(f"\n  {code}  ", done.stdout)


class Usage(CliTest):
    def test_wrong_usage_is_1(self):
        rows = [
            ("Commands:", []),
            ("no command", ["start"]),
            ("no command", ["help", "nothing"]),
            ("configuration file", ["run"]),
            ("configuration file", ["run", "a", "b"]),
            ("wrong option", ["run", "--colour", "a"]),
            ("wrong option", ["run", "-m"]),
            ("package is needed", ["run-app"]),
            ("--payload-binary-name", ["run-app", "x.avfpkg"]),
            ("--config-path", ["run-app", "x.avfpkg"]),
            ("one of", ["run-app", "x.avfpkg", "--config-path", "assets/x",
                        "--payload-binary-name", "libx.so"]),
            ("no argument", ["run-microguest", "x"]),
            ("name of one VM", ["console"]),
            ("no name of a VM", ["console", "../x"]),
            ("no name of a VM", ["console", "x" * 65]),
            ("1 to 64 bytes", ["console", ""]),
            ("no VM called", ["console", "nobody"]),
            ("what to do", ["image"]),
            ("unexpected", ["image", "build", "x"]),
            ("what to do", ["package"]),
            ("must be given", ["package", "create"]),
            ("must be given",
             ["package", "create", "--output", "a", "--name", "b"]),
            ("wrong option", ["info", "--yaml"]),
            ("no argument", ["info", "x"]),
            ("no argument", ["info", "--jail", "x", "y"]),
            ("no VM called", ["info", "--jail", "nobody"]),
            ("no name of a VM", ["info", "--jail", "../x"]),
            ("no name of a VM", ["info", "--jail", ""]),
            ("runs no VM", ["info", "--jail", str(os.getpid())]),
            ("runs no VM", ["info", "--jail", "2147483647"]),
        ]
        for part, args in rows:
            with self.subTest(args=args):
                self.expect(1, part, *args)

    def test_bad_values_are_1(self):
        rows = [
            ("--mem", ["-m", "0"]),
            ("--mem", ["-m", "-5"]), ("--mem", ["-m", "64k"]),
            ("--mem", ["-m", ""]), ("--mem", ["-m", " 64"]),
            ("--mem", ["--mem", "99999999999999999999"]),
            ("--vcpus", ["--vcpus", "0"]), ("--vcpus", ["--vcpus", "33"]),
            ("--vcpus", ["--vcpus", "1000"]),
            ("--connect", ["--connect", "1023"]),
            ("--connect", ["--connect", "4294967296"]),
            ("--timeout", ["--timeout", "0"]),
            ("one_cpu, match_host", ["--cpu-topology", "two"]),
            ("kvm, kvm-or-emulation, emulation", ["--acceleration", "tcg"]),
            ("none, full", ["--debug", "app_only"]),
            ("standard output", ["--json", "--console", "-"]),
            ("standard output", ["--json", "--connect", "5000"]),
            ("standard input", ["--connect", "5000", "--console-in", "-"]),
        ]
        for part, args in rows:
            with self.subTest(args=args):
                self.expect(1, part, "run", *args, "vm.json")


class Configuration(CliTest):
    def test_bad_files_are_1(self):
        self.write("text.json", "hello")
        self.write("key.json", '{"memory": 5}')
        self.write("kernel.json", '{"kernel": "none"}')
        os.mkfifo(os.path.join(self.dir, "fifo"))
        rows = [("No such file", "none.json"), ("a directory", "."),
                ("a pipe", "fifo"), ("line 1", "text.json"),
                ("unknown key", "key.json"), ("kernel: none", "kernel.json")]
        for part, name in rows:
            with self.subTest(name=name):
                self.expect(1, part, "run", name)

    def test_every_problem_is_said(self):
        self.write("odd", "x" * 100)
        self.write("vm.json", '{"disks": [{"image": "odd"}]}')
        done = self.avf("run", "vm.json")
        self.assertEqual(done.returncode, 1)
        self.assertIn("avf: kernel: a raw VM needs a kernel", done.stderr)
        self.assertIn("avf: disks[0].image: size of 100", done.stderr)

    def test_a_protected_vm_is_2(self):
        self.write("kernel", "x")
        self.write("vm.json", '{"kernel": "kernel"}')
        self.expect(2, "Protected VMs are not supported on this device.",
                    "run", "-p", "vm.json")

    def test_a_package_that_is_none_is_1(self):
        self.write("x.avfpkg", "x" * 4096)
        self.expect(1, "not an EROFS image", "run-app", "x.avfpkg",
                    "--payload-binary-name", "libx.so")


class Architecture(CliTest):
    def test_unknown(self):
        self.write("x.avfpkg", "x" * 4096)
        for command in (["image", "build"],
                        ["run-app", "x.avfpkg", "--payload-binary-name",
                         "libx.so"]):
            for word in ("mips", "aarch64", "", "ARM64"):
                with self.subTest(command=command, word=word):
                    self.expect(1, "none of x86_64, arm64", *command,
                                "--arch", word)

    def test_foreign_on_kvm(self):
        foreign = "arm64" if os.uname().machine == "x86_64" else "x86_64"
        self.write("kernel", "x" * 4096)
        self.write("vm.json", '{"kernel": "kernel", "acceleration": "kvm"}')
        self.expect(1, "architecture: a guest for " + foreign, "run",
                    "vm.json", "--arch", foreign)

    def test_guest_dir(self):
        self.write("kernel.deb", "no package")
        self.expect(2, "dpkg-deb", "image", "build", "--output", "image",
                    "--kernel-package", "kernel.deb", "--guest-dir", "none")
        self.expect(1, "guest_dir", "image", "build", "--guest-dir", "")


class Signals(CliTest):
    """What is made piece by piece leaves nothing when a signal ends it."""

    TOOL = "#!/bin/sh\n: >started\nexec sleep 60\n"

    @staticmethod
    def listen_to_signals():
        """Under nohup or in a shell's background some are ignored."""
        for number in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP):
            signal.signal(number, signal.SIG_DFL)

    @classmethod
    def ignore_hangups(cls):
        """As nohup."""
        cls.listen_to_signals()
        signal.signal(signal.SIGHUP, signal.SIG_IGN)

    def end(self, tool, number, *args, before=(),
            preexec_fn=listen_to_signals):
        """Run avf with that tool, which never ends, and send a signal.
        Those of before come first, and must not end it."""
        folder = os.path.join(self.dir, "bin")
        os.makedirs(folder, exist_ok=True)
        started = os.path.join(self.dir, "started")
        path = os.path.join(folder, tool)
        with open(path, "w") as file:
            file.write(self.TOOL.replace("started", started))
        os.chmod(path, 0o755)
        env = dict(self.env, PATH=folder + ":" + os.environ["PATH"])
        process = subprocess.Popen([AVF, *args], cwd=self.dir, env=env,
                                   stdin=subprocess.DEVNULL,
                                   stderr=subprocess.PIPE, text=True,
                                   preexec_fn=preexec_fn)
        deadline = time.monotonic() + 30
        while not os.path.exists(started):
            self.assertLess(time.monotonic(), deadline)
            self.assertIsNone(process.poll())
            time.sleep(0.01)
        for ignored in before:
            process.send_signal(ignored)
            with self.assertRaises(subprocess.TimeoutExpired):
                process.wait(timeout=1)
        process.send_signal(number)
        _, errors = process.communicate(timeout=30)
        self.assertEqual(process.returncode, -number, errors)
        os.unlink(started)
        os.unlink(path)
        return errors

    def test_image_build(self):
        self.write("kernel.deb", "no package")
        for number in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP):
            with self.subTest(signal=number):
                errors = self.end("dpkg-deb", number, "image", "build",
                                  "--output", "image", "--kernel-package",
                                  "kernel.deb")
                self.assertIn("dpkg-deb was killed", errors)
                self.assertEqual(sorted(os.listdir(self.dir)),
                                 ["bin", "kernel.deb"])

    def test_ignored_signals_stay_ignored(self):
        self.write("kernel.deb", "no package")
        self.end("dpkg-deb", signal.SIGTERM, "image", "build", "--output",
                 "image", "--kernel-package", "kernel.deb",
                 before=[signal.SIGHUP], preexec_fn=self.ignore_hangups)
        self.assertEqual(sorted(os.listdir(self.dir)), ["bin", "kernel.deb"])

    def test_a_parent_that_ignores_its_children(self):
        self.write("kernel.deb", "no package")
        done = subprocess.run(
            [AVF, "image", "build", "--output", "image", "--kernel-package",
             "kernel.deb"], cwd=self.dir, env=self.env, text=True, timeout=30,
            stdin=subprocess.DEVNULL, stderr=subprocess.PIPE,
            preexec_fn=lambda: signal.signal(signal.SIGCHLD, signal.SIG_IGN))
        self.assertEqual(done.returncode, 2, done.stderr)
        self.assertIn("dpkg-deb failed", done.stderr)

    def test_package_create(self):
        with open("/proc/self/maps") as maps:
            library = next(line.split()[-1] for line in maps
                           if "libc.so" in line)
        library = shutil.copy(library, self.dir)
        self.end("mkfs.erofs", signal.SIGTERM, "package", "create",
                 "--output", "x.avfpkg", "--name", "x", library)
        self.assertEqual(sorted(os.listdir(self.dir)),
                         sorted(["bin", os.path.basename(library)]))


class Info(CliTest):
    def test_text(self):
        done = self.avf("info")
        self.assertEqual(done.returncode, 0)
        self.assertRegex(done.stdout, r"(?m)VMs are (not )?supported\.$")

    def test_fresh(self):
        self.env = dict(self.env, XDG_RUNTIME_DIR=self.dir)
        first = self.avf("info")
        again = self.avf("info")
        fresh = self.avf("info", "--fresh")
        self.assertEqual(first.stdout, again.stdout, "remembered")
        self.assertEqual(fresh.returncode, 0)
        for line in ("kvm.vcpu", "emulation"):
            self.assertIn(line, fresh.stdout)

    def test_json(self):
        done = self.avf("info", "--json")
        self.assertEqual(done.returncode, 0)
        info = json.loads(done.stdout)
        self.assertEqual(set(info["capabilities"]),
                         {"protected_vm", "non_protected_vm"})
        for row in info["probe"]:
            self.assertIn(row["state"], ["yes", "limited", "no", "unknown"])
            self.assertTrue(row["what"])
            self.assertTrue(row["reason"], row["what"])


class Output(CliTest):
    """Where the output goes, and what happens when it cannot go there."""

    def test_version(self):
        done = self.avf("--version")
        self.assertEqual(done.returncode, 0)
        self.assertRegex(done.stdout, r"^libvirtualization \d+\.\d+\.\d+\n$")

    def test_lost_output_is_2(self):
        for args in (["info"], ["info", "--json"], ["help"], ["--version"]):
            with self.subTest(args=args), open("/dev/full", "wb") as full:
                done = subprocess.run([AVF, *args], stdout=full, text=True,
                                      stderr=subprocess.PIPE, timeout=30,
                                      env=self.env)
                self.assertEqual(done.returncode, 2)
                self.assertIn("standard output: No space left", done.stderr)

    def test_closed_streams_hit_no_file(self):
        """The first file that is opened must not become descriptor 1 or 2."""
        self.write("kernel", "no kernel, but a file")
        self.write("vm.json", '{"kernel": "kernel"}')
        done = subprocess.run([AVF, "run", "--log", "log", "vm.json"],
                              preexec_fn=lambda: os.close(2), cwd=self.dir,
                              stdout=subprocess.PIPE, text=True, env=self.env,
                              timeout=30)
        self.assertIn("VM ended: START_FAILED", done.stdout)
        with open(os.path.join(self.dir, "log")) as log:
            self.assertEqual(log.read(), "")

    def test_files_that_cannot_be_opened_name_the_option(self):
        self.write("kernel", "x" * 64)
        self.write("vm.json", '{"kernel": "kernel"}')
        rows = [('--console: open "none/x": No such file', "--console",
                 "none/x"),
                ('--console: open ".": Is a directory', "--console", "."),
                ('--log: open "": No such file', "--log", ""),
                ('--console-in: open "none": No such file', "--console-in",
                 "none"),
                ('--console-in: open ".": Is a directory', "--console-in",
                 ".")]
        for part, option, value in rows:
            with self.subTest(option=option, value=value):
                self.expect(1, part, "run", option, value, "vm.json")

    def test_a_package_replaces_nothing_but_a_file(self):
        os.mkfifo(os.path.join(self.dir, "fifo"))
        for output in (".", "fifo"):
            with self.subTest(output=output):
                self.expect(1, "exists and is no file", "package", "create",
                            "--output", output, "--name", "x", LIBRARY)
        self.assertTrue(stat.S_ISFIFO(
            os.stat(os.path.join(self.dir, "fifo")).st_mode))
        self.assertEqual(os.listdir(self.dir), ["fifo"])

    def test_what_packages_and_images_are_made_of(self):
        os.mkfifo(os.path.join(self.dir, "fifo"))
        package = ["package", "create", "--output", "p", "--name", "x"]
        rows = [("fifo is not a file", ["--program", "fifo", LIBRARY]),
                ("fifo is not a file", ["fifo"]),
                ("another file of this name", [LIBRARY] * 2)]
        for part, args in rows:
            with self.subTest(args=args):
                self.expect(1, part, *package, *args)
        done = self.avf("image", "build", "--output", "i", "--kernel-package",
                        "fifo")
        self.assertEqual(done.returncode, 1, done.stderr)
        self.assertIn("fifo is not a file", done.stderr)
        self.assertEqual(os.listdir(self.dir), ["fifo"])

    def test_an_image_needs_a_directory(self):
        self.expect(1, "output: no directory is named", "image", "build",
                    "--output", "")


class Console(CliTest):
    """`avf console` against a listener of the test's own."""

    def start(self, terminal):
        return subprocess.Popen([AVF, "console", "vm"], env=self.env,
                                stdin=terminal, stdout=subprocess.PIPE,
                                stderr=subprocess.PIPE)

    def attrs(self, fd):
        return termios.tcgetattr(fd)

    def test_a_directory_of_others_is_refused(self):
        os.mkdir(os.path.join(self.dir, "libvirtualization"), 0o755)
        os.chmod(os.path.join(self.dir, "libvirtualization"), 0o755)
        self.expect(2, "0700", "console", "vm")

    def test_raw_while_connected_and_restored_by_leaving(self):
        server = self.listen("vm")
        master, slave = pty.openpty()
        before = self.attrs(slave)
        process = self.start(slave)
        peer, _ = server.accept()
        peer.sendall(b"login: ")
        self.assertEqual(process.stdout.read(7), b"login: ")
        self.assertNotEqual(self.attrs(slave), before)
        os.write(master, b"\x03root\r\x1d")
        self.assertEqual(process.wait(20), 0)
        self.assertEqual(peer.recv(100), b"\x03root\r")
        self.assertEqual(self.attrs(slave), before)
        process.communicate()

    def test_restored_by_a_signal_and_by_the_end_of_the_vm(self):
        server = self.listen("vm")
        for how in ("signal", "end"):
            _, slave = pty.openpty()
            before = self.attrs(slave)
            process = self.start(slave)
            peer, _ = server.accept()
            peer.sendall(b"x")
            process.stdout.read(1)
            if how == "signal":
                process.terminate()
            else:
                peer.close()
            self.assertEqual(process.wait(20), 0, how)
            self.assertEqual(self.attrs(slave), before, how)
            process.communicate()


class Jail(CliTest):
    """`avf info --jail VM` of a process with a VMM's name and no jail; a
    real one is in jail/test_walls."""

    def start(self, **options):
        program = os.path.join(self.dir, "avf-vmm")
        if not os.path.exists(program):
            shutil.copy("/bin/sleep", program)
        # busybox, where that is what sleeps, goes by the first argument
        process = subprocess.Popen(["sleep", "60"], executable=program,
                                   **options)
        self.addCleanup(process.wait)
        self.addCleanup(process.kill)
        return process

    def rows(self, *args):
        done = self.avf("info", "--json", "--jail", *args)
        self.assertEqual(done.returncode, 0, done.stderr)
        info = json.loads(done.stdout)
        return info["pid"], {r["what"]: r["state"] for r in info["jail"]}

    def test_the_rows_are_those_of_the_host(self):
        _, seen = self.rows(str(self.start().pid))
        host = json.loads(self.avf("info", "--json", "--jail").stdout)
        # a build with sanitizers has them in another order
        self.assertCountEqual(seen, [r["what"] for r in host["jail"]])

    def test_what_is_missing_is_no(self):
        limits = resource.getrlimit(resource.RLIMIT_CORE)
        if limits[1] == 0:
            self.skipTest("nobody here may dump core")
        _, seen = self.rows(str(self.start(preexec_fn=lambda: (
            resource.setrlimit(resource.RLIMIT_CORE, (1, limits[1])))).pid))
        for name in ("limits", "user_namespace", "pid_namespace",
                     "network_namespace", "ipc_namespace", "uts_namespace",
                     "file_system", "capabilities", "filters"):
            self.assertEqual(seen["jail." + name], "no", name)
        self.assertEqual(seen["jail.landlock"], "unknown")
        with open("/proc/self/status") as status:
            free = "NoNewPrivs:\t0\n" in status.readlines()
        self.assertEqual(seen["jail.privileges"], "no" if free else "yes")

    def test_what_is_there_is_yes(self):
        libc = ctypes.CDLL(None)
        process = self.start(preexec_fn=lambda: libc.prctl(
            PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0))
        _, seen = self.rows(str(process.pid))
        self.assertEqual(seen["jail.privileges"], "yes")
        self.assertEqual(seen["jail.filters"], "no")

    def test_by_name(self):
        self.listen("vm")
        self.expect(1, "no VM called vm", "info", "--jail", "vm")
        process = self.start()
        self.assertEqual(self.rows("vm")[0], process.pid)


class NamedVmTest(CliTest):
    """`avf vm`, but for `run`."""

    def vm(self, *args):
        return self.avf("vm", "--dir", "data", *args)

    def test_create_list_delete(self):
        self.write("kernel", "no kernel, but a file")
        self.write("vm.json", '{"kernel": "kernel"}')
        self.assertEqual(self.vm("list").stdout, "")
        for name in ("b", "a"):
            done = self.vm("create", name, "vm.json")
            self.assertEqual(done.returncode, 0, done.stderr)
        self.assertEqual(self.vm("list").stdout, "a\nb\n")
        self.assertEqual(self.vm("delete", "a").returncode, 0)
        self.assertEqual(self.vm("list").stdout, "b\n")

    def test_what_is_wrong(self):
        self.write("kernel", "no kernel, but a file")
        self.write("vm.json", '{"kernel": "kernel"}')
        self.write("bad.json", '{"kernel": "missing"}')
        self.assertEqual(self.vm("create", "a", "vm.json").returncode, 0)
        for code, part, *args in [
                (1, "virtual machine already exists", "create", "a",
                 "vm.json"),
                (1, "missing", "create", "b", "bad.json"),
                (1, "no virtual machine", "run", "b"),
                (1, "no virtual machine", "delete", "b"),
                (1, "Invalid VM name: a/b", "create", "a/b", "vm.json"),
                (1, "create needs NAME and CONFIG.json", "create", "a"),
                (1, "delete needs the NAME of one VM", "delete"),
                (1, "list needs no argument", "list", "a"),
                (1, "1 to 255 bytes", "run", ""),
                (1, "no command", "rename", "a", "b"),
                (1, "list, create, run or delete?")]:
            with self.subTest(args=args):
                done = self.vm(*args)
                self.assertIn(part, done.stderr)
                self.assertEqual(done.returncode, code, done.stderr)


if __name__ == "__main__":
    unittest.main()
