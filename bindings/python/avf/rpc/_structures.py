"""Parcelables, unions and holders, as Python classes and in parcels."""
import copy
import ctypes as c

from ._native import (STATUS_BAD_VALUE, STATUS_UNEXPECTED_NULL, RpcError,
                      check, lib)
from ._values import INT, PLAIN, Kind, bytes_left


class Structure:
    """A parcelable: its fields are attributes."""

    _descriptor = ""
    _fields = {}    #: name: (value, default)
    __slots__ = ()

    def __init__(self, **values):
        for name, (kind, default) in self._fields.items():
            setattr(self, name, values.pop(name) if name in values else
                    kind.default() if default is None else
                    copy.deepcopy(default))
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


class Union:
    """One of its fields, by name: Shape(circle=...). Its attribute is the
    value; setting another field's makes that the one that is there. Which it
    is: _tag, a name; and its value: _value."""

    _descriptor = ""
    _fields = {}    #: name: (value, default)
    __slots__ = ("_tag", "_value")

    def __init__(self, **values):
        if len(values) > 1:
            raise TypeError(f"{type(self).__name__} holds one field, not "
                            f"{', '.join(values)}")
        for name, value in values.items():
            setattr(self, name, value)
        if not values:
            name, (kind, default) = next(iter(self._fields.items()))
            setattr(self, name, kind.default() if default is None
                    else copy.deepcopy(default))

    def __setattr__(self, name, value):
        if name not in self._fields:
            raise AttributeError(f"{type(self).__name__} has no field {name}")
        object.__setattr__(self, "_tag", name)
        object.__setattr__(self, "_value", value)

    def __getattr__(self, name):
        if name not in self._fields:
            raise AttributeError(f"{type(self).__name__} has no field {name}")
        if name != self._tag:
            raise AttributeError(f"this {type(self).__name__} holds "
                                 f"{self._tag}, not {name}")
        return self._value

    def __eq__(self, other):
        return (type(self) is type(other) and self._tag == other._tag
                and self._value == other._value)

    __hash__ = None

    def __repr__(self):
        return f"{type(self).__name__}({self._tag}={self._value!r})"


def write_field(parcel, where, name, kind, value):
    """Says which one it is that cannot be written."""
    try:
        kind.write(parcel, value)
    except (TypeError, ValueError, OverflowError, AttributeError,
            c.ArgumentError) as error:
        raise TypeError(f"{where}.{name}: {error}") from error
    except RpcError as error:
        raise RpcError(error.status, f"{where}.{name}") from error


def write_sized(parcel, write, uncounted=4):
    """What write() writes, behind its size; of that, how many bytes do not
    count."""
    start = lib.AParcel_getDataPosition(parcel)
    INT.write(parcel, 0)
    write()
    end = lib.AParcel_getDataPosition(parcel)
    check(lib.AParcel_setDataPosition(parcel, start))
    INT.write(parcel, end - start - uncounted)
    check(lib.AParcel_setDataPosition(parcel, end))


class _Flagged(Kind):
    """What can be null: a flag, and the body."""

    def __init__(self, clazz):
        self.clazz = clazz

    def default(self):
        return self.clazz()

    def write(self, parcel, value):
        INT.write(parcel, 0 if value is None else 1)
        if value is None:
            return
        if not isinstance(value, self.clazz):
            raise TypeError(f"a {self.clazz.__name__} must be here, not "
                            f"{value!r}")
        self.write_body(parcel, value)

    def read(self, parcel):
        return None if INT.read(parcel) == 0 else self.read_body(parcel)


