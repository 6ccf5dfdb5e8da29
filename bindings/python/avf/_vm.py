"""A virtual machine: run it, hear from it, talk to it, stop it."""
import time

from . import _native as c
from ._config import Config, check_config
from ._constants import named
from ._errors import AvfError
from ._handle import Alarm, Handle, LoopWaiters, milliseconds
from ._row import Row

#: How long Vm.connect() waits for the guest's answer, in seconds.
CONNECT_TIMEOUT = 30.0


class Event(Row):
    """What happened. code is a StopReason for STOPPED, an ErrorCode for
    ERROR, the payload's exit code for PAYLOAD_FINISHED."""

    __slots__ = ()
    _fields = ("type", "code", "time_ns", "text")

    @property
    def type(self):
        return named("EventType", self._row[0])

    @property
    def code(self):
        kind, code = self._row[:2]
        if kind == c.AVF_EVENT_STOPPED:
            return named("StopReason", code)
        return (named("ErrorCode", code) if kind == c.AVF_EVENT_ERROR
                else code)

    def _is_last(self):
        return self._row[0] == c.AVF_EVENT_STOPPED


def _socket(fd):
    import socket  # not everybody connects, and it takes time to import
    return socket.socket(fileno=fd)


class Vm:
    """A stopped VM of a copy of config. It can be run many times.

    Any thread may call any method. Leaving `with` closes it: a guest that
    runs is killed. fileno() is readable while next_event() has something.
    """

    def __init__(self, config):
        self._own(check_config(config)._call(c.avf_vm_new))

    def _own(self, made):
        self._handle = Handle(made, c.avf_vm_free, "VM")
        self._fd = c.avf_vm_get_fd(made)
        self._alarm = Alarm()
        self._loops = LoopWaiters()

    def close(self):
        """Kill it when it runs, and free it. Its sockets stay."""
        self._handle.close(self._interrupt)

    def _interrupt(self, pointer):
        try:
            c.avf_vm_kill(pointer)
        except AvfError:
            pass  # it does not run
        self._ring()

    def _ring(self):
        self._alarm.ring()
        self._loops.ring()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()

    def __del__(self):
        if hasattr(self, "_loops"):
            self._handle.close()

    def _call(self, function, *args):
        """The C side wants one thread at a time here; none of it blocks."""
        with self._handle as pointer, self._handle._lock:
            return function(pointer, *args)

    @property
    def name(self):
        """Of a named VM, else of its configuration."""
        return self._call(c.avf_vm_get_name)

    @property
    def root_dir(self):
        """The directory of a named VM's files."""
        return self._call(c.avf_vm_get_dir)

    def get_config(self):
        """A copy."""
        return Config._made(self._call(c.avf_vm_get_config))

    def set_config(self, config):
        """For the next runs; it must be compatible. A named VM keeps it."""
        with check_config(config)._handle as pointer:
            self._call(c.avf_vm_set_config, pointer)

    def console_output(self):
        """A file to read, if the configuration captures output; it ends
        with the run."""
        return open(self._call(c.avf_vm_get_console_output), "rb",
                    buffering=0)

    def log_output(self):
        """The same, of the payload's output and log."""
        return open(self._call(c.avf_vm_get_log_output), "rb", buffering=0)

    def console_input(self):
        """A file to write, if the configuration supports it."""
        return open(self._call(c.avf_vm_get_console_input), "wb",
                    buffering=0)

    def to_descriptor(self):
        """The files of a stopped named VM, to send to another process."""
        from ._manager import Descriptor
        return Descriptor(self._call(c.avf_vm_to_descriptor))

    def run(self):
        """Start it. STARTED, or STOPPED with START_FAILED, follows."""
        self._call(c.avf_vm_run)

    def stop(self):
        """Ask the guest to shut down; it is killed after 5 s."""
        self._call(c.avf_vm_stop)

    def kill(self):
        """STOPPED with KILLED follows."""
        self._call(c.avf_vm_kill)

    @property
    def status(self):
        """RUNNING until STOPPED was taken."""
        return named("Status", self._call(c.avf_vm_get_status))

    def _is_running(self):
        return self._call(c.avf_vm_get_status) == c.AVF_STATUS_RUNNING

    @property
    def pid(self):
        """Of the VMM process; 0 when it does not run."""
        return self._call(c.avf_vm_get_pid)

    def fileno(self):
        """To poll; do not read or close it."""
        with self._handle:
            return self._fd

    def next_event(self):
        """None when there is nothing now."""
        row = self._call(c.avf_vm_next_event)
        if row is None:
            return None
        event = Event(*row)
        if event._is_last():
            self._ring()  # the fd tells nobody else
        return event

    def wait_event(self, timeout=None):
        """None when the seconds have passed or the VM is stopped."""
        end = None if timeout is None else time.monotonic() + timeout
        with self._handle, self._alarm:
            while True:
                event = self.next_event()
                if event or not self._is_running():
                    return event
                left = None if end is None else end - time.monotonic()
                if left is not None and left <= 0:
                    return None
                self._alarm.sleep(self._fd, left)

    def wait_stopped(self, timeout=None):
        """Pass over events until STOPPED, and return that."""
        end = None if timeout is None else time.monotonic() + timeout
        while True:
            left = None if end is None else max(0, end - time.monotonic())
            event = self.wait_event(left)
            if event is None or event._is_last():
                return event

    def events(self):
        """For `for` and `async for`; STOPPED is the last one."""
        return Events(self)

    async def wait_event_async(self):
        """As wait_event(), in an asyncio task. Cancelling loses nothing."""
        with self._handle:
            while True:
                event = self.next_event()
                if event or not self._is_running():
                    return event
                await self._loops.wait(self._fd, self._is_over)

    def _is_over(self):
        return self._handle.closed or not self._is_running()

    def connect(self, port,
                timeout=CONNECT_TIMEOUT):
        """A stream socket.socket to the guest's vsock port."""
        _check_port(port)
        with self._handle as pointer:
            return _socket(c.avf_vm_connect(pointer, port,
                                            milliseconds(timeout)))

    async def connect_async(self, port,
                            timeout=CONNECT_TIMEOUT):
        """The same, non-blocking, for asyncio."""
        import asyncio
        loop = asyncio.get_running_loop()
        sock = await loop.run_in_executor(None, self.connect, port, timeout)
        sock.setblocking(False)
        return sock

    def connect_rpc(self, port, timeout=CONNECT_TIMEOUT):
        """The root object, an avf.rpc.Binder, of an RPC binder server in
        the VM, which may call objects of ours at any time. The timeout is
        for each connection, and for all that is said until there is a
        session."""
        from .rpc import Session
        with Session(incoming_threads=1, connect_timeout=timeout) as session:
            return session.connect(lambda: self.connect(port, timeout))

    def listen(self, port):
        """Take what this guest connects to the host's vsock port."""
        _check_port(port)
        with self._handle as pointer:
            return Listener(c.avf_vm_listen(pointer, port))


