#!/usr/bin/env python3
"""Measure what Python and Java add to C, on this computer's KVM.

usage: bench/bindings.py [--runs N]

Builds build/bench/bindings, prints the tables of docs/performance.md. The
figures are medians. C, Python and Java take turns, so that a busy computer
is busy for each of them.
"""
import argparse
import collections
import os
import pathlib
import statistics
import subprocess
import sys
import tempfile

REPO = pathlib.Path(__file__).resolve().parent.parent
TREE = REPO / "build/bench/bindings"
SOURCE = REPO / "bench/bindings"
JAR = TREE / "java/libvirtualization.jar"
ROUNDS = 5

IMPORT = """
import sys, time
def rss():
    text = open("/proc/self/status").read()
    return int(text.split("VmRSS:")[1].split()[0])
before = rss()
start = time.perf_counter_ns()
import avf
imported = time.perf_counter_ns()
print("sample import us", (imported - start) / 1e3)
print("sample import KiB", rss() - before)
avf.probe()
print("sample import+probe us", (time.perf_counter_ns() - start) / 1e3)
"""


def run(command, **env):
    done = subprocess.run(list(map(str, command)), check=True, text=True,
                          env=dict(os.environ, **env),
                          stdout=subprocess.PIPE)
    return done.stdout


def build():
    command = ["cmake", "-G", "Ninja", "-S", REPO, "-B", TREE,
               "-DAVF_BENCH=ON", "-DAVF_EXAMPLES=OFF",
               "-DAVF_PYTHON=ON", "-DAVF_JAVA=ON",
               "-DCMAKE_BUILD_TYPE=RelWithDebInfo"]
    run(command)
    run(["cmake", "--build", TREE, "--target", "bench_bindings", "avf_python",
         "avf_java", "avf-vmm", "bare_vsock", "fake_vmm"])
    run(["javac", "-d", TREE / "bench", "-cp", JAR, SOURCE / "Calls.java"])
    # as an installed package has them
    run([sys.executable, "-m", "compileall", "-q", TREE / "python"])


def commands(dir):
    java = ["java", "-XX:+UseSerialGC", f"-Davf.dir={dir}", "-cp",
            f"{JAR}:{TREE / 'bench'}", "Calls"]
    return {"C": [TREE / "bench/bench_bindings"],
            "Python": [sys.executable, SOURCE / "calls.py"], "Java": java}


def read(samples, language, text):
    for line in text.splitlines():
        word, name, unit, value = line.split()
        samples[language, name, unit].append(float(value))


def measure(n):
    samples = collections.defaultdict(list)
    guests = TREE / "guest/bare"
    path = str(TREE / "python")
    for _ in range(ROUNDS):
        for what, env in (("calls", {}),
                          ("events", {"AVF_VMM": str(TREE /
                                                     "tests/fake_vmm")})):
            for language in ("C", "Python", "Java"):
                with tempfile.TemporaryDirectory() as dir:
                    command = commands(dir)[language]
                    read(samples, language, run(
                        [*command, what, guests, n], PYTHONPATH=path, **env))
        for _ in range(4):
            read(samples, "Python", run([sys.executable, "-S", "-c", IMPORT],
                                        PYTHONPATH=path))
    return samples


def table(samples):
    def figure(language, name, unit="us", scale=1.0, digits=2):
        values = samples[language, name, unit]
        return f"{statistics.median(values) * scale:.{digits}f}"

    print("| what | C | Python | Java |\n| --- | --- | --- | --- |")
    for name, what in (("status", "status, us"),
                       ("connect", "connect, refused by the guest, us"),
                       ("probe", "probe, remembered, us"),
                       ("event", "event, from the VMM's clock to the "
                        "program's code, us")):
        print(f"| {what} |", " | ".join(
            figure(each, name) for each in ("C", "Python", "Java")), "|")
    print("\n| loading | time, ms | memory, KiB |\n| --- | --- | --- |")
    print(f"| `import avf` | {figure('Python', 'import', scale=1e-3)} | "
          f"{figure('Python', 'import', 'KiB', digits=0)} |")
    print(f"| `import avf; avf.probe()` | "
          f"{figure('Python', 'import+probe', scale=1e-3)} | |")
    print(f"| Java's native library | "
          f"{figure('Java', 'load', scale=1e-3)} | |")
    print(f"| the same and a manager | "
          f"{figure('Java', 'load+manager', scale=1e-3)} | "
          f"{figure('Java', 'load', 'KiB', digits=0)} |")


def main():
    parser = argparse.ArgumentParser(description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--runs", type=int, default=20)
    args = parser.parse_args()
    if not os.access("/dev/kvm", os.R_OK | os.W_OK):
        sys.exit("bindings.py: no /dev/kvm that this user may use")
    build()
    table(measure(args.runs))


main()
