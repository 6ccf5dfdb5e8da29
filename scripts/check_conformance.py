#!/usr/bin/env python3
"""Compare docs/avf-conformance.md with AVF's tests in tests/avf.

usage: check_conformance.py [--fix]

The same tests must be there in Java and in Python, needing the same features
of tests/avf/features.txt. Every one has a row, and a row says

  passes             it runs: it needs no feature that is not there
  waits for A, B     it is skipped: these features are not there
  cannot apply       there is no such test, and the row says why

and the sums at the head of the page are true (--fix writes them).
"""
import ast
import pathlib
import re
import sys

REPO = pathlib.Path(__file__).resolve().parent.parent
PAGE = REPO / "docs/avf-conformance.md"
TESTS = REPO / "tests/avf"
ROW = re.compile(r"^\| `(\w+)`(?: \((\d+) tests\))? \| ([^|]+?) \| ([^|]*?) ?\|$")
SUMS = re.compile(r"^\*\*\d+ pass, \d+ wait, \d+ cannot apply\*\*", re.M)
JAVA = re.compile(r"@Test\s+(?:@Needs\(([^)]*)\)\s+)?void (\w+)\s*\(")

problems = []


def problem(text):
    problems.append(text)


def missing_features():
    """The features that are not there."""
    rows = re.findall(r"^(\w+) (yes|no): .", (TESTS / "features.txt")
                      .read_text(), re.M)
    return {name for name, state in rows}, {name for name, state in rows
                                            if state == "no"}


def add(tests, name, needs, where):
    if name in tests:
        problem(f"{where}: {name} is there twice")
    tests[name] = set(needs)


def python_tests():
    tests = {}
    for path in sorted((TESTS / "python").glob("test_*.py")):
        for node in ast.parse(path.read_text()).body:
            if not isinstance(node, ast.FunctionDef):
                continue
            for mark in node.decorator_list:
                call = mark if isinstance(mark, ast.Call) else None
                name = call.func if call else mark
                if getattr(name, "id", "") != "avf_test":
                    continue
                needs = call.keywords[0].value.value if call else ""
                add(tests, node.name, needs.split(), path.name)
    return tests


def java_tests():
    tests = {}
    for path in sorted((TESTS / "java").glob("*Tests.java")):
        text = path.read_text()
        if text.count("@Test\n") != len(JAVA.findall(text)):
            problem(f"{path.name}: a test of a form that is not understood")
        for needs, name in JAVA.findall(text):
            add(tests, name, re.findall(r'"(\w+)"', needs), path.name)
    return tests


def check_suites():
    """Both languages are registered with ctest, all of their files."""
    lists = (TESTS / "CMakeLists.txt").read_text()
    for suite in ("python ${run})", "java ${run} -Xcheck:jni AvfMain ${suites})"):
        if f"avf_suite({suite}" not in lists:
            problem(f"tests/avf/CMakeLists.txt has no avf_suite({suite}")


def compare(python, java, features):
    for name in sorted(python.keys() | java.keys()):
        if name not in python or name not in java:
            problem(f"{name} is only in "
                    f"{'Java' if name in java else 'Python'}")
        elif python[name] != java[name]:
            problem(f"{name} needs other features in Java than in Python")
        for feature in python.get(name, set()) - features:
            problem(f"{name} needs {feature}, which features.txt has not")


def read_rows():
    rows, many = {}, {}
    for number, line in enumerate(PAGE.read_text().splitlines(), 1):
        match = ROW.match(line)
        if not match:
            if line.startswith("| `"):
                problem(f"{PAGE.name}:{number}: not a row: {line}")
            continue
        name, count, state, note = match.groups()
        if name in rows:
            problem(f"{PAGE.name}:{number}: {name} has two rows")
        rows[name] = (state, note)
        many[name] = int(count or 1)
    return rows, many


def check_row(name, state, note, tests, missing):
    """Returns pass, wait or cannot."""
    waits = tests.get(name, set()) & missing
    if state == "cannot apply":
        if name in tests:
            problem(f"{name}: cannot apply, but there is such a test")
        if not note:
            problem(f"{name}: cannot apply: the row does not say why")
        return "cannot"
    if name not in tests:
        problem(f"{name}: {state}, but there is no such test")
    elif state == "passes" and waits:
        problem(f"{name}: passes, but it waits for {', '.join(waits)}")
    if state == "passes":
        return "pass"
    if not state.startswith("waits for "):
        problem(f"{name}: what is \"{state}\"?")
        return "pass"
    if set(state.removeprefix("waits for ").split(", ")) != waits:
        problem(f"{name}: {state}, but its test waits for "
                f"{', '.join(sorted(waits)) or 'nothing'}")
    return "wait"


def check_sums(sums, fix):
    text = (f"**{sums['pass']} pass, {sums['wait']} wait, "
            f"{sums['cannot']} cannot apply**")
    page = PAGE.read_text()
    found = SUMS.search(page)
    if fix and found:
        PAGE.write_text(page.replace(found[0], text))
    elif not found or found[0] != text:
        problem(f"{PAGE.name}: its head must say: {text}")
    print(f"conformance: {text.strip('*')}")


def main():
    features, missing = missing_features()
    python, java = python_tests(), java_tests()
    check_suites()
    compare(python, java, features)
    rows, many = read_rows()
    for name in python.keys() - rows.keys():
        problem(f"{name} has no row in {PAGE.name}")
    sums = {"pass": 0, "wait": 0, "cannot": 0}
    for name, (state, note) in rows.items():
        sums[check_row(name, state, note, python, missing)] += many[name]
    check_sums(sums, "--fix" in sys.argv)
    for text in problems:
        print(text)
    return bool(problems)


sys.exit(main())
