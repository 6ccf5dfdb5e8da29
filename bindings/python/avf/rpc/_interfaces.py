"""Interfaces and parcelables as Python classes."""
import copy
import ctypes as c

from ._aidl import AidlError, Name
from ._native import (FLAG_ONEWAY, STATUS_BAD_VALUE,
                      STATUS_UNKNOWN_TRANSACTION, RpcError, check, lib)
from ._objects import define_class, new_object
from ._values import (INT, NULLABLE, PLAIN, AidlException, Array, Bytes,
                      NotNull, read_status, write_status)


class Structure:
    """A parcelable: its fields are attributes."""

    _fields = {}    #: name: (value, default)
    __slots__ = ()

    def __init__(self, **values):
        for name, (kind, default) in self._fields.items():
            setattr(self, name, values.pop(name) if name in values else
                    kind.default() if default is None else
                    copy.copy(default))
        if values:
            raise TypeError(f"{type(self).__name__} has no field "
                            f"{', '.join(values)}")

    def _state(self):
        return tuple(getattr(self, name) for name in self._fields)

    def __eq__(self, other):
        return type(self) is type(other) and self._state() == other._state()

    __hash__ = None

    def __repr__(self):
        inside = ", ".join(f"{name}={getattr(self, name)!r}"
                           for name in self._fields)
        return f"{type(self).__name__}({inside})"


class Parcelable:
    """A flag, the size of the body, which counts itself, and the fields. A
    body may have fewer fields than we know, or more."""
    size = 4

    def __init__(self, clazz):
        self.clazz = clazz

    def default(self):
        return self.clazz()

    def write(self, parcel, value):
        INT.write(parcel, 0 if value is None else 1)
        if value is None:
            return
        start = lib.AParcel_getDataPosition(parcel)
        INT.write(parcel, 0)
        for name, (kind, _) in self.clazz._fields.items():
            kind.write(parcel, getattr(value, name))
        end = lib.AParcel_getDataPosition(parcel)
        check(lib.AParcel_setDataPosition(parcel, start))
        INT.write(parcel, end - start)
        check(lib.AParcel_setDataPosition(parcel, end))

    def read(self, parcel):
        if INT.read(parcel) == 0:
            return None
        start = lib.AParcel_getDataPosition(parcel)
        size = INT.read(parcel)
        if not 4 <= size <= lib.AParcel_getDataSize(parcel) - start:
            raise RpcError(STATUS_BAD_VALUE, f"a body of {size} bytes")
        value = self.clazz()
        for name, (kind, _) in self.clazz._fields.items():
            if lib.AParcel_getDataPosition(parcel) - start >= size:
                break
            setattr(value, name, kind.read(parcel))
        check(lib.AParcel_setDataPosition(parcel, start + size))
        return value


class InterfaceValue:
    """An object of one interface: a proxy, or who serves it here."""
    size = 8

    def __init__(self, clazz):
        self.clazz = clazz

    def default(self):
        return None

    def write(self, parcel, value):
        PLAIN["IBinder"].write(parcel, value)

    def read(self, parcel):
        binder = PLAIN["IBinder"].read(parcel)
        return None if binder is None else self.clazz(binder)


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


class BoundMethod:
    """How one method is called, and how it is answered."""

    def __init__(self, method, aidl):
        self.name = method.name
        self.code = method.code
        self.oneway = method.oneway
        self.args = [(arg.direction, arg.name, aidl._value(arg.type))
                     for arg in method.args]
        self.result = (None if method.type.name == "void"
                       else aidl._value(method.type))

    def _write_results(self, parcel, values):
        kinds = [] if self.result is None else [self.result]
        kinds += [kind for way, _, kind in self.args if way != "in"]
        if len(kinds) == 1:
            values = (values,)
        for kind, value in zip(kinds, values or (), strict=True):
            kind.write(parcel, value)

    def _read_results(self, parcel):
        kinds = [] if self.result is None else [self.result]
        kinds += [kind for way, _, kind in self.args if way != "in"]
        return _one_or_all([kind.read(parcel) for kind in kinds])

    def _write_args(self, parcel, values):
        values = iter(values)
        for way, _, kind in self.args:
            if way != "out":
                kind.write(parcel, next(values))
            elif isinstance(getattr(kind, "inner", kind), (Array, Bytes)):
                INT.write(parcel, len(next(values)))

    def _n_args(self):
        return sum(way != "out" or
                   isinstance(getattr(kind, "inner", kind), (Array, Bytes))
                   for way, _, kind in self.args)

    def call(self, binder, values):
        if len(values) != self._n_args():
            raise TypeError(f"{self.name}() takes {self._n_args()} "
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
            return self._read_results(out)
        finally:
            lib.AParcel_delete(parcel)
            lib.AParcel_delete(out)

    def _read_args(self, parcel):
        for way, _, kind in self.args:
            if way != "out":
                yield kind.read(parcel)
            elif isinstance(getattr(kind, "inner", kind), (Array, Bytes)):
                yield INT.read(parcel)

    def answer(self, implementation, parcel_in, parcel_out):
        values = list(self._read_args(parcel_in))
        method = getattr(implementation, self.name, None)
        if method is None:
            return STATUS_UNKNOWN_TRANSACTION
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
                                   for way, name, _ in self.args)
        return method


