"""Interfaces as Python classes: proxies, services, and their methods."""
import ctypes as c

from ._native import (FLAG_ONEWAY, STATUS_BAD_TYPE, STATUS_BAD_VALUE,
                      STATUS_NO_MEMORY, STATUS_UNKNOWN_TRANSACTION, RpcError,
                      check, lib)
from ._objects import new_object
from ._structures import write_field
from ._values import (INT, PLAIN, AidlException, Kind, close_on_failure,
                      read_status, write_status)


class InterfaceValue(Kind):
    """An object of one interface: a proxy, or who serves it here."""
    size = 8

    def __init__(self, clazz):
        self.clazz = clazz

    def write(self, parcel, value):
        PLAIN["IBinder"].write(parcel, value)

    def read(self, parcel):
        binder = PLAIN["IBinder"].read(parcel)
        try:
            return None if binder is None else self.clazz(binder)
        except TypeError as error:  # the peer's object is another one
            raise RpcError(STATUS_BAD_TYPE, str(error)) from error


class Interface:
    """A proxy: aidl.IEcho(binder).repeat("x")."""

    _descriptor = ""
    _class = None
    _methods = {}   #: by code

    def __init__(self, binder):
        if not lib.AIBinder_associateClass(binder._pointer, self._class):
            raise TypeError(f"the object is no {self._descriptor}, or does "
                            "not answer")
        self._binder = binder

    def as_binder(self):
        return self._binder

    def __eq__(self, other):
        return (isinstance(other, Interface)
                and self._binder is other._binder)

    def __hash__(self):
        return hash(self._binder)

    @classmethod
    def serve(cls, implementation):
        """A proxy of implementation, whose methods peers can call."""
        def service(code, parcel_in, parcel_out):
            method = cls._methods.get(code)
            if method is None:
                return STATUS_UNKNOWN_TRANSACTION
            return method.answer(implementation, parcel_in, parcel_out)
        return cls(new_object(cls._class, service))


def _one_or_all(values):
    return None if not values else values[0] if len(values) == 1 else \
        tuple(values)


def _read_length(parcel):
    """Of an "out" array, that the peer wants: not more than what is read of
    one at a time."""
    n = INT.read(parcel)
    if n < -1:
        raise RpcError(STATUS_BAD_VALUE, f"an array of {n} elements")
    if n >= _MOST_ELEMENTS:
        raise RpcError(STATUS_NO_MEMORY, f"an array of {n} elements")
    return n


_MOST_ELEMENTS = 1000000


class BoundMethod:
    """How one method is called, and how it is answered."""

    def __init__(self, method, scope):
        self.name = method.name
        self.code = method.code
        self.oneway = method.oneway
        #: way, name, kind, whether an "out" one is told its length
        self.args = []
        for arg in method.args:
            kind = scope.value(arg.type)
            self.args.append((arg.direction, arg.name, kind,
                              getattr(kind, "inner", kind).counted
                              if arg.direction == "out" else False))
        self.n_args = sum(way != "out" or counted
                          for way, _, _, counted in self.args)
        #: name, kind
        self.results = [("the result", scope.value(method.type))
                        ] if method.type.name != "void" else []
        self.results += [(name, kind) for way, name, kind, _ in self.args
                         if way != "in"]

    def _write_results(self, parcel, values):
        if len(self.results) == 1:
            values = (values,)
        if len(values or ()) != len(self.results):
            raise TypeError(f"{self.name}() has {len(self.results)} results, "
                            f"not {len(values or ())}")
        for (name, kind), value in zip(self.results, values or ()):
            write_field(parcel, f"{self.name}()", name, kind, value)

    def _write_args(self, parcel, values):
        values = iter(values)
        for way, name, kind, counted in self.args:
            if way != "out":
                write_field(parcel, f"{self.name}()", name, kind,
                            next(values))
            elif counted:
                INT.write(parcel, self._length(name, next(values)))

    def _length(self, name, value):
        try:
            return len(value)
        except TypeError as error:
            raise TypeError(f"{self.name}().{name}: {error}; a list of the "
                            "wanted length must be here") from error

    def _read_all(self, read):
        """What a peer sent may be nested deeper than we can follow."""
        try:
            with close_on_failure():
                return list(read)
        except (RecursionError, c.ArgumentError) as error:
            # the second is what ctypes makes of the first
            raise RpcError(STATUS_BAD_VALUE, "nested too deep") from error

    def call(self, binder, values):
        if len(values) != self.n_args:
            raise TypeError(f"{self.name}() takes {self.n_args} "
                            f"arguments, not {len(values)}")
        parcel, out = c.c_void_p(), c.c_void_p()
        check(lib.AIBinder_prepareTransaction(binder, c.byref(parcel)))
        try:
            self._write_args(parcel, values)
            check(lib.AIBinder_transact(
                binder, self.code, c.byref(parcel), c.byref(out),
                FLAG_ONEWAY if self.oneway else 0), self.name)
            if self.oneway:
                return None
            read_status(out)
            return _one_or_all(self._read_all(
                kind.read(out) for _, kind in self.results))
        finally:
            lib.AParcel_delete(parcel)
            lib.AParcel_delete(out)

    def _read_args(self, parcel):
        for way, _, kind, counted in self.args:
            if way != "out":
                yield kind.read(parcel)
            elif counted:
                yield _read_length(parcel)

    def answer(self, implementation, parcel_in, parcel_out):
        method = getattr(implementation, self.name, None)
        if method is None:
            return STATUS_UNKNOWN_TRANSACTION
        return self._answer_with(method, parcel_in, parcel_out)

    def _answer_with(self, method, parcel_in, parcel_out):
        values = self._read_all(self._read_args(parcel_in))
        try:
            results = method(*values)
        except AidlException as error:
            if self.oneway:
                return 0
            write_status(parcel_out, error)
            return 0
        if not self.oneway:
            write_status(parcel_out, None)
            self._write_results(parcel_out, results)
        return 0

    def as_function(self):
        def method(proxy, *values):
            return self.call(proxy._binder._pointer, values)
        method.__name__ = self.name
        method.__doc__ = ", ".join(f"{way} {name}"
                                   for way, name, _, _ in self.args)
        return method


class MetaMethod(BoundMethod):
    """What the interface answers, and not who implements it."""

    def __init__(self, method, scope, value):
        super().__init__(method, scope)
        self.value = value

    def answer(self, implementation, parcel_in, parcel_out):
        return self._answer_with(lambda: self.value, parcel_in, parcel_out)
