"""What a virtual machine is made of."""
from __future__ import annotations

import os
from collections import namedtuple

from . import _native as c
from ._constants import Acceleration, ConfigKind, named
from ._handle import Handle

#: One thing that Config.validate() found wrong.
Problem = namedtuple("Problem", "field text")

# Names of keyword arguments that only a payload VM has.
_PAYLOAD_FIELDS = {"package", "payload_name", "guest_image"}


def _fileno(file):
    """The descriptor of a file or an int; None for a path."""
    if isinstance(file, int):
        return file
    fileno = getattr(file, "fileno", None)
    return fileno() if fileno else None


class Config:
    """A virtual machine's configuration.

    Keyword arguments are the setters' names: Config(kernel="vmlinux",
    memory_mib=512). Without kind, it is a payload VM when a package is
    given, else a raw VM. Files are paths, descriptors or file objects;
    descriptors are duplicated. Defaults are AVF's.
    """

    def __init__(self, kind: ConfigKind | None = None, *, disks=(), **fields):
        if kind is None:
            kind = (ConfigKind.PAYLOAD if _PAYLOAD_FIELDS & fields.keys()
                    else ConfigKind.RAW)
        self._own(c.avf_config_new(kind))
        for name, value in fields.items():
            setter = getattr(type(self), "set_" + name, None)
            if not setter:
                raise TypeError(f"Config() has no argument {name!r}")
            setter(self, value)
        for disk in disks:
            self.add_disk(disk)

    def _own(self, pointer):
        self._handle = Handle(pointer, c.avf_config_free, "configuration")

    @classmethod
    def load(cls, path) -> Config:
        """From a JSON file; paths in it are relative to it."""
        return cls._made(c.avf_config_load(path))

    @classmethod
    def _made(cls, pointer):
        config = cls.__new__(cls)
        config._own(pointer)
        return config

    @classmethod
    def parse(cls, text: str | bytes, base_dir=".") -> Config:
        """From JSON text; paths in it are relative to base_dir."""
        if isinstance(text, str):
            text = text.encode()
        fd = os.open(base_dir, os.O_PATH | os.O_DIRECTORY | os.O_CLOEXEC)
        try:
            return cls._made(c.avf_config_parse_json(text, fd))
        finally:
            os.close(fd)

    def close(self) -> None:
        """Close its files. VMs made of it keep theirs."""
        self._handle.close()

    def __enter__(self) -> Config:
        return self

    def __exit__(self, *_):
        self.close()

    def __del__(self):
        if hasattr(self, "_handle"):
            self._handle.close()

    def _call(self, function, *args):
        # one thread at a time: none of the functions gives up the GIL for
        # long, but the lock is what makes it true
        with self._handle._lock, self._handle as pointer:
            return function(pointer, *args)

    def _set_file(self, by_fd, by_path, file):
        fd = _fileno(file)
        if fd is None:
            self._call(by_path, os.fspath(file))
        else:
            self._call(by_fd, fd)

    @property
    def kind(self) -> ConfigKind:
        return ConfigKind(self._call(c.avf_config_get_kind))

    def __getattr__(self, name):
        # the rest of the getters, for instance config.payload_name
        getter = getattr(c, "avf_config_get_" + name, None)
        if not getter or name.startswith("disk"):
            raise AttributeError(f"Config has no {name!r}")
        return self._call(getter)

    @property
    def name(self) -> str | None:
        return self._call(c.avf_config_get_name)

    def set_name(self, name: str) -> None:
        """For logs; at most 64 bytes, no '/'."""
        self._call(c.avf_config_set_name, name)

    def set_kernel(self, file) -> None:
        """ELF with a PVH note or a 64-bit entry, or a bzImage."""
        self._set_file(c.avf_config_set_kernel_fd, c.avf_config_set_kernel,
                       file)

    def set_initrd(self, file) -> None:
        self._set_file(c.avf_config_set_initrd_fd, c.avf_config_set_initrd,
                       file)

    def set_cmdline(self, cmdline: str) -> None:
        """Kernel parameters, after the library's own."""
        self._call(c.avf_config_set_cmdline, cmdline)

    def add_disk(self, file, writable: bool = False,
                 id: str | None = None) -> None:
        """A raw image or a block device; the guest can read id."""
        fd = _fileno(file)
        if fd is None:
            self._call(c.avf_config_add_disk, os.fspath(file), writable, id)
        else:
            self._call(c.avf_config_add_disk_fd, fd, writable, id)

    @property
    def memory_mib(self) -> int:
        return self._call(c.avf_config_get_memory_mib)

    @memory_mib.setter
    def memory_mib(self, mib: int):
        self.set_memory_mib(mib)

    def set_memory_mib(self, mib: int) -> None:
        self._call(c.avf_config_set_memory_mib, mib)

    @property
    def vcpus(self) -> int:
        return self._call(c.avf_config_get_vcpus)

    @vcpus.setter
    def vcpus(self, count: int):
        self.set_vcpus(count)

    def set_vcpus(self, count: int) -> None:
        self._call(c.avf_config_set_vcpus, count)

    def set_cpu_topology(self, topology: int) -> None:
        self._call(c.avf_config_set_cpu_topology, topology)

    @property
    def acceleration(self) -> Acceleration:
        return named(Acceleration, self._call(c.avf_config_get_acceleration))

    @acceleration.setter
    def acceleration(self, acceleration: int):
        self.set_acceleration(acceleration)

    def set_acceleration(self, acceleration: int) -> None:
        self._call(c.avf_config_set_acceleration, acceleration)

    def set_jail(self, jail: int) -> None:
        """Jail.STRICT: no VM where the host forbids a part of the jail."""
        self._call(c.avf_config_set_jail, jail)

    def set_protected(self, protected: bool) -> None:
        self._call(c.avf_config_set_protected, protected)

    def set_debug_level(self, level: int) -> None:
        self._call(c.avf_config_set_debug_level, level)

    def set_hugepages(self, hugepages: bool) -> None:
        self._call(c.avf_config_set_hugepages, hugepages)

    def set_package(self, file) -> None:
        """The payload package (.avfpkg) of a payload VM."""
        self._set_file(c.avf_config_set_package_fd, c.avf_config_set_package,
                       file)

    def set_payload_name(self, name: str) -> None:
        """The library in the package, for instance "libecho.so"."""
        self._call(c.avf_config_set_payload_name, name)

    def set_guest_image(self, directory) -> None:
        """Made by image_build(); the default is looked for."""
        self._call(c.avf_config_set_guest_image, directory)

    def set_console_output(self, file) -> None:
        """A descriptor or file object; None is nowhere."""
        self._call(c.avf_config_set_console_output, self._sink(file))

    def set_console_input(self, file) -> None:
        self._call(c.avf_config_set_console_input, self._sink(file))

    def set_log_output(self, file) -> None:
        """Where the payload's output and log go."""
        self._call(c.avf_config_set_log_output, self._sink(file))

    @staticmethod
    def _sink(file):
        if file is None:
            return -1
        fd = _fileno(file)
        if fd is None:
            raise TypeError("a descriptor or an open file is needed, not "
                            f"{type(file).__name__}")
        return fd

    def set_boot_timeout(self, seconds: float) -> None:
        """Until a payload must have started; 0 is AVF's default."""
        self._call(c.avf_config_set_boot_timeout_ms, int(seconds * 1000))

    def set_encrypted_storage_bytes(self, size: int) -> None:
        """Of a named payload VM; 0 is none."""
        self._call(c.avf_config_set_encrypted_storage_bytes, size)

    def set_vm_output_captured(self, captured: bool) -> None:
        """For Vm.console_output() and log_output()."""
        self._call(c.avf_config_set_vm_output_captured, captured)

    def set_vm_console_input_supported(self, supported: bool) -> None:
        """For Vm.console_input()."""
        self._call(c.avf_config_set_vm_console_input_supported, supported)

    def is_compatible_with(self, other: Config) -> bool:
        """Whether a VM of this configuration may get the other."""
        with other._handle as pointer:
            return self._call(c.avf_config_is_compatible, pointer)

    def validate(self) -> list[Problem]:
        """Everything that is wrong; an empty list when nothing is."""
        result = self._call(c.avf_config_validate)
        # [count, problems] unless the count is zero
        problems = result[-1] if isinstance(result, list) else result
        try:
            return [Problem(c.avf_problems_field(problems, i),
                            c.avf_problems_text(problems, i))
                    for i in range(c.avf_problems_count(problems))]
        finally:
            c.avf_problems_free(problems)
