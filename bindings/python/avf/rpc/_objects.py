"""Objects that can be called, sessions with peers, and servers."""
import ctypes as c
import itertools
import threading
import weakref

from ._native import (OnCreate, OnDestroy, OnDied, OnTransact, RequestFd,
                      STATUS_UNKNOWN_ERROR, RpcError, check, lib)

# What callbacks of C find: services by the key that is their user data. No
# lock: one operation of a dictionary at a time, and what is taken out may
# own objects of its own, whose ends come back here.
_services = {}
_keys = itertools.count(1)
# The _Held of Binder objects by their C objects, so that each has one.
_known = {}
# For taking one out of _known. The collector, and with it any code at all,
# may come in on the same thread.
_lock = threading.RLock()
# Links to a death by the key that is their cookie; their Binders have them.
_links = weakref.WeakValueDictionary()


@OnCreate
def _on_create(key):
    return key


@OnDestroy
def _on_destroy(key):
    _services.pop(key, None)


@OnTransact
def _on_transact(binder, code, parcel_in, parcel_out):
    try:
        service = _services[lib.AIBinder_getUserData(binder)]
        return service(code, parcel_in, parcel_out)
    except RpcError as error:
        return error.status
    except BaseException:  # nobody is above us who could catch it
        import traceback
        traceback.print_exc()
        return STATUS_UNKNOWN_ERROR


@OnDied
def _on_died(key):
    link = _links.get(key)
    if link is not None:
        link.callback()


# One for all links, for good: a callback of its own would have to stay until
# no thread of C's can be in it.
_recipient = lib.AIBinder_DeathRecipient_new(_on_died)
if not _recipient:
    raise MemoryError("AIBinder_DeathRecipient_new")


class _Link:
    def __init__(self, callback):
        self.callback = callback
        self.key = next(_keys)


def define_class(descriptor):
    """An AIBinder_Class, which is never freed."""
    made = lib.AIBinder_Class_define(descriptor.encode(), _on_create,
                                     _on_destroy, _on_transact)
    if not made:
        raise MemoryError("AIBinder_Class_define")
    return made


def new_object(clazz, service):
    """A Binder whose calls come to service(code, in, out)."""
    key = next(_keys)
    _services[key] = service
    pointer = lib.AIBinder_new(clazz, key)
    if not pointer:
        _on_destroy(key)
        raise MemoryError("AIBinder_new")
    return Binder._take(pointer)


class _Held(weakref.ref):
    """Finds the Binder of a C object, and gives the reference back once it is
    gone. A __del__ would do so too early: while it runs, other threads still
    find the Binder. It has the keys of the links only: their callbacks may
    own the Binder."""
    __slots__ = "pointer", "keys"


def _forget(held):
    """Take it out of _known, unless another has its place. Nothing here is a
    call, after which the interpreter might let others in."""
    with _lock:
        if held.pointer in _known and _known[held.pointer] is held:
            del _known[held.pointer]


def _give_back(held):
    _forget(held)
    for key in held.keys:
        lib.AIBinder_unlinkToDeath(held.pointer, _recipient, key)
    lib.AIBinder_decStrong(held.pointer)


