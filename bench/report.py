#!/usr/bin/env python3
"""Statistics, ratios and the time line of what the benchmark programs said.

    report.py --lab FILE --host FILE --context FILE --output DIR

Reads lines "sample NAME UNIT VALUE" and writes results.json, results.md and
timeline.svg. Figures of the lab are of an emulated computer: only a ratio
of two figures of one run means something.
"""
import argparse
import collections
import json
import pathlib
import statistics
import sys


def read(path):
    """Samples by name, and units by name."""
    samples = collections.defaultdict(list)
    units = {}
    for line in path.read_text().splitlines():
        words = line.split()
        if len(words) == 4 and words[0] == "sample":
            samples[words[1]].append(float(words[3]))
            units[words[1]] = words[2]
    return samples, units


def percentile(values, share):
    """The smallest value that has @share of all at or below it."""
    ordered = sorted(values)
    return ordered[max(0, -(-len(ordered) * share // 100) - 1)]


def summary(samples, units):
    return {name: {"unit": units[name], "n": len(values),
                   "min": min(values), "median": statistics.median(values),
                   "p99": percentile(values, 99), "max": max(values)}
            for name, values in sorted(samples.items())}


class Table:
    """A table of text whose missing figures show as "-"."""

    def __init__(self, samples):
        self.samples = samples
        self.lines = []

    def has(self, *names):
        return all(self.samples.get(name) for name in names)

    def value(self, name, form="{:.0f}", statistic=statistics.median):
        if not self.has(name):
            return "-"
        return form.format(statistic(self.samples[name]))

    def number(self, name):
        return statistics.median(self.samples[name])

    def ratio(self, name, other):
        if not self.has(name, other) or self.number(other) == 0:
            return None
        return self.number(name) / self.number(other)

    def row(self, *cells):
        self.lines.append("| " + " | ".join(cells) + " |")

    def head(self, title, *cells):
        self.lines += ["", f"### {title}", ""]
        self.row(*cells)
        self.row(*["---"] * len(cells))


def text(number, form="{:.2f}"):
    return "-" if number is None else form.format(number)


def boots(t):
    t.head("Boot, beside QEMU's microvm (lab, ms)", "from start to", "avf",
           "microvm", "avf / microvm")
    for what, mode, event in (
            ("first kernel output (talking kernel)", "verbose", "first"),
            ("init (quiet kernel)", "quiet", "init"),
            ("init (talking kernel)", "verbose", "init")):
        ours, theirs = (f"boot.{who}.{mode}.{event}"
                        for who in ("avf", "qemu"))
        t.row(what, t.value(ours), t.value(theirs),
              text(t.ratio(ours, theirs)))
    if t.has("boot.qemu.failed"):
        t.lines += ["", f"{len(t.samples['boot.qemu.failed'])} boots of "
                    "microvm never got to init."]


STEPS = (("spawned", "avf_vm_run() returned: VMM spawned, orders sent"),
         ("orders", "the VMM has its orders"),
         ("asked", "the host was asked"),
         ("jailed", "KVM's VM made, process in its jail"),
         ("built", "machine built, kernel loaded"),
         ("started", "first entry of a vCPU (STARTED)"),
         ("first", "first output: the kernel's if it talks, else init's"),
         ("init", "init"),
         ("payload_started", "payload started"),
         ("ready", "payload ready"))


def steps(t, title, prefixes):
    t.head(title, "from avf_vm_run() to", *prefixes.values())
    for step, what in STEPS:
        names = [f"{prefix}.{step}" for prefix in prefixes]
        if any(t.has(name) for name in names):
            t.row(what, *(t.value(name, "{:.1f}") for name in names))


def exits(t):
    kinds = ("pio-in", "pio-out", "mmio-read", "mmio-write", "interrupted")
    t.head("Exits to user space (lab)", "run", *kinds)
    for what, prefix in (("boot to init, quiet", "boot.avf.quiet"),
                         ("boot to init, talking", "boot.avf.verbose"),
                         ("payload VM", "payload_debug")):
        t.row(what, *(t.value(f"{prefix}.exits.{kind}") for kind in kinds))
    t.lines += ["", "Per request of a busy disk queue: "
                + t.value("disk.exits_per_request", "{:.3f}") + "."]


def memory(t):
    t.head("VMM memory besides the guest's RAM (lab, KiB)", "process", "RSS",
           "PSS", "private")
    for what, prefix in (("avf, Linux at init", "boot.avf.quiet.memory"),
                         ("avf, payload ready", "payload.memory"),
                         ("avf, after the vsock load",
                          "payload.busy_memory"),
                         ("QEMU microvm, Linux at init",
                          "boot.qemu.quiet.memory")):
        t.row(what, *(t.value(f"{prefix}.{kind}")
                      for kind in ("rss", "pss", "private")))
    t.row("avf, each of 10 bare VMs", "-", t.value("fleet10.pss"), "-")


def vsock(t):
    t.head("vsock beside a Unix socketpair (lab)", "what", "vsock",
           "socketpair", "vsock / socketpair")
    t.row("round trip of 64 bytes, 10th percentile, us",
          *(t.value(f"{who}.round_trip", "{:.1f}",
                    lambda values: percentile(values, 10))
            for who in ("payload.vsock", "socketpair")), "")
    rows = [("round trip of 64 bytes, us", "round_trip")]
    for size in (64, 1024):
        rows += [(f"host to guest, {size} KiB, MiB/s", f"to_guest.{size}k"),
                 (f"guest to host, {size} KiB, MiB/s", f"to_host.{size}k")]
    for what, name in rows:
        ours, theirs = f"payload.vsock.{name}", f"socketpair.{name}"
        t.row(what, t.value(ours, "{:.1f}"), t.value(theirs, "{:.1f}"),
              text(t.ratio(ours, theirs), "{:.3f}"))


def disk(t):
    t.head("virtio-blk beside the file on the host (lab)", "what", "guest",
           "host", "guest / host")
    for what, name in (("4 KiB random, depth 1, reads/s", "random.1"),
                       ("4 KiB random, depth 32, reads/s", "random.32"),
                       ("sequential, MiB/s", "sequential")):
        ours, theirs = f"disk.guest.{name}", f"disk.host.{name}"
        t.row(what, t.value(ours), t.value(theirs),
              text(t.ratio(ours, theirs), "{:.3f}"))


def device(t):
    t.head("The device models alone (this computer, us)", "what", "p10",
           "p50", "p99")
    for what, name in (
            ("4 KiB read of what is in memory, kick to used entry",
             "blk.at_once"),
            ("the same where the disk's thread reads", "blk.thread"),
            ("vsock, 64 bytes to the application and back",
             "vsock.round_trip")):
        t.row(what, *(t.value(f"device.{name}", "{:.1f}",
                              lambda values, share=share:
                              percentile(values, share))
                      for share in (10, 50, 99)))


def fleet(t, title):
    t.head(title, "VMs", "run() to first entry, p50", "p99",
           "run() to spawned, p50", "all have spoken", "PSS each, KiB")
    for count in (1, 10, 50):
        name = f"fleet{count}"
        if not t.has(f"{name}.started"):
            continue
        started = t.samples[f"{name}.started"]
        t.row(str(count), f"{percentile(started, 50):.1f}",
              f"{percentile(started, 99):.1f}",
              t.value(f"{name}.spawned", "{:.1f}"),
              t.value(f"{name}.all", "{:.1f}"), t.value(f"{name}.pss"))


LANGUAGES = {"c": "C", "cpp": "C++", "java": "Java", "python": "Python"}


def rpc(t, place, title):
    """A call of each language, by how many bare echoes it takes. Of what is
    disturbed by others a low percentile says most."""
    def low(values):
        return percentile(values, 10)

    def ratio(name, echo):
        return (low(t.samples[name]) / low(t.samples[echo])
                if t.has(name, echo) else None)

    if not t.has(f"rpc.{place}.echo.add"):
        return
    t.head(title, "call", "bare echo, us", *(
        f"{language} / echo" for language in LANGUAGES.values()))
    for what, name in (("add(int, int)", "add"),
                       ("4 KiB, 1 thread", "4k"),
                       ("4 KiB, 4 threads", "4k_4_threads"),
                       ("64 KiB, 1 thread", "64k"),
                       ("64 KiB, 4 threads", "64k_4_threads")):
        echo = f"rpc.{place}.echo.{name}"
        t.row(what, t.value(echo, "{:.1f}", low), *(
            text(ratio(f"rpc.{place}.{language}.{name}", echo))
            for language in LANGUAGES))


def goals(lab, host):
    """The goals: name, whether it is met, the figure."""
    rows = []

    def add(what, figure, most, form="{:.2f}", least=float("-inf")):
        rows.append((what, text(figure, form),
                     "-" if figure is None else
                     "met" if least <= figure <= most else "missed"))

    add("run to init at most 0.5 of QEMU microvm's time",
        lab.ratio("boot.avf.quiet.init", "boot.qemu.quiet.init"), 0.5)
    for size in (64, 1024):
        add(f"vsock host to guest / guest to host, {size} KiB: 0.8 to 1.25",
            lab.ratio(f"payload.vsock.to_guest.{size}k",
                      f"payload.vsock.to_host.{size}k"),
            1.25, least=0.8)
    add("at most 3 MiB of VMM memory (RSS, payload VM)",
        lab.number("payload.memory.rss") / 1024
        if lab.has("payload.memory.rss") else None, 3)
    add("no exit per request of a busy queue",
        lab.number("disk.exits_per_request")
        if lab.has("disk.exits_per_request") else None, 0.001, "{:.4f}")
    add("run() to first entry below 10 ms (this computer's KVM)",
        host.number("fleet1.started")
        if host.has("fleet1.started") else None, 10)
    return rows


COLOURS = ("#4878a8", "#8fb0d0", "#c8a048", "#b05050", "#609060", "#9070a0",
           "#808080")


def bars(t):
    """Rows of the time line: a title and its marks (label, ms)."""
    def marks(prefix, names):
        return [(label, t.number(f"{prefix}.{name}"))
                for name, label in names if t.has(f"{prefix}.{name}")]

    steps_ours = (("spawned", "spawned"), ("jailed", "jailed"),
                  ("built", "built"),
                  ("started", "first entry"))
    return [
        ("avf, quiet kernel", marks("boot.avf.quiet", steps_ours +
                                    (("init", "init"),))),
        ("QEMU microvm, quiet kernel",
         marks("boot.qemu.quiet", (("init", "init"),))),
        ("avf, talking kernel",
         marks("boot.avf.verbose", steps_ours +
               (("first", "first output"), ("init", "init")))),
        ("QEMU microvm, talking kernel",
         marks("boot.qemu.verbose",
               (("first", "first output"), ("init", "init")))),
        ("avf, payload VM",
         marks("payload", (("spawned", "spawned"),
                           ("started", "first entry"),
                           ("payload_started", "payload started"),
                           ("ready", "payload ready")))),
    ]


def timeline(t):
    rows = [row for row in bars(t) if row[1]]
    if not rows:
        return ""
    longest = max(ms for _, marks in rows for _, ms in marks)
    scale, left, height = 700 / longest, 190, 46
    out = [f'<svg xmlns="http://www.w3.org/2000/svg" width="{left + 860}" '
           f'height="{height * len(rows) + 30}" font-family="sans-serif" '
           'font-size="12">',
           '<text x="4" y="16">Boot in the lab, in ms of emulated time: '
           'compare the rows, not with other computers</text>']
    for i, (title, marks) in enumerate(rows):
        y, before = 30 + i * height, 0
        out.append(f'<text x="4" y="{y + 14}">{title}</text>')
        for j, (label, ms) in enumerate(marks):
            out.append(f'<rect x="{left + before * scale:.1f}" y="{y}" '
                       f'width="{max((ms - before) * scale, 0.5):.1f}" '
                       f'height="18" fill="{COLOURS[j]}"><title>{label}: '
                       f'{ms:.0f} ms</title></rect>')
            before = ms
        words = ", ".join(f"{label} {ms:.0f}" for label, ms in marks)
        out.append(f'<text x="{left}" y="{y + 32}" fill="#444">{words}'
                   '</text>')
    return "\n".join(out + ["</svg>", ""])


def report(lab, host):
    t, h = Table(lab), Table(host)
    boots(t)
    steps(t, "Steps of a start (lab, ms)",
          {"boot.avf.quiet": "raw Linux VM",
           "boot.avf.verbose": "raw, talking", "payload": "payload VM",
           "payload_debug": "payload VM, debug"})
    exits(t)
    memory(t)
    vsock(t)
    disk(t)
    fleet(t, "Bare VMs started together (lab, ms)")
    rpc(t, "kvm", "RPC binder over vsock, by language (lab)")
    steps(h, "Steps of a start (this computer's KVM, ms)",
          {"fleet1": "1 bare VM", "fleet10": "10 together"})
    fleet(h, "Bare VMs started together (this computer's KVM, ms)")
    device(h)
    rpc(h, "unix", "RPC binder over Unix sockets, by language "
        "(this computer)")
    rpc(h, "emulation", "RPC binder over vsock, by language (this computer, "
        "a VM that QEMU emulates)")
    rows = goals(t, h)
    t.lines += h.lines
    t.lines += ["", "### Goals", ""]
    t.row("goal", "figure", "")
    t.row("---", "---", "---")
    for row in rows:
        t.row(*row)
    return "\n".join(t.lines).lstrip("\n") + "\n"


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    for option in ("--lab", "--host", "--context", "--output"):
        parser.add_argument(option, required=True, type=pathlib.Path)
    args = parser.parse_args()
    lab, lab_units = read(args.lab)
    host, host_units = read(args.host)
    if not lab and not host:
        sys.exit("report.py: no samples")
    context = args.context.read_text()
    words = context + "\n" + report(lab, host)
    (args.output / "results.json").write_text(json.dumps(
        {"context": context.splitlines(), "lab": summary(lab, lab_units),
         "host": summary(host, host_units)}, indent=1) + "\n")
    (args.output / "results.md").write_text(words)
    (args.output / "timeline.svg").write_text(timeline(Table(lab)))
    print(words, end="")


if __name__ == "__main__":
    main()
