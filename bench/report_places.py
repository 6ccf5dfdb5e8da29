#!/usr/bin/env python3
"""Tables of what bench/places.sh measured in the labs.

    report_places.py --context FILE --output DIR PLACE...

Reads DIR/lab-PLACE.txt and writes places.json and places.md. Only figures of
one place are compared: each is a computer, emulated, of its own.
"""
import argparse
import json
import pathlib

from report import STEPS, Table, percentile, read, summary, text

#: by place: titles of its variants; the second one is compared with the first
PLACES = {"x86": {"debian": "Debian's kernel", "small": "ours"},
          "arm64": {"small": "ours"},
          "pkvm": {"small": "not protected", "protected": "protected"}}


def low(values):
    """Of what is disturbed by others a low percentile says most."""
    return percentile(values, 10)


class Compared:
    """A table of one place: rows of two variants, or one, and a ratio."""

    def __init__(self, table, place):
        self.t, self.place, self.names = table, place, PLACES[place]

    def head(self, title, what):
        cells = list(self.names.values())
        if len(cells) > 1:
            cells.append("ratio")
        self.t.head(f"{title} (lab-{self.place})", what, *cells)

    def row(self, what, sample, form="{:.0f}", statistic=None):
        statistic = {"statistic": statistic} if statistic else {}
        samples = [sample.format(name) for name in self.names]
        if not any(self.t.has(name) for name in samples):
            return
        cells = [self.t.value(name, form, **statistic) for name in samples]
        if len(samples) > 1:
            cells.append(self.ratio(*samples, **statistic))
        self.t.row(what, *cells)

    def ratio(self, base, other, statistic=None):
        if not self.t.has(base, other):
            return "-"
        if not statistic:
            return text(self.t.ratio(other, base))
        return text(statistic(self.t.samples[other])
                    / statistic(self.t.samples[base]))


def boots(c):
    c.head("Steps of a start, ms", "from avf_vm_run() to")
    for step, what in STEPS:
        # the log alone tells them, which slows down what follows
        of_log = step in ("orders", "asked", "jailed", "built")
        c.row(what + (" (debug)" if of_log else ""),
              "{}_debug." + step if of_log else "{}." + step)
    c.row("payload ready (debug)", "{}_debug.ready")


def memory(c):
    c.head("Memory", "what")
    for what, name in (("payload ready", "memory"),
                       ("after the vsock load", "busy_memory")):
        for kind in ("rss", "pss"):
            c.row(f"VMM, {what}, {kind.upper()}, KiB",
                  "{}." + f"{name}.{kind}")
    c.row("smallest memory with which the payload becomes ready, MiB",
          "memory.{}.smallest")
    c.row("kernel, MB", "{}.kernel", "{:.1f}")
    c.row("initramfs, MB", "{}.initrd", "{:.1f}")


def vsock(c):
    c.head("vsock", "what")
    c.row("round trip of 64 bytes, 10th percentile, us",
          "{}.vsock.round_trip", "{:.0f}", low)
    c.row("round trip of 64 bytes, median, us", "{}.vsock.round_trip")
    for size in (64, 1024):
        for way, what in (("to_guest", "host to guest"),
                          ("to_host", "guest to host")):
            c.row(f"{what}, {size} KiB, MiB/s",
                  "{}.vsock." + f"{way}.{size}k", "{:.1f}")
    t = c.t
    if t.has("socketpair.round_trip"):
        t.lines += ["", "A Unix socketpair in the same lab: "
                    + t.value("socketpair.round_trip", "{:.0f}", low)
                    + " us (10th percentile), "
                    + t.value("socketpair.to_guest.64k", "{:.0f}")
                    + " MiB/s with 64 KiB."]


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    for option in ("--context", "--output"):
        parser.add_argument(option, required=True, type=pathlib.Path)
    parser.add_argument("place", nargs="+", choices=PLACES)
    args = parser.parse_args()
    context = args.context.read_text()
    words, all_places = context, {}
    for place in args.place:
        path = args.output / f"lab-{place}.txt"
        samples, units = read(path) if path.exists() else ({}, {})
        all_places[place] = summary(samples, units)
        table = Table(samples)
        compared = Compared(table, place)
        for part in (boots, memory, vsock):
            part(compared)
        words += "\n".join(table.lines) + "\n"
    (args.output / "places.json").write_text(json.dumps(
        {"context": context.splitlines(), "places": all_places},
        indent=1) + "\n")
    (args.output / "places.md").write_text(words)
    print(words, end="")


if __name__ == "__main__":
    main()
