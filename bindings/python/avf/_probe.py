"""What this host can do, and why not."""
from __future__ import annotations

from collections import namedtuple

from . import _native as c
from ._constants import Capability, ProbeState, named

#: The answer to one question. state is a ProbeState; hint may be "".
ProbeRow = namedtuple("ProbeRow", "what state reason hint")


class Probe(tuple):
    """The answers, a tuple of ProbeRow; probe["kvm.ring0"] finds one."""

    capabilities: Capability

    def __getitem__(self, key):
        if not isinstance(key, str):
            return super().__getitem__(key)
        for row in self:
            if row.what == key:
                return row
        raise KeyError(key)


def probe() -> Probe:
    """Ask the host, by trying. Takes some milliseconds."""
    pointer = c.avf_probe_new()
    try:
        rows = Probe(
            ProbeRow(c.avf_probe_what(pointer, i),
                     named(ProbeState, c.avf_probe_get_state(pointer, i)),
                     c.avf_probe_reason(pointer, i),
                     c.avf_probe_hint(pointer, i))
            for i in range(c.avf_probe_count(pointer)))
        rows.capabilities = Capability(c.avf_probe_capabilities(pointer))
    finally:
        c.avf_probe_free(pointer)
    return rows


def capabilities() -> Capability:
    """AVF's getCapabilities(): which VMs would really run here."""
    return probe().capabilities
