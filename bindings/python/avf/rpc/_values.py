"""How values of each AIDL type get into parcels and out of them."""
import contextlib
import ctypes as c
import os
import threading

from ._native import (Allocator, EX_NONE, EX_SERVICE_SPECIFIC,
                      EX_TRANSACTION_FAILED, STATUS_BAD_VALUE,
                      STATUS_UNEXPECTED_NULL, RpcError, check, lib)
from ._objects import Binder


class AidlException(Exception):
    """A method says that it failed: an exception of AIDL's list, by number
    (EX_ILLEGAL_ARGUMENT is -3), or EX_SERVICE_SPECIFIC (-8) with an error
    whose meaning the service defines."""

    def __init__(self, code, message="", service_error=0):
        super().__init__(message)
        self.code = code
        self.message = message
        self.service_error = service_error


def bytes_left(parcel):
    return (lib.AParcel_getDataSize(parcel)
            - lib.AParcel_getDataPosition(parcel))


class Kind:
    """How values of one type are written and read. size: of the least one,
    in bytes; default(): of a field that has none of its own."""
    size = 4
    counted = False

    def default(self):
        return None


class Number(Kind):
    def __init__(self, name, kind, size, zero=0):
        self.write_c = getattr(lib, f"AParcel_write{name}")
        self.read_c = getattr(lib, f"AParcel_read{name}")
        self.kind = kind
        self.size = size    #: bytes at least
        self.zero = zero

    def default(self):
        return self.zero

    def write(self, parcel, value):
        check(self.write_c(parcel, value))

    def read(self, parcel):
        value = self.kind()
        check(self.read_c(parcel, c.byref(value)))
        return value.value


class Integer(Number):
    """ctypes would cut what does not fit."""

    def __init__(self, name, kind, bits, size):
        super().__init__(name, kind, size)
        self.least, self.end = -1 << (bits - 1), 1 << (bits - 1)

    def write(self, parcel, value):
        if not self.least <= value < self.end:
            raise OverflowError(f"{value} is not between {self.least} and "
                                f"{self.end - 1}")
        check(self.write_c(parcel, value))


class Enum(Kind):
    """An enumerator, or a number that is none of them."""

    def __init__(self, clazz, backing):
        self.clazz = clazz
        self.backing = backing
        self.size = backing.size

    def default(self):
        return next(iter(self.clazz), 0)

    def write(self, parcel, value):
        self.backing.write(parcel, value)

    def named(self, number):
        try:
            return self.clazz(number)
        except ValueError:
            return number

    def read(self, parcel):
        return self.named(self.backing.read(parcel))


class Char(Number):
    """One unit of UTF-16."""

    def default(self):
        return "\0"

    def write(self, parcel, value):
        if ord(value) > 0xffff:
            raise OverflowError(f"{value!r} is more than one unit of UTF-16")
        super().write(parcel, ord(value))

    def read(self, parcel):
        return chr(super().read(parcel))


def _read_bytes(read, parcel, size_of):
    """What an allocator was asked to make room for, None for null."""
    room = []

    @Allocator
    def make(_, length, where):
        if length < 0:
            room.append(None)
            return True
        room.append(c.create_string_buffer(max(length, 1)))
        where[0] = c.addressof(room[0])
        room.append(length)
        return True

    check(read(parcel, None, make))
    return None if room[0] is None else room[0].raw[:size_of(room[1])]


class String(Kind):
    def default(self):
        return ""

    def write(self, parcel, value):
        data = None if value is None else value.encode("utf-8",
                                                       "surrogatepass")
        check(lib.AParcel_writeString(parcel, data,
                                      -1 if data is None else len(data)))

    def read(self, parcel):
        # with its NUL
        data = _read_bytes(lib.AParcel_readString, parcel, lambda n: n - 1)
        return None if data is None else data.decode("utf-8",
                                                     "surrogatepass")


def _same_length(got, length):
    if length not in (None, got):
        raise ValueError(f"{got} elements, must be {length}")


class Bytes(Kind):
    """byte[]"""

    def __init__(self, length=None):
        self.length = length    #: of byte[n]

    @property
    def counted(self):
        """Whether a caller says how many elements it wants in an "out"
        argument."""
        return self.length is None

    def default(self):
        return bytes(self.length or 0)

    def write(self, parcel, value):
        data = None if value is None else bytes(value)
        if data is not None:
            _same_length(len(data), self.length)
        check(lib.AParcel_writeByteArray(parcel, data,
                                         -1 if data is None else len(data)))

    def read(self, parcel):
        data = _read_bytes(lib.AParcel_readByteArray, parcel, lambda n: n)
        if data is not None and self.length not in (None, len(data)):
            raise RpcError(STATUS_BAD_VALUE, f"{len(data)} bytes, not "
                           f"{self.length}")
        return data


class SmallEnums(Bytes):
    """An array of an enum that has one byte per enumerator."""

    def __init__(self, enum, length=None):
        super().__init__(length)
        self.enum = enum

    def default(self):
        return [self.enum.default()] * (self.length or 0)

    def write(self, parcel, value):
        super().write(parcel, None if value is None else
                      b"".join(each.to_bytes(1, "little", signed=True)
                               for each in value))

    def read(self, parcel):
        data = super().read(parcel)
        return None if data is None else [
            self.enum.named(each - (each >> 7 << 8)) for each in data]


