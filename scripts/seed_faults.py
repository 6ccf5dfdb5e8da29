#!/usr/bin/env python3
"""Do the unit tests notice when a check is missing?

usage: seed_faults.py [--keep] [TEXT...]

Takes the checks of seed_faults_list.py away, one at a time, in a private
copy of what is committed, built with AddressSanitizer and UBSan; builds and
runs the file's own unit test, then, if that passes, the others of the module;
tells whether one failed ("caught") or none ("SURVIVED"). With TEXTs, only faults whose file or description has one
of them. --keep leaves the copy. Exit code 1 when a fault survived.

docs/testing.md says what is to be thought of survivors.
"""
import pathlib
import re
import shutil
import subprocess
import sys
import tempfile

from seed_faults_list import FAULTS, FIRST

REPO = pathlib.Path(__file__).resolve().parent.parent
TIMEOUT = "60"


def run(*command, **options):
    return subprocess.run([str(word) for word in command],
                          stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
                          stdin=subprocess.DEVNULL, text=True,
                          errors="replace", **options)


def must(*command, **options):
    result = run(*command, **options)
    if result.returncode != 0:
        sys.exit(f"{command}:\n{result.stdout[-3000:]}")
    return result.stdout


def copy_tree(place):
    tree = place / "tree"
    tree.mkdir()
    archive = subprocess.Popen(["git", "-C", REPO, "archive", "HEAD"],
                               stdout=subprocess.PIPE)
    subprocess.run(["tar", "-x", "-C", tree], stdin=archive.stdout,
                   check=True)
    if archive.wait() != 0:
        sys.exit("git archive failed")
    must("cmake", "-G", "Ninja", "-S", tree, "-B", place / "build",
         "-DCMAKE_BUILD_TYPE=Debug", "-DAVF_SANITIZE=address,undefined",
         "-DAVF_EXAMPLES=OFF")
    return tree


def find_tests(build):
    """Module -> names of its unit tests."""
    tests = {}
    for name in re.findall(r"Test +#\d+: unit/(\w+/\w+)",
                           must("ctest", "--test-dir", build, "-N")):
        tests.setdefault(name.split("/")[0], []).append(name)
    return tests


def build_tests(build, names):
    return run("ninja", "-C", build,
               *("unit_" + name.replace("/", "_") for name in names))


def run_tests(build, names):
    """The first test that fails, or None. One that does not end counts, and
    says so: on a busy computer it may be the computer's fault."""
    pattern = "^unit/(" + "|".join(names) + ")$"
    result = run("ctest", "--test-dir", build, "-R", pattern,
                 "--stop-on-failure", "--timeout", TIMEOUT)
    failed = re.search(r"unit/(\S+) \.*\**(Failed|Timeout|Subprocess|\*)",
                       result.stdout)
    if result.returncode == 0:
        return None
    if not failed:
        return "?"
    return failed[1] + (" (time-out)" if failed[2] == "Timeout" else "")


def own_test_first(file, names):
    """The tests of a module in two steps: most faults need the first only,
    and linking the others takes most of the time."""
    module, name = file.split("/")
    own = FIRST.get(file, f"{module}/test_{pathlib.Path(name).stem}")
    if own not in names or len(names) == 1:
        return [names]
    return [[own], [name for name in names if name != own]]


def try_fault(tree, build, tests, fault):
    file, old, new, _ = fault
    path = tree / "lib" / file
    text = path.read_text()
    names = tests.get(file.split("/")[0], [])
    if text.count(old) != 1:
        return f"ERROR: the text occurs {text.count(old)} times"
    if not names:
        return "SURVIVED (its module has no unit tests)"
    try:
        path.write_text(text.replace(old, new))
        for step in own_test_first(file, names):
            result = build_tests(build, step)
            if result.returncode != 0:
                return "ERROR: does not build:\n" + result.stdout[-1500:]
            failed = run_tests(build, step)
            if failed:
                return f"caught by {failed}"
    finally:
        path.write_text(text)
    return "SURVIVED"


def main():
    words = [word for word in sys.argv[1:] if word != "--keep"]
    if any(word.startswith("-") for word in words):
        sys.exit(__doc__)
    faults = [fault for fault in FAULTS if not words or
              any(word in fault[0] or word in fault[3] for word in words)]
    place = pathlib.Path(tempfile.mkdtemp(prefix="avf-faults-"))
    try:
        tree, build = copy_tree(place), place / "build"
        tests = find_tests(build)
        used = sorted({fault[0].split("/")[0] for fault in faults})
        for module in used:
            names = tests.get(module, [])
            result = build_tests(build, names) if names else None
            if result and result.returncode != 0:
                sys.exit(result.stdout[-3000:])
            failed = run_tests(build, names) if names else None
            if failed:
                sys.exit(f"{failed} fails without a fault")
        count = {"caught": 0, "SURVIVED": 0, "ERROR:": 0}
        for fault in faults:
            outcome = try_fault(tree, build, tests, fault)
            count[outcome.split()[0]] += 1
            print(f"{fault[0]:30} {fault[3]}: {outcome}", flush=True)
        print(f"{len(faults)} faults: {count['caught']} caught, "
              f"{count['SURVIVED']} survived, {count['ERROR:']} not tried")
    finally:
        if "--keep" not in sys.argv:
            shutil.rmtree(place)
    sys.exit(count["caught"] != len(faults))


main()