def _check_port(port):
    if not isinstance(port, int):
        raise TypeError(f"a port is an int, not {type(port).__name__}")
    if not 0 <= port < 2**32:
        raise AvfError(c.AVF_ERR_INVALID, "AVF_ERR_INVALID",
                       f"Bad port {port}: an application may use 1024 to "
                       f"{2**32 - 1}")


class Events:
    """The events of one run, in both kinds of loops."""

    def __init__(self, vm):
        self._vm = vm
        self._over = False

    def _took(self, event, end):
        if event is None:
            raise end
        self._over = event._is_last()
        return event

    def __iter__(self):
        return self

    def __next__(self):
        if self._over:
            raise StopIteration
        return self._took(self._vm.wait_event(), StopIteration)

    def __aiter__(self):
        return self

    async def __anext__(self):
        if self._over:
            raise StopAsyncIteration
        return self._took(await self._vm.wait_event_async(),
                          StopAsyncIteration)


class Listener:
    """Takes connections that the guest makes to one port of the host."""

    def __init__(self, pointer):
        self._handle = Handle(pointer, c.avf_listener_free, "listener")
        self._fd = c.avf_listener_get_fd(pointer)
        self._alarm = Alarm()
        self._loops = LoopWaiters()

    def close(self):
        """Stop listening. Sockets that were taken stay."""
        self._handle.close(self._interrupt)

    def _interrupt(self, _):
        self._alarm.ring()
        self._loops.ring()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()

    def __del__(self):
        if hasattr(self, "_loops"):
            self._handle.close()

    def fileno(self):
        """Readable while a connection waits."""
        with self._handle:
            return self._fd

    def _take(self):
        """A socket, or None when nobody waits."""
        try:
            with self._handle as pointer, self._handle._lock:
                return _socket(c.avf_listener_accept(pointer, 0))
        except AvfError as error:
            if error.code != c.AVF_ERR_TIMEOUT:
                raise
        return None

    def accept(self, timeout=None):
        """A stream socket.socket. AvfError with AVF_ERR_TIMEOUT, or
        AVF_ERR_CLOSED when the VM has stopped."""
        end = None if timeout is None else time.monotonic() + timeout
        with self._handle, self._alarm:
            while True:
                sock = self._take()
                if sock:
                    return sock
                left = None if end is None else end - time.monotonic()
                if left is not None and left <= 0:
                    raise AvfError(c.AVF_ERR_TIMEOUT, "AVF_ERR_TIMEOUT",
                                   f"no connection within {timeout} s")
                self._alarm.sleep(self._fd, left)

    async def accept_async(self):
        """The same, non-blocking, for asyncio."""
        with self._handle:
            while True:
                sock = self._take()
                if sock:
                    sock.setblocking(False)
                    return sock
                await self._loops.wait(self._fd, lambda: self._handle.closed)
