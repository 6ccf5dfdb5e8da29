"""python -m avf: what this host can do, as a table."""
from . import Capability, probe


def main():
    rows = probe()
    width = max(len(row.what) for row in rows)
    for row in rows:
        print(f"{row.what:{width}}  {row.state.name.lower():7}  {row.reason}")
        if row.hint:
            print(f"{'':{width}}  {'':7}  -> {row.hint}")
    names = [each.name.lower() for each in Capability
             if rows.capabilities & each]
    print("capabilities:", ", ".join(names) or "none")


main()
