#!/usr/bin/env python3
"""Check that every include follows lib/layers.txt.

A line there is "module: modules that it may include". Folders outside of
lib/ (tools/avf-vmm, guest) have lines of their own under their path. A
module may always include itself. The lines must not form a cycle.

usage: check_layers.py [ROOT]
"""
import pathlib
import re
import sys

INCLUDE = re.compile(r'^\s*#\s*include\s*"([^"]+)"', re.M)


def read_layers(path):
    layers = {}
    for number, line in enumerate(path.read_text().splitlines(), 1):
        line = line.split("#")[0].strip()
        if not line:
            continue
        name, colon, uses = line.partition(":")
        if not colon or name in layers:
            sys.exit(f"{path}:{number}: not 'module: modules', or twice")
        layers[name] = uses.split()
    return layers


def find_cycle(layers):
    done, path = set(), []

    def visit(name):
        if name in path:
            return path[path.index(name):] + [name]
        if name in done:
            return None
        path.append(name)
        for used in layers.get(name, []):
            cycle = visit(used)
            if cycle:
                return cycle
        done.add(path.pop())
        return None

    return next(filter(None, map(visit, layers)), None)


def folder_of(file, root, layers):
    """The line of layers.txt that a file stands under."""
    parts = file.relative_to(root).parts
    if parts[0] == "lib":
        return parts[1]
    for depth in range(len(parts) - 1, 0, -1):
        name = "/".join(parts[:depth])
        if name in layers:
            return name
    return "/".join(parts[:-1])


def check_file(file, root, layers):
    folder = folder_of(file, root, layers)
    allowed = set(layers.get(folder, [])) | {folder}
    for match in INCLUDE.finditer(file.read_text()):
        line = file.read_text().count("\n", 0, match.start(1)) + 1
        where = f"{file.relative_to(root)}:{line}"
        module, slash, _ = match[1].partition("/")
        if match[1].endswith(".inc"):
            continue  # made by the build, for the file that includes it
        in_lib = (root / "lib" / match[1]).exists()
        if in_lib and module not in allowed:
            yield f"{where}: {folder} may not include {module}"
        elif not in_lib and file.is_relative_to(root / "lib"):
            yield f"{where}: no lib/{match[1]}; write \"module/file.h\""


def main():
    root = pathlib.Path(sys.argv[1] if len(sys.argv) > 1 else
                        pathlib.Path(__file__).parent.parent).resolve()
    layers = read_layers(root / "lib/layers.txt")
    problems = []
    cycle = find_cycle(layers)
    if cycle:
        problems.append("lib/layers.txt: cycle: " + " -> ".join(cycle))
    for name, uses in layers.items():
        problems += [f"lib/layers.txt: {name}: no line for {used}"
                     for used in uses if used not in layers]
    problems += [f"lib/layers.txt: no line for {folder.name}"
                 for folder in sorted((root / "lib").iterdir())
                 if folder.is_dir() and any(folder.rglob("*.[ch]"))
                 and folder.name not in layers]
    for top in ("lib", "tools", "guest"):
        for file in sorted((root / top).rglob("*.[ch]")):
            problems += check_file(file, root, layers)
    print("\n".join(problems), end="\n" if problems else "")
    return 1 if problems else 0


sys.exit(main())
