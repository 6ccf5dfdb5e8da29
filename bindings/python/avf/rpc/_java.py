"""What AIDL has for Java alone: lists and maps of anything, CharSequence, and
FileDescriptor. A value of anything is the number of its type and what that
type has, as since Android 13, where a size is between the two if it can be
long."""
from ._native import STATUS_BAD_TYPE, STATUS_BAD_VALUE, RpcError, check, lib
from ._objects import Binder
from ._structures import write_sized
from ._values import INT, PLAIN, Array, Bytes, File, Kind, bytes_left

_NULL, _STRING, _INT, _MAP, _SHORT, _LONG = -1, 0, 1, 2, 5, 6
_DOUBLE, _BOOL, _TEXT, _LIST, _BYTES, _OBJECT = 8, 9, 10, 11, 13, 15
_OBJECTS = 17
#: with their size
_SIZED = (_MAP, _LIST, _OBJECTS)


class Text:
    """The body of a CharSequence: text without a style, as UTF-8."""

    def write(self, parcel, value):
        data = value.encode("utf-8")
        INT.write(parcel, 1)
        INT.write(parcel, len(data))
        data += bytes(4 - len(data) % 4)    # a NUL at least
        for at in range(0, len(data), 4):
            INT.write(parcel, int.from_bytes(data[at:at + 4], "little",
                                             signed=True))

    def read(self, parcel):
        if INT.read(parcel) != 1:
            raise RpcError(STATUS_BAD_TYPE, "text with a style")
        n = INT.read(parcel)
        if n == -1:
            return None
        if not 0 <= n < bytes_left(parcel):
            raise RpcError(STATUS_BAD_VALUE, f"text of {n} bytes")
        data = b"".join(INT.read(parcel).to_bytes(4, "little", signed=True)
                        for _ in range(n // 4 + 1))
        try:
            return data[:n].decode("utf-8")
        except UnicodeDecodeError as error:
            raise RpcError(STATUS_BAD_VALUE, str(error)) from error


class CharSequence(Kind):
    def default(self):
        return ""

    def write(self, parcel, value):
        INT.write(parcel, 0 if value is None else 1)
        if value is not None:
            _TEXT_BODY.write(parcel, value)

    def read(self, parcel):
        return None if INT.read(parcel) == 0 else _TEXT_BODY.read(parcel)


class RawFile(File):
    """A FileDescriptor, an int, without the head of a
    ParcelFileDescriptor."""
    size = 8

    def write(self, parcel, value):
        check(lib.AvfParcel_writeFileDescriptor(
            parcel, value if isinstance(value, int) else value.fileno()))

    def read(self, parcel):
        return self.read_with(lib.AvfParcel_readFileDescriptor, parcel)


class Map(Kind):
    """A dict."""

    def __init__(self, key, value):
        self.key = key
        self.value = value

    def default(self):
        return {}

    def write(self, parcel, value):
        INT.write(parcel, -1 if value is None else len(value))
        for key, each in (value or {}).items():
            self.key.write(parcel, key)
            self.value.write(parcel, each)

    def read(self, parcel):
        n = INT.read(parcel)
        if n == -1:
            return None
        least = self.key.size + self.value.size
        if n < 0 or n * least > bytes_left(parcel):
            raise RpcError(STATUS_BAD_VALUE, f"a map of {n} entries")
        made = {}
        for _ in range(n):
            key = self.key.read(parcel)
            value = self.value.read(parcel)
            try:
                made[key] = value
            except TypeError as error:  # a list is no key
                raise RpcError(STATUS_BAD_TYPE, str(error)) from error
        return made


class Anything(Kind):
    """None, bool, int, float, str, bytes, an object, list, dict; and what
    Java sends besides: its other numbers and arrays of them."""

    def __init__(self):
        self.kinds = {
            _STRING: PLAIN["String"], _INT: INT, _MAP: Map(self, self),
            _SHORT: INT, _LONG: PLAIN["long"], 7: PLAIN["float"],
            _DOUBLE: PLAIN["double"], _BOOL: PLAIN["boolean"],
            _TEXT: _TEXT_BODY, _LIST: Array(self), _BYTES: Bytes(),
            14: Array(PLAIN["String"]), _OBJECT: PLAIN["IBinder"],
            _OBJECTS: Array(self), 18: Array(INT), 19: Array(PLAIN["long"]),
            20: INT, 23: Array(PLAIN["boolean"]),
            28: Array(PLAIN["double"]), 29: PLAIN["char"],
            31: Array(PLAIN["char"]), 32: Array(PLAIN["float"])}

    def _type_of(self, value):
        if value is None:
            return _NULL
        if isinstance(value, bool):
            return _BOOL
        if isinstance(value, int):
            return _INT if -2**31 <= value < 2**31 else _LONG
        for number, types in ((_STRING, str), (_DOUBLE, float),
                              (_BYTES, (bytes, bytearray)), (_MAP, dict),
                              (_LIST, (list, tuple))):
            if isinstance(value, types):
                return number
        if isinstance(value, Binder) or hasattr(value, "as_binder"):
            return _OBJECT
        raise TypeError(f"a list or a map has no place for {value!r}")

    def write(self, parcel, value):
        number = self._type_of(value)
        INT.write(parcel, number)
        if number in _SIZED:
            write_sized(parcel,
                        lambda: self.kinds[number].write(parcel, value))
        elif number != _NULL:
            self.kinds[number].write(parcel, value)

    def read(self, parcel):
        number = INT.read(parcel)
        if number == _NULL:
            return None
        if number not in self.kinds:
            raise RpcError(STATUS_BAD_TYPE, f"a value of type {number}")
        if number not in _SIZED:
            return self.kinds[number].read(parcel)
        size, start = INT.read(parcel), lib.AParcel_getDataPosition(parcel)
        value = self.kinds[number].read(parcel)
        if lib.AParcel_getDataPosition(parcel) - start != size:
            raise RpcError(STATUS_BAD_VALUE, f"a value of {size} bytes")
        return value


_TEXT_BODY = Text()
ANYTHING = Anything()
