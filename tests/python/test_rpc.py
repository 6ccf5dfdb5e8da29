"""avf.rpc over Unix sockets: Python with Python, and with C++ in both
roles, over the interface of tests/aidl."""
import contextlib
import gc
import pathlib
import socket
import subprocess
import tempfile
import threading
import unittest
import weakref

import avf.rpc

import support
from rpc_calls import Callback, Calls, Service, aidl

PROGRAM = support.BUILD / "tests" / "test_aidl"


class Directory(unittest.TestCase):
    def setUp(self):
        folder = tempfile.TemporaryDirectory(prefix="avf-rpc")
        self.addCleanup(folder.cleanup)
        self.dir = pathlib.Path(folder.name)


class WithPython(Calls, Directory):
    def setUp(self):
        super().setUp()
        path = self.dir / "socket"
        self.server = avf.rpc.Server(aidl.ITest.serve(Service()), path,
                                     fds=True)
        self.server.start()
        self.addCleanup(self.server.close)
        self.session = avf.rpc.Session(incoming_threads=1, fds=True)
        self.addCleanup(self.session.close)
        self.test = aidl.ITest(self.session.connect_unix(path))

    def test_method_that_is_missing(self):
        del_name = "repeatInt"
        kept = getattr(Service, del_name)
        delattr(Service, del_name)
        try:
            with self.assertRaises(avf.rpc.RpcError) as caught:
                self.test.repeatInt(1)
            self.assertEqual(caught.exception.name, "UNKNOWN_TRANSACTION")
        finally:
            setattr(Service, del_name, kept)

    def test_unlinked(self):
        told = []
        died = threading.Event()
        binder = self.test.as_binder()
        binder.link_to_death(told.append)
        binder.link_to_death(died.set)
        binder.unlink_to_death(told.append)
        with self.assertRaisesRegex(ValueError, "is not linked"):
            binder.unlink_to_death(told.append)
        self.session.shutdown()
        self.assertTrue(died.wait(30))
        self.assertEqual(told, [])

    def test_links_of_what_is_collected(self):
        """They end with it, and do not keep it; while sessions die."""
        path = self.dir / "socket"
        left = []
        for i in range(100):
            with avf.rpc.Session(incoming_threads=1) as session:
                root = session.connect_unix(path)
                root.link_to_death(lambda kept=root: None)
                left.append(weakref.ref(root))
                del root
                if i % 2:
                    session.shutdown()
        gc.collect()
        self.assertEqual([each() for each in left if each()], [])

    def test_death_is_told(self):
        died = threading.Event()
        self.test.as_binder().link_to_death(died.set)
        self.session.shutdown()
        self.assertTrue(died.wait(30))
        self.assertFalse(self.test.as_binder().is_alive)
        with self.assertRaises(avf.rpc.RpcError) as caught:
            self.test.repeatInt(1)
        self.assertEqual(caught.exception.name, "DEAD_OBJECT")


class WithCpp(Calls, Directory):
    def setUp(self):
        super().setUp()
        path = self.dir / "socket"
        server = subprocess.Popen([PROGRAM, "serve", path], text=True,
                                  stdin=subprocess.PIPE,
                                  stdout=subprocess.PIPE)
        stack = contextlib.ExitStack()
        self.addCleanup(stack.close)
        stack.enter_context(server)
        self.assertEqual(server.stdout.readline(), "serving\n")
        self.session = avf.rpc.Session(incoming_threads=1, fds=True)
        stack.callback(self.session.close)
        self.test = aidl.ITest(self.session.connect_unix(path))


class ForCpp(Directory):
    """C++'s own tests of the interface, against a service in Python."""

    def test_all(self):
        path = self.dir / "socket"
        with avf.rpc.Server(aidl.ITest.serve(Service()), path,
                            fds=True) as server:
            server.start()
            run = subprocess.run([PROGRAM, path], text=True,
                                 stdout=subprocess.PIPE,
                                 stderr=subprocess.STDOUT)
        self.assertEqual(run.returncode, 0, run.stdout)
        self.assertIn("ok parcelable_of_all_types", run.stdout)


class NoPeer(Directory):
    def test_nobody_listens(self):
        with avf.rpc.Session() as session:
            with self.assertRaisesRegex(avf.rpc.RpcError, "nothing"):
                session.connect_unix(self.dir / "nothing")

    def test_peer_that_is_silent(self):
        for word in b"", b"\1\0\0":
            ours, peers = socket.socketpair()
            with peers, avf.rpc.Session(connect_timeout=0.05) as session:
                peers.send(word)
                with self.assertRaises(avf.rpc.RpcError) as caught:
                    session.connect(lambda: ours)
                self.assertEqual(caught.exception.name, "TIMED_OUT")

    def test_path_that_is_taken(self):
        (self.dir / "file").touch()
        with self.assertRaisesRegex(OSError, "cannot listen"):
            avf.rpc.Server(aidl.ICallback.serve(Callback()),
                           self.dir / "file")

    def test_connector_that_fails(self):
        for error in KeyError("mine"), KeyboardInterrupt("mine"):
            def connector():
                raise error
            with avf.rpc.Session() as session:
                with self.assertRaisesRegex(type(error), "mine"):
                    session.connect(connector)


def setUpModule():
    if not PROGRAM.exists():
        raise unittest.SkipTest("no aidl or no C++ compiler")


if __name__ == "__main__":
    support.main()