class Object(Kind):
    size = 8

    def write(self, parcel, value):
        pointer = None if value is None else value.as_binder()._pointer
        check(lib.AParcel_writeStrongBinder(parcel, pointer))

    def read(self, parcel):
        pointer = c.c_void_p()
        check(lib.AParcel_readStrongBinder(parcel, c.byref(pointer)))
        return Binder._take(pointer.value)


_received = threading.local()   # .files: those of close_on_failure()


@contextlib.contextmanager
def close_on_failure():
    """Files that are read inside, when not all can be read: nobody gets
    them. A call may be answered while another one's results are read."""
    outer = getattr(_received, "files", None)
    files = _received.files = []
    try:
        yield
    except BaseException:
        for each in files:
            os.close(each)
        raise
    finally:
        _received.files = outer


class File(Kind):
    """An int. A received one is the caller's to close."""

    def write(self, parcel, value):
        fd = -1 if value is None else (
            value if isinstance(value, int) else value.fileno())
        check(lib.AParcel_writeParcelFileDescriptor(parcel, fd))

    def read_with(self, read, parcel):
        fd = c.c_int(-1)
        check(read(parcel, c.byref(fd)))
        if fd.value < 0:
            return None
        files = getattr(_received, "files", None)
        if files is not None:
            files.append(fd.value)
        return fd.value

    def read(self, parcel):
        return self.read_with(lib.AParcel_readParcelFileDescriptor, parcel)


class Array(Kind):
    def __init__(self, element, length=None):
        self.element = element
        self.length = length    #: of T[n]
        self.counted = length is None   # as of Bytes

    def default(self):
        return [self.element.default() for _ in range(self.length or 0)]

    def write(self, parcel, value):
        if value is None:
            check(lib.AParcel_writeInt32(parcel, -1))
            return
        _same_length(len(value), self.length)
        check(lib.AParcel_writeInt32(parcel, len(value)))
        for each in value:
            self.element.write(parcel, each)

    def read(self, parcel):
        n = INT.read(parcel)
        if n == -1:
            return None
        # a peer's length is believed as far as there are bytes for it
        if n < 0 or n * self.element.size > bytes_left(parcel) or \
                self.length not in (None, n):
            raise RpcError(STATUS_BAD_VALUE, f"an array of {n} elements")
        return [self.element.read(parcel) for _ in range(n)]


class List(Array):
    """In a parcel as an array."""

    def __init__(self, element):
        super().__init__(element)
        self.counted = False


class NotNull(Kind):
    def __init__(self, inner):
        self.inner = inner
        self.size = inner.size

    def default(self):
        return self.inner.default()

    def _check(self, value):
        if value is None:
            raise RpcError(STATUS_UNEXPECTED_NULL)
        return value

    def write(self, parcel, value):
        self.inner.write(parcel, self._check(value))

    def read(self, parcel):
        return self._check(self.inner.read(parcel))


class Maybe(Kind):
    """What is @nullable, and null if nobody says what it is."""

    def __init__(self, inner):
        self.inner = inner
        self.size = inner.size
        self.write, self.read = inner.write, inner.read


INT = Integer("Int32", c.c_int32, 32, 4)
PLAIN = {
    "boolean": Number("Bool", c.c_bool, 4, False),
    "byte": Integer("Byte", c.c_int8, 8, 4),
    "char": Char("Char", c.c_uint16, 4),
    "int": INT,
    "long": Integer("Int64", c.c_int64, 64, 8),
    "float": Number("Float", c.c_float, 4, 0.0),
    "double": Number("Double", c.c_double, 8, 0.0),
    "String": String(),
    "IBinder": Object(),
    "ParcelFileDescriptor": File(),
}
#: what can be null
NULLABLE = (String, Bytes, Object, File, Array)


def write_status(parcel, error):
    """How a method ended, at the head of what it returns."""
    if error is None:
        status = lib.AStatus_newOk()
    elif error.code == EX_SERVICE_SPECIFIC:
        status = lib.AStatus_fromServiceSpecificErrorWithMessage(
            error.service_error, error.message.encode())
    else:
        status = lib.AStatus_fromExceptionCodeWithMessage(
            error.code, error.message.encode())
    try:
        check(lib.AParcel_writeStatusHeader(parcel, status))
    finally:
        lib.AStatus_delete(status)


def read_status(parcel):
    status = c.c_void_p()
    check(lib.AParcel_readStatusHeader(parcel, c.byref(status)))
    try:
        code = lib.AStatus_getExceptionCode(status)
        if code == EX_TRANSACTION_FAILED:
            raise RpcError(lib.AStatus_getStatus(status))
        if code != EX_NONE:
            raise AidlException(
                code, lib.AStatus_getMessage(status).decode(),
                lib.AStatus_getServiceSpecificError(status))
    finally:
        lib.AStatus_delete(status)
