"""RPC binder: AIDL interfaces of a VM's payload, or of any process.

    import avf.rpc

    aidl = avf.rpc.load("com/example/IEcho.aidl")
    echo = aidl.IEcho(vm.connect_rpc(5678))
    print(echo.repeat("hello"))

Proxies and services are made from .aidl files while the program runs; no
code is generated. A method's results are what it returns and then its "out"
and "inout" arguments: one value, or a tuple of them.

    class Echo:
        def repeat(self, text):
            return text

    server = avf.rpc.Server(aidl.IEcho.serve(Echo()), "/run/me/echo")
    server.start()

Any thread may call; methods of a service run on threads of the library,
several at once. Values: str, bytes for byte[], list, dict, int for a file
descriptor (a received one is the caller's to close), None for null; enums are
IntEnums, parcelables and unions classes of their own. docs/bindings.md has
the table.
"""
from ._aidl import AidlError, parse
from ._load import Aidl
from ._native import RpcError
from ._objects import Binder, Server, Session
from ._values import AidlException

__all__ = ["Aidl", "AidlError", "AidlException", "Binder", "RpcError",
           "Server", "Session", "load"]


def load(*paths, version=None, hash=None):
    """An Aidl of these files. What they import must be among them. version
    and hash: what their interfaces answer to getInterfaceVersion() and
    getInterfaceHash(), which proxies have then too."""
    files = []
    for path in paths:
        with open(path, encoding="utf-8") as file:
            files.append(parse(file.read(), str(path)))
    return Aidl(files, version, hash)
