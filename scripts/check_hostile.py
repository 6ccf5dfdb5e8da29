#!/usr/bin/env python3
"""docs/hostile-guest.md and docs/rpc.md name tests, rows of tests, constants
and seeded faults: do they exist? And does each seeded fault still fit its source?"""
import pathlib
import re
import sys

from seed_faults_list import FAULTS

REPO = pathlib.Path(__file__).resolve().parent.parent
PAGE = REPO / "docs/hostile-guest.md"
RPC_PAGE = REPO / "docs/rpc.md"
CASE = re.compile(r"^(test_\w+):(\w+)(?: \"(.*)\")?$")
problems = []


def find_sources():
    """Name of a test program -> its text, string literals joined."""
    sources = {}
    for folder in ("unit/*", "vm", "rpc"):
        for path in (REPO / "tests").glob(f"{folder}/test_*.c"):
            text = re.sub(r'"\s+"', "", path.read_text())
            sources[path.stem] = text.replace('\\"', '"')
    return sources


def check_case(sources, text):
    match = CASE.match(text)
    if not match:
        return False
    program, test, row = match.groups()
    source = sources.get(program, "")
    if not re.search(rf'\bTest\(\w+, {test}\b|\{{"{test}",|'
                     rf'\bvoid {test}\(struct rpc_fixture', source):
        problems.append(f"{program}: no test {test}")
    elif row and f'"{row}"' not in source:
        problems.append(f"{program}: no row \"{row}\"")
    return True


def check_code(sources, text):
    """What stands in `backquotes`."""
    name = text.split("/")[-1]
    if check_case(sources, text) or text.startswith("-"):
        return
    if re.fullmatch(r"[A-Z][A-Z0-9_]+", text):
        found = any(re.search(rf"#define\s+{text}\b", path.read_text())
                    for folder in ("lib", "tests")
                    for path in (REPO / folder).rglob("*.h"))
    elif text.startswith("fuzz/"):
        found = (REPO / f"{text}.c").exists()
    elif text.startswith("test_") or text.startswith("vm/test_"):
        found = name in sources
    elif "/" in text and "*" not in text:
        found = (REPO / text).exists()
    else:
        return
    if not found:
        problems.append(f"there is no {text}")


def check_faults(cell):
    known = {description for *_, description in FAULTS}
    for fault in cell.split("; "):
        if fault != "-" and fault not in known:
            problems.append(f"no fault \"{fault}\"")


def main():
    sources = find_sources()
    with_faults = False
    cases = 0
    for line in PAGE.read_text().splitlines():
        cells = [cell.strip() for cell in line.strip("|").split(" | ")]
        for text in re.findall(r"`([^`]*)`", line):
            check_code(sources, text)
            cases += bool(CASE.match(text))
        if not line.startswith("|"):
            with_faults = False
        elif cells[-1] == "fault":
            with_faults = True
        elif with_faults and not line.startswith("| ---"):
            if len(cells) != 4:
                problems.append(f"{len(cells)} columns: {line[:60]}")
            check_faults(cells[-1])
    for text in re.findall(r"`([^`]*)`", RPC_PAGE.read_text()):
        cases += check_case(sources, text)
    for file, old, _, description in FAULTS:
        if (REPO / "lib" / file).read_text().count(old) != 1:
            problems.append(f"seed_faults_list.py: \"{description}\" does not "
                            f"fit lib/{file} any more; write it anew")
    for problem in problems:
        print(problem)
    print(f"{cases} cases, {len(FAULTS)} faults, {len(problems)} problems")
    sys.exit(bool(problems) or cases < 100)


main()
