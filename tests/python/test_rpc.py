"""avf.rpc over Unix sockets: Python with Python, and with C++ in both
roles, over the interface of tests/aidl."""
import contextlib
import gc
import os
import pathlib
import subprocess
import tempfile
import threading
import unittest

import avf.rpc

import support

AIDL = support.SOURCE / "tests" / "aidl" / "com" / "example"
PROGRAM = support.BUILD / "tests" / "test_aidl"
FILES = ["Everything", "ICallback", "ITest", "Point"]
EX_SERVICE_SPECIFIC = -8

aidl = avf.rpc.load(*(AIDL / f"{name}.aidl" for name in FILES))


class Callback:
    def __init__(self):
        self.last = 0

    def done(self, code):
        self.last = code
        return code + 1

    def later(self, text):
        self.last = len(text)


def repeat(_, value):
    return value


def reverse(_, values):
    return None if values is None else values[::-1]


class Service:
    """com.example.ITest in Python."""

    def __init__(self):
        self.lock = threading.Lock()
        self.callback = None
        self.texts = []

    def directions(self, given, both, both_ints, n):
        total = aidl.Point(x=given.x + both.x, y=given.y + both.y,
                           name=given.name)
        both.x *= 2
        both.y *= 2
        return (total, both, aidl.Point(x=1, y=2),
                [2 * each for each in both_ints], list(range(1, n + 1)))

    def setCallback(self, callback):
        self.callback = callback

    def getCallback(self):
        return self.callback

    def callBack(self, callback, code):
        return callback.done(code)

    def fail(self, exception, error, text):
        raise avf.rpc.AidlException(exception, text, error)

    def failWithStatus(self, status):
        raise avf.rpc.RpcError(status)

    def fire(self, text):
        with self.lock:
            self.texts.append(text)

    def fired(self):
        return self.texts


for name in ("Boolean", "Byte", "Char", "Int", "Long", "Float", "Double",
             "String", "Utf8", "MaybeString", "Everything", "File",
             "MaybeFile", "Object", "MaybeObject"):
    setattr(Service, f"repeat{name}", repeat)
for name in ("Booleans", "Bytes", "Chars", "Ints", "Longs", "Floats",
             "Doubles", "Strings", "MaybeInts", "MaybeStrings", "Points"):
    setattr(Service, f"reverse{name}", reverse)


class Directory(unittest.TestCase):
    def setUp(self):
        folder = tempfile.TemporaryDirectory(prefix="avf-rpc")
        self.addCleanup(folder.cleanup)
        self.dir = pathlib.Path(folder.name)


