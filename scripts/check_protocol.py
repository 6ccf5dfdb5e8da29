#!/usr/bin/env python3
"""The interfaces between host and guest change together with their number.

lib/base/guest_protocol.h has a line "N: hash" for each number that there was:
the hash of guest/aidl, without comments and white space. The last one is that
of GUEST_PROTOCOL, and of the files as they are.
"""
import hashlib
import pathlib
import re
import sys

REPO = pathlib.Path(__file__).resolve().parent.parent
AIDL = REPO / "guest/aidl"
HEADER = REPO / "lib/base/guest_protocol.h"
COMMENT = re.compile(r"/\*.*?\*/|//[^\n]*", re.S)


def hash_interfaces():
    all_files = hashlib.sha256()
    for path in sorted(AIDL.rglob("*.aidl")):
        words = COMMENT.sub(" ", path.read_text()).split()
        all_files.update(f"{path.relative_to(AIDL)}\n"
                         f"{' '.join(words)}\n".encode())
    return all_files.hexdigest()[:16]


def find_problem(text, now):
    """What is wrong with the header's text; None: nothing."""
    number = int(re.search(r"^#define GUEST_PROTOCOL (\d+)$", text, re.M)[1])
    lines = re.findall(r"^ \* (\d+): ([0-9a-f]{16})$", text, re.M)
    if [int(n) for n, _ in lines] != list(range(1, number + 1)):
        return f"not one line for each number from 1 to {number}"
    if lines[-1][1] != now:
        return (f"guest/aidl is not what it was at {number}: an image of "
                "another build would misunderstand it.\n"
                f"Count GUEST_PROTOCOL up, and add the line\n"
                f" * {number + 1}: {now}")
    return None


def main():
    problem = find_problem(HEADER.read_text(), hash_interfaces())
    if problem:
        print(f"{HEADER.relative_to(REPO)}: {problem}", file=sys.stderr)
    sys.exit(problem is not None)


if __name__ == "__main__":
    main()
