"""MicrodroidTests of RPC binder beyond calls to the payload."""
import queue

import pytest

import avf.rpc
from harness import PATIENCE, aidl, avf_test, fails

# Nothing listens there.
NO_PORT = 5679


class AppCallback:
    def __init__(self):
        self.vm = queue.Queue()
        self.heard = queue.Queue()

    def setVmCallback(self, vm):
        self.vm.put(vm)

    def onEchoRequestReceived(self, message):
        self.heard.put(message)


@avf_test(needs="rpc")
def binderCallbacksWork(guest):
    app = AppCallback()
    guest.requestCallback(aidl.IAppCallback.serve(app))
    app.vm.get(timeout=PATIENCE).echoMessage("Hello")
    assert app.heard.get(timeout=PATIENCE) == "Received: Hello"


@avf_test(needs="rpc")
def preconnectedBinderException(guest):
    """AVF's method is hidden: what it calls, and what programs see of it."""
    def no_connection():
        raise OSError("on purpose")

    with (avf.rpc.Session() as session,
          pytest.raises(OSError, match="on purpose")):
        session.connect(no_connection)
    fails("AVF_ERR_REFUSED", "connect to port 5679", guest.vm.connect_rpc, NO_PORT)