class Calls:
    """Whoever the peer is."""

    def repeats(self, method, *values):
        for value in values:
            self.assertEqual(getattr(self.test, method)(value), value)

    def test_scalars(self):
        self.repeats("repeatBoolean", True, False)
        self.repeats("repeatByte", -128, 127)
        self.repeats("repeatChar", "a", "\uffff")
        self.repeats("repeatInt", -2**31, 2**31 - 1)
        self.repeats("repeatLong", -2**63, 2**63 - 1)
        self.repeats("repeatFloat", -1.5)
        self.repeats("repeatDouble", -0.1)

    def test_text(self):
        texts = ["", "a", "a\0b", "\u00e9\u20ac\U0001f600", "x" * 4096]
        self.repeats("repeatString", *texts)
        self.repeats("repeatUtf8", *texts)
        self.repeats("repeatMaybeString", *texts, None)

    def test_arrays(self):
        for method, values in {
                "Booleans": [True, False], "Bytes": b"\x01\xff\x03",
                "Chars": ["a", "b"], "Ints": [1, -2], "Longs": [1, 2**40],
                "Floats": [1.5, 2.0], "Doubles": [0.1, 2.0],
                "Strings": ["a", "", "c"], "MaybeInts": [1, 2],
                "MaybeStrings": ["a", None]}.items():
            with self.subTest(method):
                call = getattr(self.test, f"reverse{method}")
                self.assertEqual(call(values), values[::-1])
                self.assertEqual(call(values[:0]), values[:0])
        self.assertIsNone(self.test.reverseMaybeInts(None))

    def test_parcelable_of_all_types(self):
        mine = aidl.ICallback.serve(Callback()).as_binder()
        value = aidl.Everything(
            maybeText="maybe", bytes=b"\1\2", flag=True, letter="l",
            wide=0.5, narrow=0.25, large=2**40, small=-1, ints=[1, 2],
            texts=["one", "two"], file=os.memfd_create("file"), object=mine)
        value.maybeText, value.maybeInts = "maybe", None
        back = self.test.repeatEverything(value)
        self.assertNotEqual(back.file, value.file)
        self.assertTrue(os.path.sameopenfile(back.file, value.file))
        os.close(back.file)
        os.close(value.file)
        back.file = value.file
        self.assertEqual(back, value)
        self.assertIs(back.object, mine)

    def test_parcelables(self):
        points = [aidl.Point(x=1, y=2, name=None),
                  aidl.Point(x=3, y=4, name="second")]
        self.assertEqual(self.test.reversePoints(points), points[::-1])

    def test_directions(self):
        total, both, filled, both_ints, filled_ints = self.test.directions(
            aidl.Point(x=10, y=10, name=None),
            aidl.Point(x=1, y=1, name=None), [5, 6], [0, 0, 0])
        self.assertEqual((total.x, both.x, filled.y), (11, 2, 2))
        self.assertEqual((both_ints, filled_ints), ([10, 12], [1, 2, 3]))

    def test_file_descriptors(self):
        out = os.memfd_create("file")
        back = self.test.repeatFile(out)
        self.assertTrue(os.path.sameopenfile(back, out))
        os.close(back)
        os.close(out)
        self.assertIsNone(self.test.repeatMaybeFile(None))
        with self.assertRaises(avf.rpc.RpcError) as caught:
            self.test.repeatFile(None)
        self.assertEqual(caught.exception.name, "UNEXPECTED_NULL")

    def test_objects(self):
        mine = aidl.ICallback.serve(Callback())
        self.assertIs(self.test.repeatObject(mine), mine.as_binder())
        self.assertIsNone(self.test.repeatMaybeObject(None))
        theirs = self.test.as_binder()
        self.assertIs(self.test.repeatObject(theirs), theirs)
        self.assertTrue(theirs.is_remote and theirs.is_alive)
        theirs.ping()

    def test_callbacks(self):
        callback = Callback()
        mine = aidl.ICallback.serve(callback)
        self.assertEqual(self.test.callBack(mine, 41), 42)
        self.assertEqual(callback.last, 41)
        self.test.setCallback(mine)
        self.assertEqual(self.test.getCallback(), mine)
        self.test.setCallback(None)
        self.assertIsNone(self.test.getCallback())

    def test_exceptions(self):
        for code in (-1, -2, -3, -4, -5, -7):
            with self.assertRaisesRegex(avf.rpc.AidlException, "why") as e:
                self.test.fail(code, 0, "why")
            self.assertEqual(e.exception.code, code)
        with self.assertRaises(avf.rpc.AidlException) as e:
            self.test.fail(EX_SERVICE_SPECIFIC, 77, "own")
        self.assertEqual(e.exception.service_error, 77)
        with self.assertRaises(avf.rpc.RpcError) as e:
            self.test.failWithStatus(-1)
        self.assertEqual(e.exception.name, "PERMISSION_DENIED")

    def test_oneway(self):
        before = len(self.test.fired())
        for i in range(20):
            self.assertIsNone(self.test.fire(f"f{i}"))
        self.assertEqual(self.test.fired()[before:],
                         [f"f{i}" for i in range(20)])

    def test_wrong_use(self):
        with self.assertRaisesRegex(TypeError, "no com.example.ICallback"):
            aidl.ICallback(self.test.as_binder())
        with self.assertRaisesRegex(TypeError, "takes 1 arguments, not 0"):
            self.test.repeatInt()
        with self.assertRaises(Exception):
            self.test.repeatInt("text")
        self.assertEqual(self.test.repeatInt(1), 1)  # the session lives on

    def test_gives_back(self):
        """Only the root is left of what both sides have of each other."""
        self.test.repeatObject(aidl.ICallback.serve(Callback()))
        for _ in range(10000):
            gc.collect(0)
            self.test.as_binder().ping()
            if self.session.count_objects() == 1:
                break
        self.assertEqual(self.session.count_objects(), 1)


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

    def test_path_that_is_taken(self):
        (self.dir / "file").touch()
        with self.assertRaisesRegex(OSError, "cannot listen"):
            avf.rpc.Server(aidl.ICallback.serve(Callback()),
                           self.dir / "file")

    def test_connector_that_fails(self):
        def connector():
            raise KeyError("mine")
        with avf.rpc.Session() as session:
            with self.assertRaisesRegex(KeyError, "mine"):
                session.connect(connector)


def setUpModule():
    if not PROGRAM.exists():
        raise unittest.SkipTest("no aidl or no C++ compiler")


if __name__ == "__main__":
    support.main()
