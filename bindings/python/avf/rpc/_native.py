"""libvirtualization-binder's C functions, by ctypes: unlike what SWIG makes
they can call back. Calls give up the interpreter's lock."""
import ctypes as c
import pathlib

_HERE = pathlib.Path(__file__).resolve().parent
# in a wheel; in a build tree; where the loader looks
_PLACES = [_HERE.parent / "lib" / "libvirtualization-binder.so.0",
           _HERE.parents[2] / "lib" / "libvirtualization-binder.so.0"]


def _load():
    for place in _PLACES:
        if place.exists():
            return c.CDLL(str(place), use_errno=True)
    try:
        return c.CDLL("libvirtualization-binder.so.0", use_errno=True)
    except OSError as error:
        raise ImportError("libvirtualization-binder.so.0 is neither in "
                          f"{[str(p) for p in _PLACES]} nor where the "
                          "loader looks") from error


lib = _load()

STATUS_OK = 0
STATUS_UNKNOWN_ERROR = -2**31
STATUS_NO_MEMORY = -12
STATUS_BAD_VALUE = -22
STATUS_DEAD_OBJECT = -32
STATUS_UNKNOWN_TRANSACTION = -74
STATUS_BAD_TYPE = -2**31 + 1
STATUS_UNEXPECTED_NULL = -2**31 + 8
EX_NONE = 0
EX_SERVICE_SPECIFIC = -8
EX_TRANSACTION_FAILED = -129
FLAG_ONEWAY = 1

OnCreate = c.CFUNCTYPE(c.c_void_p, c.c_void_p)
OnDestroy = c.CFUNCTYPE(None, c.c_void_p)
OnTransact = c.CFUNCTYPE(c.c_int32, c.c_void_p, c.c_uint32, c.c_void_p,
                         c.c_void_p)
OnDied = c.CFUNCTYPE(None, c.c_void_p)
RequestFd = c.CFUNCTYPE(c.c_int, c.c_void_p)
#: data, length, where to put the address of the room
Allocator = c.CFUNCTYPE(c.c_bool, c.c_void_p, c.c_int32,
                        c.POINTER(c.c_void_p))