class Binder:
    """An object of this process or of a peer. There is one per object, and
    per session for a peer's; == compares objects."""

    @classmethod
    def _take(cls, pointer):
        """Of a C object, whose reference is taken. None for NULL."""
        if not pointer:
            return None
        found = _known.get(pointer)
        known = found() if found else None
        if known is None:
            return cls._make(pointer)
        lib.AIBinder_decStrong(pointer)
        return known

    @classmethod
    def _make(cls, pointer):
        made = object.__new__(cls)
        made._pointer = pointer
        made._links = {}
        made._keys = set()
        held = _Held(made, _give_back)
        held.pointer, held.keys = pointer, made._keys
        found = _known.setdefault(pointer, held)
        while (known := found()) is None:  # one whose end is still to be told
            _forget(found)
            found = _known.setdefault(pointer, held)
        del made  # when another thread was faster, this gives back
        return known

    def __init__(self):
        raise TypeError("comes from a session, or from serve()")

    def as_binder(self):
        return self

    @property
    def is_remote(self):
        return lib.AIBinder_isRemote(self._pointer)

    @property
    def is_alive(self):
        """False once the peer is gone."""
        return lib.AIBinder_isAlive(self._pointer)

    def ping(self):
        """RpcError when the peer does not answer. Blocks."""
        check(lib.AIBinder_ping(self._pointer))

    def link_to_death(self, callback):
        """Call callback() once, on some thread, when the peer is gone. Needs
        a session with incoming threads. Nobody is told once this object is
        collected."""
        link = _Link(callback)
        _links[link.key] = link
        check(lib.AIBinder_linkToDeath(self._pointer, _recipient, link.key))
        self._links[link.key] = link
        self._keys.add(link.key)

    def unlink_to_death(self, callback):
        """Do not call it. ValueError: it is not linked."""
        for key, link in self._links.items():
            if link.callback == callback:
                del self._links[key]
                self._keys.remove(key)
                lib.AIBinder_unlinkToDeath(self._pointer, _recipient, key)
                return
        raise ValueError(f"{callback!r} is not linked")


class Session:
    """A connection to a peer that serves a root object. It lives as long as
    one of its objects is used, also after close()."""

    def __init__(self, incoming_threads=0, fds=False, connect_timeout=None):
        """connect_timeout: seconds for all that is said until there is a
        session; a peer that is silent has no end else."""
        self._pointer = lib.ARpcSession_new()
        if not self._pointer:
            raise MemoryError("ARpcSession_new")
        lib.ARpcSession_setMaxIncomingThreads(self._pointer,
                                              incoming_threads)
        lib.ARpcSession_setFileDescriptorTransportMode(self._pointer,
                                                       int(fds))
        if connect_timeout is not None:
            lib.AvfRpcSession_setConnectTimeout(
                self._pointer, max(1, int(connect_timeout * 1000)))

    def _root(self, pointer, where):
        check(lib.AvfRpcSession_getError(self._pointer),
              f"cannot connect to {where}")
        return Binder._take(pointer)

    def connect_unix(self, path):
        """The root object of the server at the path of a Unix socket. Once
        per session. Blocks."""
        return self._root(lib.ARpcSession_setupUnixDomainClient(
            self._pointer, str(path).encode()), path)

    def connect(self, connector):
        """The same over stream sockets that connector() returns, one per
        connection; they are taken."""
        failed = []

        @RequestFd
        def request(_):
            try:
                return connector().detach()
            except BaseException as error:  # ctypes would only print it
                failed.append(error)
                return -1

        root = lib.ARpcSession_setupPreconnectedClient(self._pointer,
                                                       request, None)
        if failed:
            raise failed[0]
        return self._root(root, "the peer")

    def count_objects(self):
        """For tests: objects that either side knows of the other."""
        return lib.AvfRpcSession_countObjects(self._pointer)

    def shutdown(self):
        """End it now: its objects are dead."""
        lib.AvfRpcSession_shutdown(self._pointer, True)

    def close(self):
        pointer, self._pointer = self._pointer, None
        if pointer:
            lib.ARpcSession_free(pointer)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()

    def __del__(self):
        if getattr(self, "_pointer", None):
            self.close()


class Server:
    """Serves a root object at the path of a Unix socket, which must not
    exist and remains. fds: file descriptors may travel."""

    def __init__(self, root, path, threads=1, fds=False):
        self._pointer = lib.AvfRpcServer_newUnixDomain(
            root.as_binder()._pointer, str(path).encode())
        if not self._pointer:
            raise OSError(c.get_errno(), f"cannot listen at {path}")
        modes = (c.c_int * 2)(0, 1)
        lib.AvfRpcServer_setMaxThreads(self._pointer, threads)
        lib.ARpcServer_setSupportedFileDescriptorTransportModes(
            self._pointer, modes, 2 if fds else 1)

    def start(self):
        """Accept peers, on threads of the library."""
        lib.ARpcServer_start(self._pointer)

    def close(self):
        """End all sessions."""
        pointer, self._pointer = self._pointer, None
        if pointer:
            lib.ARpcServer_free(pointer)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()

    def __del__(self):
        if getattr(self, "_pointer", None):
            self.close()
