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
import unittest.mock
import weakref

import avf.rpc
from avf.rpc import _native, _objects

import support
from rpc_calls import PATHS, PATIENCE_S, Callback, Calls, Service, aidl

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


class Versions(Directory):
    def serve(self, **of_theirs):
        """Their interface's proxy here, where it has all that there is."""
        theirs = avf.rpc.load(*PATHS, **of_theirs)
        ours = avf.rpc.load(*PATHS, version=7, hash="ours")
        server = avf.rpc.Server(theirs.ITest.serve(Service()),
                                self.dir / "socket")
        self.addCleanup(server.close)
        server.start()
        session = avf.rpc.Session()
        self.addCleanup(session.close)
        return ours.ITest(session.connect_unix(self.dir / "socket"))

    def test_those_of_the_peer(self):
        test = self.serve(version=3, hash="notfrozen")
        self.assertEqual(test.getInterfaceVersion(), 3)
        self.assertEqual(test.getInterfaceHash(), "notfrozen")
        self.assertEqual(test.repeatInt(1), 1)

    def test_peer_without(self):
        test = self.serve()
        for ask in test.getInterfaceVersion, test.getInterfaceHash:
            with self.assertRaises(avf.rpc.RpcError) as caught:
                ask()
            self.assertEqual(caught.exception.name, "UNKNOWN_TRANSACTION")
        self.assertFalse(hasattr(avf.rpc.load(*PATHS).ITest,
                                 "getInterfaceVersion"))


class Parent:
    """A service that serves an object of its own."""

    def __init__(self):
        self.child = aidl.ICallback.serve(Callback())


def serve_parent():
    return aidl.IListener.serve(Parent())


class Ends(Directory):
    """Objects that end while others are made, on this and other threads."""

    def within_patience(self, act):
        """A dead-lock shall fail, not hang."""
        failed = []

        def run():
            try:
                act()
            except BaseException as error:
                failed.append(error)

        thread = threading.Thread(target=run, daemon=True)
        thread.start()
        thread.join(PATIENCE_S)
        self.assertFalse(thread.is_alive(), "waits for itself")
        self.assertEqual(failed, [])

    def test_service_that_owns_an_object(self):
        def drop():
            child = weakref.ref(serve_parent())
            self.assertIsNone(child())
            self.assertEqual(_objects._services, before)

        before = dict(_objects._services)
        self.within_patience(drop)

    def test_collected_while_another_is_made(self):
        """The collector may come wherever Python allocates."""
        def make():
            for _ in range(200):
                cycle = [serve_parent()]
                cycle.append(cycle)
                del cycle
                serve_parent()

        before = dict(_objects._services)
        kept = gc.get_threshold()
        gc.set_threshold(1)
        try:
            self.within_patience(make)
        finally:
            gc.set_threshold(*kept)
        gc.collect()
        self.assertEqual(_objects._services, before)

    def test_taken_while_it_ends(self):
        """By another thread, which must not get what is giving its reference
        back."""
        def give_back(pointer):
            if not taken:
                taken.append("about to be")
                taken[0] = read_back(parcel)
            real(pointer)

        real, taken = _native.lib.AIBinder_decStrong, []
        parcel = _native.lib.AParcel_create()
        self.addCleanup(_native.lib.AParcel_delete, parcel)
        avf.rpc._values.PLAIN["IBinder"].write(
            parcel, aidl.ICallback.serve(Callback()))
        first = read_back(parcel)
        first.mark = "it ends"
        with unittest.mock.patch.object(_native.lib, "AIBinder_decStrong",
                                        give_back):
            del first
        self.assertFalse(hasattr(taken[0], "mark"))
        self.assertIs(read_back(parcel), taken[0])


def read_back(parcel):
    _native.check(_native.lib.AParcel_setDataPosition(parcel, 0))
    return avf.rpc._values.PLAIN["IBinder"].read(parcel)


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