_P, _I, _PP = c.c_void_p, c.c_int32, c.POINTER(c.c_void_p)
_SIGNATURES = {
    "AIBinder_Class_define": (_P, [c.c_char_p, OnCreate, OnDestroy,
                                   OnTransact]),
    "AIBinder_new": (_P, [_P, _P]),
    "AIBinder_incStrong": (None, [_P]),
    "AIBinder_decStrong": (None, [_P]),
    "AIBinder_isRemote": (c.c_bool, [_P]),
    "AIBinder_isAlive": (c.c_bool, [_P]),
    "AIBinder_ping": (_I, [_P]),
    "AIBinder_associateClass": (c.c_bool, [_P, _P]),
    "AIBinder_getUserData": (_P, [_P]),
    "AIBinder_prepareTransaction": (_I, [_P, _PP]),
    "AIBinder_transact": (_I, [_P, c.c_uint32, _PP, _PP, c.c_uint32]),
    "AIBinder_DeathRecipient_new": (_P, [OnDied]),
    "AIBinder_linkToDeath": (_I, [_P, _P, _P]),
    "AIBinder_unlinkToDeath": (_I, [_P, _P, _P]),
    "AvfBinder_readDescriptor": (_I, [_P, _P, Allocator]),
    "AParcel_create": (_P, []),
    "AParcel_delete": (None, [_P]),
    "AParcel_appendFrom": (_I, [_P, _P, _I, _I]),
    "AParcel_getDataSize": (_I, [_P]),
    "AParcel_getDataPosition": (_I, [_P]),
    "AParcel_setDataPosition": (_I, [_P, _I]),
    "AParcel_writeString": (_I, [_P, c.c_char_p, _I]),
    "AParcel_readString": (_I, [_P, _P, Allocator]),
    "AParcel_writeByteArray": (_I, [_P, c.c_char_p, _I]),
    "AParcel_readByteArray": (_I, [_P, _P, Allocator]),
    "AParcel_writeStrongBinder": (_I, [_P, _P]),
    "AParcel_readStrongBinder": (_I, [_P, _PP]),
    "AParcel_writeParcelFileDescriptor": (_I, [_P, c.c_int]),
    "AParcel_readParcelFileDescriptor": (_I, [_P, c.POINTER(c.c_int)]),
    "AvfParcel_writeFileDescriptor": (_I, [_P, c.c_int]),
    "AvfParcel_readFileDescriptor": (_I, [_P, c.POINTER(c.c_int)]),
    "AParcel_writeStatusHeader": (_I, [_P, _P]),
    "AParcel_readStatusHeader": (_I, [_P, _PP]),
    "AStatus_newOk": (_P, []),
    "AStatus_fromStatus": (_P, [_I]),
    "AStatus_fromExceptionCodeWithMessage": (_P, [_I, c.c_char_p]),
    "AStatus_fromServiceSpecificErrorWithMessage": (_P, [_I, c.c_char_p]),
    "AStatus_getExceptionCode": (_I, [_P]),
    "AStatus_getServiceSpecificError": (_I, [_P]),
    "AStatus_getStatus": (_I, [_P]),
    "AStatus_getMessage": (c.c_char_p, [_P]),
    "AStatus_getDescription": (_P, [_P]),
    "AStatus_deleteDescription": (None, [_P]),
    "AStatus_delete": (None, [_P]),
    "ARpcServer_setSupportedFileDescriptorTransportModes":
        (None, [_P, c.POINTER(c.c_int), c.c_size_t]),
    "ARpcServer_start": (None, [_P]),
    "ARpcServer_free": (None, [_P]),
    "AvfRpcServer_newUnixDomain": (_P, [_P, c.c_char_p]),
    "AvfRpcServer_setMaxThreads": (None, [_P, c.c_size_t]),
    "ARpcSession_new": (_P, []),
    "ARpcSession_free": (None, [_P]),
    "ARpcSession_setFileDescriptorTransportMode": (None, [_P, c.c_int]),
    "ARpcSession_setMaxIncomingThreads": (None, [_P, c.c_size_t]),
    "ARpcSession_setupUnixDomainClient": (_P, [_P, c.c_char_p]),
    "ARpcSession_setupPreconnectedClient": (_P, [_P, RequestFd, _P]),
    "AvfRpcSession_setConnectTimeout": (None, [_P, c.c_uint32]),
    "AvfRpcSession_getError": (_I, [_P]),
    "AvfRpcSession_countObjects": (c.c_size_t, [_P]),
    "AvfRpcSession_shutdown": (None, [_P, c.c_bool]),
}
for _name, _kind in {"Int32": c.c_int32, "Int64": c.c_int64,
                     "Float": c.c_float, "Double": c.c_double,
                     "Bool": c.c_bool, "Char": c.c_uint16,
                     "Byte": c.c_int8}.items():
    _SIGNATURES[f"AParcel_write{_name}"] = (_I, [_P, _kind])
    _SIGNATURES[f"AParcel_read{_name}"] = (_I, [_P, c.POINTER(_kind)])
for _name, (_result, _arguments) in _SIGNATURES.items():
    getattr(lib, _name).restype = _result
    getattr(lib, _name).argtypes = _arguments


class RpcError(Exception):
    """A call was not made, or its answer did not come."""

    def __init__(self, status, what=""):
        self.status = status
        self.name = status_name(status)
        super().__init__(f"{what}: {self.name}" if what else self.name)


def status_name(status):
    """"DEAD_OBJECT", or a number."""
    made = lib.AStatus_fromStatus(status)
    line = lib.AStatus_getDescription(made)
    text = c.string_at(line).decode() if line else ""
    lib.AStatus_deleteDescription(line)
    lib.AStatus_delete(made)
    # Status(-129, EX_TRANSACTION_FAILED): 'DEAD_OBJECT: '
    return text.partition("'")[2].partition(":")[0] or "OK"


def check(status, what=""):
    if status != STATUS_OK:
        raise RpcError(status, what)
