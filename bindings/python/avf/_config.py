"""What a virtual machine is made of."""
import os

from . import _native as c
from ._constants import named
from ._handle import Handle
from ._row import Row


class Problem(Row):
    """One thing that Config.validate() found wrong."""

    __slots__ = ()
    _fields = ("field", "text")


class Disk(Row):
    """A disk of a configuration; path is None when an fd was given."""

    __slots__ = ()
    _fields = ("path", "writable", "id")


# Names of keyword arguments that only a payload VM has.
_PAYLOAD_FIELDS = {"package", "payload_name", "payload_config_path",
                   "guest_image"}


def _fileno(file):
    """The descriptor of a file or an int; None for a path."""
    if isinstance(file, int):
        return file
    fileno = getattr(file, "fileno", None)
    return fileno() if fileno else None


def check_config(config):
    """The mistake of who forgot it should be said in the words of the API."""
    if not isinstance(config, Config):
        raise TypeError("an avf.Config is needed, not "
                        f"{type(config).__name__}")
    return config


class Config:
    """A virtual machine's configuration.

    Keyword arguments are the setters' names: Config(kernel="vmlinux",
    memory_mib=512). Without kind, it is a payload VM when a package is
    given, else a raw VM. Files are paths, descriptors or file objects;
    descriptors are duplicated. Defaults are AVF's.
    """

    def __init__(self, kind=None, *, disks=(), **fields):
        if kind is None:
            kind = (c.AVF_CONFIG_PAYLOAD if _PAYLOAD_FIELDS & fields.keys()
                    else c.AVF_CONFIG_RAW)
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
    def load(cls, path):
        """From a JSON file; paths in it are relative to it."""
        return cls._made(c.avf_config_load(path))

    @classmethod
    def _made(cls, pointer):
        config = cls.__new__(cls)
        config._own(pointer)
        return config

    @classmethod
    def parse(cls, text, base_dir="."):
        """From JSON text; paths in it are relative to base_dir."""
        if isinstance(text, str):
            text = text.encode()
        fd = os.open(base_dir, os.O_PATH | os.O_DIRECTORY | os.O_CLOEXEC)
        try:
            return cls._made(c.avf_config_parse_json(text, fd))
        finally:
            os.close(fd)

    def close(self):
        """Close its files. VMs made of it keep theirs."""
        self._handle.close()

    def __enter__(self):
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

    def set_name(self, name):
        """For logs; at most 64 bytes, no '/'."""
        self._call(c.avf_config_set_name, name)

    def set_kernel(self, file):
        """ELF with a PVH note or a 64-bit entry, or a bzImage."""
        self._set_file(c.avf_config_set_kernel_fd, c.avf_config_set_kernel,
                       file)

    def set_initrd(self, file):
        self._set_file(c.avf_config_set_initrd_fd, c.avf_config_set_initrd,
                       file)

    def set_device_tree_overlay(self, file):
        """For arm64: goes over the machine's device tree (dtc -@)."""
        self._set_file(c.avf_config_set_device_tree_overlay_fd,
                       c.avf_config_set_device_tree_overlay, file)

    def set_cmdline(self, cmdline):
        """Kernel parameters, after the library's own."""
        self._call(c.avf_config_set_cmdline, cmdline)

    def add_disk(self, file, writable=False, id=None):
        """A raw image or a block device; the guest can read id."""
        fd = _fileno(file)
        if fd is None:
            self._call(c.avf_config_add_disk, os.fspath(file), writable, id)
        else:
            self._call(c.avf_config_add_disk_fd, fd, writable, id)

    def set_memory_mib(self, mib):
        self._call(c.avf_config_set_memory_mib, mib)

    def set_vcpus(self, count):
        self._call(c.avf_config_set_vcpus, count)

    def set_cpu_topology(self, topology):
        self._call(c.avf_config_set_cpu_topology, topology)

    def set_acceleration(self, acceleration):
        self._call(c.avf_config_set_acceleration, acceleration)

    def set_architecture(self, architecture):
        """What the guest is compiled for. Another architecture than the
        host's needs an acceleration that allows emulation."""
        self._call(c.avf_config_set_architecture, architecture)

    def set_jail(self, jail):
        """Jail.STRICT: no VM where the host forbids a part of the jail."""
        self._call(c.avf_config_set_jail, jail)

    def set_protected(self, protected):
        self._call(c.avf_config_set_protected, protected)

    def set_debug_level(self, level):
        self._call(c.avf_config_set_debug_level, level)

    def set_hugepages(self, hugepages):
        self._call(c.avf_config_set_hugepages, hugepages)

    def set_package(self, file):
        """The payload package (.avfpkg) of a payload VM."""
        self._set_file(c.avf_config_set_package_fd, c.avf_config_set_package,
                       file)

    def set_payload_name(self, name):
        """The library in the package, for instance "libecho.so"."""
        self._call(c.avf_config_set_payload_name, name)

    def set_payload_config_path(self, path):
        """A JSON file in the package that says what to run, instead of
        payload_name."""
        self._call(c.avf_config_set_payload_config_path, path)

    def set_guest_image(self, directory):
        """Made by image_build(); the default is looked for."""
        self._call(c.avf_config_set_guest_image, directory)

    def set_console_output(self, file):
        """A descriptor or file object; None is nowhere."""
        self._call(c.avf_config_set_console_output, self._sink(file))

    def set_console_input(self, file):
        self._call(c.avf_config_set_console_input, self._sink(file))

    def set_log_output(self, file):
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

    def set_boot_timeout(self, seconds):
        """Until a payload must have started; 0 is AVF's default."""
        self._call(c.avf_config_set_boot_timeout_ms, int(seconds * 1000))

    def set_encrypted_storage_bytes(self, size):
        """Of a named payload VM; 0 is none."""
        self._call(c.avf_config_set_encrypted_storage_bytes, size)

    def set_vm_output_captured(self, captured):
        """For Vm.console_output() and log_output()."""
        self._call(c.avf_config_set_vm_output_captured, captured)

    def set_vm_console_input_supported(self, supported):
        """For Vm.console_input()."""
        self._call(c.avf_config_set_vm_console_input_supported, supported)

    def is_compatible_with(self, other):
        """Whether a VM of this configuration may get the other."""
        with other._handle as pointer:
            return self._call(c.avf_config_is_compatible, pointer)

    def validate(self):
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

    @property
    def disks(self):
        """In the order in which the guest sees them."""
        return [Disk(self._call(c.avf_config_get_disk, i),
                     self._call(c.avf_config_get_disk_writable, i),
                     self._call(c.avf_config_get_disk_id, i))
                for i in range(self._call(c.avf_config_get_disk_count))]

    @property
    def boot_timeout(self):
        """In seconds."""
        return self._call(c.avf_config_get_boot_timeout_ms) / 1000

    @boot_timeout.setter
    def boot_timeout(self, seconds):
        self.set_boot_timeout(seconds)


def _field(name, enumeration=None, is_writable=True):
    """A property of what set_NAME() sets, or its default."""
    getter = getattr(c, "avf_config_get_" + name)

    def read(config):
        value = config._call(getter)
        return named(enumeration, value) if enumeration else value

    def write(config, value):
        getattr(config, "set_" + name)(value)

    setattr(Config, name, property(read, write if is_writable else None))


_field("kind", "ConfigKind", is_writable=False)
for _name, _enumeration in (
        ("acceleration", "Acceleration"),
        ("architecture", "Architecture"), ("cpu_topology", "CpuTopology"),
        ("debug_level", "DebugLevel"), ("jail", "Jail"), ("cmdline", None),
        ("device_tree_overlay", None), ("encrypted_storage_bytes", None),
        ("guest_image", None),
        ("hugepages", None), ("initrd", None), ("kernel", None),
        ("memory_mib", None), ("name", None), ("package", None),
        ("payload_config_path", None), ("payload_name", None),
        ("protected", None), ("vcpus", None),
        ("vm_console_input_supported", None), ("vm_output_captured", None)):
    _field(_name, _enumeration)