class Parcelable(_Flagged):
    """The size of the body, which counts itself, and the fields. A body may
    have fewer fields than we know, or more."""

    def write_body(self, parcel, value):
        def fields():
            for name, (kind, _) in self.clazz._fields.items():
                write_field(parcel, self.clazz.__name__, name, kind,
                            getattr(value, name))

        write_sized(parcel, fields, uncounted=0)

    def read_body(self, parcel):
        start = lib.AParcel_getDataPosition(parcel)
        size = INT.read(parcel)
        if not 4 <= size <= lib.AParcel_getDataSize(parcel) - start:
            raise RpcError(STATUS_BAD_VALUE, f"a body of {size} bytes")
        value = self.clazz()
        for name, (kind, _) in self.clazz._fields.items():
            if lib.AParcel_getDataPosition(parcel) - start >= size:
                break
            setattr(value, name, kind.read(parcel))
        # the next one must not read the same bytes again
        if lib.AParcel_getDataPosition(parcel) - start > size:
            raise RpcError(STATUS_BAD_VALUE, f"a body of {size} bytes")
        check(lib.AParcel_setDataPosition(parcel, start + size))
        return value


class UnionValue(_Flagged):
    """The number of the field that is there, and its value."""

    def write_body(self, parcel, value):
        names = list(self.clazz._fields)
        INT.write(parcel, names.index(value._tag))
        write_field(parcel, self.clazz.__name__, value._tag,
                    self.clazz._fields[value._tag][0], value._value)

    def read_body(self, parcel):
        tag = INT.read(parcel)
        names = list(self.clazz._fields)
        if not 0 <= tag < len(names):
            raise RpcError(STATUS_BAD_VALUE, f"field {tag} of "
                           f"{self.clazz.__name__}")
        kind, _ = self.clazz._fields[names[tag]]
        return self.clazz(**{names[tag]: kind.read(parcel)})


class Unknown:
    """What a ParcelableHolder holds when its type was not loaded. It can be
    sent on as it is."""

    def __init__(self, descriptor):
        self.descriptor = descriptor
        self._parcel = lib.AParcel_create()
        if not self._parcel:
            raise MemoryError("AParcel_create")

    def __del__(self):
        lib.AParcel_delete(self._parcel)

    def __repr__(self):
        return f"<a {self.descriptor} that was not loaded>"


class Holder(Kind):
    """A ParcelableHolder: a parcelable of any type, or None. In a parcel: a
    flag, the stability, the size of the rest; the type's name and the body.
    find(name) is the kind of a type that was loaded, or None."""
    size = 12

    def __init__(self, find):
        self.find = find

    def write(self, parcel, value):
        INT.write(parcel, 1)
        INT.write(parcel, 0)

        def content():
            if isinstance(value, Unknown):
                check(lib.AParcel_appendFrom(
                    value._parcel, parcel, 0,
                    lib.AParcel_getDataSize(value._parcel)))
            elif value is not None:
                kind = self.find(getattr(value, "_descriptor", ""))
                if kind is None:
                    raise TypeError(f"a holder has no place for {value!r}")
                PLAIN["String"].write(parcel, value._descriptor)
                kind.write_body(parcel, value)

        write_sized(parcel, content)

    def _read_content(self, parcel, size):
        start = lib.AParcel_getDataPosition(parcel)
        name = PLAIN["String"].read(parcel)
        kind = self.find(name) if name is not None else None
        if kind is not None:
            value = kind.read_body(parcel)
        else:
            value = Unknown(name)
            check(lib.AParcel_appendFrom(parcel, value._parcel, start, size))
        if lib.AParcel_getDataPosition(parcel) > start + size:
            raise RpcError(STATUS_BAD_VALUE, f"a holder of {size} bytes")
        check(lib.AParcel_setDataPosition(parcel, start + size))
        return value

    def read(self, parcel):
        if INT.read(parcel) == 0:
            raise RpcError(STATUS_UNEXPECTED_NULL, "no holder")
        stability, size = INT.read(parcel), INT.read(parcel)
        if stability != 0 or not 0 <= size <= bytes_left(parcel):
            raise RpcError(STATUS_BAD_VALUE, f"a holder of {size} bytes, "
                           f"stability {stability}")
        return self._read_content(parcel, size) if size else None
