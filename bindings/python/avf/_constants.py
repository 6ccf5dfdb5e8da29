"""Numbers of the C headers, which are AVF's, as enumerations. Each is made
when somebody asks for it: together they take as long as all the rest."""
from . import _native as c

MIN_VSOCK_PORT = 1024
MAX_VSOCK_PORT = 2**32 - 1

# Their members are the C constants of the prefix: spelled out by hand they
# would be a second copy of the headers.
PREFIXES = {
    "Acceleration": "AVF_ACCELERATION_",
    "Architecture": "AVF_ARCHITECTURE_",
    "Capability": "AVF_CAPABILITY_",
    "ConfigKind": "AVF_CONFIG_",
    "CpuTopology": "AVF_CPU_TOPOLOGY_",
    "DebugLevel": "AVF_DEBUG_LEVEL_",
    "ErrorCode": "AVF_ERROR_",
    "EventType": "AVF_EVENT_",
    "Jail": "AVF_JAIL_",
    "ProbeState": "AVF_PROBE_",
    "Status": "AVF_STATUS_",
    "StopReason": "AVF_STOP_REASON_",
}


def __getattr__(name):
    prefix = PREFIXES.get(name)
    if not prefix:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    from enum import IntEnum, IntFlag
    members = {key[len(prefix):]: value for key, value in vars(c).items()
               if key.startswith(prefix) and isinstance(value, int)}
    made = (IntFlag if name == "Capability" else IntEnum)(
        name, members, module=__package__)
    # two threads may come here at once; one enumeration is the one
    return globals().setdefault(name, made)


def kind(name):
    """The enumeration of that name."""
    return globals().get(name) or __getattr__(name)


def named(name, number):
    """The member of an enumeration, or the number when a newer library sent
    it."""
    try:
        return kind(name)(number)
    except ValueError:
        return number
