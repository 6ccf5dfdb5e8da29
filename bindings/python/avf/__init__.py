"""The Android Virtualization Framework on plain Linux.

    import avf

    with avf.Vm(avf.Config(kernel="vmlinux", initrd="initrd")) as vm:
        vm.run()
        for event in vm.events():
            print(event.type.name, event.text)
"""
from . import _native
from ._constants import MAX_VSOCK_PORT, MIN_VSOCK_PORT, PREFIXES

version = _native.avf_version
__version__ = version()

# Where the other names are. They are imported when somebody asks for them:
# who only probes must not wait for enumerations and locks.
_HOMES = {
    "AvfError": "_errors", "Config": "_config", "Descriptor": "_manager",
    "Disk": "_config", "Event": "_vm", "Events": "_vm", "Listener": "_vm",
    "Manager": "_manager", "Probe": "_probe", "ProbeRow": "_probe",
    "Problem": "_config", "Vm": "_vm", "capabilities": "_probe",
    "image_build": "_image", "package_create": "_image", "probe": "_probe",
    **dict.fromkeys(PREFIXES, "_constants"),
}

__all__ = sorted([*_HOMES, "MAX_VSOCK_PORT", "MIN_VSOCK_PORT", "version"])


def __getattr__(name):
    home = _HOMES.get(name)
    if not home:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    module = __import__(f"{__name__}.{home}", fromlist=[name])
    value = globals()[name] = getattr(module, name)
    return value


def __dir__():
    return sorted({*globals(), *__all__})
