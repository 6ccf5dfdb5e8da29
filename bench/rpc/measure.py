#!/usr/bin/env python3
"""RPC binder from C, C++, Java and Python, beside a bare echo.

    measure.py [--all-cpus] TREE PLACE CALLS ROUNDS

TREE: what bench/run.sh builds. PLACE: unix, kvm or emulation. The languages
take turns, ROUNDS times, so that a busy computer is busy for each of them.
Both sides run on one CPU, the last that this process may use: on two, a call
takes one of two times, whichever CPU the kernel wakes the other side on, and
figures do not repeat. --all-cpus leaves that to the kernel. Prints the samples
that report.py reads; a language that is not built has none. Exit code 1 when
one of them failed.
"""
import argparse
import contextlib
import os
import pathlib
import subprocess
import sys
import tempfile

HERE = pathlib.Path(__file__).resolve().parent
TIMEOUT_S = 240


def commands(tree):
    """What runs a client, by language."""
    jar, classes = tree / "java/libvirtualization.jar", tree / "bench/rpc"
    # "java DIR": what the tree was built with, which the lab has, too
    runtimes = dict(line.split(" ", 1) for line in
                    (tree / "lab-runtimes").read_text().splitlines())
    found = {"c": [tree / "bench/bench_rpc_c"],
             "cpp": [tree / "bench/bench_rpc_cpp"]}
    if "java" in runtimes and (classes / "Client.class").exists():
        found["java"] = [f"{runtimes['java']}/bin/java", "-XX:+UseSerialGC",
                         "-cp", f"{jar}:{classes}", "Client"]
    if "python" in runtimes:
        found["python"] = [runtimes["python"], HERE / "client.py"]
    return found


@contextlib.contextmanager
def served(tree):
    """A directory where the service and the echo are."""
    with tempfile.TemporaryDirectory(prefix="avf-bench") as dir:
        server = subprocess.Popen([tree / "bench/bench_rpc_serve", dir],
                                  stdin=subprocess.PIPE,
                                  stdout=subprocess.PIPE, text=True)
        with server:
            assert server.stdout.readline() == "serving\n"
            yield dir
            server.stdin.close()


def arguments():
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--all-cpus", action="store_true")
    parser.add_argument("tree", type=pathlib.Path)
    parser.add_argument("place", choices=("unix", "kvm", "emulation"))
    parser.add_argument("calls")
    parser.add_argument("rounds", type=int)
    return parser.parse_args()


def main(all_cpus, tree, place, calls, rounds):
    if not all_cpus:
        # for the clients, the server and a VM's processes, which inherit it
        os.sched_setaffinity(0, {max(os.sched_getaffinity(0))})
    tree = tree.resolve()
    env = dict(os.environ, PYTHONPATH=str(tree / "python"),
               PYTHONDONTWRITEBYTECODE="1")
    failed = False
    with contextlib.ExitStack() as stack:
        what = (stack.enter_context(served(tree)) if place == "unix"
                else tree / "bench/bench_rpc.avfpkg")
        for _ in range(rounds):
            for language, command in commands(tree).items():
                done = subprocess.run(
                    [*map(str, command), place, str(what), calls], env=env,
                    stdout=subprocess.PIPE, text=True, timeout=TIMEOUT_S)
                if done.returncode:
                    print(f"measure.py: {language} failed",
                          file=sys.stderr)
                    failed = True
                    continue
                print(done.stdout, end="", flush=True)
    sys.exit(failed)


if __name__ == "__main__":
    main(**vars(arguments()))
