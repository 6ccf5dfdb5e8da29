"""Prints the paths of pytest and of what it needs beyond the standard
library, with semicolons between them; fails when there is none."""
import importlib.util
import pathlib
import sys

paths = []
for name in ("pytest", "_pytest", "pluggy", "iniconfig", "packaging",
             "attr", "py"):
    found = importlib.util.find_spec(name)
    if found:
        origin = pathlib.Path(found.origin)
        paths.append(str(origin.parent if origin.name == "__init__.py"
                         else origin))
    elif "pytest" in name:
        sys.exit(f"there is no {name}")  # of the others, versions differ
print(";".join(paths), end="")
