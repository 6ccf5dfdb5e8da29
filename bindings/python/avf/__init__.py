"""The Android Virtualization Framework on plain Linux.

    import avf

    with avf.Vm(avf.Config(kernel="vmlinux", initrd="initrd")) as vm:
        vm.run()
        for event in vm.events():
            print(event.type.name, event.text)
"""
from ._config import Config, Problem
from ._constants import (MAX_VSOCK_PORT, MIN_VSOCK_PORT, Acceleration,
                         Capability, ConfigKind, CpuTopology, DebugLevel,
                         ErrorCode, EventType, Jail, ProbeState, Status,
                         StopReason)
from ._errors import AvfError
from ._image import image_build, package_create
from ._manager import Descriptor, Manager
from ._native import avf_version as version
from ._probe import Probe, ProbeRow, capabilities, probe
from ._vm import Event, Events, Listener, Vm

__version__ = version()

__all__ = [
    "Acceleration", "AvfError", "Capability", "Config", "ConfigKind",
    "CpuTopology", "DebugLevel", "Descriptor", "ErrorCode", "Event",
    "EventType", "Events", "Jail", "Listener", "MAX_VSOCK_PORT",
    "MIN_VSOCK_PORT", "Manager", "Probe", "ProbeRow",
    "ProbeState", "Problem", "Status", "StopReason", "Vm", "capabilities",
    "image_build", "package_create", "probe", "version",
]
