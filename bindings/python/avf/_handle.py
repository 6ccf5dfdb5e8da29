"""Owning C objects, and waiting for descriptors, from several threads."""
from __future__ import annotations

import os
from _thread import RLock  # threading's own; that module imports ten others

from . import _native as c
from ._errors import AvfError


class Handle:
    """A C object that any thread may use until some thread closes it.

    `with handle as pointer:` keeps the object for the block. It is freed by
    close(), or at the end of the last such block: so nothing is freed under
    a call, and close() cannot wait for its own thread in a signal handler.
    """

    def __init__(self, pointer, free, what: str):
        self._pointer = pointer
        self._free = free
        self._what = what
        self._users = 0
        self._pid = os.getpid()
        # reentrant: a signal handler may call us in the midst of a call
        self._lock = RLock()
        self.closed = False

    def __enter__(self):
        with self._lock:
            if self.closed:
                raise AvfError(c.AVF_ERR_STATE, "AVF_ERR_STATE",
                               f"the {self._what} is closed")
            if self._pid != os.getpid():
                raise AvfError(c.AVF_ERR_STATE, "AVF_ERR_STATE",
                               f"the {self._what} belongs to the process "
                               f"{self._pid}, which forked this one")
            self._users += 1
            return self._pointer

    def __exit__(self, *_):
        with self._lock:
            self._users -= 1
            self._free_if_unused()

    def close(self, interrupt=None):
        """interrupt(pointer) makes those end who wait inside."""
        with self._lock:
            if self.closed:
                return
            self.closed = True
            if interrupt and self._pid == os.getpid():
                interrupt(self._pointer)
            self._free_if_unused()

    def _free_if_unused(self):
        if not self.closed or self._users or self._pointer is None:
            return
        pointer, self._pointer = self._pointer, None
        # in a fork it is the parent's: its VM must live on
        if self._pid == os.getpid():
            self._free(pointer)


class Alarm:
    """Lets threads sleep on a descriptor, and wakes all of them."""

    def __init__(self):
        self._lock = RLock()
        self._sleepers = 0
        self._fd = -1

    def __enter__(self):
        """From here on ring() is not missed."""
        with self._lock:
            if self._fd < 0:
                self._fd = os.eventfd(0, os.EFD_CLOEXEC | os.EFD_NONBLOCK)
            self._sleepers += 1
            return self

    def __exit__(self, *_):
        with self._lock:
            self._sleepers -= 1
            if not self._sleepers:
                os.close(self._fd)
                self._fd = -1

    def sleep(self, fd: int, seconds: float | None):
        import select  # a shared object, which only waiting needs
        poll = select.poll()
        poll.register(fd, select.POLLIN)
        poll.register(self._fd, select.POLLIN)
        poll.poll(None if seconds is None else max(0.0, seconds) * 1000)

    def ring(self):
        with self._lock:
            if self._sleepers:
                os.eventfd_write(self._fd, 1)


class LoopWaiters:
    """Futures of asyncio tasks that wait for one descriptor."""

    def __init__(self):
        self._lock = RLock()
        self._waiting = {}

    async def wait(self, fd: int, changed):
        """Until fd is readable or ring(). changed() is asked after our
        registration, so that no ring() falls between."""
        import asyncio
        loop = asyncio.get_running_loop()
        future = loop.create_future()
        with self._lock:
            futures = self._waiting.setdefault(loop, [])
            futures.append(future)
            loop.add_reader(fd, self._wake, loop)
        try:
            if not changed():
                await future
        finally:
            with self._lock:
                futures.remove(future)
                if not futures:
                    del self._waiting[loop]
                    loop.remove_reader(fd)

    def _wake(self, loop):
        with self._lock:
            for future in self._waiting.get(loop, ()):
                if not future.done():
                    future.set_result(None)

    def ring(self):
        with self._lock:
            for loop in list(self._waiting):
                try:
                    loop.call_soon_threadsafe(self._wake, loop)
                except RuntimeError:
                    pass  # that loop is closed: nobody waits


def milliseconds(seconds: float | None) -> int:
    """What the C API calls a time-out; None is for ever."""
    if seconds is None:
        return -1
    return min(max(0, int(seconds * 1000 + 0.999)), 2**31 - 1)
