"""What this host can do, and why not."""
from . import _native as c
from ._constants import named
from ._row import Row


class ProbeRow(Row):
    """The answer to one question."""

    __slots__ = ()
    _fields = ("what", "state", "reason", "hint")

    @property
    def state(self):
        return named("ProbeState", self._row[1])


class Probe(tuple):
    """The answers, a tuple of ProbeRow; probe["kvm.vcpu"] finds one."""

    def __getitem__(self, key):
        if not isinstance(key, str):
            return super().__getitem__(key)
        for row in self:
            if row.what == key:
                return row
        raise KeyError(key)

    @property
    def capabilities(self):
        return named("Capability", self._capabilities)


def probe():
    """Ask the host, by trying. Takes some milliseconds."""
    pointer = c.avf_probe_new()
    try:
        rows = Probe(ProbeRow(c.avf_probe_what(pointer, i),
                              c.avf_probe_get_state(pointer, i),
                              c.avf_probe_reason(pointer, i),
                              c.avf_probe_hint(pointer, i))
                     for i in range(c.avf_probe_count(pointer)))
        rows._capabilities = c.avf_probe_capabilities(pointer)
    finally:
        c.avf_probe_free(pointer)
    return rows


def capabilities():
    """AVF's getCapabilities(): which VMs would really run here."""
    return probe().capabilities
