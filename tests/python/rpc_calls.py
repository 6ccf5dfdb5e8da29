"""com.example.ITest of tests/aidl in Python: a service, and what calls one,
whoever serves it and wherever."""
import gc
import os
import queue
import threading

import avf.rpc

import support

AIDL = support.SOURCE / "tests" / "aidl" / "com" / "example"
FILES = ["Everything", "Files", "ICallback", "IListener", "ITest", "Point"]
EX_SERVICE_SPECIFIC = -8
PATIENCE_S = 60

PATHS = [AIDL / f"{name}.aidl" for name in FILES]

aidl = avf.rpc.load(*PATHS, version=3)


class Callback:
    def __init__(self):
        self.last = 0
        self.texts = queue.Queue()

    def done(self, code):
        self.last = code
        return code + 1

    def later(self, text):
        self.texts.put(text)


class Listener:
    def __init__(self):
        self.texts = queue.Queue()

    def heard(self, text):
        self.texts.put(text)


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

    def fill(self, *lengths):
        def up(n, made=int):
            return [made(i + 1) for i in range(n)]

        z, b, c, l, f, d, s, p = lengths
        return ([i % 2 == 0 for i in range(z)], bytes(up(b)), up(c, chr),
                up(l), up(f, float), up(d, float), up(s, str),
                up(p, lambda x: aidl.Point(x=x)))

    def turn(self, *arrays):
        return tuple(each[::-1] for each in arrays)

    def callLater(self, callback, text):
        callback.later(text)

    def tell(self, listener, text):
        listener.heard(text)

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
             "String", "Utf8", "MaybeString", "MaybeUtf8", "Everything",
             "File", "MaybeFile", "Files", "Object", "MaybeObject"):
    setattr(Service, f"repeat{name}", repeat)
for name in ("Booleans", "Bytes", "Chars", "Ints", "Longs", "Floats",
             "Doubles", "Strings", "Utf8s", "Points", "MaybeBooleans",
             "MaybeBytes", "MaybeChars", "MaybeInts", "MaybeLongs",
             "MaybeFloats", "MaybeDoubles", "MaybeStrings"):
    setattr(Service, f"reverse{name}", reverse)


class Calls:
    """Whoever the peer is: self.test, of self.session."""

    takes_files = True

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
        self.repeats("repeatMaybeUtf8", *texts, None)

    def reverses(self, names, prefix=""):
        for name, values in names.items():
            with self.subTest(name):
                call = getattr(self.test, f"reverse{prefix}{name}")
                self.assertEqual(call(values), values[::-1])
                self.assertEqual(call(values[:0]), values[:0])
                if prefix:
                    self.assertIsNone(call(None))

    def test_arrays(self):
        numbers = {"Booleans": [True, False], "Bytes": b"\x01\xff\x03",
                   "Chars": ["a", "b"], "Ints": [1, -2],
                   "Longs": [1, 2**40], "Floats": [1.5, 2.0],
                   "Doubles": [0.1, 2.0], "Strings": ["a", "", "c"]}
        self.reverses(numbers)
        self.reverses({"Utf8s": ["a", ""]})
        self.reverses(numbers, "Maybe")
        self.assertEqual(self.test.reverseMaybeStrings(["a", None]),
                         [None, "a"])

    def test_out_arrays(self):
        filled = self.test.fill([0] * 2, bytes(3), "x", [0], [0] * 2, [],
                                [""] * 2, [None] * 2)
        points = [aidl.Point(x=1), aidl.Point(x=2)]
        for point in points:
            point.name = filled[7][0].name
        self.assertEqual(filled, ([True, False], b"\1\2\3", ["\1"], [1],
                                  [1.0, 2.0], [], ["1", "2"], points))
        self.assertEqual(self.test.turn(*filled),
                         tuple(each[::-1] for each in filled))

    def test_parcelable_of_all_types(self):
        mine = aidl.ICallback.serve(Callback())
        value = aidl.Everything(
            maybeText="maybe", letter="l", large=2**40, bytes=b"\1\2",
            flags=[True, False], letters=["a", "\uffff"], larges=[2**40, -1],
            narrows=[0.5], wides=[1e300, -0.1], maybeBytes=b"\4",
            maybeTexts=["some", None], point=aidl.Point(x=1, name="first"),
            points=[aidl.Point(x=2, name=None)], callback=mine,
            object=mine.as_binder(), maybeInts=None)
        back = self.test.repeatEverything(value)
        self.assertEqual(back, value)
        self.assertIs(back.object, mine.as_binder())
        self.assertEqual((back.number, back.utf8, back.narrow, back.ints),
                         (7, "utf8", 0.25, [1, 2]))

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
        self.assertIsNone(self.test.repeatMaybeFile(None))
        with self.assertRaises(avf.rpc.RpcError):
            self.test.repeatFile(None)
        fd = os.memfd_create("file")
        self.addCleanup(os.close, fd)
        if not self.takes_files:
            with self.assertRaisesRegex(avf.rpc.RpcError, "FDS_NOT_ALLOWED"):
                self.test.repeatFile(fd)
            with self.assertRaisesRegex(avf.rpc.RpcError, "FDS_NOT_ALLOWED"):
                self.test.repeatFiles(aidl.Files(file=fd))
            self.assertEqual(self.test.repeatInt(5), 5)
            return
        files = self.test.repeatFiles(aidl.Files(file=fd, maybeFile=None))
        self.assertIsNone(files.maybeFile)
        for back in (self.test.repeatFile(fd), files.file):
            self.assertNotEqual(back, fd)
            self.assertTrue(os.path.sameopenfile(back, fd))
            os.close(back)

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
        later = Callback()
        self.test.callLater(aidl.ICallback.serve(later), "later")
        self.assertEqual(later.texts.get(timeout=PATIENCE_S), "later")

    def test_listeners(self):
        listener = Listener()
        self.test.tell(aidl.IListener.serve(listener), "news")
        self.assertEqual(listener.texts.get(timeout=PATIENCE_S), "news")

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

    def test_version(self):
        self.assertEqual(self.test.getInterfaceVersion(), 3)

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