class Aidl:
    """The interfaces, parcelables and enums of some files, as attributes by
    their last names, or by their whole ones as [name]."""

    def __init__(self, files):
        self._all = {}
        self._made = {}
        self._kinds = {}
        for file in files:
            for each in file.declarations:
                self._all[each.name] = (each, file)
        for name in self._all:
            self[name]

    def __getitem__(self, name):
        if name not in self._made:
            if name not in self._all:
                raise KeyError(name)
            self._make(*self._all[name])
        return self._made[name]

    def __getattr__(self, name):
        if not name.startswith("_"):
            for whole in self._all:
                if whole.rpartition(".")[2] == name:
                    return self[whole]
        raise AttributeError(f"no {name} in {', '.join(self._all)}")

    def _make(self, declaration, file):
        make = {"interface": self._make_interface, "enum": self._make_enum,
                "parcelable": self._make_parcelable}.get(declaration.kind)
        if not make:
            raise AidlError(f"{file.path}: no {declaration.kind} yet")
        make(declaration, file)

    def _class(self, base, declaration, members):
        made = type(declaration.name.rpartition(".")[2], (base,), {
            **declaration.constants, **members,
            "__module__": declaration.name.rpartition(".")[0]})
        self._made[declaration.name] = made
        return made

    def _make_interface(self, declaration, file):
        # known before its methods, which may have arguments of its type
        made = self._class(Interface, declaration, {
            "_descriptor": declaration.name,
            "_class": define_class(declaration.name)})
        self._kinds[declaration.name] = InterfaceValue(made)
        scope = _Scope(self, file)
        methods = [BoundMethod(each, scope) for each in declaration.methods]
        made._methods = {each.code: each for each in methods}
        for each in methods:
            setattr(made, each.name, each.as_function())

    def _make_parcelable(self, declaration, file):
        made = self._class(Structure, declaration, {"_fields": {}})
        self._kinds[declaration.name] = Parcelable(made)
        scope = _Scope(self, file)
        made._fields = {each.name: (scope._value(each.type),
                                    scope.constant(each.default))
                        for each in declaration.fields}

    def _make_enum(self, declaration, file):
        self._class(object, declaration, {})
        self._kinds[declaration.name] = PLAIN[declaration.backing]


class _Scope:
    """Names as one file sees them."""

    def __init__(self, aidl, file):
        self.aidl = aidl
        self.file = file

    def _whole(self, name):
        """The declared name behind name."""
        candidates = [name, f"{self.file.package}.{name}"]
        candidates += [whole for whole in self.file.imports
                       if whole.rpartition(".")[2] == name]
        for each in candidates:
            if each in self.aidl._all:
                return each
        raise AidlError(f"{self.file.path}: nothing declares {name}; load "
                        "the file that does, too")

    def constant(self, value):
        """A default value, which may be Colour.RED."""
        if not isinstance(value, Name):
            return value
        where, _, name = value.rpartition(".")
        declaration, _ = self.aidl._all[self._whole(where)]
        if name not in declaration.constants:
            raise AidlError(f"{self.file.path}: no {value}")
        return declaration.constants[name]

    def _element(self, kind):
        if kind.name == "List" and kind.args:
            return Array(self._value(kind.args[0]))
        if kind.name in PLAIN:
            return PLAIN[kind.name]
        whole = self._whole(kind.name)
        self.aidl[whole]
        return self.aidl._kinds[whole]

    def _value(self, kind):
        made = self._element(kind)
        for at, length in enumerate(kind.dims):
            if kind.name == "byte" and at == 0 and length is None:
                made = Bytes()
                continue
            inner = NotNull(made) if not kind.nullable and isinstance(
                made, (*NULLABLE, Parcelable, InterfaceValue)) else made
            made = Array(inner, length)
        if kind.nullable or isinstance(made, InterfaceValue):
            return made
        return NotNull(made) if isinstance(made, (*NULLABLE, Parcelable)) \
            else made
