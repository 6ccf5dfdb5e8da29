"""com.example.ITest, served by a payload in C++: on KVM, or under emulation
with AVF_TEST_EMULATED. One VM for all tests, a session for each."""
import os
import threading
import unittest

import avf
import avf.rpc
import support
from rpc_calls import Calls, aidl

PACKAGE = support.BUILD / "tests" / "packages" / "good.avfpkg"
PORT = 5678
PATIENCE_S = 90


class WithPayload(Calls, unittest.TestCase):
    takes_files = False     # vsock has none

    @classmethod
    def setUpClass(cls):
        if not PACKAGE.exists():
            raise unittest.SkipTest("the packages of the tests are not built")
        if not os.environ.get("AVF_GUEST_IMAGE"):
            raise unittest.SkipTest("AVF_GUEST_IMAGE names no guest image")
        cls.vm = avf.Vm(avf.Config(
            package=PACKAGE, payload_name="libaidl.so",
            acceleration=avf.Acceleration.EMULATION
            if os.environ.get("AVF_TEST_EMULATED")
            else avf.Acceleration.KVM))
        cls.vm.run()
        while event := cls.vm.wait_event(PATIENCE_S):
            if event.type == avf.EventType.PAYLOAD_READY:
                return
            print(event, flush=True)
        cls.vm.close()
        raise AssertionError("the payload is not ready")

    @classmethod
    def connect(cls):
        """As vm.connect_rpc(), but the payload can call when it likes."""
        session = avf.rpc.Session(incoming_threads=1)
        return session, aidl.ITest(session.connect(
            lambda: cls.vm.connect(PORT, PATIENCE_S)))

    @classmethod
    def tearDownClass(cls):
        """The end of a VM is the end of its objects."""
        session, test = cls.connect()
        died = threading.Event()
        with session:
            test.as_binder().link_to_death(died.set)
            cls.vm.close()
            assert died.wait(PATIENCE_S), "nobody said that the VM is gone"
            assert not test.as_binder().is_alive

    def setUp(self):
        self.session, self.test = self.connect()
        self.addCleanup(self.session.close)

    def test_connect_rpc(self):
        test = aidl.ITest(self.vm.connect_rpc(PORT, PATIENCE_S))
        self.assertEqual(test.repeatString("hello"), "hello")

    def test_stranger(self):
        """What the payload does not serve."""
        with self.assertRaisesRegex(TypeError, "no com.example.ICallback"):
            aidl.ICallback(self.test.as_binder())
        with self.assertRaises(avf.AvfError):
            self.vm.connect_rpc(PORT + 1, PATIENCE_S)


if __name__ == "__main__":
    support.main()
