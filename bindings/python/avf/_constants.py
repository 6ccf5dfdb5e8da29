"""Numbers of the C headers, which are AVF's, as enumerations."""
from enum import IntEnum, IntFlag

from . import _native as c

MIN_VSOCK_PORT = 1024
MAX_VSOCK_PORT = 2**32 - 1


def _members(prefix):
    return {name[len(prefix):]: value for name, value in vars(c).items()
            if name.startswith(prefix) and isinstance(value, int)}


# Spelled out by hand would be a second copy of the headers.
ConfigKind = IntEnum("ConfigKind", _members("AVF_CONFIG_"),
                     module=__package__)
DebugLevel = IntEnum("DebugLevel", _members("AVF_DEBUG_LEVEL_"),
                     module=__package__)
CpuTopology = IntEnum("CpuTopology", _members("AVF_CPU_TOPOLOGY_"),
                      module=__package__)
Acceleration = IntEnum("Acceleration", _members("AVF_ACCELERATION_"),
                       module=__package__)
Jail = IntEnum("Jail", _members("AVF_JAIL_"), module=__package__)
Status = IntEnum("Status", _members("AVF_STATUS_"), module=__package__)
EventType = IntEnum("EventType", _members("AVF_EVENT_"), module=__package__)
StopReason = IntEnum("StopReason", _members("AVF_STOP_REASON_"),
                     module=__package__)
ErrorCode = IntEnum("ErrorCode", _members("AVF_ERROR_"), module=__package__)
ProbeState = IntEnum("ProbeState", _members("AVF_PROBE_"),
                     module=__package__)
Capability = IntFlag("Capability", _members("AVF_CAPABILITY_"),
                     module=__package__)


def named(kind, number):
    """The member of kind, or the number when a newer library sent it."""
    try:
        return kind(number)
    except ValueError:
        return number
