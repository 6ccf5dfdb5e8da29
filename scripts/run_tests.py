#!/usr/bin/env python3
"""Run the test programs that a build tree registers with ctest under a label,
and count single tests, not programs.

usage: run_tests.py --build DIR --label LABEL [--jobs N] [--results FILE]
                    [--without LABEL] [--match REGEX]
                    [--lab PLACE [OPTION...]]

N programs run at a time; default: as many as there are CPUs, one in the lab.
With --lab they all run in one boot of scripts/lab.sh, which is given the place
and the options, or in up to three when it ends before they do. What a program's
output counts as:

  criterion          its Synthesis line, and its [SKIP] lines
  other programs     a line "ok NAME", "not ok NAME" or "skip NAME: REASON"
                     per test; without such lines the program is one test
  exit code 77       one skip; a line "SKIP: REASON" says why
  any other failure  at least one failed test

The results (passed, failed, skipped) are appended to FILE as one line.
"""
import argparse
import concurrent.futures
import json
import os
import pathlib
import re
import shlex
import signal
import subprocess
import sys
import time

REPO = pathlib.Path(__file__).resolve().parent.parent
# "Failing" includes those that crashed.
SYNTHESIS = re.compile(r"Synthesis: Tested: \d+ \| Passing: (\d+) "
                       r"\| Failing: (\d+)")
CRITERION_SKIP = re.compile(r"^\[SKIP\] (\S+): (.*)$", re.M)
LINE = re.compile(r"^(ok|not ok|skip) ([^:\n]+)(?::? ?(.*))?$", re.M)
SKIP = re.compile(r"^SKIP: (.*)$", re.M)
# A sanitizer's word counts where the exit code does not tell: criterion does
# not look at that of a test's process, in which leaks are looked for last.
SANITIZER = re.compile(r"^SUMMARY: \w*Sanitizer|: runtime error: ", re.M)
# Programs in the lab run on an emulated CPU.
LAB_SLOWNESS = 4
# A program that crashed there, or hung, runs once more: the emulation may be
# at fault (docs/testing.md). One that says "not ok" does not.
LAB_DIED = "134|137|139"  # SIGABRT, SIGKILL of timeout, SIGSEGV
LAB_FAILED = 125  # of lab.sh: the machine ended before its command
MARK = re.compile(r"@@(\w*) (\d+) ?(.*)")
LAB_RUNNER = """
once() {{ (test_$1) </dev/null >/tmp/test-$1 2>&1; code=$?
	sed "s/^/@@ $1 /" /tmp/test-$1; echo; rm /tmp/test-$1; }}
one() {{ echo "@@BEGIN $1"; once $1
	case $code in {died}) echo "@@AGAIN $1 $code"; once $1 ;; esac
	echo "@@END $1 $code"; }}
[ -z "$1" ] || {{ one $1; exit; }}
for n in {together}; do echo $n; done | xargs -r -n 1 -P {jobs} sh "$0"
for n in {alone}; do one $n; done
"""


class Test:
    def __init__(self, row):
        props = {p["name"]: p["value"] for p in row.get("properties", [])}
        self.name = row["name"]
        self.command = row.get("command")
        self.labels = props.get("LABELS", [])
        self.timeout = int(props.get("TIMEOUT", 120))
        self.env = props.get("ENVIRONMENT", [])
        self.dir = props.get("WORKING_DIRECTORY", ".")
        self.alone = props.get("RUN_SERIAL", False)


def read_tests(build, label):
    text = subprocess.run(["ctest", "--test-dir", build,
                           "--show-only=json-v1"], check=True,
                          stdout=subprocess.PIPE).stdout
    tests = map(Test, json.loads(text)["tests"])
    return [test for test in tests if label in test.labels]


class Score:
    """What one program's exit code and output come to."""

    def __init__(self, code, output):
        self.passed = self.failed = 0
        self.skips = []
        synthesis = SYNTHESIS.search(output)
        if code == 77:
            reason = SKIP.search(output)
            self.skips = [reason[1] if reason else "no reason given"]
            return
        if synthesis:
            passed, failed = map(int, synthesis.groups())
            self.skips = [f"{name}: {why}" for name, why
                          in CRITERION_SKIP.findall(output)]
            self.passed, self.failed = passed, failed
        else:
            rows = LINE.findall(output)
            self.passed = sum(kind == "ok" for kind, _, _ in rows)
            self.failed = sum(kind == "not ok" for kind, _, _ in rows)
            self.skips = [f"{name}: {why}" for kind, name, why in rows
                          if kind == "skip"]
            if not rows and code == 0:
                self.passed = 1
        if self.failed == 0 and (code != 0 or SANITIZER.search(output)):
            self.failed = 1


def run_here(test):
    start = time.monotonic()
    if not test.command:
        return test, 125, "it was not built\n", 0.0
    env = dict(os.environ, CRITERION_VERBOSITY_LEVEL="1",
               **dict(e.split("=", 1) for e in test.env))
    process = subprocess.Popen(test.command, stdin=subprocess.DEVNULL,
                               stdout=subprocess.PIPE,
                               stderr=subprocess.STDOUT, cwd=test.dir,
                               env=env, start_new_session=True)
    try:
        output, _ = process.communicate(timeout=test.timeout)
        code, output = process.returncode, output.decode(errors="replace")
    except subprocess.TimeoutExpired:
        os.killpg(process.pid, signal.SIGKILL)
        output = process.communicate()[0].decode(errors="replace")
        code, output = 124, output + f"not done after {test.timeout} s\n"
    return test, code, output, time.monotonic() - start


