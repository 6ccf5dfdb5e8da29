"""Virtual machines with a name: AVF's VirtualMachineManager."""
import weakref
from _thread import RLock

from . import _native as c
from ._config import Config, check_config
from ._errors import AvfError
from ._handle import Handle
from ._vm import Vm


class Descriptor:
    """A stopped VM's files, for another process to import."""

    def __init__(self, pointer):
        self._handle = Handle(pointer, c.avf_descriptor_free, "descriptor")

    @classmethod
    def receive(cls, sock):
        """What send() sent over a connected Unix socket."""
        return cls(c.avf_descriptor_receive(sock.fileno()))

    def send(self, sock):
        """Over a connected Unix socket; it stays open here."""
        with self._handle as pointer:
            c.avf_descriptor_send(pointer, sock.fileno())

    def close(self):
        self._handle.close()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()

    def __del__(self):
        if hasattr(self, "_handle"):
            self._handle.close()

    def _steal(self):
        """The pointer, for a C function that takes it."""
        handle = self._handle
        with handle._lock, handle as pointer:
            if handle._users > 1:
                raise AvfError(c.AVF_ERR_STATE, "AVF_ERR_STATE",
                               "the descriptor is in use")
            handle.closed, handle._pointer = True, None
            return pointer


class Manager:
    """Keeps VMs in data_dir/vm; the default is the user's data directory.

    There is one Vm object per name. A VM is locked against other processes
    while its object is open.
    """

    def __init__(self, data_dir=None):
        self._handle = Handle(c.avf_manager_new(data_dir),
                              c.avf_manager_free, "manager")
        self._lock = RLock()
        self._vms = weakref.WeakValueDictionary()

    def close(self):
        """VMs that are open stay so."""
        self._handle.close()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()

    def __del__(self):
        if hasattr(self, "_handle"):
            self._handle.close()

    def _vm(self, name, function, *args):
        with self._lock, self._handle as pointer:
            vm = self._vms.get(name)
            made = function(pointer, name, *args)
            if vm is not None and not vm._handle.closed:
                with vm._handle as known:
                    if known == made:
                        c.avf_vm_free(made)  # its second reference
                        return vm
            vm = Vm.__new__(Vm)
            vm._own(made)
            self._vms[name] = vm
            return vm

    def create(self, name, config):
        """AVF_ERR_EXISTS when there is one. Its files must be paths."""
        with check_config(config)._handle as pointer:
            return self._vm(name, c.avf_manager_create, pointer)

    def get(self, name):
        """None when there is none."""
        try:
            return self._vm(name, c.avf_manager_get)
        except AvfError as error:
            if error.code != c.AVF_ERR_NOT_FOUND:
                raise
        return None

    def get_or_create(self, name, config):
        """config is ignored when the VM exists."""
        with check_config(config)._handle as pointer:
            return self._vm(name, c.avf_manager_get_or_create, pointer)

    def delete(self, name):
        """With all its files. It must be stopped."""
        with self._handle as pointer:
            c.avf_manager_delete(pointer, name)

    def import_from_descriptor(self, name,
                               descriptor):
        """A copy. The descriptor is closed, whatever happens."""
        return self._vm(name, c.avf_manager_import, descriptor._steal())

    def names(self):
        """Of all VMs, broken ones too."""
        with self._handle as pointer:
            names = c.avf_manager_list(pointer)
        try:
            return [c.avf_names_get(names, i)
                    for i in range(c.avf_names_count(names))]
        finally:
            c.avf_names_free(names)