def run_all_here(tests, jobs):
    parallel = [test for test in tests if not test.alone]
    with concurrent.futures.ThreadPoolExecutor(jobs) as pool:
        yield from pool.map(run_here, parallel)
    yield from map(run_here, (test for test in tests if test.alone))


def lab_script(tests, jobs):
    """What runs in the lab: all tests, or the one whose number is given. Output
    comes when a test has ended, each line with its number, as two tests may
    write at a time."""
    lines = ["#!/bin/sh", "export CRITERION_VERBOSITY_LEVEL=1"]
    for name in ("AVF_GUEST_IMAGE",):
        if name in os.environ:
            lines.append(f"export {name}={shlex.quote(os.environ[name])}")
    numbers = {False: "", True: ""}
    for number, test in enumerate(tests):
        env = " ".join(map(shlex.quote, test.env))
        dir = shlex.quote(test.dir)
        command = " ".join(map(shlex.quote, test.command or ["false"]))
        limit = test.timeout * LAB_SLOWNESS
        lines.append(f"test_{number}() {{ mkdir -p {dir} && cd {dir} && "
                     f"exec env {env} timeout -s KILL {limit} {command}; }}")
        numbers[bool(test.alone)] += f" {number}"
    lines.append(LAB_RUNNER.format(died=LAB_DIED, jobs=jobs,
                                   together=numbers[False],
                                   alone=numbers[True]))
    return "\n".join(lines)


def run_in_lab(build, tests, options, jobs):
    """Yields the tests that ran; returns the lab's exit code and its last
    words."""
    script = build / "lab-tests.sh"
    script.write_text(lab_script(tests, jobs))
    command = [REPO / "scripts/lab.sh", options[0], "--build", build,
               *options[1:], "--", "sh", script]
    lab = subprocess.Popen(command, stdin=subprocess.DEVNULL, text=True,
                           errors="replace", stdout=subprocess.PIPE)
    output, start, other = {}, {}, []
    for line in lab.stdout:
        mark = MARK.match(line)
        if not mark:
            other.append(line)
            continue
        number, text = int(mark[2]), mark[3]
        test = tests[number]
        if mark[1] == "BEGIN":
            output[number], start[number] = [], time.monotonic()
        elif mark[1] == "AGAIN":
            print(f"{test.name} died in the lab with {text}, once more; its "
                  "last words:\n" + "\n".join(output[number][-40:]), flush=True)
            output[number] = []
        elif mark[1] == "END":
            yield (test, int(text), "\n".join(output[number]).rstrip() + "\n",
                   time.monotonic() - start[number])
        else:
            output[number].append(text)
    return lab.wait(), "".join(other)


def run_all_in_lab(build, tests, options, jobs):
    """The kernel of an emulated machine may panic without a fault of ours, and
    takes the tests with it that had not ended: they get another machine, and one
    more where they run one at a time. Those that end it, too, fail."""
    waiting = list(tests)
    for at_a_time in (jobs, jobs, 1):
        run = run_in_lab(build, list(waiting), options, at_a_time)
        while True:
            try:
                result = next(run)
            except StopIteration as end:
                code, why = end.value
                break
            waiting.remove(result[0])
            yield result
        if not waiting:
            return
        if code != LAB_FAILED:
            break
        print(f"the lab ended in {waiting[0].name} or beside it, "
              f"{len(waiting)} tests once more; its last words:\n{why}",
              flush=True)
    why = why or f"the lab ended early, with exit code {code}\n"
    for test in waiting:
        yield test, 77 if code == 77 else LAB_FAILED, why, 0.0


def report(result, total, lock_output):
    test, code, output, seconds = result
    score = Score(code, output)
    total[0] += score.passed
    total[1] += score.failed
    total[2] += len(score.skips)
    state = "FAIL" if score.failed else "SKIP" if (
        score.skips and not score.passed) else "PASS"
    print(f"{state} {test.name} ({score.passed} passed, "
          f"{score.failed} failed, {len(score.skips)} skipped, "
          f"{seconds:.1f} s)", file=lock_output, flush=True)
    for reason in score.skips:
        print(f"    skipped: {reason}", file=lock_output)
    if score.failed:
        print(f"    exit code {code}", file=lock_output)
        for line in output.splitlines()[-60:]:
            print("    | " + line, file=lock_output, flush=True)


def main():
    parser = argparse.ArgumentParser(description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--build", required=True, type=pathlib.Path)
    parser.add_argument("--label", required=True)
    parser.add_argument("--without", help="leave out tests of this label")
    parser.add_argument("--match", default="",
                        help="only tests whose name has this in it")
    parser.add_argument("--jobs", type=int)
    parser.add_argument("--results", type=pathlib.Path)
    parser.add_argument("--lab", nargs=argparse.REMAINDER)
    args = parser.parse_args()
    build = args.build.resolve()
    tests = [test for test in read_tests(build, args.label)
             if args.without not in test.labels
             and re.search(args.match, test.name)]
    total = [0, 0, 0]
    results = (run_all_here(tests, args.jobs or os.cpu_count())
               if args.lab is None else
               run_all_in_lab(build, tests, args.lab, args.jobs or 1)
               if tests else [])
    for result in results:
        report(result, total, sys.stdout)
    if args.results:
        with args.results.open("a") as file:
            print(*total, file=file)
    return 1 if total[1] else 0


sys.exit(main())
